//===- Runs.cpp - A key loop whose values are staged now and then ---------===//
//
// `if panel_staged { ... } else { ... }; panel_vote` as runs of tiles of one
// kind, each kind in a loop of its own inside the loop over all: with both
// kinds in one loop ptxas serialises the products (C7515).
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

/// Whether the tile at `key` exists and its values are staged (or are not, as
/// `staged` says): the flag that came with its first panel.
Value WarpgroupEmitter::nextTileIs(bool staged, Value key, Value end) {
  Type type = b.getI32Type();
  auto exists = scf::IfOp::create(b, loc, TypeRange{type}, less(key, end),
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(exists.thenBlock());
  waitFor(fullBarrier(slot()), phase());
  Value flag = LLVM::LoadOp::create(b, loc, type, stagedFlag(slot()),
                                    /*alignment=*/4, /*isVolatile=*/true);
  flag = NVVM::ShflOp::create(b, loc, type, i32(-1), flag, i32(0), i32(31),
                              NVVM::ShflKind::idx, UnitAttr());
  scf::YieldOp::create(b, loc, flag);
  b.setInsertionPointToStart(exists.elseBlock());
  scf::YieldOp::create(b, loc, i32(2));
  b.setInsertionPointAfter(exists);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                               exists.getResult(0), i32(staged));
}

LogicalResult WarpgroupEmitter::emitRuns(TileForOp op) {
  Block &body = op.getBody().front();
  auto staged = cast<PanelStagedOp>(body.front());
  auto branch = dyn_cast<scf::IfOp>(staged->getNextNode());
  auto vote = branch ? dyn_cast<PanelVoteOp>(branch->getNextNode()) : nullptr;
  if (!vote || branch.getCondition() != staged.getStaged() ||
      op.getYield()->getPrevNode() != vote ||
      op.getYield().getValues() != branch.getResults().drop_back() ||
      vote.getLive() != branch.getResults().back())
    return op.emitError("a loop with an optional panel must be one branch on "
                        "panel_staged and one panel_vote on its last result");

  Value end = get(op.getEnd());
  size_t count = state.size();
  SmallVector<Value> inits = state;
  inits.push_back(get(op.getBegin()));
  llvm::append_range(inits, flatten(op.getInits()));
  SmallVector<Type> types{TypeRange{ValueRange{inits}}};
  SmallVector<Location> locations(types.size(), loc);

  // Opens scf.while on state, key and carried tiles; `condition` is asked with
  // those of the turn in place, and the body follows.
  auto open = [&](ValueRange from, llvm::function_ref<Value()> condition) {
    auto loop = scf::WhileOp::create(b, loc, types, from);
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
    state.assign(before->args_begin(), before->args_begin() + count);
    set(op.getKey(), {before->getArgument(count)});
    scf::ConditionOp::create(b, loc, condition(), before->getArguments());
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
    state.assign(after->args_begin(), after->args_begin() + count);
    set(op.getKey(), {after->getArgument(count)});
    setFlat(op.getCarried(), after->getArguments().drop_front(count + 1));
    return loop;
  };
  scf::WhileOp all;
  {
    OpBuilder::InsertionGuard guard(b);
    all = open(inits, [&] { return less(get(op.getKey()), end); });
    SmallVector<Value> values(all.getAfterArguments());
    for (bool kind : {true, false}) {
      auto run =
          open(values, [&] { return nextTileIs(kind, get(op.getKey()), end); });
      Value key = get(op.getKey());
      Block &arm = kind ? *branch.thenBlock() : *branch.elseBlock();
      if (failed(emitBlock(arm)))
        return failure();
      awaitAll();
      ValueRange yielded = arm.getTerminator()->getOperands();
      emitVote(get(yielded.back()));
      SmallVector<Value> next = state;
      next.push_back(add(key, op.getStep()));
      llvm::append_range(next, flatten(yielded.drop_back()));
      scf::YieldOp::create(b, loc, next);
      b.setInsertionPointAfter(run);
      values.assign(run.getResults().begin(), run.getResults().end());
    }
    scf::YieldOp::create(b, loc, values);
  }
  ValueRange results = all.getResults();
  state.assign(results.begin(), results.begin() + count);
  setFlat(op.getResults(), results.drop_front(count + 1));
  detachOutput(op.getResult(0));
  return success();
}
