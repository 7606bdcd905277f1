//===- Canonicalize.cpp - Simpler spellings of tda.attention --------------===//
//
// Constants that make a part of the work disappear: lambda = 0 leaves one view,
// a constant kappa needs no operand, and beta <= 0 opens every gate, so kappa
// no longer matters.
//
//===----------------------------------------------------------------------===//
#include "dialects/tda/Canonicalize.h"
#include "dialects/tda/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tda;

namespace {

/// The one value of a constant tensor.
std::optional<double> splatOf(Value value) {
  DenseElementsAttr attr;
  if (!value || !matchPattern(value, m_Constant(&attr)) || !attr.isSplat())
    return std::nullopt;
  return attr.getSplatValue<APFloat>().convertToDouble();
}

struct DropInhibitoryView : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    if (splatOf(op.getLambda()) != 0.0)
      return rewriter.notifyMatchFailure(op, "lambda is not the constant 0");
    if (op.getSurvivors())
      return rewriter.notifyMatchFailure(
          op, "survivors of the inhibitory view are asked for");
    rewriter.modifyOpInPlace(op, [&] {
      op.getQ2Mutable().clear();
      op.getK2Mutable().clear();
      op.getLambdaMutable().clear();
    });
    return success();
  }
};

struct FoldConstantKappa : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<double> kappa = splatOf(op.getKappaValue());
    if (!kappa || !(*kappa > 0))
      return rewriter.notifyMatchFailure(op, "kappa is no positive constant");
    rewriter.modifyOpInPlace(op, [&] {
      op.setKappa(APFloat(*kappa));
      op.getKappaValueMutable().clear();
    });
    return success();
  }
};

struct DropKappaOfOpenGate : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<double> beta = splatOf(op.getBeta());
    if (!beta || *beta > 0)
      return rewriter.notifyMatchFailure(op, "the gate may close");
    if (!op.getKappaValue() && op.getKappa().convertToDouble() == 1.0)
      return rewriter.notifyMatchFailure(op, "kappa is the default already");
    rewriter.modifyOpInPlace(op, [&] {
      op.setKappa(APFloat(1.0));
      op.getKappaValueMutable().clear();
    });
    return success();
  }
};

} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.addWithLabel<DropInhibitoryView>({kDropViewLabel}, context);
  patterns.add<FoldConstantKappa, DropKappaOfOpenGate>(context);
}
