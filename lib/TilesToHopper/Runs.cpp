//===- Runs.cpp - A key loop whose values are staged now and then ---------===//
//
// `if panel_staged { ... } else { ... }; panel_vote` as runs of tiles of one
// kind, each kind in a loop of its own inside the loop over all: with both
// kinds in one loop ptxas serialises the products (C7515). The copies decide
// for many tiles at a time, so that asking and voting cost little.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

/// Whether the values of the tile of turn `turn` are staged, 1 or 0: the flag
/// that came with its first panel. 2 if there is no such tile.
Value WarpgroupEmitter::kindOfTile(Value turn, Value end) {
  Type type = b.getI32Type();
  auto exists = scf::IfOp::create(b, loc, TypeRange{type}, less(turn, end),
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(exists.thenBlock());
  waitFor(fullBarrier(slot()), phase());
  // By one lane; atomic as the producer's write is.
  Value flag = inlinePtx("{\n.reg .pred p;\nsetp.eq.u32 p, $2, 0;\n"
                         "@p atom.shared.or.b32 $0, [$1], 0;\n}",
                         "=r,r,r,~{memory}",
                         {byteAddress(stagedFlag(slot())), lane}, {type})[0];
  flag = NVVM::ShflOp::create(b, loc, type, i32(-1), flag, i32(0), i32(31),
                              NVVM::ShflKind::idx, UnitAttr());
  scf::YieldOp::create(b, loc, flag);
  b.setInsertionPointToStart(exists.elseBlock());
  scf::YieldOp::create(b, loc, i32(2));
  b.setInsertionPointAfter(exists);
  return exists.getResult(0);
}

/// Counts the live steps of the last staged tile of a run, for all of them.
void WarpgroupEmitter::countLast(Value live, Value isLast) {
  auto branch = scf::IfOp::create(b, loc, isLast, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  if (auto steps = live.getDefiningOp<TileLiveStepsOp>())
    emitLiveSteps(steps);
  countLive(mul(get(live), kRunTiles));
}

LogicalResult WarpgroupEmitter::emitRuns(TileForOp op) {
  Block &body = op.getBody().front();
  auto branch = cast<scf::IfOp>(body.front().getNextNode());

  gather = gatherOf(op);
  Value end = get(op.getEnd());
  int64_t step = op.getStep();
  size_t count = state.size();
  SmallVector<Value> inits = state;
  inits.push_back(get(op.getBegin()));
  inits.push_back(kindOfTile(inits.back(), end));
  llvm::append_range(inits, flatten(op.getInits()));
  SmallVector<Type> types{TypeRange{ValueRange{inits}}};
  SmallVector<Location> locations(types.size(), loc);

  // Opens scf.while on state, turn, its kind and carried tiles; `condition` is
  // asked with those of the turn in place, and the body follows.
  Value turn, kindOfTurn;
  auto place = [&](ValueRange values) {
    state.assign(values.begin(), values.begin() + count);
    turn = values[count];
    kindOfTurn = values[count + 1];
    setFlat(op.getCarried(), values.drop_front(count + 2));
  };
  auto open = [&](ValueRange from, llvm::function_ref<Value()> condition) {
    auto loop = scf::WhileOp::create(b, loc, types, from);
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
    place(before->getArguments());
    scf::ConditionOp::create(b, loc, condition(), before->getArguments());
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
    place(after->getArguments());
    return loop;
  };
  auto carry = [&] {
    SmallVector<Value> values = state;
    values.push_back(turn);
    values.push_back(kindOfTurn);
    llvm::append_range(values, flatten(op.getCarried()));
    return values;
  };
  scf::WhileOp all;
  {
    OpBuilder::InsertionGuard guard(b);
    all = open(inits, [&] { return less(kindOfTurn, i32(2)); });
    for (bool kind : {true, false}) {
      auto run = open(carry(), [&]() -> Value {
        return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                     kindOfTurn, i32(kind));
      });
      Value last = sub(endOfRun(op, turn), i32(1));
      if (kind) // their products come after those of rows on their way
        finishFetchInto(op.getCarried()[0]);
      // With products in branches the accumulators need registers of their own
      // from here on.
      if (kind && !branch.thenBlock()->getOps<TileAggregateStepsOp>().empty())
        detachOutput(op.getCarried()[0]);
      auto tiles =
          scf::ForOp::create(b, loc, turn, add(last, 1), i32(step), carry());
      {
        OpBuilder::InsertionGuard inner(b);
        b.setInsertionPointToStart(tiles.getBody());
        place(tiles.getRegionIterArgs());
        keyLoop = op;
        keyTurn = turn;
        set(op.getKey(), {keyOf(op, turn)});
        Block &arm = kind ? *branch.thenBlock() : *branch.elseBlock();
        ValueRange yielded = arm.getTerminator()->getOperands();
        fetchInto = kind || !gather ? Value() : op.getCarried()[0];
        if (kind)
          countLater = yielded.back();
        inTurns = isInTurns();
        holdsTurn = !kind;
        if (failed(emitBlock(arm)))
          return failure();
        fetchInto = Value();
        inTurns = holdsTurn = false;
        Value next = add(turn, step);
        if (kind)
          countLast(yielded.back(), less(last, next));
        countLater = Value();
        awaitAll();
        keyLoop = nullptr;
        setFlat(op.getCarried(), flatten(yielded.drop_back()));
        turn = next;
        scf::YieldOp::create(b, loc, carry());
      }
      place(tiles.getResults());
      castVote();
      kindOfTurn = kindOfTile(turn, end);
      scf::YieldOp::create(b, loc, carry());
      b.setInsertionPointAfter(run);
      place(run.getResults());
    }
    scf::YieldOp::create(b, loc, carry());
  }
  ValueRange results = all.getResults();
  state.assign(results.begin(), results.begin() + count);
  setFlat(op.getResults(), results.drop_front(count + 2));
  if (!fetchGoesOn(op))
    finishFetchInto(op.getResult(0));
  detachOutput(op.getResult(0));
  return success();
}
