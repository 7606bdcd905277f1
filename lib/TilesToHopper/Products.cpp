//===- Products.cpp - Scores and aggregation on wgmma ---------------------===//
//
// One block of inline PTX a product: fence, the wgmma of all k16 steps, commit.
// wgmma reads B (keys, values) from shared memory through a matrix descriptor,
// A from there too (queries) or from registers (weights). PTX ISA,
// "wgmma.mma_async", "Matrix descriptor format".
//
// nvvm.wgmma.* is not used: it has no form with A in registers, and its wait
// does not tie the accumulators, so that reads could be moved above it.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

Emitter::Fragment WarpgroupEmitter::inlinePtx(StringRef text,
                                              StringRef constraints,
                                              ValueRange operands,
                                              ArrayRef<Type> results) {
  auto dialect =
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT);
  SmallVector<Type> types;
  if (results.size() == 1)
    types.push_back(results.front());
  else if (!results.empty())
    types.push_back(LLVM::LLVMStructType::getLiteral(b.getContext(), results));
  auto op = LLVM::InlineAsmOp::create(
      b, loc, types, operands, text, constraints,
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, dialect, ArrayAttr());
  if (results.empty())
    return {};
  if (results.size() == 1)
    return {op.getResult(0)};
  Fragment values;
  for (size_t i = 0; i < results.size(); ++i)
    values.push_back(field(op.getResult(0), i));
  return values;
}

/// "=f" or "r" `count` times.
static std::string repeated(StringRef constraint, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += (i ? "," : "") + constraint.str();
  return text;
}

/// The first `count` outputs again as inputs.
static std::string tied(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += "," + std::to_string(i);
  return text;
}

/// "{$first, ...}", `count` operands.
static std::string registers(size_t first, size_t count) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ",$" : "$") + std::to_string(first + i);
  return text + "}";
}

/// Matrix descriptor of a panel at a byte offset of shared memory: 14-bit
/// fields in units of 16 bytes, and 1 in bits 62-63 for the 128-byte swizzle.
Value WarpgroupEmitter::descriptor(Value byteOffset, PanelLayoutAttr layout) {
  Value address = divide(add(sharedBase, byteOffset), i32(16));
  Value wide = arith::ExtUIOp::create(b, loc, b.getI64Type(), address);
  int64_t fields = int64_t(1) << 62 | (layout.getStride() / 16) << 32 |
                   (layout.getLeading() / 16) << 16;
  Value constant =
      arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(fields));
  return arith::OrIOp::create(b, loc, wide, constant);
}

/// Where the operand of k16 step `step` starts, in units of a descriptor.
static int64_t stepUnits(PanelLayoutAttr layout, int64_t step) {
  return (step / 4 * layout.getBlockBytes() + step % 4 * layout.getStep()) / 16;
}

static StringRef typeName(Type element) {
  return element.isF16() ? "f16" : "bf16";
}

void WarpgroupEmitter::issueScores(TileScoresOp op) {
  auto panel = cast<PanelType>(op.getK().getType());
  int64_t n = panel.getRows(), count = n / 2;
  StringRef type = typeName(panel.getElementType());
  waitFor(fullBarrier(slot()), phase());
  if (inTurns && !isa_and_nonnull<TileScoresOp>(op->getPrevNode())) {
    passOwedTurn(); // or each consumer would wait for the other's
    takeTurn();
  }
  Value keys = descriptor(slotOffset(slot()), pipeline.getKey());
  std::string text = "{\n.reg .pred first, next;\n.reg .b64 a, b;\n"
                     "setp.ne.b32 first, 0, 0;\nsetp.ne.b32 next, 1, 0;\n"
                     "wgmma.fence.sync.aligned;\n";
  llvm::raw_string_ostream ptx(text);
  for (int64_t step = 0; step < panel.getColumns() / 16; ++step)
    ptx << "add.s64 a, $" << count << ", "
        << stepUnits(pipeline.getQuery(), step) << ";\nadd.s64 b, $"
        << count + 1 << ", " << stepUnits(pipeline.getKey(), step)
        << ";\nwgmma.mma_async.sync.aligned.m64n" << n << "k16.f32." << type
        << "." << type << " " << registers(0, count) << ", a, b, "
        << (step ? "next" : "first") << ", 1, 1, 0, 0;\n";
  ptx << "wgmma.commit_group.sync.aligned;\n}";
  set(op,
      inlinePtx(text, repeated("=f", count) + ",l,l", {get(op.getQ()), keys},
                SmallVector<Type>(count, b.getF32Type())));
  pending.push_back({op.getS(), slot()});
  advance();
  if (!inTurns || isa<TileScoresOp>(op->getNextNode()))
    return;
  // A fetched tile has no other products: the next warpgroup may multiply once
  // this one's first view is done, and begin before its second is. With one
  // view that would be too late.
  if (holdsTurn && isa_and_nonnull<TileScoresOp>(op->getPrevNode()))
    owesTurn = true;
  else
    passTurn();
}

