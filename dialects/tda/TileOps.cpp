//===- TileOps.cpp - Assembly and verifiers of the tile ops ---------------===//
#include "dialects/tda/Dialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tda;

#define GET_OP_CLASSES
#include "dialects/tda/Ops.cpp.inc"

//===----------------------------------------------------------------------===//
// tile_program
//===----------------------------------------------------------------------===//

void TileProgramOp::build(OpBuilder &builder, OperationState &state,
                          Value batches, Value heads, Value rows,
                          ScheduleAttr schedule, TargetAttr target) {
  state.addOperands({batches, heads, rows});
  state.getOrAddProperties<Properties>().schedule = schedule;
  state.getOrAddProperties<Properties>().target = target;
  OpBuilder::InsertionGuard guard(builder);
  Type index = builder.getIndexType();
  builder.createBlock(state.addRegion(), {}, {index, index, index},
                      {state.location, state.location, state.location});
}

ParseResult TileProgramOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> extents;
  ScheduleAttr schedule;
  TargetAttr target;
  Type index = parser.getBuilder().getIndexType();
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren) ||
      parser.parseKeyword("in") ||
      parser.parseOperandList(extents, 3, OpAsmParser::Delimiter::Paren) ||
      parser.parseKeyword("schedule") || parser.parseAttribute(schedule) ||
      parser.parseKeyword("target") || parser.parseAttribute(target) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes) ||
      parser.resolveOperands(extents, index, state.operands))
    return failure();
  state.getOrAddProperties<Properties>().schedule = schedule;
  state.getOrAddProperties<Properties>().target = target;
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = index;
  return parser.parseRegion(*state.addRegion(), arguments);
}

void TileProgramOp::print(OpAsmPrinter &p) {
  p << " (";
  llvm::interleaveComma(getBody().getArguments(), p,
                        [&](Value v) { p.printOperand(v); });
  p << ") in (" << getBatches() << ", " << getHeads() << ", " << getRows()
    << ") schedule " << getSchedule() << " target " << getTarget() << ' ';
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                     {"schedule", "target"});
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void TileProgramOp::getAsmBlockArgumentNames(Region &region,
                                             OpAsmSetValueNameFn setName) {
  static constexpr StringLiteral names[] = {"b", "h", "i"};
  for (auto [argument, name] : llvm::zip(region.getArguments(), names))
    setName(argument, name);
}

LogicalResult TileProgramOp::verifyRegions() {
  if (getBody().getNumArguments() != 3 ||
      !llvm::all_of(getBody().getArgumentTypes(),
                    [](Type t) { return t.isIndex(); }))
    return emitOpError("the body takes a batch, a head and a row: 3 indices");
  return success();
}

//===----------------------------------------------------------------------===//
// tile_for
//===----------------------------------------------------------------------===//

void TileForOp::build(OpBuilder &builder, OperationState &state, Value begin,
                      Value end, Value limit, Value batch, Value head,
                      int64_t step, ValueRange sources, TypeRange panels,
                      ValueRange inits) {
  state.addOperands({begin, end, limit, batch, head});
  state.addOperands(sources);
  state.addOperands(inits);
  state.addTypes(inits.getTypes());
  auto &properties = state.getOrAddProperties<Properties>();
  properties.step = builder.getI64IntegerAttr(step);
  llvm::copy(ArrayRef<int32_t>{1, 1, 1, 1, 1, int32_t(sources.size()),
                               int32_t(inits.size())},
             properties.operandSegmentSizes.begin());
  SmallVector<Type> types{builder.getIndexType()};
  llvm::append_range(types, panels);
  llvm::append_range(types, inits.getTypes());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(state.addRegion(), {}, types,
                      SmallVector<Location>(types.size(), state.location));
}

void TileForOp::getAsmBlockArgumentNames(Region &region,
                                         OpAsmSetValueNameFn setName) {
  unsigned panels = getSources().size();
  for (auto [i, argument] : llvm::enumerate(region.getArguments()))
    setName(argument, i == 0 ? "j" : i <= panels ? "panel" : "acc");
}

TileYieldOp TileForOp::getYield() {
  return cast<TileYieldOp>(getBody().front().getTerminator());
}

// `stream (%p = %source : memref -> panel, ...)`
static ParseResult
parseStream(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &args,
            SmallVectorImpl<OpAsmParser::UnresolvedOperand> &sources,
            SmallVectorImpl<Type> &types) {
  return parser.parseCommaSeparatedList(
      OpAsmParser::Delimiter::Paren, [&]() -> ParseResult {
        OpAsmParser::Argument &panel = args.emplace_back();
        return failure(parser.parseArgument(panel) || parser.parseEqual() ||
                       parser.parseOperand(sources.emplace_back()) ||
                       parser.parseColonType(types.emplace_back()) ||
                       parser.parseArrow() || parser.parseType(panel.type));
      });
}

