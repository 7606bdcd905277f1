//===- StagesToLinalg.cpp - Lower stage ops to linalg on tensors ----------===//
//
// The unfused form, for comparison: each function below is one step of
// docs/semantics.md as loop nests over whole tensors, with f32 arithmetic and
// the roundings that the step names. Loops are numbered b, h, i, j, d.
//
//===----------------------------------------------------------------------===//
#include "lib/StagesToLinalg/Visibility.h"
#include "tda/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_STAGESTOLINALG
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

Type elementOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

Value add(StageLoops &l, Value x, Value y) {
  return arith::AddFOp::create(l.b, x, y);
}
Value mul(StageLoops &l, Value x, Value y) {
  return arith::MulFOp::create(l.b, x, y);
}
Value atLeast(StageLoops &l, Value x, double bound) {
  return arith::MaximumFOp::create(l.b, x, l.f32(bound));
}

/// The loops that index a coefficient [], [Hq] or [B, Hq, Nq].
Access coefficient(Value tensor) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  if (rank == 1)
    return {tensor, {1}};
  return rank == 0 ? Access{tensor, {}} : Access{tensor, {0, 1, 2}};
}

/// Hq / Hkv, at least 1: a loop over heads that do not exist may compute it.
Value groupSize(StageLoops &l, Value queryHeads, Value keyHeads) {
  Value one = l.index(1);
  keyHeads = arith::MaxUIOp::create(l.b, keyHeads, one);
  Value ratio = arith::DivUIOp::create(l.b, queryHeads, keyHeads);
  return arith::MaxUIOp::create(l.b, ratio, one);
}

/// In a nest over b, h, i, j, d: `tensor`[b, h / group, j, d].
Value keyElement(StageLoops &l, Value tensor, Value group) {
  Value head = arith::DivUIOp::create(l.b, l.loop(1), group);
  Value element = tensor::ExtractOp::create(
      l.b, tensor, ValueRange{l.loop(0), head, l.loop(3), l.loop(4)});
  return l.toF32(element);
}

/// The sum of squares of each row, f32 [B, H, N].
Value sumOfSquares(StageLoops &l, Value x, ArrayRef<OpFoldResult> sizes) {
  Value zeros = l.zeros(sizes.drop_back(), l.b.getF32Type());
  return l.nest("pppr", {{x, {0, 1, 2, 3}}}, {zeros, {0, 1, 2}},
                [&](ValueRange e) { return add(l, e[1], mul(l, e[0], e[0])); });
}

Value lower(NormalizeOp op, StageLoops &l, const Sizes &sizes) {
  Value squares = sumOfSquares(l, op.getX(), sizes);
  Value y = l.empty(sizes, elementOf(op.getY()));
  return l.nest("pppp", {{op.getX(), {0, 1, 2, 3}}, {squares, {0, 1, 2}}},
                {y, {0, 1, 2, 3}}, [&](ValueRange e) -> Value {
                  Value norm = math::SqrtOp::create(l.b, e[1]);
                  return arith::DivFOp::create(l.b, e[0],
                                               atLeast(l, norm, 1e-12));
                });
}

Value lower(ScoresOp op, StageLoops &l, const Sizes &sizes) {
  Value q = op.getQ(), k = op.getK();
  Value group = groupSize(l, l.dim(q, 1), l.dim(k, 1));
  Value s = l.zeros(sizes, l.b.getF32Type());
  s = l.nest("ppppr", {{q, {0, 1, 2, 4}}}, {s, {0, 1, 2, 3}},
             [&](ValueRange e) {
               return add(l, e[1], mul(l, e[0], keyElement(l, k, group)));
             });
  Visibility rule(l, op.getCausal(), op.getWindow(), op.getOffset(),
                  l.dim(q, 2), l.dim(k, 2));
  if (!rule.hidesKeys())
    return s;
  Value masked = l.empty(sizes, l.b.getF32Type());
  double hidden = -std::numeric_limits<double>::infinity();
  return l.nest("pppp", {{s, {0, 1, 2, 3}}}, {masked, {0, 1, 2, 3}},
                [&](ValueRange e) -> Value {
                  Value visible = rule.visible(l.loop(2), l.loop(3));
                  return arith::SelectOp::create(l.b, visible, e[0],
                                                 l.f32(hidden));
                });
}

/// tau, f32 [Hq, Nq].
Value gates(ThresholdOp op, StageLoops &l, Visibility &rule,
            const Sizes &sizes) {
  SmallVector<Access> inputs{coefficient(op.getBeta())};
  for (unsigned &loop : inputs[0].loops)
    loop = 0;
  if (op.getKappaValue())
    inputs.push_back({op.getKappaValue(), {}});
  Value tau = l.empty({sizes[1], sizes[2]}, l.b.getF32Type());
  return l.nest("pp", inputs, {tau, {0, 1}}, [&](ValueRange e) {
    ImplicitLocOpBuilder &b = l.b;
    Value n =
        arith::IndexCastOp::create(b, b.getI64Type(), rule.count(l.loop(1)));
    n = arith::SIToFPOp::create(b, b.getF32Type(), n);
    Value kappa =
        op.getKappaValue() ? e[1] : l.f32(op.getKappa().convertToDouble());
    Value log =
        math::LogOp::create(b, arith::DivFOp::create(b, n, kappa).getResult());
    Value square = arith::DivFOp::create(
        b, mul(l, l.f32(2), atLeast(l, log, 0)), l.f32(double(op.getDim())));
    return mul(l, atLeast(l, e[0], 0), math::SqrtOp::create(b, square));
  });
}

