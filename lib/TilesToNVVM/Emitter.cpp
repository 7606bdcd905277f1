//===- Emitter.cpp - Control flow, scalars and the small steps ------------===//
#include "lib/TilesToNVVM/Emitter.h"

#include "lib/AttentionToTiles/Visibility.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;

//===----------------------------------------------------------------------===//
// Small steps
//===----------------------------------------------------------------------===//

Value Emitter::i32(int64_t v) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(v));
}
Value Emitter::f32(double v) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(v)));
}
Value Emitter::add(Value x, Value y) {
  return arith::AddIOp::create(b, loc, x, y);
}
Value Emitter::sub(Value x, Value y) {
  return arith::SubIOp::create(b, loc, x, y);
}
Value Emitter::mul(Value x, Value y) {
  return arith::MulIOp::create(b, loc, x, y);
}
Value Emitter::divide(Value x, Value y) {
  return arith::DivUIOp::create(b, loc, x, y);
}
Value Emitter::remainder(Value x, Value y) {
  return arith::RemUIOp::create(b, loc, x, y);
}
Value Emitter::isAny(Value set) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, set, i32(0));
}
Value Emitter::less(Value x, Value y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
}
Value Emitter::select(Value c, Value x, Value y) {
  return arith::SelectOp::create(b, loc, c, x, y);
}
Value Emitter::bits(Value x, Type type) {
  return LLVM::BitcastOp::create(b, loc, type, x);
}
Value Emitter::mulF(Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}
Value Emitter::addF(Value x, Value y) {
  return arith::AddFOp::create(b, loc, x, y);
}
Value Emitter::fma(Value x, Value y, Value z) {
  return LLVM::FMAOp::create(b, loc, x, y, z);
}
Value Emitter::maxF(Value x, Value y) {
  return arith::MaxNumFOp::create(b, loc, x, y);
}
Value Emitter::sqrt(Value x) { return LLVM::SqrtOp::create(b, loc, x); }
Value Emitter::divF(Value x, Value y) {
  return arith::DivFOp::create(b, loc, x, y);
}

Value Emitter::unaryPtx(StringRef instruction, Value x) {
  return purePtx((instruction + " $0, $1;").str(), "=f,f", x);
}
Value Emitter::saturatedFma(Value x, Value y, Value z) {
  return purePtx("fma.rn.sat.f32 $0, $1, $2, $3;", "=f,f,f,f", {x, y, z});
}
Value Emitter::purePtx(StringRef text, StringRef constraints,
                       ValueRange operands) {
  auto dialect =
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT);
  return LLVM::InlineAsmOp::create(
             b, loc, TypeRange{b.getF32Type()}, operands, text, constraints,
             /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::TailCallKind::None, dialect, ArrayAttr())
      .getResult(0);
}

Value Emitter::field(Value aggregate, int64_t index) {
  return LLVM::ExtractValueOp::create(b, loc, aggregate, index);
}

Value Emitter::shuffleXor(Value x, int64_t lanes) {
  return NVVM::ShflOp::create(b, loc, x.getType(), i32(-1), x, i32(lanes),
                              i32(31), NVVM::ShflKind::bfly, UnitAttr());
}

Value Emitter::quadSum(Value x) {
  for (int64_t lanes : {1, 2}) {
    Value other = shuffleXor(x, lanes);
    x = x.getType().isInteger() ? add(x, other) : addF(x, other);
  }
  return x;
}

Value Emitter::quadMax(Value x) {
  for (int64_t lanes : {1, 2})
    x = maxF(x, shuffleXor(x, lanes));
  return x;
}

std::pair<Value, Value> Emitter::unpack(Value pair, Type element) {
  Value vector = bits(pair, VectorType::get(2, element));
  auto lane = [&](int64_t i) -> Value {
    Value x = LLVM::ExtractElementOp::create(b, loc, vector, i32(i));
    return LLVM::FPExtOp::create(b, loc, b.getF32Type(), x);
  };
  return {lane(0), lane(1)};
}