// `carry (%acc = %init : type, ...)`
static ParseResult
parseCarry(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &args,
           SmallVectorImpl<OpAsmParser::UnresolvedOperand> &inits,
           SmallVectorImpl<Type> &types) {
  return parser.parseCommaSeparatedList(
      OpAsmParser::Delimiter::Paren, [&]() -> ParseResult {
        OpAsmParser::Argument &carried = args.emplace_back();
        if (parser.parseArgument(carried) || parser.parseEqual() ||
            parser.parseOperand(inits.emplace_back()) ||
            parser.parseColonType(carried.type))
          return failure();
        types.push_back(carried.type);
        return success();
      });
}

ParseResult TileForOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &b = parser.getBuilder();
  OpAsmParser::Argument key;
  OpAsmParser::UnresolvedOperand begin, end, limit, batch, head;
  IntegerAttr step;
  SmallVector<OpAsmParser::Argument> panels, carried;
  SmallVector<OpAsmParser::UnresolvedOperand> sources, inits;
  SmallVector<Type> sourceTypes, initTypes;
  if (parser.parseArgument(key) || parser.parseEqual() ||
      parser.parseOperand(begin) || parser.parseKeyword("to") ||
      parser.parseOperand(end) || parser.parseKeyword("step") ||
      parser.parseAttribute(step, b.getIntegerType(64)) ||
      parser.parseKeyword("limit") || parser.parseOperand(limit) ||
      parser.parseKeyword("at") || parser.parseLSquare() ||
      parser.parseOperand(batch) || parser.parseComma() ||
      parser.parseOperand(head) || parser.parseRSquare() ||
      parser.parseKeyword("stream") ||
      parseStream(parser, panels, sources, sourceTypes) ||
      parser.parseKeyword("carry") ||
      parseCarry(parser, carried, inits, initTypes) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();
  Type index = b.getIndexType();
  for (auto &operand : {begin, end, limit, batch, head})
    if (parser.resolveOperand(operand, index, state.operands))
      return failure();
  SMLoc loc = parser.getCurrentLocation();
  if (parser.resolveOperands(sources, sourceTypes, loc, state.operands) ||
      parser.resolveOperands(inits, initTypes, loc, state.operands))
    return failure();
  auto &properties = state.getOrAddProperties<Properties>();
  properties.step = step;
  llvm::copy(ArrayRef<int32_t>{1, 1, 1, 1, 1, int32_t(sources.size()),
                               int32_t(inits.size())},
             properties.operandSegmentSizes.begin());
  state.addTypes(initTypes);
  key.type = index;
  SmallVector<OpAsmParser::Argument> arguments{key};
  arguments.append(panels);
  arguments.append(carried);
  return parser.parseRegion(*state.addRegion(), arguments);
}

void TileForOp::print(OpAsmPrinter &p) {
  p << ' ' << getKey() << " = " << getBegin() << " to " << getEnd() << " step "
    << getStep() << " limit " << getLimit() << " at [" << getBatch() << ", "
    << getHead() << "] stream (";
  llvm::interleaveComma(llvm::zip(getPanels(), getSources()), p,
                        [&](auto pair) {
                          auto [panel, source] = pair;
                          p << panel << " = " << source << " : "
                            << source.getType() << " -> " << panel.getType();
                        });
  p << ") carry (";
  llvm::interleaveComma(llvm::zip(getCarried(), getInits()), p, [&](auto pair) {
    auto [carried, init] = pair;
    p << carried << " = " << init << " : " << init.getType();
  });
  p << ")";
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                     {"step", "operandSegmentSizes"});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult TileForOp::verifyRegions() {
  Block &body = getBody().front();
  unsigned panels = getSources().size(), carried = getInits().size();
  if (body.getNumArguments() != 1 + panels + carried)
    return emitOpError("the body takes the key, ")
           << panels << " panels and " << carried << " carried tiles";
  if (int64_t(getStep()) < 1)
    return emitOpError("step must be at least 1");
  for (auto [panel, source] : llvm::zip(getPanels(), getSources())) {
    auto type = dyn_cast<PanelType>(panel.getType());
    auto memref = cast<MemRefType>(source.getType());
    if (!type || type.getRows() != int64_t(getStep()) ||
        memref.getRank() != 4 || memref.getDimSize(3) != type.getColumns() ||
        memref.getElementType() != type.getElementType())
      return emitOpError("cannot stream ")
             << memref << " as " << panel.getType() << " with step "
             << getStep();
  }
  auto yield = dyn_cast<TileYieldOp>(body.getTerminator());
  if (!yield)
    return emitOpError("the body must end with tda.tile_yield");
  if (yield.getValues().getTypes() != getInits().getTypes() ||
      getCarried().getTypes() != getInits().getTypes())
    return emitOpError("the yielded and the carried tiles differ in type");
  return success();
}