/// Waits until at most `inFlight` products are under way. The registers are
/// tied to the wait, so that no read of them moves above it.
Emitter::Fragment WarpgroupEmitter::awaitRegisters(ArrayRef<Value> values,
                                                   int64_t inFlight) {
  size_t count = values.size();
  return inlinePtx("wgmma.wait_group.sync.aligned " + std::to_string(inFlight) +
                       ";",
                   repeated("=f", count) + tied(count) + ",~{memory}",
                   Fragment(values), SmallVector<Type>(count, b.getF32Type()));
}

/// Waits for the products that give the tiles that are `wanted`, and with them
/// all issued before; their slots go back to the producer.
void WarpgroupEmitter::awaitProducts(llvm::function_ref<bool(Value)> wanted) {
  size_t last = 0;
  for (size_t i = 0; i < pending.size(); ++i)
    if (wanted(pending[i].tile))
      last = i + 1;
  if (!last)
    return;
  Fragment values;
  for (const Pending &product : ArrayRef(pending).take_front(last))
    llvm::append_range(values, getAll(product.tile));
  Fragment done = awaitRegisters(values, pending.size() - last);
  ValueRange rest(done);
  for (const Pending &product : ArrayRef(pending).take_front(last)) {
    setFlat(product.tile, rest);
    rest = rest.drop_front(getAll(product.tile).size());
    if (product.slot)
      arriveOncePerWarp(emptyBarrier(product.slot));
    if (auto scores = product.tile.getDefiningOp<TileScoresOp>())
      releaseQueries(scores);
  }
  pending.erase(pending.begin(), pending.begin() + last);
  passOwedTurn();
}

/// acc += a v for the k16 steps whose packed weights are `words`, in flight.
/// Without `acc`: the product of `columns` alone.
Emitter::Fragment WarpgroupEmitter::issueAggregate(ArrayRef<Value> acc,
                                                   ArrayRef<Value> words,
                                                   Value values, Type element,
                                                   int64_t columns) {
  size_t count = columns / 2, before = acc.size();
  StringRef type = typeName(element);
  std::string text = "{\n.reg .pred first, next;\n.reg .b64 b;\n"
                     "setp.ne.b32 first, 0, 0;\nsetp.ne.b32 next, 1, 0;\n"
                     "wgmma.fence.sync.aligned;\n";
  llvm::raw_string_ostream ptx(text);
  size_t wordIndex = count + before, valuesIndex = wordIndex + words.size();
  for (size_t step = 0; step < words.size() / 4; ++step)
    ptx << "add.s64 b, $" << valuesIndex << ", "
        << int64_t(step) * pipeline.getValue().getStep() / 16
        << ";\nwgmma.mma_async.sync.aligned.m64n" << columns << "k16.f32."
        << type << "." << type << " " << registers(0, count) << ", "
        << registers(wordIndex + 4 * step, 4) << ", b, "
        << (before || step ? "next" : "first") << ", 1, 1, 1;\n";
  ptx << "wgmma.commit_group.sync.aligned;\n}";
  Fragment operands(acc);
  llvm::append_range(operands, words);
  operands.push_back(values);
  return inlinePtx(text,
                   repeated("=f", count) + tied(before) + "," +
                       repeated("r", words.size()) + ",l",
                   operands, SmallVector<Type>(count, b.getF32Type()));
}

