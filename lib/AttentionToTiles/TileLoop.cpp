//===- TileLoop.cpp - The body of one tile program ------------------------===//
//
// The algorithm, once, for every target: which tiles are visited, which are
// masked, and what hangs on the survivor test.
//
//===----------------------------------------------------------------------===//
#include "lib/AttentionToTiles/TileLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;
using namespace tda;

namespace {

class LoopBuilder {
public:
  LoopBuilder(OpBuilder &b, AttentionOp op, Boundary boundary)
      : b(b), loc(op.getLoc()), op(op), at(boundary),
        schedule(op.getSchedule()->toSchedule()), problem(op.getProblem()) {}

  void build();

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  TileType tile(ArrayRef<int64_t> shape, Type element) {
    return TileType::get(b.getContext(), shape, element);
  }
  TileType rowTile(Type element) { return tile({schedule.tileM}, element); }
  Type inputType() { return cast<MemRefType>(at.v.getType()).getElementType(); }
  /// Weights of unit rows are made from half of the excess; other powers than
  /// these would have to be scaled back inexactly.
  bool isHalved() {
    bool isWhole =
        problem.power == 1 || problem.power == 2 || problem.power == 3;
    return problem.unit && isWhole && schedule.path == Path::Wgmma;
  }
  IntegerAttr windowAttr() { return op.getWindowAttr(); }

  Value coefficient(Value memref, Value head);
  Value gate();
  Value queryTile(int view);
  void tileLoop();
  void visitInOneLoop(TileSpanOp span);
  void visitInSegments(TileSpanOp span);
  TileForOp keyLoop(Value begin, Value end, ValueRange inits, bool values);
  SmallVector<Value> scores(TileForOp loop);
  SmallVector<Value> maskEdges(ArrayRef<Value> scores, Value key);
  Value survives(ArrayRef<Value> scores);
  Value rectified(Value scores);
  Value weights(ArrayRef<Value> scores);
  Value weightsOfLiveViews(ArrayRef<Value> scores);
  SmallVector<Value> counts(ArrayRef<Value> scores, ValueRange carried);
  SmallVector<Value> live(ArrayRef<Value> scores, Value values,
                          ValueRange carried);
  SmallVector<Value> segmentBody(TileForOp loop, bool masked);
  SmallVector<Value> inSteps(TileForOp loop, bool masked);
  SmallVector<Value> staged(TileForOp loop, bool masked, Value &steps);
  SmallVector<Value> onDemand(TileForOp loop, bool masked, Value &steps);
  void store(ValueRange results);

  OpBuilder &b;
  Location loc;
  AttentionOp op;
  Boundary at;
  Schedule schedule;
  Problem problem;
  // Of the program that is being built.
  Value batch, head, keyHead, row, tau, lambda, q[2];
  SmallVector<Value> results; ///< o and the counts, after the loops.
};

void LoopBuilder::build() {
  auto program = TileProgramOp::create(b, loc, at.batches, at.heads, at.queries,
                                       *op.getSchedule(), *op.getTarget());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&program.getBody().front());
  batch = program.getBody().getArgument(0);
  head = program.getBody().getArgument(1);
  row = program.getBody().getArgument(2);
  Value perGroup = arith::DivUIOp::create(b, loc, at.heads, at.keyHeads);
  keyHead = arith::DivUIOp::create(b, loc, head, perGroup);
  tau = gate();
  if (at.lambda)
    lambda = coefficient(at.lambda, head);
  for (int view = 0; view < problem.views; ++view)
    q[view] = queryTile(view);
  tileLoop();
}

/// beta or lambda of this head: one value, or one a row.
Value LoopBuilder::coefficient(Value memref, Value head) {
  switch (cast<MemRefType>(memref.getType()).getRank()) {
  case 0:
    return memref::LoadOp::create(b, loc, memref, ValueRange{});
  case 1:
    return memref::LoadOp::create(b, loc, memref, head);
  default:
    return TileLoadOp::create(b, loc, rowTile(b.getF32Type()), memref, batch,
                              head, row, at.queries);
  }
}

Value LoopBuilder::gate() {
  Value kappa =
      at.kappa ? Value(memref::LoadOp::create(b, loc, at.kappa, ValueRange{}))
               : Value(arith::ConstantOp::create(
                     b, loc, b.getF32FloatAttr(float(problem.kappa))));
  return TileGateOp::create(b, loc, rowTile(b.getF32Type()),
                            coefficient(at.beta, head), kappa, row, at.keys,
                            at.offset, b.getI64IntegerAttr(problem.d),
                            op.getCausalAttr(), windowAttr());
}