//===----------------------------------------------------------------------===//
// The others
//===----------------------------------------------------------------------===//

// A tile against the memref that it is read from or written to: rank 4 for a
// tile, rank 3 for a row tile, one more with a plane.
static LogicalResult verifyAccess(Operation *op, TileType tile,
                                  MemRefType memref, bool plane) {
  int64_t rank = int64_t(tile.getShape().size()) + 2 + (plane ? 1 : 0);
  if (memref.getRank() != rank)
    return op->emitOpError("needs a memref of rank ")
           << rank << " for " << tile << ", but has " << memref;
  if (tile.getShape().size() == 2 &&
      memref.getShape().back() != tile.getColumns())
    return op->emitOpError("cannot move ")
           << tile << " and " << memref << ": the columns differ";
  return success();
}

LogicalResult TileLoadOp::verify() {
  auto tile = cast<TileType>(getResult().getType());
  auto memref = cast<MemRefType>(getSource().getType());
  if (tile.getElementType() != memref.getElementType())
    return emitOpError("loads ") << memref << " as " << tile;
  return verifyAccess(getOperation(), tile, memref, false);
}

LogicalResult TileStoreOp::verify() {
  auto tile = cast<TileType>(getTile().getType());
  auto memref = cast<MemRefType>(getTarget().getType());
  if (tile.getShape().size() == 2 && !tile.getElementType().isF32() &&
      tile.getElementType() != memref.getElementType())
    return emitOpError("stores f32 tiles, rounded to the tensor's type, or "
                       "tiles of that type, not ")
           << tile << " to " << memref;
  return verifyAccess(getOperation(), tile, memref, getPlane().has_value());
}

LogicalResult PanelNormalizeOp::verify() {
  if (getPanels().getTypes() != getResults().getTypes())
    return emitOpError("results must have the types of the operands");
  for (Value panel : getPanels())
    if (cast<PanelType>(panel.getType()).getRole() != PanelRole::Key)
      return emitOpError("normalises key panels, not ") << panel.getType();
  return success();
}

LogicalResult TileScoresOp::verify() {
  auto q = cast<TileType>(getQ().getType());
  auto k = cast<PanelType>(getK().getType());
  auto s = cast<TileType>(getS().getType());
  if (k.getRole() != PanelRole::Key)
    return emitOpError("reads a key panel, not ") << k;
  if (q.getColumns() != k.getColumns() ||
      q.getElementType() != k.getElementType() || s.getRows() != q.getRows() ||
      s.getColumns() != k.getRows() || !s.getElementType().isF32())
    return emitOpError("cannot make ") << s << " of " << q << " and " << k;
  return success();
}

static LogicalResult verifyAggregate(Operation *op, TileType a, PanelType v,
                                     TileType acc) {
  if (v.getRole() != PanelRole::Value)
    return op->emitOpError("reads a value panel, not ") << v;
  if (a.getColumns() != v.getRows() || acc.getRows() != a.getRows() ||
      acc.getColumns() != v.getColumns() || !a.getElementType().isF32() ||
      !acc.getElementType().isF32())
    return op->emitOpError("cannot add ")
           << a << " times " << v << " to " << acc;
  return success();
}

LogicalResult TileAggregateOp::verify() {
  return verifyAggregate(*this, cast<TileType>(getA().getType()),
                         cast<PanelType>(getV().getType()),
                         cast<TileType>(getAcc().getType()));
}

LogicalResult TileAggregateStepsOp::verify() {
  if (cast<TileType>(getA().getType()).getColumns() % 16)
    return emitOpError("works in steps of 16 keys, not on ")
           << getA().getType();
  return verifyAggregate(*this, cast<TileType>(getA().getType()),
                         cast<PanelType>(getV().getType()),
                         cast<TileType>(getAcc().getType()));
}

LogicalResult TileGatherOp::verify() {
  auto a = cast<TileType>(getA().getType());
  auto acc = cast<TileType>(getAcc().getType());
  auto values = cast<MemRefType>(getValues().getType());
  if (a.getColumns() % 16)
    return emitOpError("works in steps of 16 keys, not on ") << a;
  if (values.getRank() != 4 || values.getDimSize(3) != acc.getColumns() ||
      acc.getRows() != a.getRows() || !a.getElementType().isF32() ||
      !acc.getElementType().isF32())
    return emitOpError("cannot add ")
           << a << " times rows of " << values << " to " << acc;
  return success();
}

LogicalResult TileLiveStepsOp::verify() {
  if (cast<TileType>(getA().getType()).getColumns() % 16)
    return emitOpError("counts steps of 16 keys, not on ") << getA().getType();
  if (!getElement().isBF16() && !getElement().isF16())
    return emitOpError("weights are rounded to bf16 or f16, not to ")
           << getElement();
  return success();
}
