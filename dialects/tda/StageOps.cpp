//===- StageOps.cpp - Verifiers, shapes and folds of the stage ops --------===//
#include "dialects/tda/Dialect.h"
#include "dialects/tda/Shapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tda;

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

LogicalResult NormalizeOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  return check.tensor("x", getX().getType(), {"B", "H", "N", "D"},
                      ElementKind::Input);
}

LogicalResult ScoresOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  if (failed(check.tensor("q", getQ().getType(), {"B", "Hq", "Nq", "D"},
                          ElementKind::Input)) ||
      failed(check.tensor("k", getK().getType(), {"B", "Hkv", "Nk", "D"},
                          ElementKind::SameInput)) ||
      failed(check.tensor("s", getS().getType(), {"B", "Hq", "Nq", "Nk"},
                          ElementKind::F32)))
    return failure();
  if (failed(check.headsDivide()))
    return failure();
  return check.window(getWindow());
}

LogicalResult ThresholdOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  if (failed(check.tensor("s", getS().getType(), {"B", "Hq", "Nq", "Nk"},
                          ElementKind::F32)) ||
      failed(check.coefficient("beta", getBeta().getType(), /*maxRank=*/1)))
    return failure();
  if (getKappaValue() &&
      failed(check.coefficient("kappa", getKappaValue().getType(), 0)))
    return failure();
  if (getDim() < 1)
    return emitOpError("dim = ") << getDim() << " must be at least 1: it is D";
  if (failed(check.window(getWindow())))
    return failure();
  return check.numbers(getPower().convertToDouble(),
                       getKappa().convertToDouble(), 1.0);
}

LogicalResult DifferentialOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  if (failed(check.tensor("a1", getA1().getType(), {"B", "Hq", "Nq", "Nk"},
                          ElementKind::F32)))
    return failure();
  return check.coefficient("lambda", getLambda().getType(), /*maxRank=*/3);
}

LogicalResult AggregateOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  if (failed(check.tensor("a", getA().getType(), {"B", "Hq", "Nq", "Nk"},
                          ElementKind::F32)) ||
      failed(check.tensor("v", getV().getType(), {"B", "Hkv", "Nk", "Dv"},
                          ElementKind::Input)) ||
      failed(check.tensor("o", getO().getType(), {"B", "Hq", "Nq", "Dv"},
                          ElementKind::InputOrF32)))
    return failure();
  return check.headsDivide();
}

LogicalResult RmsNormOp::verify() {
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  if (failed(check.tensor("x", getX().getType(), {"B", "Hq", "Nq", "Dv"},
                          ElementKind::Float)) ||
      failed(check.tensor("gain", getGain().getType(), {"Dv"},
                          ElementKind::F32)) ||
      failed(check.tensor("y", getY().getType(), {"B", "Hq", "Nq", "Dv"},
                          ElementKind::Float)))
    return failure();
  return check.numbers(1.0, 1.0, getEps().convertToDouble());
}

LogicalResult CountSurvivorsOp::verify() {
  if (getMaps().empty() || getMaps().size() > 2)
    return emitOpError("takes the map of one view or of two, not ")
           << getMaps().size();
  ShapeChecker check(getOperation());
  if (failed(check.attributes()))
    return failure();
  for (Value map : getMaps())
    if (failed(check.tensor("map", map.getType(), {"B", "Hq", "Nq", "Nk"},
                            ElementKind::F32)))
      return failure();
  return check.tensor("counts", getCounts().getType(),
                      {std::to_string(getMaps().size()), "B", "Hq", "Nq"},
                      ElementKind::I32);
}

//===----------------------------------------------------------------------===//
// Result shapes
//===----------------------------------------------------------------------===//

static OpFoldResult dimOf(OpBuilder &b, Location loc, Value tensor, int64_t i) {
  return tensor::getMixedSize(b, loc, tensor, i);
}

LogicalResult NormalizeOp::reifyResultShapes(OpBuilder &b,
                                             ReifiedRankedShapedTypeDims &r) {
  r.push_back(tensor::getMixedSizes(b, getLoc(), getX()));
  return success();
}

LogicalResult ScoresOp::reifyResultShapes(OpBuilder &b,
                                          ReifiedRankedShapedTypeDims &r) {
  r.push_back({dimOf(b, getLoc(), getQ(), 0), dimOf(b, getLoc(), getQ(), 1),
               dimOf(b, getLoc(), getQ(), 2), dimOf(b, getLoc(), getK(), 2)});
  return success();
}

LogicalResult ThresholdOp::reifyResultShapes(OpBuilder &b,
                                             ReifiedRankedShapedTypeDims &r) {
  r.push_back(tensor::getMixedSizes(b, getLoc(), getS()));
  return success();
}

LogicalResult
DifferentialOp::reifyResultShapes(OpBuilder &b,
                                  ReifiedRankedShapedTypeDims &r) {
  r.push_back(tensor::getMixedSizes(b, getLoc(), getA1()));
  return success();
}

LogicalResult AggregateOp::reifyResultShapes(OpBuilder &b,
                                             ReifiedRankedShapedTypeDims &r) {
  r.push_back({dimOf(b, getLoc(), getA(), 0), dimOf(b, getLoc(), getA(), 1),
               dimOf(b, getLoc(), getA(), 2), dimOf(b, getLoc(), getV(), 3)});
  return success();
}

LogicalResult RmsNormOp::reifyResultShapes(OpBuilder &b,
                                           ReifiedRankedShapedTypeDims &r) {
  r.push_back(tensor::getMixedSizes(b, getLoc(), getX()));
  return success();
}

LogicalResult
CountSurvivorsOp::reifyResultShapes(OpBuilder &b,
                                    ReifiedRankedShapedTypeDims &r) {
  Value map = getMaps().front();
  r.push_back({b.getIndexAttr(getMaps().size()), dimOf(b, getLoc(), map, 0),
               dimOf(b, getLoc(), map, 1), dimOf(b, getLoc(), map, 2)});
  return success();
}

//===----------------------------------------------------------------------===//
// Folds
//===----------------------------------------------------------------------===//

OpFoldResult DifferentialOp::fold(FoldAdaptor adaptor) {
  // a1 - 0 * a2 = a1: the entries of a2 are finite.
  auto lambda = dyn_cast_or_null<SplatElementsAttr>(adaptor.getLambda());
  if (lambda && lambda.getSplatValue<APFloat>().isZero())
    return getA1();
  return {};
}
