//===- DecomposeAttention.cpp - Split tda.attention into stage ops --------===//
//
// Each step of docs/semantics.md becomes its stage op; tda-fuse-attention finds
// the same tda.attention again. The schedule, the target and max_length say
// nothing about what is computed, and are dropped.
//
//===----------------------------------------------------------------------===//
#include "tda/Passes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_DECOMPOSEATTENTION
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

/// Scores and threshold of one view; the visibility rule stands on both.
Value buildMap(OpBuilder &b, AttentionOp op, Value q, Value k, Type map) {
  Location loc = op.getLoc();
  if (op.getNormalize()) {
    q = NormalizeOp::create(b, loc, q);
    k = NormalizeOp::create(b, loc, k);
  }
  Value s = ScoresOp::create(b, loc, map, q, k, op.getOffset(), op.getCausal(),
                             op.getWindowAttr());
  return ThresholdOp::create(b, loc, s, op.getBeta(), op.getKappaValue(),
                             op.getOffset(), op.getProblem().d, op.getCausal(),
                             op.getWindowAttr(), op.getPower(), op.getKappa());
}

void decompose(AttentionOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto q = cast<RankedTensorType>(op.getQ1().getType());
  auto k = cast<RankedTensorType>(op.getK1().getType());
  auto map = RankedTensorType::get(
      {q.getDimSize(0), q.getDimSize(1), q.getDimSize(2), k.getDimSize(2)},
      b.getF32Type());

  SmallVector<Value> maps{buildMap(b, op, op.getQ1(), op.getK1(), map)};
  Value a = maps[0];
  if (op.getViews() == 2) {
    maps.push_back(buildMap(b, op, op.getQ2(), op.getK2(), map));
    a = DifferentialOp::create(b, loc, a, maps[1], op.getLambda());
  }
  // The epilogue norm reads the sums before they are rounded.
  auto result = cast<RankedTensorType>(op.getO().getType());
  Type sums = op.getGain() ? result.clone(b.getF32Type()) : result;
  Value o = AggregateOp::create(b, loc, sums, a, op.getV());
  if (op.getGain())
    o = RmsNormOp::create(b, loc, result, o, op.getGain(), op.getEps());
  op.getO().replaceAllUsesWith(o);
  if (Value survivors = op.getSurvivors())
    survivors.replaceAllUsesWith(
        CountSurvivorsOp::create(b, loc, survivors.getType(), maps));
  op.erase();
}

struct DecomposeAttention
    : tda::impl::DecomposeAttentionBase<DecomposeAttention> {
  using DecomposeAttentionBase::DecomposeAttentionBase;

  void runOnOperation() override {
    getOperation().walk([](AttentionOp op) { decompose(op); });
  }
};

} // namespace
