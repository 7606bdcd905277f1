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

/// Whether the bounds of all key loops are known before the first one begins.
bool WarpgroupEmitter::knowsLastTurn() {
  auto loops = program.getBody().getOps<TileForOp>();
  return llvm::all_of(loops, [&](TileForOp loop) {
    return llvm::all_of(ValueRange{loop.getBegin(), loop.getEnd()},
                        [&](Value v) {
                          Operation *op = v.getDefiningOp();
                          return !op || op->getBlock() != loop->getBlock() ||
                                 op->isBeforeInBlock(*loops.begin());
                        });
  });
}

/// Whether a key loop of this program has no turn left to begin: it is empty,
/// or `keyTurn` is its last.
Value WarpgroupEmitter::isBehind(TileForOp op) {
  Value next = op == keyLoop ? add(keyTurn, op.getStep()) : get(op.getBegin());
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, next,
                               get(op.getEnd()));
}

/// Where no key loop from `op` on has a turn left to begin.
void WarpgroupEmitter::releaseQueriesIfBehind(Operation *op) {
  Value condition;
  for (; op; op = op->getNextNode())
    if (auto loop = dyn_cast<TileForOp>(op))
      condition = condition
                      ? arith::AndIOp::create(b, loc, condition, isBehind(loop))
                      : isBehind(loop);
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  arriveOncePerWarp(queryEmpty(consumer));
}

/// Consumer of a persistent grid, when the last view's scores of a tile are
/// there: the last ones of a program let the next program's queries come, while
/// this one's weights, products and output are still to be done.
void WarpgroupEmitter::releaseQueries(TileScoresOp last) {
  if (schedule.grid != Grid::Persistent || !knowsLastTurn() ||
      isa<TileScoresOp>(last->getNextNode()))
    return;
  releaseQueriesIfBehind(keyLoop);
}

/// The same after the key loops, where none had a turn.
void WarpgroupEmitter::releaseUnreadQueries() {
  if (!knowsLastTurn())
    return arriveOncePerWarp(queryEmpty(consumer));
  releaseQueriesIfBehind(&program.getBody().front().front());
}

/// The next slot, and the other parity after the last one.
void WarpgroupEmitter::advance() {
  Value next = add(slot(), 1);
  Value wraps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, next,
                                      i32(pipeline.getSlots()));
  slot() = select(wraps, i32(0), next);
  phase() = select(wraps, sub(i32(1), phase()), phase());
}

/// The slot that was taken `count` slots ago, at most all of them, and whether
/// the ring has begun anew since.
std::pair<Value, Value> WarpgroupEmitter::slotBefore(int64_t count) {
  Value back = sub(slot(), i32(count)), wraps = less(back, i32(0));
  return {select(wraps, add(back, pipeline.getSlots()), back), wraps};
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

/// How far a turn lies behind the first one of its run, in keys.
Value WarpgroupEmitter::turnInRun(TileForOp op, Value turn) {
  Value since = sub(turn, get(op.getBegin()));
  Value first = i32(kFirstRunTiles * op.getStep());
  Value length = i32(kRunTiles * op.getStep());
  return select(less(since, first), since,
                remainder(sub(since, first), length));
}

/// The first key that lies behind the run that begins at `turn`.
Value WarpgroupEmitter::endOfRun(TileForOp op, Value turn) {
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, turn,
                                        get(op.getBegin()));
  Value end = add(turn, select(isFirst, i32(kFirstRunTiles * op.getStep()),
                               i32(kRunTiles * op.getStep())));
  return arith::MinSIOp::create(b, loc, end, get(op.getEnd()));
}

Value WarpgroupEmitter::slotOffset(Value slot) {
  return add(mul(slot, pipeline.getSlotBytes()), pipeline.getRingOffset());
}

/// Producer: one panel into the next slot, as soon as that is empty. With
/// `announce` the slot is full once the panel is there; else the caller must
/// still arrive.
void WarpgroupEmitter::fillSlot(TileForOp op, size_t panel, Value key,
                                bool announce) {
  auto type = cast<PanelType>(op.getPanels()[panel].getType());
  PanelLayoutAttr layout = type.getRole() == PanelRole::Key
                               ? pipeline.getKey()
                               : pipeline.getValue();
  waitFor(emptyBarrier(slot()), sub(i32(1), phase()));
  Value full = fullBarrier(slot());
  if (announce)
    expectBytes(full, layout.getBytes());
  else
    inlinePtx("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [$0], $1;",
              "r,r,~{memory}", {byteAddress(full), i32(layout.getBytes())}, {});
  copyBoxes(signature.maps[op.getSources()[panel]], layout, slotOffset(slot()),
            full, key, get(op.getHead()), get(op.getBatch()));
  advance();
}