Value Emitter::pack(Value low, Value high, Type element) {
  Value vector =
      LLVM::UndefOp::create(b, loc, VectorType::get(2, b.getF32Type()));
  vector = LLVM::InsertElementOp::create(b, loc, vector, low, i32(0));
  vector = LLVM::InsertElementOp::create(b, loc, vector, high, i32(1));
  vector = LLVM::FPTruncOp::create(b, loc, VectorType::get(2, element), vector);
  return bits(vector, b.getI32Type());
}

Value Emitter::sharedAddress(Value base, Value bytes) {
  return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}
Value Emitter::sharedAddress(Value base, int64_t bytes) {
  return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
}

Value Emitter::ownRow(Value first, int half) {
  Value row = add(first, warpRow);
  return half ? add(row, 8) : row;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

Emitter::Emitter(OpBuilder &b, KernelSignature &signature,
                 TileProgramOp program)
    : b(b), loc(program.getLoc()), signature(signature), program(program),
      schedule(program.getSchedule().toSchedule()) {}

Value tda::sharedMemory(OpBuilder &b, Location loc, Operation *kernel,
                        int64_t alignment) {
  constexpr StringLiteral name = "tda_shared";
  Operation *module = kernel->getParentOp();
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  if (!SymbolTable::lookupSymbolIn(module, name)) {
    OpBuilder top(kernel);
    LLVM::GlobalOp::create(top, loc, type, /*isConstant=*/false,
                           LLVM::Linkage::External, name, Attribute(),
                           alignment, /*addrSpace=*/3);
  }
  return LLVM::AddressOfOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext(), 3), name);
}

LogicalResult Emitter::emit() {
  Type type = b.getI32Type();
  shared = sharedMemory(b, loc, signature.kernel, 16);
  thread = NVVM::ThreadIdXOp::create(b, loc, type);
  lane = remainder(thread, i32(32));
  group = divide(lane, i32(4));
  quad = remainder(lane, i32(4));
  warpRow = add(mul(divide(thread, i32(32)), 16), group);
  // What stands around the programs (lengths, offset), then the programs.
  SmallVector<TileProgramOp> programs;
  for (Operation &op : *program->getBlock()) {
    if (auto each = dyn_cast<TileProgramOp>(op))
      programs.push_back(each);
    else if (!isa<func::ReturnOp>(op) && failed(emitOp(&op)))
      return failure();
  }
  if (failed(emitByBlock(programs, NVVM::BlockIdXOp::create(b, loc, type))))
    return failure();
  LLVM::ReturnOp::create(b, loc, ValueRange{});
  return success();
}

