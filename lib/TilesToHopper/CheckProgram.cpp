//===- CheckProgram.cpp - Which programs the wgmma path takes -------------===//
//
// Two producer threads and the consumers walk one program apart from each
// other. They stay in step because of how it is written: loads and key loops at
// the top level, each panel read once and in order. A gather leaves rows on
// their way, so that the output is not whole before the last key loop has
// ended, and is stored below it. tda-attention-to-tiles writes programs of this
// kind; tile IR of another kind means something too, but not to the lowering,
// and is refused here.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/CheckProgram.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tda;

static bool isTile2D(Value value) {
  auto tile = dyn_cast<TileType>(value.getType());
  return tile && tile.getShape().size() == 2;
}

/// The operand that reads `value` in the end: branches may hand it on. Null
/// where something else reads it too, or nothing does.
static OpOperand *lastReader(Value value) {
  while (value.hasOneUse()) {
    OpOperand &use = *value.use_begin();
    if (use.getOwner()->getBlock() != value.getParentBlock())
      return nullptr;
    auto yield = dyn_cast<scf::YieldOp>(use.getOwner());
    auto branch = yield ? dyn_cast<scf::IfOp>(yield->getParentOp()) : nullptr;
    if (!branch)
      return &use;
    value = branch.getResult(use.getOperandNumber());
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Single ops
//===----------------------------------------------------------------------===//

static LogicalResult checkTensor(Operation *op) {
  Value tensor;
  if (auto load = dyn_cast<TileLoadOp>(op))
    tensor = load.getSource();
  if (auto store = dyn_cast<TileStoreOp>(op))
    tensor = store.getTarget();
  if (auto norm = dyn_cast<TileRmsNormOp>(op))
    tensor = norm.getGain();
  if (auto gather = dyn_cast<TileGatherOp>(op))
    tensor = gather.getValues();
  if (tensor && !isa<BlockArgument>(tensor))
    return op->emitError("a GPU kernel reads tiles from its arguments only: "
                         "pass a constant gain, or a constant lambda per "
                         "token, as an argument");
  return success();
}

/// Tiles and panels as the schedule has them, all scores and all sums of one
/// width: shared memory has one layout for the keys and one for the values.
static LogicalResult checkShapes(TileProgramOp program) {
  Schedule schedule = program.getSchedule().toSchedule();
  int64_t d = 0, dv = 0;
  Type element;
  auto same = [](auto &known, auto value) {
    if (!known)
      known = value;
    return known == value;
  };
  auto check = [&](Operation *op, Type type) -> LogicalResult {
    if (auto tile = dyn_cast<TileType>(type);
        tile && tile.getRows() != schedule.tileM)
      return op->emitError() << "has " << type << " where the schedule has "
                             << "tile_m = " << schedule.tileM;
    if (auto panel = dyn_cast<PanelType>(type)) {
      if (panel.getRows() != schedule.tileN)
        return op->emitError() << "has " << type << " where the schedule has "
                               << "tile_n = " << schedule.tileN;
      bool isKey = panel.getRole() == PanelRole::Key;
      if (!same(isKey ? d : dv, panel.getColumns()) ||
          !same(element, panel.getElementType()))
        return op->emitError("has keys or values of two widths or element "
                             "types, for which the ring has one layout");
    }
    return success();
  };
  WalkResult result = program.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (failed(check(op, type)))
        return WalkResult::interrupt();
    for (Region &region : op->getRegions())
      for (Type type : region.getArgumentTypes())
        if (failed(check(op, type)))
          return WalkResult::interrupt();
    MemRefType moved;
    if (auto gather = dyn_cast<TileGatherOp>(op))
      moved = cast<MemRefType>(gather.getValues().getType());
    if (auto store = dyn_cast<TileStoreOp>(op);
        store && isTile2D(store.getTile()))
      moved = cast<MemRefType>(store.getTarget().getType());
    if (!moved || (same(dv, moved.getDimSize(3)) &&
                   same(element, moved.getElementType())))
      return WalkResult::advance();
    op->emitError("has values or an output of another width or element type "
                  "than the rest of the program");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Queries lie in shared memory, where only scores read them.
static LogicalResult checkQueries(TileLoadOp load) {
  if (!isTile2D(load.getResult()))
    return success();
  if (!isa<TileProgramOp>(load->getParentOp()))
    return load.emitError("copies queries inside a loop or a branch, where the "
                          "thread that copies does not come: move it to the "
                          "top level of the program");
  for (Operation *user : load->getUsers())
    if (!isa<TileScoresOp>(user))
      return user->emitError("reads queries, which lie in shared memory for "
                             "tile_scores alone");
  return success();
}

static LogicalResult checkScores(TileScoresOp scores) {
  if (scores.getQ().getDefiningOp<TileLoadOp>())
    return success();
  return scores.emitError("reads queries that no tile_load gives: they are "
                          "read where they were copied to");
}

//===----------------------------------------------------------------------===//
// Key loops
//===----------------------------------------------------------------------===//

/// The branch on the optional panel of a loop; null where it has none.
static scf::IfOp stagedBranch(TileForOp loop) {
  auto staged = dyn_cast<PanelStagedOp>(loop.getBody().front().front());
  return staged ? dyn_cast<scf::IfOp>(staged->getNextNode()) : nullptr;
}

static LogicalResult checkOptionalPanel(TileForOp loop) {
  SmallVector<Operation *> found;
  loop.walk([&](Operation *op) {
    if (isa<PanelStagedOp, PanelVoteOp>(op))
      found.push_back(op);
  });
  if (found.empty())
    return success();
  auto program = loop->getParentOfType<TileProgramOp>();
  auto staged = dyn_cast<PanelStagedOp>(found.front());
  auto vote = dyn_cast<PanelVoteOp>(found.back());
  scf::IfOp branch = stagedBranch(loop);
  if (found.size() != 2 || !staged || !vote || !branch ||
      branch.getCondition() != staged.getStaged() ||
      !staged.getStaged().hasOneUse() || branch->getNextNode() != vote ||
      loop.getYield()->getPrevNode() != vote ||
      loop.getYield().getValues() != branch.getResults().drop_back() ||
      vote.getLive() != branch.getResults().back() ||
      staged.getPanel() != loop.getPanels().back() ||
      vote.getPanel() != loop.getPanels().back())
    return loop.emitError("a loop with an optional panel, the last one, must "
                          "be one branch on panel_staged and one panel_vote "
                          "on its last result");
  bool hasGate = false;
  for (Operation &op : program.getBody().front()) {
    if (isa<TileForOp>(op))
      break;
    hasGate |= isa<TileGateOp>(op);
  }
  if (!hasGate || program.getSchedule().toSchedule().skip != Skip::Adaptive)
    return loop.emitError("an optional panel needs skip = adaptive and a "
                          "tile_gate above the first key loop: until a program "
                          "has voted, its gate says what is copied");
  return success();
}

static SmallVector<Value> panelsRead(Block &block) {
  SmallVector<Value> panels;
  for (Operation &op : block) {
    if (auto scores = dyn_cast<TileScoresOp>(op))
      panels.push_back(scores.getK());
    if (auto aggregate = dyn_cast<TileAggregateOp>(op))
      panels.push_back(aggregate.getV());
    if (auto aggregate = dyn_cast<TileAggregateStepsOp>(op))
      panels.push_back(aggregate.getV());
  }
  return panels;
}

/// A product takes the next slot, whichever panel it names.
static LogicalResult checkPanels(TileForOp loop) {
  ValueRange panels = loop.getPanels();
  size_t uses = 0, count = panels.size();
  for (Value panel : panels)
    uses += std::distance(panel.use_begin(), panel.use_end());
  auto reads = [](Block &block, ValueRange wanted) {
    return llvm::equal(panelsRead(block), wanted);
  };
  bool isInOrder;
  if (scf::IfOp branch = stagedBranch(loop))
    isInOrder = reads(*branch.thenBlock(), panels) &&
                reads(*branch.elseBlock(), panels.drop_back()) &&
                uses == 2 * count + 1;
  else
    isInOrder = reads(loop.getBody().front(), panels) && uses == count;
  if (isInOrder)
    return success();
  return loop.emitError("must read each panel once, in the order of the "
                        "stream, and outside branches that warps take apart: "
                        "a product takes the next slot of the ring");
}

static LogicalResult checkLoop(TileForOp loop) {
  if (!isa<TileProgramOp>(loop->getParentOp()))
    return loop.emitError("must stand at the top level of the program: the "
                          "threads that copy follow no other loop and no "
                          "branch");
  auto first = loop.getInits().empty()
                   ? TileType()
                   : cast<TileType>(loop.getInits().front().getType());
  if (!first || first.getShape().size() != 2 || !first.getElementType().isF32())
    return loop.emitError("the first tile that a key loop carries must be its "
                          "output, a two-dimensional tile of f32");
  if (failed(checkOptionalPanel(loop)))
    return failure();
  return checkPanels(loop);
}

/// Whether a key loop's body, or each arm of the branch on its optional panel,
/// has all its scores in one place.
static bool hasScoresInOnePlace(TileForOp loop) {
  SmallVector<Block *> blocks{&loop.getBody().front()};
  if (scf::IfOp branch = stagedBranch(loop))
    blocks = {branch.thenBlock(), branch.elseBlock()};
  return llvm::all_of(blocks, [](Block *block) {
    return llvm::count_if(block->getOps<TileScoresOp>(), [](TileScoresOp op) {
             return !isa<TileScoresOp>(op->getNextNode());
           }) == 1;
  });
}

/// Whether a store stands at the top level, below all key loops.
static bool isBelowLoops(TileStoreOp store) {
  auto program = dyn_cast<TileProgramOp>(store->getParentOp());
  return program && llvm::none_of(program.getBody().getOps<TileForOp>(),
                                  [&](TileForOp loop) {
                                    return store->isBeforeInBlock(loop);
                                  });
}

/// The last scores of a program let the queries of the block's next program
/// come; where its key loops are all empty, its store does.
static LogicalResult checkPersistent(TileProgramOp program) {
  for (TileForOp loop : program.getBody().getOps<TileForOp>())
    if (!hasScoresInOnePlace(loop))
      return loop.emitError(
          "grid = persistent needs the scores of all views in "
          "one place of a key loop: the next program's "
          "queries come after the last of them");
  SmallVector<TileStoreOp> stores;
  program.walk([&](TileStoreOp op) {
    if (!op.getPlane())
      stores.push_back(op);
  });
  if (stores.size() == 1 && isBelowLoops(stores[0]))
    return success();
  return program.emitError("grid = persistent needs one tile_store without a "
                           "plane, at the top level below the key loops: where "
                           "these are empty it lets the next program's queries "
                           "come");
}

/// Whether `operand` hands on what `gather` makes of the tile it adds to, or
/// that tile where a branch does not gather; such operands go to `handed`.
static bool handsOn(OpOperand &operand, TileGatherOp gather,
                    SmallPtrSetImpl<OpOperand *> &handed) {
  Value value = operand.get();
  if (value == gather.getAcc())
    handed.insert(&operand);
  if (value == gather.getAcc() || value == gather.getResult())
    return true;
  auto branch = value.getDefiningOp<scf::IfOp>();
  if (!branch)
    return false;
  unsigned place = cast<OpResult>(value).getResultNumber();
  return llvm::all_of(
      ArrayRef{branch.thenBlock(), branch.elseBlock()}, [&](Block *block) {
        return handsOn(block->getTerminator()->getOpOperand(place), gather,
                       handed);
      });
}

/// The rows that a gather leaves on their way are added, in a turn that follows
/// or after the loop, to the tile that the loop carries first.
static LogicalResult checkGather(TileGatherOp gather) {
  auto program = gather->getParentOfType<TileProgramOp>();
  if (!program.getPipeline()->getFetchBytes())
    return success(); // everything is multiplied where it stands
  auto loop = gather->getParentOfType<TileForOp>();
  OpOperand *last = lastReader(gather.getResult());
  if (!loop || !last || !isa<TileYieldOp>(last->getOwner()) ||
      last->getOperandNumber() != 0)
    return gather.emitError("leaves its last rows on their way until a "
                            "later tile: it must stand in a key "
                            "loop, which carries its result on as the first "
                            "tile, and nothing else may read that");
  scf::IfOp branch = stagedBranch(loop);
  Block *block = branch ? branch.elseBlock() : &loop.getBody().front();
  if (!block->findAncestorOpInBlock(*gather) ||
      (!branch && program.getSchedule().toSchedule().skip != Skip::Tile))
    return gather.emitError("stands where nothing adds its last rows: with "
                            "skip = adaptive its place is the branch of "
                            "panel_staged without values; a loop that only "
                            "gathers takes skip = tile");
  WalkResult others = loop.walk([&](TileGatherOp other) {
    return other == gather ? WalkResult::advance() : WalkResult::interrupt();
  });
  if (others.wasInterrupted())
    return gather.emitError(
        "is not the only one of its key loop: rows that are "
        "noted in one turn set out in the next, by the one "
        "gather that the loop has");
  if (!hasScoresInOnePlace(loop))
    return gather.emitError("stands in a loop whose scores are not in one "
                            "place, all views one after the other: while they "
                            "are on their way the rows of the tile before set "
                            "out");
  // The rows set out in another turn, or after the loop.
  SmallVector<Value> place{gather.getValues(), gather.getBatch(),
                           gather.getHead(), gather.getLimit()};
  for (Value operand : place)
    if (loop.getBody().isAncestor(operand.getParentRegion()))
      return gather.emitError(
          "takes its values from a place that is worked out "
          "inside the key loop; its tensor, batch, head and "
          "limit must be known before the loop: rows are "
          "still fetched in the turns that follow");
  Value carried = loop.getCarried()[0];
  SmallPtrSet<OpOperand *, 4> handed;
  if (gather.getAcc() != carried ||
      !handsOn(block->getTerminator()->getOpOperand(0), gather, handed))
    return gather.emitError("must add to the first tile that the loop carries, "
                            "which branches without a gather hand on as it is: "
                            "rows of the tiles before are still to be added");
  for (OpOperand &use : carried.getUses()) {
    bool isStaged =
        branch && branch.thenBlock()->findAncestorOpInBlock(*use.getOwner());
    if (!isStaged && !handed.contains(&use) && use != gather.getAccMutable())
      return use.getOwner()->emitError(
          "reads the output inside a loop that gathers: rows that the tiles "
          "before left on their way are not yet in it; read it after the loop");
  }
  return success();
}

/// The output passes through the places for rows, where rows may be on their
/// way until the last key loop has ended.
static LogicalResult checkStores(TileProgramOp program) {
  if (!program.getPipeline()->getFetchBytes())
    return success();
  WalkResult result = program.walk([](TileStoreOp store) {
    if (!isTile2D(store.getTile()) || isBelowLoops(store))
      return WalkResult::advance();
    store.emitError("must stand at the top level below all key loops: the "
                    "output passes through the shared memory in which a loop "
                    "that gathers keeps rows of values");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// With skip = adaptive steps are counted for the vote where they stand, and
/// not kept.
static LogicalResult checkLiveSteps(TileLiveStepsOp steps) {
  auto program = steps->getParentOfType<TileProgramOp>();
  if (program.getSchedule().toSchedule().skip != Skip::Adaptive ||
      steps.getSteps().use_empty())
    return success();
  OpOperand *last = lastReader(steps.getSteps());
  if (last && isa<PanelVoteOp>(last->getOwner()))
    return success();
  return steps.emitError("goes to panel_vote and nowhere else with skip = "
                         "adaptive: the steps are added to the vote where they "
                         "are counted");
}

LogicalResult tda::checkProgram(TileProgramOp program) {
  WalkResult result = program.walk<WalkOrder::PreOrder>([](Operation *op) {
    bool isGood =
        llvm::TypeSwitch<Operation *, LogicalResult>(op)
            .Case<TileNormalizeOp, PanelNormalizeOp>([](Operation *op) {
              return op->emitError("has no form on the wgmma path: panels "
                                   "arrive as they lie in memory; normalise "
                                   "them first");
            })
            .Default([](Operation *op) { return checkTensor(op); })
            .succeeded();
    return isGood ? WalkResult::advance() : WalkResult::interrupt();
  });
  if (result.wasInterrupted() || failed(checkShapes(program)))
    return failure();
  result = program.walk<WalkOrder::PreOrder>([](Operation *op) {
    bool isGood =
        llvm::TypeSwitch<Operation *, LogicalResult>(op)
            .Case([](TileLoadOp op) { return checkQueries(op); })
            .Case([](TileScoresOp op) { return checkScores(op); })
            .Case([](TileForOp op) { return checkLoop(op); })
            .Case([](TileLiveStepsOp op) { return checkLiveSteps(op); })
            .Default([](Operation *) { return success(); })
            .succeeded();
    return isGood ? WalkResult::advance() : WalkResult::interrupt();
  });
  if (result.wasInterrupted())
    return failure();
  if (program.getSchedule().toSchedule().grid == Grid::Persistent &&
      failed(checkPersistent(program)))
    return failure();

  FailureOr<PipelineAttr> pipeline = pipelineOf(program);
  if (failed(pipeline))
    return failure();
  if (*pipeline != *program.getPipeline())
    return program.emitError("has a pipeline that its schedule and its shapes "
                             "do not lead to; run tda-assign-pipeline, which "
                             "gives ")
           << *pipeline;
  if (failed(checkStores(program)))
    return failure();
  result = program.walk([](TileGatherOp op) {
    return failed(checkGather(op)) ? WalkResult::interrupt()
                                   : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
