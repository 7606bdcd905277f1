//===- FuseAttention.cpp - Fuse stage ops into tda.attention --------------===//
//
// Each tda.aggregate is the end of one attention. MatchStages follows it back;
// here the stages that it found become one tda.attention, at the place of the
// last of them. What stays as it was gets a remark with the reason.
//
//===----------------------------------------------------------------------===//
#include "lib/StagesToAttention/MatchStages.h"
#include "tda/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_FUSEATTENTION
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

/// What the verifier says against `op`; empty when it is content. The shape
/// rules then exist once, in tda.attention.
std::string whyInvalid(Operation *op) {
  std::string why;
  uint64_t thread = llvm::get_threadid();
  // Other functions are worked on at once; what they report passes by.
  ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &d) {
    if (llvm::get_threadid() != thread)
      return failure();
    if (why.empty())
      why = d.str();
    return success();
  });
  (void)verify(op, /*verifyRecursively=*/false);
  return why;
}

/// lambda as the tensor that tda.attention takes.
Value makeLambda(OpBuilder &b, Location loc, const StageLambda &lambda) {
  auto scalarType = RankedTensorType::get({}, b.getF32Type());
  if (lambda.number) {
    APFloat number = *lambda.number;
    if (lambda.negated)
      number.changeSign();
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(scalarType, number));
  }
  Value tensor = lambda.tensor;
  if (lambda.scalar)
    tensor = tensor::FromElementsOp::create(b, loc, scalarType, lambda.scalar);
  return lambda.negated ? arith::NegFOp::create(b, loc, tensor) : tensor;
}

Value beforeNormalize(Value rows, bool normalize) {
  return normalize ? rows.getDefiningOp<NormalizeOp>().getX() : rows;
}

AttentionOp buildAttention(OpBuilder &b, StageMatch &match) {
  Location loc = match.aggregate.getLoc();
  ThresholdOp gate = match.views.front().threshold;
  SmallVector<Value> rows;
  for (StageView &view : match.views)
    for (Value value : {view.scores.getQ(), view.scores.getK()})
      rows.push_back(beforeNormalize(value, match.normalize));
  Value lambda;
  if (match.views.size() == 2)
    lambda = makeLambda(b, loc, match.lambda);
  rows.resize(4);
  Type survivors =
      match.counts.empty() ? Type() : match.counts.front().getType();
  return AttentionOp::create(
      b, loc, match.last()->getResult(0).getType(), survivors, rows[0], rows[1],
      rows[2], rows[3], match.aggregate.getV(), gate.getBeta(), lambda,
      gate.getKappaValue(), gate.getOffset(),
      match.norm ? match.norm.getGain() : Value(), gate.getCausal(),
      gate.getWindowAttr(), gate.getPower(), match.normalize, /*unit=*/false,
      gate.getKappa(), match.norm ? match.norm.getEps() : APFloat(1.0e-5),
      /*max_length=*/IntegerAttr(), ScheduleAttr(), TargetAttr());
}

/// Empty when the stages before `aggregate` became a tda.attention; else why
/// they could not.
std::string fuse(AggregateOp aggregate, DominanceInfo &dominance) {
  StageMatch match;
  std::string reason;
  if (!matchStages(aggregate, dominance, match, reason))
    return reason;
  OpBuilder b(match.last());
  AttentionOp attention = buildAttention(b, match);
  reason = whyInvalid(attention);
  if (!reason.empty()) {
    attention.erase();
    return reason;
  }
  match.last()->getResult(0).replaceAllUsesWith(attention.getO());
  for (CountSurvivorsOp count : match.counts)
    count.getCounts().replaceAllUsesWith(attention.getSurvivors());
  // Views may share a stage, and others a tda.normalize.
  for (Operation *op :
       llvm::SetVector<Operation *>(match.stages.begin(), match.stages.end()))
    if (isOpTriviallyDead(op))
      op->erase();
  return "";
}

struct FuseAttention : tda::impl::FuseAttentionBase<FuseAttention> {
  using FuseAttentionBase::FuseAttentionBase;

  void runOnOperation() override {
    auto &dominance = getAnalysis<DominanceInfo>();
    SmallVector<AggregateOp> aggregates;
    getOperation().walk([&](AggregateOp op) { aggregates.push_back(op); });
    for (AggregateOp aggregate : aggregates) {
      std::string reason = fuse(aggregate, dominance);
      if (!reason.empty())
        aggregate.emitRemark("cannot fuse: ") << reason;
    }
  }
};

} // namespace
