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
  IntegerAttr windowAttr() { return op.getWindowAttr(); }

  Value coefficient(Value memref, Value head);
  Value gate();
  Value queryTile(int view);
  void tileLoop();
  SmallVector<Value> maskEdges(ArrayRef<Value> scores, Value key);
  Value survives(ArrayRef<Value> scores);
  SmallVector<Value> live(ArrayRef<Value> scores, Value values,
                          ValueRange carried);
  void store(ValueRange results);

  OpBuilder &b;
  Location loc;
  AttentionOp op;
  Boundary at;
  Schedule schedule;
  Problem problem;
  // Of the program that is being built.
  Value batch, head, keyHead, row, tau, lambda, q[2];
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
  SmallVector<Value> inits{TileZeroOp::create(
      b, loc, tile({schedule.tileM, problem.dv}, b.getF32Type()))};
  if (problem.stats)
    for (int view = 0; view < problem.views; ++view)
      inits.push_back(TileZeroOp::create(b, loc, rowTile(b.getI32Type())));

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
  sources.push_back(at.v);
  panels.push_back(panel(problem.dv, PanelRole::Value));

  auto loop =
      TileForOp::create(b, loc, span.getBegin(), span.getEnd(), at.keys, batch,
                        keyHead, schedule.tileN, sources, panels, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&loop.getBody().front());
    SmallVector<Value> keyPanels(loop.getPanels().drop_back());
    if (problem.normalize) {
      auto unit = PanelNormalizeOp::create(
          b, loc, TypeRange(ValueRange(keyPanels)), keyPanels);
      keyPanels.assign(unit.getResults().begin(), unit.getResults().end());
    }
    SmallVector<Value> scores;
    for (int view = 0; view < problem.views; ++view)
      scores.push_back(TileScoresOp::create(
          b, loc, tile({schedule.tileM, schedule.tileN}, b.getF32Type()),
          q[view], keyPanels[view]));
    // A tile that some row does not wholly see is masked; the others are not.
    Value key = loop.getKey();
    Value after = arith::AddIOp::create(b, loc, key, index(schedule.tileN));
    Value below = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key,
                                        span.getFullBegin());
    Value above = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                        after, span.getFullEnd());
    Value edge = arith::OrIOp::create(b, loc, below, above);
    auto masked =
        scf::IfOp::create(b, loc, TypeRange(ValueRange(scores)), edge, true);
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(masked.thenBlock());
      scf::YieldOp::create(b, loc, maskEdges(scores, key));
      b.setInsertionPointToStart(masked.elseBlock());
      scf::YieldOp::create(b, loc, scores);
    }
    scores.assign(masked.getResults().begin(), masked.getResults().end());

    SmallVector<Value> next;
    Value values = loop.getPanels().back();
    if (schedule.skip == Skip::Never) {
      next = live(scores, values, loop.getCarried());
    } else {
      auto branch =
          scf::IfOp::create(b, loc, TypeRange(ValueRange(loop.getCarried())),
                            survives(scores), true);
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, loc, live(scores, values, loop.getCarried()));
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, loop.getCarried());
      next.assign(branch.getResults().begin(), branch.getResults().end());
    }
    b.setInsertionPointToEnd(&loop.getBody().front());
    TileYieldOp::create(b, loc, next);
  }
  store(loop.getResults());
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
  return TileSurvivesOp::create(b, loc, b.getI1Type(), scores, tau);
}

/// What a tile with survivors does: the next values of the carried tiles.
SmallVector<Value> LoopBuilder::live(ArrayRef<Value> scores, Value values,
                                     ValueRange carried) {
  // Counting first: the scores die in the thresholds.
  SmallVector<Value> counts;
  for (auto [s, count] : llvm::zip(scores, carried.drop_front()))
    counts.push_back(
        TileCountOp::create(b, loc, count.getType(), s, tau, count));
  FloatAttr power = b.getF64FloatAttr(problem.power);
  SmallVector<Value> maps;
  for (Value s : scores)
    maps.push_back(TileThresholdOp::create(b, loc, s.getType(), s, tau, power));
  Value a = maps[0];
  if (problem.views == 2)
    a = TileDifferentialOp::create(b, loc, a.getType(), maps[0], maps[1],
                                   lambda);
  SmallVector<Value> next{TileAggregateOp::create(b, loc, carried[0].getType(),
                                                  a, values, carried[0])};
  next.append(counts);
  return next;
}

void LoopBuilder::store(ValueRange results) {
  Value o = results.front();
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