/// The first blocks run the first program, those after them the next one.
LogicalResult Emitter::emitByBlock(ArrayRef<TileProgramOp> programs,
                                   Value number) {
  program = programs.front();
  if (programs.size() == 1) {
    placeByBlock(number);
    return emitBlock(program.getBody().front());
  }
  Value blocks =
      mul(mul(rowBlocks(), get(program.getHeads())), get(program.getBatches()));
  auto isFirst = scf::IfOp::create(b, loc, less(number, blocks), true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(isFirst.thenBlock());
  if (failed(emitByBlock(programs.take_front(), number)))
    return failure();
  b.setInsertionPointToStart(isFirst.elseBlock());
  return emitByBlock(programs.drop_front(), sub(number, blocks));
}

/// Blocks of rows of one head.
Value Emitter::rowBlocks() {
  return divide(add(get(program.getRows()), schedule.tileM - 1),
                i32(schedule.tileM));
}

/// The `number`-th of `turns` turns of every head of every batch, as its turn
/// and its head: `group` heads take their turns together, so that their keys
/// stay in L2.
std::pair<Value, Value> Emitter::walkGroups(Value number, Value turns) {
  Value all = mul(get(program.getBatches()), get(program.getHeads()));
  // Never more than there are, so that perGroup is no more than the grid.
  Value together = arith::MinUIOp::create(b, loc, i32(schedule.group), all);
  Value perGroup = mul(turns, together);
  Value first = mul(divide(number, perGroup), together);
  Value inGroup = remainder(number, perGroup);
  Value left = sub(all, first);
  Value count = arith::MinUIOp::create(b, loc, together, left);
  return {divide(inGroup, count), add(first, remainder(inGroup, count))};
}

/// Gives the program's arguments their values: `head` counts through all
/// batches, `rowBlock` from the first row.
void Emitter::placeProgram(Value head, Value rowBlock) {
  Value heads = get(program.getHeads());
  Block &body = program.getBody().front();
  set(body.getArgument(0), {divide(head, heads)});
  set(body.getArgument(1), {remainder(head, heads)});
  set(body.getArgument(2), {mul(rowBlock, schedule.tileM)});
}

/// The place of block `number`. The long rows come first: the last blocks to
/// start are the short ones.
void Emitter::placeByBlock(Value number) {
  Value blocks = rowBlocks();
  auto [turn, head] = walkGroups(number, blocks);
  placeProgram(head, sub(sub(blocks, i32(1)), turn));
}

LogicalResult Emitter::emitBlock(Block &block) {
  for (Operation &op : block)
    if (!op.hasTrait<OpTrait::IsTerminator>() && failed(emitOp(&op)))
      return failure();
  return success();
}

LogicalResult Emitter::emitOp(Operation *op) {
  loc = op->getLoc();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](TileForOp op) { return emitTileFor(op); })
      .Case([&](scf::IfOp op) { return emitIf(op); })
      .Case([&](memref::LoadOp op) { return emitMemrefLoad(op); })
      .Case([&](memref::GetGlobalOp) { return success(); })
      .Case([&](TileZeroOp op) {
        Fragment zeros;
        for (Type type : fragmentTypes(op.getType()))
          zeros.push_back(
              arith::ConstantOp::create(b, loc, b.getZeroAttr(type)));
        set(op, zeros);
        return success();
      })
      .Case([&](TileSpanOp op) {
        Value span[4];
        emitSpan(b, loc, op, [&](Value v) { return get(v); }, span);
        for (auto [result, value] : llvm::zip(op.getResults(), span))
          set(result, {value});
        return success();
      })
      .Case([&](TileLoadOp op) { return emitLoad(op), success(); })
      .Case([&](TileStoreOp op) { return emitStore(op), success(); })
      .Case([&](TileNormalizeOp op) { return emitNormalize(op), success(); })
      .Case([&](PanelNormalizeOp op) {
        return emitPanelNormalize(op), success();
      })
      .Case([&](TileGateOp op) { return emitGate(op), success(); })
      .Case([&](TileScoresOp op) { return emitScores(op), success(); })
      .Case([&](TileMaskOp op) { return emitMask(op), success(); })
      .Case([&](TileSurvivesOp op) { return emitSurvives(op), success(); })
      .Case([&](TileThresholdOp op) { return emitThreshold(op), success(); })
      .Case([&](TileDifferentialOp op) {
        return emitDifferential(op), success();
      })
      .Case([&](TileAggregateOp op) { return emitAggregate(op), success(); })
      .Case([&](TileCountOp op) { return emitCount(op), success(); })
      .Case([&](TileScaleOp op) { return emitScale(op), success(); })
      .Case([&](TileRmsNormOp op) { return emitRmsNorm(op), success(); })
      .Default([&](Operation *op) { return emitScalar(op); });
}

SmallVector<Type> Emitter::fragmentTypes(TypeRange types) {
  SmallVector<Type> flat;
  for (Type type : types)
    llvm::append_range(flat, fragmentTypes(type));
  return flat;
}