Value LoopBuilder::queryTile(int view) {
  Value loaded =
      TileLoadOp::create(b, loc, tile({schedule.tileM, problem.d}, inputType()),
                         at.q[view], batch, head, row, at.queries);
  return problem.normalize
             ? Value(TileNormalizeOp::create(b, loc, loaded.getType(), loaded))
             : loaded;
}

void LoopBuilder::tileLoop() {
  auto span = TileSpanOp::create(b, loc, row, at.queries, at.keys, at.offset,
                                 b.getI64IntegerAttr(schedule.tileM),
                                 b.getI64IntegerAttr(schedule.tileN),
                                 op.getCausalAttr(), windowAttr());
  results = {TileZeroOp::create(
      b, loc, tile({schedule.tileM, problem.dv}, b.getF32Type()))};
  if (problem.stats)
    for (int view = 0; view < problem.views; ++view)
      results.push_back(TileZeroOp::create(b, loc, rowTile(b.getI32Type())));
  if (schedule.path == Path::Wgmma)
    visitInSegments(span);
  else
    visitInOneLoop(span);
  store(results);
}

/// An empty loop over [begin, end), its panels the keys of each view, then the
/// values where they are staged.
TileForOp LoopBuilder::keyLoop(Value begin, Value end, ValueRange inits,
                               bool values) {
  auto panel = [&](int64_t columns, PanelRole role) -> Type {
    return PanelType::get(b.getContext(), schedule.tileN, columns, inputType(),
                          role);
  };
  SmallVector<Value> sources;
  SmallVector<Type> panels;
  for (int view = 0; view < problem.views; ++view) {
    sources.push_back(at.k[view]);
    panels.push_back(panel(problem.d, PanelRole::Key));
  }
  if (values) {
    sources.push_back(at.v);
    panels.push_back(panel(problem.dv, PanelRole::Value));
  }
  return TileForOp::create(b, loc, begin, end, at.keys, batch, keyHead,
                           schedule.tileN, sources, panels, inits);
}

SmallVector<Value> LoopBuilder::scores(TileForOp loop) {
  SmallVector<Value> keyPanels(loop.getPanels().take_front(problem.views));
  if (problem.normalize) {
    auto unit = PanelNormalizeOp::create(
        b, loc, TypeRange(ValueRange(keyPanels)), keyPanels);
    keyPanels.assign(unit.getResults().begin(), unit.getResults().end());
  }
  SmallVector<Value> scores;
  for (int view = 0; view < problem.views; ++view)
    scores.push_back(TileScoresOp::create(
        b, loc, tile({schedule.tileM, schedule.tileN}, b.getF32Type()), q[view],
        keyPanels[view]));
  return scores;
}

/// One loop over all tiles; a branch masks those that some row does not wholly
/// see.
void LoopBuilder::visitInOneLoop(TileSpanOp span) {
  auto loop = keyLoop(span.getBegin(), span.getEnd(), results, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&loop.getBody().front());
  SmallVector<Value> s = scores(loop);
  Value key = loop.getKey();
  Value after = arith::AddIOp::create(b, loc, key, index(schedule.tileN));
  Value below = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key,
                                      span.getFullBegin());
  Value above = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, after,
                                      span.getFullEnd());
  Value edge = arith::OrIOp::create(b, loc, below, above);
  auto masked = scf::IfOp::create(b, loc, TypeRange(ValueRange(s)), edge, true);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(masked.thenBlock());
    scf::YieldOp::create(b, loc, maskEdges(s, key));
    b.setInsertionPointToStart(masked.elseBlock());
    scf::YieldOp::create(b, loc, s);
  }
  s.assign(masked.getResults().begin(), masked.getResults().end());

  SmallVector<Value> next;
  Value values = loop.getPanels().back();
  if (schedule.skip == Skip::Never) {
    next = live(s, values, loop.getCarried());
  } else {
    auto branch = scf::IfOp::create(
        b, loc, TypeRange(ValueRange(loop.getCarried())), survives(s), true);
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loc, live(s, values, loop.getCarried()));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, loop.getCarried());
    next.assign(branch.getResults().begin(), branch.getResults().end());
  }
  b.setInsertionPointToEnd(&loop.getBody().front());
  TileYieldOp::create(b, loc, next);
  results.assign(loop.getResults().begin(), loop.getResults().end());
}

