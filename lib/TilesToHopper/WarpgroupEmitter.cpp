//===- WarpgroupEmitter.cpp - Roles, programs and control flow ------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;

LogicalResult WarpgroupEmitter::emit() {
  Type type = b.getI32Type();
  shared = sharedMemory(b, loc, signature.kernel, 1024);
  sharedBase = LLVM::PtrToIntOp::create(b, loc, type, shared);
  thread = NVVM::ThreadIdXOp::create(b, loc, type);
  lane = remainder(thread, i32(32));
  group = divide(lane, i32(4));
  quad = remainder(lane, i32(4));
  initialiseBarriers();
  // Of lane 0, so that ptxas sees one value for the warp.
  Value warpgroup =
      NVVM::ShflOp::create(b, loc, type, i32(-1), divide(thread, i32(128)),
                           i32(0), i32(31), NVVM::ShflKind::idx, UnitAttr());
  consumer = sub(warpgroup, i32(1));
  warpRow = add(mul(sub(divide(thread, i32(32)), i32(4)), 16), group);

  Block *block = program->getBlock();
  for (Operation &op : *block) {
    if (isa<func::ReturnOp>(op))
      continue;
    if (&op != program.getOperation()) {
      if (failed(Emitter::emitOp(&op)))
        return failure();
      continue;
    }
    Value isProducer = less(warpgroup, i32(1));
    auto roles = scf::IfOp::create(b, loc, isProducer, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    for (Role each : {Role::Producer, Role::Consumer}) {
      role = each;
      b.setInsertionPointToStart(role == Role::Producer ? roles.thenBlock()
                                                        : roles.elseBlock());
      if (failed(emitRole()))
        return failure();
    }
  }
  LLVM::ReturnOp::create(b, loc, ValueRange{});
  return success();
}

LogicalResult WarpgroupEmitter::emitRole() {
  bool producer = role == Role::Producer;
  if (pipeline.getConsumerRegisters())
    NVVM::SetMaxRegisterOp::create(b, loc,
                                   producer ? pipeline.getProducerRegisters()
                                            : pipeline.getConsumerRegisters(),
                                   producer
                                       ? NVVM::SetMaxRegisterAction::decrease
                                       : NVVM::SetMaxRegisterAction::increase);
  if (!producer)
    return emitPrograms();
  auto one = scf::IfOp::create(b, loc, less(thread, i32(1)), false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(one.thenBlock());
  return emitPrograms();
}

/// One program, or for a persistent grid each one of this block's share. Rounds
/// go through the blocks forwards and backwards in turn, so that each block
/// gets its part of the long programs.
LogicalResult WarpgroupEmitter::emitPrograms() {
  Type type = b.getI32Type();
  Value zero = i32(0);
  state = {zero, zero, zero};
  queryPhase = zero;
  Value block = NVVM::BlockIdXOp::create(b, loc, type);
  if (schedule.grid == Grid::Plain) {
    placeProgram(block);
    return emitBlock(program.getBody().front());
  }
  Value blocks = NVVM::GridDimXOp::create(b, loc, type);
  Value total = programCount();
  Value rounds = divide(sub(add(total, blocks), i32(1)), blocks);
  auto loop = scf::ForOp::create(b, loc, zero, rounds, i32(1), state);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value round = loop.getInductionVar();
  Value odd = remainder(round, i32(2));
  Value place = select(less(zero, odd), sub(sub(blocks, i32(1)), block), block);
  Value number = add(mul(round, blocks), place);
  SmallVector<Value> before(loop.getRegionIterArgs());
  auto any = scf::IfOp::create(b, loc, TypeRange(ValueRange(before)),
                               less(number, total), /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(any.elseBlock());
    scf::YieldOp::create(b, loc, before);
    b.setInsertionPointToStart(any.thenBlock());
    state = before;
    queryPhase = odd;
    placeProgram(number);
    if (failed(emitBlock(program.getBody().front())))
      return failure();
    scf::YieldOp::create(b, loc, state);
  }
  scf::YieldOp::create(b, loc, any.getResults());
  return success();
}

LogicalResult WarpgroupEmitter::emitOp(Operation *op) {
  loc = op->getLoc();
  return role == Role::Producer ? emitProducerOp(op) : emitConsumerOp(op);
}

/// Indices, and what is copied; the rest is the consumers'.
LogicalResult WarpgroupEmitter::emitProducerOp(Operation *op) {
  if (auto loop = dyn_cast<TileForOp>(op))
    return fillRing(loop);
  if (auto load = dyn_cast<TileLoadOp>(op)) {
    if (cast<TileType>(load.getType()).getShape().size() == 2)
      copyQueries(load);
    return success();
  }
  if (isa<TileSpanOp>(op) || isa<arith::ArithDialect>(op->getDialect()))
    return Emitter::emitOp(op);
  return success();
}

LogicalResult WarpgroupEmitter::emitConsumerOp(Operation *op) {
  // A branch may read what is on its way anywhere inside.
  if (isa<scf::IfOp>(op))
    awaitAll();
  else
    awaitProducts([&](Value tile) {
      return llvm::is_contained(op->getOperands(), tile);
    });
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::IfOp op) { return emitIf(op); })
      .Case([&](TileForOp op) { return emitKeyLoop(op); })
      .Case([&](TileLoadOp op) {
        if (cast<TileType>(op.getType()).getShape().size() == 1)
          return Emitter::emitOp(op);
        return awaitQueries(op), success();
      })
      .Case([&](TileStoreOp op) {
        // The queries have been read: the next program's may come.
        if (schedule.grid == Grid::Persistent && !op.getPlane())
          arriveOncePerWarp(queryEmpty(consumer));
        return Emitter::emitOp(op);
      })
      .Case([&](TileScoresOp op) { return issueScores(op), success(); })
      .Case([&](TileAggregateOp op) { return emitAggregate(op), success(); })
      .Case([&](TileAggregateStepsOp op) {
        return emitAggregateSteps(op), success();
      })
      .Case([&](TileGatherOp op) { return emitGather(op), success(); })
      .Case<TileNormalizeOp, PanelNormalizeOp>([&](Operation *op) {
        return op->emitError("has no form on the wgmma path: panels arrive as "
                             "they lie in memory; normalise them first");
      })
      .Default([&](Operation *op) { return Emitter::emitOp(op); });
}