/// acc + part, each row of `part` scaled back.
Emitter::Fragment WarpgroupEmitter::addPart(ArrayRef<Value> acc,
                                            ArrayRef<Value> part,
                                            Value unscale[2]) {
  Fragment sum;
  for (size_t i = 0; i < acc.size(); ++i)
    sum.push_back(fma(part[i], unscale[i / 2 % 2], acc[i]));
  return sum;
}

/// The values, computed here and nowhere later: LLVM would sink the additions
/// to the end of the tile, and keep both of their operands until then.
Emitter::Fragment WarpgroupEmitter::pinned(ArrayRef<Value> values) {
  size_t count = values.size();
  return inlinePtx("", repeated("=f", count) + tied(count), Fragment(values),
                   SmallVector<Type>(count, b.getF32Type()));
}

/// Scaled weights (f16) are summed apart from the output, block of columns by
/// block of columns: `partOf(first, count)` gives the sums of `count` columns
/// from `first` on, with nothing on the way any more.
Emitter::Fragment WarpgroupEmitter::accumulateApart(
    ArrayRef<Value> acc, Value unscale[2],
    llvm::function_ref<Fragment(int64_t first, int64_t count)> partOf) {
  Fragment result;
  while (result.size() < acc.size()) {
    ArrayRef<Value> block = acc.drop_front(result.size());
    block = block.take_front(kApartColumns / 2);
    Fragment part = partOf(2 * result.size(), 2 * block.size());
    llvm::append_range(result, pinned(addPart(block, part, unscale)));
  }
  return result;
}

/// A value panel's descriptor from k16 step `step` and column `first` on.
Value WarpgroupEmitter::valuesAt(Value values, int64_t step, int64_t first) {
  PanelLayoutAttr layout = pipeline.getValue();
  int64_t bytes = step * layout.getStep() + first / 64 * layout.getBlockBytes();
  return bytes == 0 ? values
                    : Value(arith::AddIOp::create(
                          b, loc, values,
                          arith::ConstantOp::create(
                              b, loc, b.getI64IntegerAttr(bytes / 16))));
}

void WarpgroupEmitter::emitAggregate(TileAggregateOp op) {
  Type element = cast<PanelType>(op.getV().getType()).getElementType();
  Fragment a = getAll(op.getA()), acc = getAll(op.getAcc());
  Value unscale[2];
  scaleRows(a, element, unscale);
  Fragment words = packWeights(a, element);
  waitFor(fullBarrier(slot()), phase());
  Value values = descriptor(slotOffset(slot()), pipeline.getValue());
  if (!element.isF16()) {
    set(op, issueAggregate(acc, words, values, element, 2 * acc.size()));
    pending.push_back({op.getResult(), slot()});
  } else {
    awaitAll(); // the sums of each block of columns are awaited at once
    auto partOf = [&](int64_t first, int64_t count) {
      return awaitRegisters(
          issueAggregate({}, words, valuesAt(values, 0, first), element, count),
          0);
    };
    set(op, accumulateApart(acc, unscale, partOf));
    arriveOncePerWarp(emptyBarrier(slot()));
  }
  advance();
}

/// A bit for each k16 step in which this warp has a weight, the same in all its
/// lanes.
Value WarpgroupEmitter::liveSteps(ArrayRef<Value> words) {
  Value mask;
  for (size_t step = 0; step < words.size() / 4; ++step) {
    Value any;
    for (Value word : words.slice(4 * step, 4))
      any = any ? Value(arith::OrIOp::create(b, loc, any, word)) : word;
    Value bit = select(isAny(any), i32(int64_t(1) << step), i32(0));
    mask = mask ? Value(arith::OrIOp::create(b, loc, mask, bit)) : bit;
  }
  return NVVM::ReduxOp::create(b, loc, b.getI32Type(), mask,
                               NVVM::ReduxKind::OR, i32(-1));
}

/// Whether `mask` has a step; all count where the schedule forces them.
Value WarpgroupEmitter::isLiveStep(Value mask, int64_t step) {
  if (schedule.force)
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return isAny(arith::AndIOp::create(b, loc, mask, i32(int64_t(1) << step)));
}

