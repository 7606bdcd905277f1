//===- CopyRing.cpp - The key loop: panels in flight through cp.async -----===//
//
// A ring of `stages` slots in shared memory, each with every panel of one key
// tile. While tile j is used, tile j + stages - 1 is on its way. One barrier a
// turn does two things: the copies of tile j, which each thread waited for, are
// seen by all, and all have left tile j - 1, whose slot is filled next.
//
// Rows are padded by 16 bytes: the eight rows that an ldmatrix reads then start
// in different banks for any head dimension (PTX ISA, ldmatrix).
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToNVVM/Emitter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tda;

LogicalResult Emitter::emitTileFor(TileForOp op) {
  if (op.getDescending())
    return op.emitError("visits keys in ascending order only on this path");
  int64_t stages = schedule.stages, step = op.getStep();
  Value begin = get(op.getBegin()), end = get(op.getEnd());

  int64_t slotBytes = 0;
  SmallVector<int64_t> panelOffsets;
  for (Value panel : op.getPanels()) {
    auto type = cast<PanelType>(panel.getType());
    panelOffsets.push_back(slotBytes);
    slotBytes += type.getRows() * panelPitch(type.getColumns());
  }
  auto panelsOf = [&](Value slot) {
    SmallVector<Value> addresses;
    Value base = sharedAddress(shared, mul(slot, slotBytes));
    for (int64_t offset : panelOffsets)
      addresses.push_back(sharedAddress(base, offset));
    return addresses;
  };
  auto fetch = [&](Value slot, Value key) {
    auto branch = scf::IfOp::create(b, loc, less(key, end), false);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      copyPanels(op, slot, key, panelsOf(slot));
    }
    // An empty group keeps the count that wait.group relies on.
    NVVM::CpAsyncCommitGroupOp::create(b, loc);
  };
  for (int64_t ahead = 0; ahead < stages - 1; ++ahead)
    fetch(i32(ahead), add(begin, ahead * step));

  SmallVector<Value> inits{i32(0)};
  llvm::append_range(inits, flatten(op.getInits()));
  auto loop = scf::ForOp::create(b, loc, begin, end, i32(step), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value slot = loop.getRegionIterArgs().front();
    NVVM::CpAsyncWaitGroupOp::create(b, loc, stages - 2);
    NVVM::BarrierOp::create(b, loc);
    auto wrap = [&](Value next) {
      return select(less(next, i32(stages)), next, sub(next, i32(stages)));
    };
    Value key = loop.getInductionVar();
    fetch(wrap(add(slot, stages - 1)), add(key, (stages - 1) * step));

    set(op.getKey(), {key});
    for (auto [panel, address] : llvm::zip(op.getPanels(), panelsOf(slot)))
      set(panel, {address});
    setFlat(op.getCarried(), loop.getRegionIterArgs().drop_front());
    if (failed(emitBlock(op.getBody().front())))
      return failure();
    SmallVector<Value> next{wrap(add(slot, 1))};
    llvm::append_range(next, flatten(op.getYield().getValues()));
    scf::YieldOp::create(b, loc, next);
  }
  setFlat(op.getResults(), loop.getResults().drop_front());
  return success();
}

/// Every thread copies its share of the 16-byte chunks of each panel; rows from
/// `limit` on are filled with zeros (cp.async with a source size of 0).
void Emitter::copyPanels(TileForOp op, Value slot, Value key,
                         ArrayRef<Value> addresses) {
  int64_t threads = 32 * schedule.warps;
  Value limit = get(op.getLimit());
  for (auto [panel, source, address] :
       llvm::zip(op.getPanels(), op.getSources(), addresses)) {
    auto type = cast<PanelType>(panel.getType());
    const GlobalTensor &tensor = signature.tensors[source];
    int64_t chunks = type.getColumns() / 8;
    // Threads side by side take a row, so a power of two that holds it.
    int64_t across = llvm::PowerOf2Ceil(chunks);
    int64_t down = std::max<int64_t>(threads / across, 1);
    Value chunk = remainder(thread, i32(across));
    Value firstRow = divide(thread, i32(across));
    Value head = elementAddress(
        tensor, {get(op.getBatch()), get(op.getHead()), i32(0), i32(0)});
    for (int64_t row0 = 0; row0 < type.getRows(); row0 += down) {
      bool wholeRows = row0 + down <= type.getRows();
      OpBuilder::InsertionGuard guard(b);
      Value row = add(firstRow, row0);
      if (across != chunks || !wholeRows) {
        Value mine = arith::AndIOp::create(b, loc, less(chunk, i32(chunks)),
                                           less(row, i32(type.getRows())));
        auto branch = scf::IfOp::create(b, loc, mine, false);
        b.setInsertionPointToStart(branch.thenBlock());
      }
      Value from = add(key, row);
      Value inside = less(from, limit);
      Value safe = select(inside, from, key); // key itself is below the limit
      GlobalTensor rows = tensor;
      rows.pointer = head;
      Value pointer =
          elementAddress(rows, {Value(), Value(), safe, mul(chunk, 8)});
      Value to =
          sharedAddress(address, add(mul(row, panelPitch(type.getColumns())),
                                     mul(chunk, 16)));
      NVVM::CpAsyncOp::create(
          b, loc, to, pointer, b.getI32IntegerAttr(16),
          NVVM::LoadCacheModifierKindAttr::get(b.getContext(),
                                               NVVM::LoadCacheModifierKind::CG),
          select(inside, i32(16), i32(0)));
    }
  }
}

