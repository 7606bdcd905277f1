//===- WarpgroupEmitter.cpp - Roles, programs and control flow ------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;

LogicalResult WarpgroupEmitter::emit() {
  Type type = b.getI32Type();
  shared = sharedMemory(b, loc, signature.kernel, 1024);
  sharedOfBlock = shared;
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
  warpRow = add(mul(consumerWarp(), 16), group);

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
  sharedOfRole();
  if (!producer) {
    if (isInTurns()) {
      // The last consumer lets the first one begin.
      Value last =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, consumer,
                                i32(pipeline.getConsumers() - 1));
      auto one = scf::IfOp::create(b, loc, last, false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(one.thenBlock());
      passTurn();
    }
    if (pipeline.getFetchBytes())
      clearFetched();
    return emitPrograms();
  }
  // Two threads of different warps. In a persistent grid the panels of the next
  // program need not wait until the queries of this one have been read; in any
  // grid what the gate says is worked out while panels are copied, by a thread
  // that has registers to spare.
  for (Copies each : {Copies::Panels, Copies::Queries}) {
    copies = each;
    Value mine = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, thread,
                                       i32(each == Copies::Panels ? 0 : 32));
    auto one = scf::IfOp::create(b, loc, mine, false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(one.thenBlock());
    if (failed(emitPrograms()))
      return failure();
  }
  return success();
}

/// The address of shared memory, once more for this role. It is the same in
/// all, but where ptxas knows that it keeps one register for the whole kernel,
/// and spills it where the producer's are short. So a zero is added that ptxas
/// does not know: the block's second index.
void WarpgroupEmitter::sharedOfRole() {
  Type type = b.getI32Type();
  Value zero = NVVM::BlockIdYOp::create(b, loc, type);
  shared = sharedAddress(sharedOfBlock, zero);
  sharedBase = byteAddress(shared);
}

/// One program; or for a persistent grid each one of this block's share.
///
/// There, the unit that blocks share is a pair of programs of one head, the
/// longest rows left with the shortest: under a causal mask all pairs cost the
/// same, and the blocks stay near each other in the order that L2 likes.
LogicalResult WarpgroupEmitter::emitPrograms() {
  Type type = b.getI32Type();
  Value zero = i32(0), one = i32(1);
  bool fetches = role == Role::Consumer && pipeline.getFetchBytes();
  staged = i32(-1);
  state.assign(fetches ? 15 : 5, zero);
  if (schedule.grid == Grid::Plain) {
    placeByBlock(NVVM::BlockIdXOp::create(b, loc, type));
    return emitBlock(program.getBody().front());
  }
  Value rows = rowBlocks();
  Value pairs = divide(add(rows, 1), i32(2));
  Value all =
      mul(mul(get(program.getBatches()), get(program.getHeads())), pairs);
  Value blocks = NVVM::GridDimXOp::create(b, loc, type);
  // Halves of units: 2 u and 2 u + 1, then those of the unit `blocks` further.
  SmallVector<Value> inits{mul(NVVM::BlockIdXOp::create(b, loc, type), 2)};
  llvm::append_range(inits, state);
  SmallVector<Type> types{TypeRange{ValueRange{inits}}};
  SmallVector<Location> locations(types.size(), loc);
  OpBuilder::InsertionGuard guard(b);
  auto halves = scf::WhileOp::create(b, loc, types, inits);
  Block *before = b.createBlock(&halves.getBefore(), {}, types, locations);
  scf::ConditionOp::create(b, loc, less(before->getArgument(0), mul(all, 2)),
                           before->getArguments());
  Block *after = b.createBlock(&halves.getAfter(), {}, types, locations);
  Value half = after->getArgument(0);
  Value isSecond = less(zero, remainder(half, i32(2)));
  auto [turn, head] = walkGroups(divide(half, i32(2)), pairs);
  Value longest = sub(sub(rows, one), turn);
  SmallVector<Value> values(after->getArguments().drop_front());
  // The middle rows of an odd number have no partner.
  Value exists = arith::OrIOp::create(b, loc, less(turn, longest),
                                      less(remainder(half, i32(2)), one));
  auto run = scf::IfOp::create(b, loc, TypeRange(ValueRange(values)), exists,
                               /*withElseRegion=*/true);
  Value next = add(half, select(isSecond, sub(mul(blocks, 2), one), one));
  SmallVector<Value> carried{next};
  llvm::append_range(carried, run.getResults());
  scf::YieldOp::create(b, loc, carried);
  b.setInsertionPointToStart(run.elseBlock());
  scf::YieldOp::create(b, loc, values);
  b.setInsertionPointToStart(run.thenBlock());
  state = values;
  placeProgram(head, select(isSecond, turn, longest));
  if (role == Role::Consumer)
    keepPlace();
  if (failed(emitBlock(program.getBody().front())))
    return failure();
  queryPhase() = sub(one, queryPhase());
  scf::YieldOp::create(b, loc, state);
  return success();
}

LogicalResult WarpgroupEmitter::emitOp(Operation *op) {
  loc = op->getLoc();
  return role == Role::Producer ? emitProducerOp(op) : emitConsumerOp(op);
}