/// The masked and the other tiles in loops of their own: wgmma accumulators do
/// not cross a branch cheaply. From the last key down: where attention is local
/// the tiles at the diagonal are the dense ones, and what the copies have
/// learnt of one tile holds for the next.
void LoopBuilder::visitInSegments(TileSpanOp span) {
  Value step = index(schedule.tileN);
  auto whole = [&](Value key) -> Value { // rounded down to whole tiles
    Value rest = arith::RemSIOp::create(b, loc, key, step);
    return arith::SubIOp::create(b, loc, key, rest);
  };
  Value last = arith::AddIOp::create(b, loc, span.getFullBegin(),
                                     index(schedule.tileN - 1));
  Value low = whole(last), high = whole(span.getFullEnd());
  high = arith::MaxSIOp::create(b, loc, low, high);
  // All bounds before the first loop: a persistent grid asks which scores are a
  // program's last.
  Value edge = problem.window
                   ? Value(arith::MinSIOp::create(b, loc, low, span.getEnd()))
                   : Value();
  auto segment = [&](Value begin, Value end, bool masked) {
    auto loop = keyLoop(begin, end, results, schedule.skip != Skip::Tile);
    loop.setDescending(true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&loop.getBody().front());
    SmallVector<Value> next = segmentBody(loop, masked);
    TileYieldOp::create(b, loc, next);
    results.assign(loop.getResults().begin(), loop.getResults().end());
  };
  segment(high, span.getEnd(), true);
  segment(low, high, false);
  if (problem.window)
    segment(span.getBegin(), edge, true);
}

SmallVector<Value> LoopBuilder::segmentBody(TileForOp loop, bool masked) {
  Value steps;
  switch (schedule.skip) {
  case Skip::Never: {
    SmallVector<Value> s = scores(loop);
    if (masked)
      s = maskEdges(s, loop.getKey());
    return live(s, loop.getPanels().back(), loop.getCarried());
  }
  case Skip::Tile:
    return onDemand(loop, masked, steps);
  case Skip::Steps:
    return inSteps(loop, masked);
  case Skip::Adaptive:
    break;
  }
  Value values = loop.getPanels().back();
  SmallVector<Type> types(TypeRange(ValueRange(loop.getCarried())));
  types.push_back(b.getI32Type());
  auto branch = scf::IfOp::create(
      b, loc, types, PanelStagedOp::create(b, loc, b.getI1Type(), values),
      /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    SmallVector<Value> next = staged(loop, masked, steps);
    next.push_back(steps);
    scf::YieldOp::create(b, loc, next);
    b.setInsertionPointToStart(branch.elseBlock());
    next = onDemand(loop, masked, steps);
    next.push_back(steps);
    scf::YieldOp::create(b, loc, next);
  }
  PanelVoteOp::create(b, loc, values, branch.getResults().back());
  return SmallVector<Value>(branch.getResults().drop_back());
}

/// The tile with its values staged; steps of 16 keys without a weight are left
/// out.
SmallVector<Value> LoopBuilder::inSteps(TileForOp loop, bool masked) {
  SmallVector<Value> s = scores(loop);
  if (masked)
    s = maskEdges(s, loop.getKey());
  SmallVector<Value> count = counts(s, loop.getCarried());
  SmallVector<Value> next{TileAggregateStepsOp::create(
      b, loc, loop.getCarried()[0].getType(), weightsOfLiveViews(s),
      loop.getPanels().back(), loop.getCarried()[0])};
  next.append(count);
  return next;
}

/// The tile with its values staged, and its live steps.
SmallVector<Value> LoopBuilder::staged(TileForOp loop, bool masked,
                                       Value &steps) {
  SmallVector<Value> s = scores(loop);
  if (masked)
    s = maskEdges(s, loop.getKey());
  SmallVector<Value> count = counts(s, loop.getCarried());
  Value a = weightsOfLiveViews(s);
  Value acc = loop.getCarried()[0], values = loop.getPanels().back();
  SmallVector<Value> next;
  // The products of a step with wide values cost more than to ask whether it
  // has a weight. (f16 has no registers to ask: its sums are kept apart.)
  if (problem.dv > 64 && inputType().isBF16())
    next.push_back(
        TileAggregateStepsOp::create(b, loc, acc.getType(), a, values, acc));
  else
    next.push_back(
        TileAggregateOp::create(b, loc, acc.getType(), a, values, acc));
  next.append(count);
  steps = TileLiveStepsOp::create(b, loc, b.getI32Type(), a, inputType());
  return next;
}