/// Producer: every tile's panels in their order. Where values are optional, the
/// keys are on their way before it is decided whether values follow: at the
/// start of a program that waits for the gate, and so for global memory.
LogicalResult WarpgroupEmitter::fillRing(TileForOp op) {
  bool optional = isa<PanelStagedOp>(op.getBody().front().front());
  size_t keys = op.getPanels().size() - optional;
  SmallVector<Value> inits = state;
  inits.push_back(staged);
  auto loop = scf::ForOp::create(b, loc, get(op.getBegin()), get(op.getEnd()),
                                 i32(op.getStep()), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    state.assign(loop.getRegionIterArgs().begin(),
                 loop.getRegionIterArgs().end() - 1);
    staged = loop.getRegionIterArgs().back();
    Value turn = loop.getInductionVar(), key = keyOf(op, turn);
    for (size_t i = 0; i < keys; ++i)
      fillSlot(op, i, key, /*announce=*/!optional || i > 0);
    if (optional) {
      // The tile's first slot, found again from the next one: the thread has no
      // register to keep it.
      Value first = slotBefore(keys).first;
      staged = decideRun(op, turn, first);
      arriveAlone(fullBarrier(first));
      SmallVector<Value> before = state;
      auto branch = scf::IfOp::create(b, loc, TypeRange(ValueRange(before)),
                                      less(i32(0), staged), true);
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, before);
      b.setInsertionPointToStart(branch.thenBlock());
      fillSlot(op, keys, key, /*announce=*/true);
      scf::YieldOp::create(b, loc, state);
      state.assign(branch.getResults().begin(), branch.getResults().end());
    }
    b.setInsertionPointToEnd(loop.getBody());
    SmallVector<Value> next = state;
    next.push_back(staged);
    scf::YieldOp::create(b, loc, next);
  }
  ValueRange results = loop.getResults();
  state.assign(results.begin(), results.begin() + state.size());
  staged = results.back();
  return success();
}

/// Producer, before the second run of a key loop is decided: until the tile
/// before the last of the first run has scores. The copies run ahead by the
/// whole ring; a short loop would be over before they know of its survivors.
/// The keys of the second run's first tile are on their way, so that nothing
/// stops.
void WarpgroupEmitter::awaitFirstVotes(TileForOp op, Value turn) {
  int64_t keys = op.getPanels().size() - 1; // a tile's, without its values
  int64_t back = 2 * keys + 1;
  if (back > pipeline.getSlots())
    return; // the ring is so short that it waits by itself
  Value second = add(get(op.getBegin()), kFirstRunTiles * op.getStep());
  Value waits = arith::AndIOp::create(
      b, loc,
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, turn, second),
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, staged, i32(0)));
  auto branch = scf::IfOp::create(b, loc, waits, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  auto [before, wraps] = slotBefore(back);
  waitFor(emptyBarrier(before), select(wraps, sub(i32(1), phase()), phase()));
}

/// At the first tile of a run: whether values are staged, 0 or 1, which also
/// goes to the consumers, with the panel of slot `first`. Else as before.
Value WarpgroupEmitter::decideRun(TileForOp op, Value turn, Value first) {
  Type type = b.getI32Type();
  Value begins = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                       turnInRun(op, turn), i32(0));
  auto branch = scf::IfOp::create(b, loc, TypeRange{type}, begins, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, staged);
  b.setInsertionPointToStart(branch.thenBlock());
  auto isNew = scf::IfOp::create(b, loc, less(staged, i32(0)), false);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(isNew.thenBlock());
    waitFor(guessed(), queryPhase());
  }
  awaitFirstVotes(op, turn);
  Value wanted = arith::ExtUIOp::create(b, loc, type, wantsValues());
  LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::xchg, stagedFlag(first),
                            wanted, LLVM::AtomicOrdering::monotonic);
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
    keyLoop = op;
    keyTurn = loop.getInductionVar();
    set(op.getKey(), {keyOf(op, keyTurn)});
    setFlat(op.getCarried(), carried.drop_front(count));
    gather = gatherOf(op);
    fetchInto = gather ? op.getCarried()[0] : Value();
    inTurns = isInTurns();
    holdsTurn = schedule.skip == Skip::Tile;
    if (failed(emitBlock(op.getBody().front())))
      return failure();
    inTurns = holdsTurn = false;
    fetchInto = Value();
    awaitAll();
    keyLoop = nullptr;
    SmallVector<Value> next = state;
    llvm::append_range(next, flatten(op.getYield().getValues()));
    scf::YieldOp::create(b, loc, next);
  }
  ValueRange results = loop.getResults();
  state.assign(results.begin(), results.begin() + count);
  setFlat(op.getResults(), results.drop_front(count));
  if (!fetchGoesOn(op))
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