/// Divides the rows of key panels by their norms in place. A few neighbouring
/// lanes share a row, so that its sum of squares needs shuffles only.
void Emitter::emitPanelNormalize(PanelNormalizeOp op) {
  int64_t threads = 32 * schedule.warps;
  Type i32Type = b.getI32Type();
  auto vectorType = VectorType::get(4, i32Type);
  for (auto [panel, result] : llvm::zip(op.getPanels(), op.getResults())) {
    auto type = cast<PanelType>(panel.getType());
    int64_t chunks = type.getColumns() / 8;
    int64_t lanes = std::min<int64_t>(
        {int64_t(llvm::bit_floor(
             uint64_t(std::max<int64_t>(threads / type.getRows(), 1)))),
         int64_t(1) << llvm::countr_zero(uint64_t(chunks)), 8});
    int64_t down = threads / lanes;
    Value part = remainder(thread, i32(lanes));
    for (int64_t row0 = 0; row0 < type.getRows(); row0 += down) {
      Value row = add(divide(thread, i32(lanes)), row0);
      Value valid = less(row, i32(type.getRows()));
      Value base =
          sharedAddress(get(panel), add(mul(row, panelPitch(type.getColumns())),
                                        mul(part, 16)));
      int64_t count = chunks / lanes;
      auto load = scf::IfOp::create(
          b, loc, SmallVector<Type>(count, vectorType), valid, true);
      {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(load.thenBlock());
        SmallVector<Value> loaded;
        for (int64_t i = 0; i < count; ++i)
          loaded.push_back(LLVM::LoadOp::create(
              b, loc, vectorType, sharedAddress(base, i * lanes * 16), 16));
        scf::YieldOp::create(b, loc, loaded);
        b.setInsertionPointToStart(load.elseBlock());
        Value zero =
            arith::ConstantOp::create(b, loc, b.getZeroAttr(vectorType));
        scf::YieldOp::create(b, loc, SmallVector<Value>(count, zero));
      }
      SmallVector<std::pair<Value, Value>> values;
      Value sum = f32(0);
      for (Value vector : load.getResults())
        for (int64_t i = 0; i < 4; ++i) {
          Value word = LLVM::ExtractElementOp::create(b, loc, vector, i32(i));
          values.push_back(unpack(word, type.getElementType()));
          sum = fma(values.back().first, values.back().first, sum);
          sum = fma(values.back().second, values.back().second, sum);
        }
      for (int64_t distance = 1; distance < lanes; distance *= 2)
        sum = addF(sum, shuffleXor(sum, distance));
      Value scale = divF(f32(1), maxF(sqrt(sum), f32(1e-12)));
      auto store = scf::IfOp::create(b, loc, valid, false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(store.thenBlock());
      for (int64_t i = 0; i < count; ++i) {
        Value vector = LLVM::UndefOp::create(b, loc, vectorType);
        for (int64_t j = 0; j < 4; ++j) {
          auto [low, high] = values[4 * i + j];
          vector = LLVM::InsertElementOp::create(
              b, loc, vector,
              pack(mulF(low, scale), mulF(high, scale), type.getElementType()),
              i32(j));
        }
        LLVM::StoreOp::create(b, loc, vector,
                              sharedAddress(base, i * lanes * 16), 16);
      }
    }
    set(result, {get(panel)});
  }
  NVVM::BarrierOp::create(b, loc);
}