void WarpgroupEmitter::emitLiveSteps(TileLiveStepsOp op) {
  Value mask;
  if (isLazy(op.getA().getDefiningOp())) {
    mask = survivorSteps(op.getA());
  } else {
    Fragment a = getAll(op.getA());
    Value unscale[2];
    scaleRows(a, op.getElement(), unscale);
    mask = liveSteps(packWeights(a, op.getElement()));
  }
  set(op, {LLVM::CtPopOp::create(b, loc, b.getI32Type(), mask)});
}

/// The steps that are live in any warp of the warpgroup. Two rows of words take
/// turns: a warp can write again only after all have read the other row.
Value WarpgroupEmitter::shareSteps(Value steps) {
  Type type = b.getI32Type();
  Value row =
      add(add(add(sharedBase, 640), mul(consumer, 32)), mul(exchange(), 16));
  Value warp = remainder(divide(thread, i32(32)), i32(4));
  inlinePtx("{\n.reg .pred p;\nsetp.eq.u32 p, $2, 0;\n"
            "@p st.shared.b32 [$0], $1;\nbar.sync $3, 128;\n}",
            "r,r,r,r,~{memory}",
            {add(row, mul(warp, 4)), steps, lane, add(consumer, 1)}, {});
  Fragment all =
      inlinePtx("ld.shared.v4.b32 {$0,$1,$2,$3}, [$4];",
                "=r,=r,=r,=r,r,~{memory}", {row}, SmallVector<Type>(4, type));
  exchange() = sub(i32(1), exchange());
  Value any = all[0];
  for (int i = 1; i < 4; ++i)
    any = arith::OrIOp::create(b, loc, any, all[i]);
  // Of lane 0, so that ptxas sees one value for the warp.
  return NVVM::ShflOp::create(b, loc, type, i32(-1), any, i32(0), i32(31),
                              NVVM::ShflKind::idx, UnitAttr());
}

void WarpgroupEmitter::emitAggregateSteps(TileAggregateStepsOp op) {
  Type element = cast<PanelType>(op.getV().getType()).getElementType();
  Fragment a = getAll(op.getA()), acc = getAll(op.getAcc());
  Value unscale[2];
  scaleRows(a, element, unscale);
  Fragment words = packWeights(a, element);
  int64_t steps = words.size() / 4;
  Value mask = schedule.force ? i32((int64_t(1) << steps) - 1)
                              : shareSteps(liveSteps(words));
  waitFor(fullBarrier(slot()), phase());
  Value values = descriptor(slotOffset(slot()), pipeline.getValue());

  bool apart = element.isF16();
  SmallVector<Type> types(acc.size(), b.getF32Type());
  auto any = scf::IfOp::create(b, loc, types, isAny(mask), true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(any.elseBlock());
    scf::YieldOp::create(b, loc, acc);
    b.setInsertionPointToStart(any.thenBlock());
    auto sumOf = [&](Fragment sum, int64_t first) {
      SmallVector<Type> types(sum.size(), b.getF32Type());
      for (int64_t step = 0; step < steps; ++step) {
        auto live =
            scf::IfOp::create(b, loc, types, isLiveStep(mask, step), true);
        OpBuilder::InsertionGuard inner(b);
        b.setInsertionPointToStart(live.elseBlock());
        scf::YieldOp::create(b, loc, sum);
        b.setInsertionPointToStart(live.thenBlock());
        scf::YieldOp::create(
            b, loc,
            issueAggregate(sum, ArrayRef<Value>(words).slice(4 * step, 4),
                           valuesAt(values, step, first), element,
                           2 * sum.size()));
        sum.assign(live.getResults().begin(), live.getResults().end());
      }
      return sum;
    };
    auto partOf = [&](int64_t first, int64_t count) {
      return awaitRegisters(sumOf(Fragment(count / 2, f32(0)), first), 0);
    };
    scf::YieldOp::create(
        b, loc, apart ? accumulateApart(acc, unscale, partOf) : sumOf(acc, 0));
  }
  set(op.getResult(), Fragment(any.getResults()));
  if (apart)
    arriveOncePerWarp(emptyBarrier(slot()));
  else // awaited after the branches meet: inside, ptxas serialises (C7515)
    pending.push_back({op.getResult(), slot()});
  advance();
}
