//===- Ring.cpp - Queries and panels on their way -------------------------===//
//
// TMA copies a box of 64 columns at a time: what lies beyond the tensor, rows
// or columns, arrives as zeros and counts as bytes like the rest. The full
// barrier of a slot completes when all its boxes have arrived. PTX ISA,
// "cp.async.bulk.tensor" and "mbarrier.arrive.expect_tx".
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

/// The boxes of one panel, to byte `offset` of shared memory.
void WarpgroupEmitter::copyBoxes(Value map, PanelLayoutAttr layout,
                                 Value offset, Value barrier, Value row,
                                 Value head, Value batch) {
  auto clusterShared = LLVM::LLVMPointerType::get(b.getContext(), 7);
  for (int64_t block = 0; block < layout.getBlocks(); ++block) {
    Value to =
        sharedAddress(shared, add(offset, block * layout.getBlockBytes()));
    to = LLVM::AddrSpaceCastOp::create(b, loc, clusterShared, to);
    NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
        b, loc, to, map, ValueRange{i32(64 * block), row, head, batch}, barrier,
        /*im2colOffsets=*/ValueRange(), /*multicastMask=*/Value(),
        /*l2CacheHint=*/Value(), NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false,
        NVVM::CTAGroupKindAttr(), /*predicate=*/Value());
  }
}

/// Byte offset of a view's queries of consumer 0; the next consumer's follow.
static int64_t queryOffset(PipelineAttr pipeline, TileLoadOp op) {
  int64_t view = 0;
  for (Operation &other : *op->getBlock()) {
    if (&other == op.getOperation())
      break;
    auto load = dyn_cast<TileLoadOp>(other);
    view += load && cast<TileType>(load.getType()).getShape().size() == 2;
  }
  return pipeline.getQueryOffset() +
         view * pipeline.getConsumers() * pipeline.getQuery().getBytes();
}

/// Producer: 64 rows for each consumer, each with a barrier of its own.
void WarpgroupEmitter::copyQueries(TileLoadOp op) {
  PanelLayoutAttr layout = pipeline.getQuery();
  for (int64_t i = 0; i < pipeline.getConsumers(); ++i) {
    if (schedule.grid == Grid::Persistent)
      waitFor(queryEmpty(i32(i)), sub(i32(1), queryPhase()));
    expectBytes(queryFull(i32(i)), layout.getBytes());
    copyBoxes(signature.maps[op.getSource()], layout,
              i32(queryOffset(pipeline, op) + i * layout.getBytes()),
              queryFull(i32(i)), add(get(op.getRow()), 64 * i),
              get(op.getHead()), get(op.getBatch()));
  }
}

/// Consumer: the queries are there; they are used where they lie.
void WarpgroupEmitter::awaitQueries(TileLoadOp op) {
  waitFor(queryFull(consumer), queryPhase());
  PanelLayoutAttr layout = pipeline.getQuery();
  set(op, {descriptor(
              add(mul(consumer, layout.getBytes()), queryOffset(pipeline, op)),
              layout)});
}

/// The next slot, and the other parity after the last one.
void WarpgroupEmitter::advance() {
  Value next = add(slot(), 1);
  Value wraps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, next,
                                      i32(pipeline.getSlots()));
  slot() = select(wraps, i32(0), next);
  phase() = select(wraps, sub(i32(1), phase()), phase());
}

/// The first key of a turn; turns count from `begin` in steps of a tile.
Value WarpgroupEmitter::keyOf(TileForOp op, Value turn) {
  if (!op.getDescending())
    return turn;
  Value begin = get(op.getBegin()), length = sub(get(op.getEnd()), begin);
  Value tiles = divide(sub(length, i32(1)), i32(op.getStep()));
  Value last = add(begin, mul(tiles, op.getStep()));
  return sub(add(begin, last), turn);
}

Value WarpgroupEmitter::slotOffset(Value slot) {
  return add(mul(slot, pipeline.getSlotBytes()), pipeline.getRingOffset());
}

/// Producer: one panel into the next slot.
void WarpgroupEmitter::fillSlot(TileForOp op, size_t panel, Value key) {
  auto type = cast<PanelType>(op.getPanels()[panel].getType());
  PanelLayoutAttr layout = type.getRole() == PanelRole::Key
                               ? pipeline.getKey()
                               : pipeline.getValue();
  expectBytes(fullBarrier(slot()), layout.getBytes());
  copyBoxes(signature.maps[op.getSources()[panel]], layout, slotOffset(slot()),
            fullBarrier(slot()), key, get(op.getHead()), get(op.getBatch()));
  advance();
}

