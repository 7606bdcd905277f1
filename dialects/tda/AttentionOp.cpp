//===- AttentionOp.cpp - Verifier and shape of the fused op ---------------===//
#include "dialects/tda/Dialect.h"
#include "dialects/tda/Shapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tda;

static LogicalResult verifyTensors(AttentionOp op, ShapeChecker &check) {
  SmallVector<std::string> query{"B", "Hq", "Nq", "D"},
      key{"B", "Hkv", "Nk", "D"}, value{"B", "Hkv", "Nk", "Dv"},
      output{"B", "Hq", "Nq", "Dv"};
  auto same = ElementKind::SameInput;
  if (failed(check.tensor("q1", op.getQ1().getType(), query,
                          ElementKind::Input)) ||
      failed(check.tensor("k1", op.getK1().getType(), key, same)) ||
      failed(check.tensor("v", op.getV().getType(), value, same)) ||
      failed(check.tensor("o", op.getO().getType(), output, same)))
    return failure();
  if (op.getQ2() &&
      (failed(check.tensor("q2", op.getQ2().getType(), query, same)) ||
       failed(check.tensor("k2", op.getK2().getType(), key, same))))
    return failure();
  if (op.getGain() && failed(check.tensor("gain", op.getGain().getType(),
                                          {"Dv"}, ElementKind::F32)))
    return failure();
  if (op.getSurvivors() &&
      failed(check.tensor("survivors", op.getSurvivors().getType(),
                          {std::to_string(op.getViews()), "B", "Hq", "Nq"},
                          ElementKind::I32)))
    return failure();
  return check.headsDivide();
}

static LogicalResult verifyCoefficients(AttentionOp op, ShapeChecker &check) {
  if (bool(op.getQ2()) != bool(op.getK2()))
    return op.emitOpError("the inhibitory view needs both q2 and k2");
  if (bool(op.getQ2()) != bool(op.getLambda()))
    return op.emitOpError() << (op.getQ2() ? "two views need a lambda"
                                           : "lambda needs a second view");
  if (failed(check.coefficient("beta", op.getBeta().getType(), 1)))
    return failure();
  if (op.getLambda() &&
      failed(check.coefficient("lambda", op.getLambda().getType(), 3)))
    return failure();
  if (op.getKappaValue() &&
      failed(check.coefficient("kappa", op.getKappaValue().getType(), 0)))
    return failure();
  return success();
}

LogicalResult AttentionOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  if (failed(verifyCoefficients(*this, check)) ||
      failed(verifyTensors(*this, check)) ||
      failed(check.window(getWindow())) ||
      failed(check.numbers(getPower().convertToDouble(),
                           getKappa().convertToDouble(),
                           getEps().convertToDouble())))
    return failure();
  if (std::string why = getProblem().check(); !why.empty())
    return emitOpError(why);
  if (getMaxLength() && int64_t(*getMaxLength()) < 1)
    return emitOpError("max_length must be at least 1");
  if (getSchedule() && !getTarget())
    return emitOpError("a schedule needs the target that it is for");
  if (getSchedule()) {
    std::string error;
    const Target *target = findTarget(getTarget()->getName().str(), error);
    std::string why =
        whyIllegal(getSchedule()->toSchedule(), getProblem(), *target);
    if (!why.empty())
      return emitOpError("schedule cannot work: ") << why;
  }
  return success();
}

LogicalResult AttentionOp::reifyResultShapes(OpBuilder &b,
                                             ReifiedRankedShapedTypeDims &r) {
  auto dim = [&](Value tensor, int64_t axis) {
    return tensor::getMixedSize(b, getLoc(), tensor, axis);
  };
  OpFoldResult batch = dim(getQ1(), 0), heads = dim(getQ1(), 1),
               queries = dim(getQ1(), 2);
  r.push_back({batch, heads, queries, dim(getV(), 3)});
  if (getSurvivors())
    r.push_back({b.getIndexAttr(getViews()), batch, heads, queries});
  return success();
}

static Extent extentOf(Value coefficient) {
  int64_t rank = cast<RankedTensorType>(coefficient.getType()).getRank();
  return rank == 0 ? Extent::Scalar : rank == 1 ? Extent::Head : Extent::Token;
}

Problem AttentionOp::getProblem() {
  Problem p;
  p.views = getViews();
  p.d = cast<RankedTensorType>(getQ1().getType()).getDimSize(3);
  auto value = cast<RankedTensorType>(getV().getType());
  p.dv = value.getDimSize(3);
  dtypeOf(value.getElementType(), p.dtype);
  p.causal = getCausal();
  p.window = getWindow().value_or(0);
  p.power = getPower().convertToDouble();
  p.normalize = getNormalize();
  p.unit = getUnit();
  p.kappa = getKappa().convertToDouble();
  p.kappaOperand = bool(getKappaValue());
  p.offsetOperand = bool(getOffset());
  p.beta = extentOf(getBeta());
  p.lambda = getLambda() ? extentOf(getLambda()) : Extent::Head;
  p.norm = bool(getGain());
  p.eps = getEps().convertToDouble();
  p.stats = bool(getSurvivors());
  return p;
}