/// As the base, with the state of the ring as further results where the
/// branches take slots from it.
LogicalResult WarpgroupEmitter::emitIf(scf::IfOp op) {
  bool takesSlots = false;
  op.walk([&](Operation *inner) {
    takesSlots |=
        isa<TileScoresOp, TileAggregateOp, TileAggregateStepsOp>(inner);
  });
  SmallVector<Type> types = fragmentTypes(op.getResultTypes());
  size_t count = types.size();
  if (takesSlots)
    llvm::append_range(types, TypeRange(ValueRange(state)));
  auto branch = scf::IfOp::create(b, loc, types, get(op.getCondition()),
                                  /*withElseRegion=*/true);
  SmallVector<Value> before = state;
  for (auto [from, to] : {std::pair(op.thenBlock(), branch.thenBlock()),
                          std::pair(op.elseBlock(), branch.elseBlock())}) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(to);
    state = before;
    if (failed(emitBlock(*from)))
      return failure();
    awaitAll();
    Fragment values = flatten(from->getTerminator()->getOperands());
    if (takesSlots)
      llvm::append_range(values, state);
    scf::YieldOp::create(b, loc, values);
  }
  ValueRange results = branch.getResults();
  setFlat(op.getResults(), results.take_front(count));
  state = before;
  if (takesSlots) {
    state.assign(results.begin() + count, results.end());
  }
  return success();
}

SmallVector<Type> WarpgroupEmitter::fragmentTypes(Type type) {
  auto tile = dyn_cast<TileType>(type);
  if (tile && tile.getShape().size() == 2 && !tile.getElementType().isF32())
    return {b.getI64Type()}; // queries: a matrix descriptor
  return Emitter::fragmentTypes(type);
}
