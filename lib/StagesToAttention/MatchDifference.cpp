//===- MatchDifference.cpp - The spellings of a1 - lambda a2 --------------===//
#include "lib/StagesToAttention/MatchStages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tda;

// A map-shaped tensor that varies as lambda may.
static bool matchLambda(Value factor, StageLambda &lambda) {
  DenseFPElementsAttr constant;
  if (matchPattern(factor, m_Constant(&constant)) && constant.isSplat()) {
    lambda.number = constant.getSplatValue<APFloat>();
    return true;
  }
  if (auto splat = factor.getDefiningOp<tensor::SplatOp>()) {
    lambda.scalar = splat.getInput();
    return true;
  }
  auto broadcast = factor.getDefiningOp<linalg::BroadcastOp>();
  if (!broadcast)
    return false;
  ArrayRef<int64_t> added = broadcast.getDimensions();
  if (added != ArrayRef<int64_t>{0, 1, 2, 3} &&
      added != ArrayRef<int64_t>{0, 2, 3} && added != ArrayRef<int64_t>{3})
    return false;
  lambda.tensor = broadcast.getInput();
  return true;
}

// a1 - lambda a2 as tda.differential, or as arith.subf or arith.addf of a1 and
// a product (or of the two maps: lambda = 1).
bool tda::matchDifference(Operation *op, StageMatch &match, Value &a1,
                          Value &a2) {
  if (auto difference = dyn_cast<DifferentialOp>(op)) {
    a1 = difference.getA1();
    a2 = difference.getA2();
    match.lambda.tensor = difference.getLambda();
    match.stages.push_back(op);
    return true;
  }
  if (!isa<arith::SubFOp, arith::AddFOp>(op))
    return false;
  a1 = op->getOperand(0);
  a2 = op->getOperand(1);
  match.lambda.negated = isa<arith::AddFOp>(op);
  if (match.lambda.negated && a1.getDefiningOp<arith::MulFOp>())
    std::swap(a1, a2);
  match.stages.push_back(op);
  auto product = a2.getDefiningOp<arith::MulFOp>();
  if (!product) {
    match.lambda.number = APFloat(1.0f);
    return true;
  }
  match.stages.push_back(product);
  a2 = product.getRhs();
  if (matchLambda(product.getLhs(), match.lambda))
    return true;
  a2 = product.getLhs();
  return matchLambda(product.getRhs(), match.lambda);
}