Emitter::Fragment Emitter::flatten(ValueRange tiles) {
  Fragment flat;
  for (Value tile : tiles)
    llvm::append_range(flat, getAll(tile));
  return flat;
}

void Emitter::setFlat(ValueRange tiles, ValueRange values) {
  for (Value tile : tiles) {
    size_t count = fragmentTypes(tile.getType()).size();
    set(tile, Fragment(values.take_front(count)));
    values = values.drop_front(count);
  }
}

LogicalResult Emitter::emitIf(scf::IfOp op) {
  auto branch = scf::IfOp::create(b, loc, fragmentTypes(op.getResultTypes()),
                                  get(op.getCondition()),
                                  /*withElseRegion=*/true);
  for (auto [from, to] : {std::pair(op.thenBlock(), branch.thenBlock()),
                          std::pair(op.elseBlock(), branch.elseBlock())}) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(to);
    if (failed(emitBlock(*from)))
      return failure();
    scf::YieldOp::create(b, loc, flatten(from->getTerminator()->getOperands()));
  }
  setFlat(op.getResults(), branch.getResults());
  return success();
}

/// arith on scalars: the same op, with index as i32. Lengths are below 2^30
/// (the manifest says so), and addresses are widened where they are made.
LogicalResult Emitter::emitScalar(Operation *op) {
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> axis = dim.getConstantIndex();
    auto it = signature.tensors.find(dim.getSource());
    if (!axis || it == signature.tensors.end())
      return op->emitError("memref.dim of a kernel argument and a constant "
                           "axis expected");
    set(dim, {it->second.sizes[*axis]});
    return success();
  }
  if (auto cast = dyn_cast<arith::IndexCastOp>(op)) {
    Value from = signature.scalars.lookup(cast.getIn());
    if (!from)
      from = get(cast.getIn());
    bool wide = from.getType().isInteger(64);
    set(cast,
        {wide ? Value(arith::TruncIOp::create(b, loc, b.getI32Type(), from))
              : from});
    return success();
  }
  if (!isa<arith::ArithDialect>(op->getDialect()) || op->getNumResults() != 1)
    return op->emitError() << "'" << op->getName()
                           << "' has no form in a GPU kernel";
  OperationState state(loc, op->getName());
  for (Value operand : op->getOperands()) {
    if (!fragments.contains(operand))
      return op->emitError("reads a kernel's scalar as it is: arith.index_cast "
                           "it to index first");
    state.addOperands(get(operand));
  }
  state.addTypes(convert(op->getResult(0).getType()));
  state.addAttributes(op->getAttrs());
  if (auto constant = dyn_cast<arith::ConstantOp>(op);
      constant && op->getResult(0).getType().isIntOrIndex()) {
    int64_t value = cast<IntegerAttr>(constant.getValue()).getInt();
    if (value >= (int64_t(1) << 30) || value <= -(int64_t(1) << 30))
      return op->emitError() << value << " is beyond what a GPU kernel takes: "
                             << "lengths and offsets are below 2^30";
    if (op->getResult(0).getType().isIndex())
      state.attributes.set("value", b.getI32IntegerAttr(value));
  }
  set(op->getResult(0), {b.create(state)->getResult(0)});
  return success();
}

Type Emitter::convert(Type type) {
  return type.isIndex() ? Type(b.getI32Type()) : type;
}

SmallVector<Type> Emitter::fragmentTypes(Type type) {
  if (isa<PanelType>(type))
    return {LLVM::LLVMPointerType::get(b.getContext(), 3)};
  auto tile = dyn_cast<TileType>(type);
  if (!tile)
    return {convert(type)};
  Type element = tile.getElementType();
  if (tile.getShape().size() == 1)
    return {element, element};
  if (element.isF32())
    return SmallVector<Type>(tile.getColumns() / 8 * 4, element);
  return SmallVector<Type>(tile.getColumns() / 16 * 4, b.getI32Type());
}