LogicalResult WarpgroupEmitter::fillRing(TileForOp op) {
  bool optional = isa<PanelStagedOp>(op.getBody().front().front());
  SmallVector<Value> inits = state;
  inits.push_back(i32(1)); // whether values are staged
  auto loop = scf::ForOp::create(b, loc, get(op.getBegin()), get(op.getEnd()),
                                 i32(op.getStep()), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    state.assign(loop.getRegionIterArgs().begin(),
                 loop.getRegionIterArgs().end() - 1);
    Value staged = loop.getRegionIterArgs().back();
    Value turn = loop.getInductionVar(), key = keyOf(op, turn);
    for (size_t i = 0; i < op.getPanels().size(); ++i) {
      bool values = i + 1 == op.getPanels().size() && optional;
      scf::IfOp branch;
      SmallVector<Value> before = state;
      OpBuilder::InsertionGuard inner(b);
      if (values) {
        branch = scf::IfOp::create(b, loc, TypeRange(ValueRange(before)),
                                   less(i32(0), staged), true);
        b.setInsertionPointToStart(branch.elseBlock());
        scf::YieldOp::create(b, loc, before);
        b.setInsertionPointToStart(branch.thenBlock());
      }
      waitFor(emptyBarrier(slot()), sub(i32(1), phase()));
      // Asked as late as can be: when there is room for the first tile.
      if (i == 0 && optional)
        staged = decideRun(op, turn, staged);
      fillSlot(op, i, key);
      if (values) {
        scf::YieldOp::create(b, loc, state);
        state.assign(branch.getResults().begin(), branch.getResults().end());
      }
    }
    b.setInsertionPointToEnd(loop.getBody());
    SmallVector<Value> next = state;
    next.push_back(staged);
    scf::YieldOp::create(b, loc, next);
  }
  ValueRange results = loop.getResults();
  state.assign(results.begin(), results.begin() + state.size());
  return success();
}

/// At the first tile of a run: whether values are staged, 0 or 1, which also
/// goes to the consumers, with the first panel. Else `staged`, as before.
Value WarpgroupEmitter::decideRun(TileForOp op, Value turn, Value staged) {
  Type type = b.getI32Type();
  Value tile =
      divide(sub(turn, get(op.getBegin())), i32(op.getStep() * kRunTiles));
  Value first = arith::CmpIOp::create(
      b, loc, arith::CmpIPredicate::eq,
      add(get(op.getBegin()), mul(tile, op.getStep() * kRunTiles)), turn);
  auto branch = scf::IfOp::create(b, loc, TypeRange{type}, first, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, staged);
  b.setInsertionPointToStart(branch.thenBlock());
  Value wanted = arith::ExtUIOp::create(b, loc, type, wantsValues());
  LLVM::StoreOp::create(b, loc, wanted, stagedFlag(slot()), /*alignment=*/4,
                        /*isVolatile=*/true);
  scf::YieldOp::create(b, loc, wanted);
  return branch.getResult(0);
}

LogicalResult WarpgroupEmitter::emitKeyLoop(TileForOp op) {
  if (isa<PanelStagedOp>(op.getBody().front().front()))
    return emitRuns(op);
  SmallVector<Value> inits = state;
  llvm::append_range(inits, flatten(op.getInits()));
  size_t count = state.size();
  auto loop = scf::ForOp::create(b, loc, get(op.getBegin()), get(op.getEnd()),
                                 i32(op.getStep()), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    ValueRange carried = loop.getRegionIterArgs();
    state.assign(carried.begin(), carried.begin() + count);
    set(op.getKey(), {keyOf(op, loop.getInductionVar())});
    setFlat(op.getCarried(), carried.drop_front(count));
    fetchInto = schedule.skip == Skip::Tile ? op.getCarried()[0] : Value();
    if (failed(emitBlock(op.getBody().front())))
      return failure();
    fetchInto = Value();
    awaitAll();
    SmallVector<Value> next = state;
    llvm::append_range(next, flatten(op.getYield().getValues()));
    scf::YieldOp::create(b, loc, next);
  }
  ValueRange results = loop.getResults();
  state.assign(results.begin(), results.begin() + count);
  setFlat(op.getResults(), results.drop_front(count));
  if (schedule.skip == Skip::Tile)
    finishFetchInto(op.getResult(0));
  detachOutput(op.getResult(0));
  return success();
}

/// Takes the output through an operation that ptxas cannot see through: or with
/// a length's sign, which is 0. Where one loop's accumulators flow straight
/// into the next loop's, ptxas copies them inside a pipeline stage and
/// serialises its products (C7515).
void WarpgroupEmitter::detachOutput(Value tile) {
  Value zero = arith::ShRSIOp::create(b, loc, get(program.getRows()), i32(31));
  Fragment values = getAll(tile);
  for (Value &value : values)
    value =
        bits(arith::OrIOp::create(b, loc, bits(value, b.getI32Type()), zero),
             b.getF32Type());
  set(tile, values);
}