/// Indices, and what is copied; the rest is the consumers'.
LogicalResult WarpgroupEmitter::emitProducerOp(Operation *op) {
  // Scalars that the walk left to the consumers are not known here.
  auto knows = [&](Operation *op) {
    return llvm::all_of(op->getOperands(), [&](Value operand) {
      return !operand.getType().isIntOrIndexOrFloat() ||
             fragments.contains(operand) || signature.scalars.count(operand);
    });
  };
  auto refuse = [&](Operation *op) {
    return op->emitError("takes a place or a gate that the threads that copy "
                         "cannot compute: they do arithmetic and tile_span, "
                         "and read beta");
  };
  if (auto loop = dyn_cast<TileForOp>(op)) {
    if (copies == Copies::Panels)
      return knows(loop) ? fillRing(loop) : refuse(loop);
    if (gate && !knows(gate))
      return refuse(gate);
    if (gate) // the queries are on their way
      guessDensity(gate);
    gate = nullptr;
    return success();
  }
  if (auto load = dyn_cast<TileLoadOp>(op)) {
    if (copies != Copies::Queries ||
        cast<TileType>(load.getType()).getShape().size() != 2)
      return success();
    if (!knows(load))
      return refuse(load);
    copyQueries(load);
    return success();
  }
  if (isa<TileSpanOp, memref::DimOp>(op) ||
      isa<arith::ArithDialect>(op->getDialect()))
    return knows(op) ? Emitter::emitOp(op) : success();
  if (schedule.skip == Skip::Adaptive && copies == Copies::Queries) {
    if (isa<memref::LoadOp>(op)) // of beta
      return knows(op) ? Emitter::emitOp(op) : success();
    if (auto found = dyn_cast<TileGateOp>(op))
      gate = found;
  }
  return success();
}

LogicalResult WarpgroupEmitter::emitConsumerOp(Operation *op) {
  // A branch may read what is on its way anywhere inside.
  if (isa<scf::IfOp>(op))
    awaitAll();
  else if (auto test = dyn_cast<TileSurvivesOp>(op);
           !test || test.getRecalled()) // else it waits for each view itself
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
        if (schedule.grid == Grid::Persistent && !op.getPlane()) {
          releaseUnreadQueries();
          takeKeptPlace();
        }
        return storeOutput(op), success();
      })
      .Case([&](TileScoresOp op) {
        issueScores(op);
        // While the scores are on their way: what the last tile left over.
        if (fetchInto && !isa<TileScoresOp>(op->getNextNode()))
          set(fetchInto, fetchNoted(gather, getAll(fetchInto)));
        return success();
      })
      .Case<TileThresholdOp, TileDifferentialOp>([&](Operation *op) {
        return isLazy(op) ? success() : Emitter::emitOp(op);
      })
      .Case([&](TileMaskOp op) { return maskAnew(op), success(); })
      .Case([&](TileSurvivesOp op) {
        return op.getRecalled() ? emitRecalled(op) : emitSurvives(op),
               success();
      })
      .Case([&](TileAggregateOp op) { return emitAggregate(op), success(); })
      .Case([&](TileAggregateStepsOp op) {
        return emitAggregateSteps(op), success();
      })
      .Case([&](TileGatherOp op) { return emitGather(op), success(); })
      .Case([&](TileLiveStepsOp op) {
        if (countLater == op.getSteps())
          return success();
        emitLiveSteps(op);
        if (schedule.skip == Skip::Adaptive) {
          countLive(get(op));
          set(op, {i32(0)}); // counted, so that no branch carries it
        }
        return success();
      })
      .Default([&](Operation *op) { return Emitter::emitOp(op); });
}

/// As the base, from a copy of the first row that LLVM cannot see through: it
/// would keep each row's count of visible keys, which the gate works out, in
/// registers until here.
void WarpgroupEmitter::maskAnew(TileMaskOp op) {
  Value row = get(op.getRow());
  set(op.getRow(),
      inlinePtx("mov.b32 $0, $1;", "=r,r", {row}, {b.getI32Type()}));
  emitMask(op);
  set(op.getRow(), {row});
}

/// Asks where the test was false the last time, and at the first tile of a run.
void WarpgroupEmitter::emitRecalled(TileSurvivesOp op) {
  if (!keyLoop)
    return emitSurvives(op);
  // Two tests may share a bit: true is always allowed.
  auto isBefore = [&](TileSurvivesOp other) {
    return other.getRecalled() && other->isBeforeInBlock(op);
  };
  int64_t place =
      llvm::count_if(op->getBlock()->getOps<TileSurvivesOp>(), isBefore) % 32;
  Value bit = i32(int64_t(1) << place), rest = i32(~(int64_t(1) << place));
  Value since = turnInRun(keyLoop, keyTurn);
  Value wasLive = isAny(arith::AndIOp::create(b, loc, recalled(), bit));
  Value assumes = arith::AndIOp::create(b, loc, less(i32(0), since), wasLive);
  auto branch = scf::IfOp::create(b, loc, b.getI1Type(), assumes, true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loc, assumes);
    b.setInsertionPointToStart(branch.elseBlock());
    emitSurvives(op);
    scf::YieldOp::create(b, loc, get(op.getLive()));
  }
  Value live = branch.getResult(0);
  set(op, {live});
  recalled() = select(live, arith::OrIOp::create(b, loc, recalled(), bit),
                      arith::AndIOp::create(b, loc, recalled(), rest));
}

/// As the base, with the state as further results where the branches take slots
/// from the ring or fetch.
LogicalResult WarpgroupEmitter::emitIf(scf::IfOp op) {
  bool takesSlots = false;
  op.walk([&](Operation *inner) {
    takesSlots |=
        isa<TileScoresOp, TileAggregateOp, TileAggregateStepsOp, TileGatherOp>(
            inner);
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