/// The tile without its values: rows with survivors fetch them.
SmallVector<Value> LoopBuilder::onDemand(TileForOp loop, bool masked,
                                         Value &steps) {
  SmallVector<Value> s = scores(loop);
  if (masked)
    s = maskEdges(s, loop.getKey());
  Value any =
      schedule.force
          ? Value(arith::ConstantOp::create(b, loc, b.getBoolAttr(true)))
          : survives(s);
  SmallVector<Type> types(TypeRange(ValueRange(loop.getCarried())));
  types.push_back(b.getI32Type());
  auto branch = scf::IfOp::create(b, loc, types, any, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> count = counts(s, loop.getCarried());
  Value a = weights(s);
  SmallVector<Value> next{TileGatherOp::create(
      b, loc, loop.getCarried()[0].getType(), a, at.v, batch, keyHead,
      loop.getKey(), at.keys, loop.getCarried()[0])};
  next.append(count);
  next.push_back(
      TileLiveStepsOp::create(b, loc, b.getI32Type(), a, inputType()));
  scf::YieldOp::create(b, loc, next);
  b.setInsertionPointToStart(branch.elseBlock());
  next.assign(loop.getCarried().begin(), loop.getCarried().end());
  next.push_back(arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0)));
  scf::YieldOp::create(b, loc, next);
  steps = branch.getResults().back();
  return SmallVector<Value>(branch.getResults().drop_back());
}

SmallVector<Value> LoopBuilder::maskEdges(ArrayRef<Value> scores, Value key) {
  SmallVector<Value> masked;
  for (Value s : scores)
    masked.push_back(TileMaskOp::create(b, loc, s.getType(), s, row, key,
                                        at.keys, at.offset, op.getCausalAttr(),
                                        windowAttr()));
  return masked;
}

Value LoopBuilder::survives(ArrayRef<Value> scores) {
  return TileSurvivesOp::create(b, loc, b.getI1Type(), scores, tau,
                                /*recalled=*/UnitAttr());
}

SmallVector<Value> LoopBuilder::counts(ArrayRef<Value> scores,
                                       ValueRange carried) {
  SmallVector<Value> counts;
  for (auto [s, count] : llvm::zip(scores, carried.drop_front()))
    counts.push_back(
        TileCountOp::create(b, loc, count.getType(), s, tau, count));
  return counts;
}

Value LoopBuilder::rectified(Value scores) {
  return TileThresholdOp::create(b, loc, scores.getType(), scores, tau,
                                 b.getF64FloatAttr(problem.power),
                                 isHalved() ? b.getUnitAttr() : UnitAttr());
}

/// Rectified scores, and the difference of the views.
Value LoopBuilder::weights(ArrayRef<Value> scores) {
  SmallVector<Value> maps;
  for (Value s : scores)
    maps.push_back(rectified(s));
  if (problem.views == 1)
    return maps[0];
  return TileDifferentialOp::create(b, loc, maps[0].getType(), maps[0], maps[1],
                                    lambda);
}

/// The same, without a threshold of the inhibitory view where it has no
/// survivor in the tile: in most heads of trained models one of the two never
/// fires. That of the excitatory view costs little, the other's scores are
/// still on their way then. a1 - lambda 0 is a1 for every finite lambda.
Value LoopBuilder::weightsOfLiveViews(ArrayRef<Value> scores) {
  if (problem.views == 1 || schedule.force)
    return weights(scores);
  Type type = scores[0].getType();
  Value a1 = rectified(scores[0]);
  Value live = TileSurvivesOp::create(b, loc, b.getI1Type(), scores[1], tau,
                                      /*recalled=*/b.getUnitAttr());
  auto branch = scf::IfOp::create(b, loc, type, live, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value a2 = rectified(scores[1]);
  Value a = TileDifferentialOp::create(b, loc, type, a1, a2, lambda);
  scf::YieldOp::create(b, loc, a);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, a1);
  return branch.getResult(0);
}

/// What a tile with survivors does: the next values of the carried tiles.
SmallVector<Value> LoopBuilder::live(ArrayRef<Value> scores, Value values,
                                     ValueRange carried) {
  // Counting first: the scores die in the thresholds.
  SmallVector<Value> count = counts(scores, carried);
  SmallVector<Value> next{TileAggregateOp::create(
      b, loc, carried[0].getType(), weights(scores), values, carried[0])};
  next.append(count);
  return next;
}

void LoopBuilder::store(ValueRange results) {
  Value o = results.front();
  if (isHalved())
    o = TileScaleOp::create(b, loc, o.getType(), o,
                            b.getF64FloatAttr(std::exp2(problem.power)));
  if (at.gain)
    o = TileRmsNormOp::create(b, loc, o.getType(), o, at.gain,
                              b.getF64FloatAttr(problem.eps));
  TileStoreOp::create(b, loc, o, at.o, batch, head, row, at.queries,
                      IntegerAttr());
  for (auto [view, count] : llvm::enumerate(results.drop_front()))
    TileStoreOp::create(b, loc, count, at.survivors, batch, head, row,
                        at.queries, b.getI64IntegerAttr(view));
}

} // namespace

void tda::buildTileProgram(OpBuilder &b, AttentionOp op,
                           const Boundary &boundary) {
  LoopBuilder(b, op, boundary).build();
}