Value lower(ThresholdOp op, StageLoops &l, const Sizes &sizes) {
  Visibility rule(l, op.getCausal(), op.getWindow(), op.getOffset(),
                  l.dim(op.getS(), 2), l.dim(op.getS(), 3));
  Value tau = gates(op, l, rule, sizes);
  Value a = l.empty(sizes, l.b.getF32Type());
  return l.nest("pppp", {{op.getS(), {0, 1, 2, 3}}, {tau, {1, 2}}},
                {a, {0, 1, 2, 3}}, [&](ValueRange e) {
                  Value above = arith::SubFOp::create(l.b, e[0], e[1]);
                  Value value = l.power(atLeast(l, above, 0),
                                        op.getPower().convertToDouble());
                  if (!rule.hidesKeys())
                    return value;
                  Value visible = rule.visible(l.loop(2), l.loop(3));
                  return arith::SelectOp::create(l.b, visible, value, l.f32(0))
                      .getResult();
                });
}

Value lower(DifferentialOp op, StageLoops &l, const Sizes &sizes) {
  Value a = l.empty(sizes, l.b.getF32Type());
  return l.nest("pppp",
                {{op.getA1(), {0, 1, 2, 3}},
                 {op.getA2(), {0, 1, 2, 3}},
                 coefficient(op.getLambda())},
                {a, {0, 1, 2, 3}}, [&](ValueRange e) -> Value {
                  return arith::SubFOp::create(l.b, e[0], mul(l, e[2], e[1]));
                });
}

Value lower(AggregateOp op, StageLoops &l, const Sizes &sizes) {
  Type f32 = l.b.getF32Type();
  Value a = op.getA(), v = op.getV();
  Value group = groupSize(l, l.dim(a, 1), l.dim(v, 1));
  Value o =
      l.nest("ppprp", {{a, {0, 1, 2, 3}}}, {l.zeros(sizes, f32), {0, 1, 2, 4}},
             [&](ValueRange e) {
               Value weight = l.roundInF32(e[0], elementOf(v));
               return add(l, e[1], mul(l, weight, keyElement(l, v, group)));
             });
  if (elementOf(op.getO()).isF32())
    return o;
  Value rounded = l.empty(sizes, elementOf(op.getO()));
  return l.nest("pppp", {{o, {0, 1, 2, 3}}}, {rounded, {0, 1, 2, 3}},
                [](ValueRange e) { return e[0]; });
}

Value lower(RmsNormOp op, StageLoops &l, const Sizes &sizes) {
  Value squares = sumOfSquares(l, op.getX(), sizes);
  auto type = cast<RankedTensorType>(op.getX().getType());
  Value y = l.empty(sizes, elementOf(op.getY()));
  return l.nest(
      "pppp",
      {{op.getX(), {0, 1, 2, 3}}, {squares, {0, 1, 2}}, {op.getGain(), {3}}},
      {y, {0, 1, 2, 3}}, [&](ValueRange e) -> Value {
        ImplicitLocOpBuilder &b = l.b;
        Value mean =
            arith::DivFOp::create(b, e[1], l.f32(double(type.getDimSize(3))));
        Value square = add(l, mean, l.f32(op.getEps().convertToDouble()));
        Value scale = math::RsqrtOp::create(b, square);
        // A row without survivors stays 0, also where eps = 0.
        Value live =
            arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, e[1], l.f32(0));
        scale = arith::SelectOp::create(b, live, scale, l.f32(0));
        return mul(l, mul(l, e[0], scale), e[2]);
      });
}

// Here the loops are the view, then b, h, i, j.
Value lower(CountSurvivorsOp op, StageLoops &l, const Sizes &sizes) {
  SmallVector<Access> maps;
  for (Value map : op.getMaps())
    maps.push_back({map, {1, 2, 3, 4}});
  Type i32 = l.b.getI32Type();
  return l.nest("ppppr", maps, {l.zeros(sizes, i32), {0, 1, 2, 3}},
                [&](ValueRange e) -> Value {
                  ImplicitLocOpBuilder &b = l.b;
                  Value a = e[0];
                  if (maps.size() == 2) {
                    Value first = arith::CmpIOp::create(
                        b, arith::CmpIPredicate::eq, l.loop(0), l.index(0));
                    a = arith::SelectOp::create(b, first, a, e[1]);
                  }
                  Value survives = arith::CmpFOp::create(
                      b, arith::CmpFPredicate::OGT, a, l.f32(0));
                  return arith::AddIOp::create(
                      b, e.back(), arith::ExtUIOp::create(b, i32, survives));
                });
}

template <typename Op> void lowerStage(Op op) {
  OpBuilder builder(op);
  StageLoops loops(builder, op.getLoc());
  ReifiedRankedShapedTypeDims shapes;
  (void)op.reifyResultShapes(builder, shapes); // Never fails.
  Value result = lower(op, loops, Sizes(shapes.front()));
  // What is static may have been said on the other side.
  Type type = op->getResult(0).getType();
  if (result.getType() != type)
    result = tensor::CastOp::create(loops.b, type, result);
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

struct StagesToLinalg : tda::impl::StagesToLinalgBase<StagesToLinalg> {
  using StagesToLinalgBase::StagesToLinalgBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([](AttentionOp op) {
      op.emitError("tda-stages-to-linalg lowers stage ops only; "
                   "tda-decompose-attention has to run before");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    getOperation().walk([](Operation *op) {
      TypeSwitch<Operation *>(op)
          .Case<NormalizeOp, ScoresOp, ThresholdOp, DifferentialOp, AggregateOp,
                RmsNormOp, CountSurvivorsOp>(
              [](auto stage) { lowerStage(stage); });
    });
  }
};

} // namespace
