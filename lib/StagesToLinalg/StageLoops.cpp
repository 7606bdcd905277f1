//===- StageLoops.cpp - linalg.generic in a few words ---------------------===//
#include "lib/StagesToLinalg/StageLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace tda;

Value StageLoops::nest(StringRef kinds, ArrayRef<Access> inputs, Access output,
                       Body body) {
  SmallVector<utils::IteratorType> iterators;
  for (char kind : kinds)
    iterators.push_back(kind == 'p' ? utils::IteratorType::parallel
                                    : utils::IteratorType::reduction);
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  auto addMap = [&](const Access &access) {
    SmallVector<AffineExpr> axes;
    for (unsigned loop : access.loops)
      axes.push_back(b.getAffineDimExpr(loop));
    maps.push_back(AffineMap::get(kinds.size(), 0, axes, b.getContext()));
  };
  for (const Access &input : inputs) {
    tensors.push_back(input.tensor);
    addMap(input);
  }
  addMap(output);
  auto generic = linalg::GenericOp::create(
      b, output.tensor.getType(), tensors, output.tensor, maps, iterators,
      [&](OpBuilder &inner, Location loc, ValueRange arguments) {
        // The body speaks through `b`, from inside for as long as it runs.
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(inner.getInsertionBlock(),
                            inner.getInsertionPoint());
        SmallVector<Value> elements;
        for (Value argument : arguments)
          elements.push_back(toF32(argument));
        Type result = arguments.back().getType();
        linalg::YieldOp::create(b, round(body(elements), result));
        inner.setInsertionPointToEnd(b.getInsertionBlock());
      });
  return generic.getResult(0);
}

Value StageLoops::empty(ArrayRef<OpFoldResult> sizes, Type element) {
  return tensor::EmptyOp::create(b, sizes, element);
}

Value StageLoops::zeros(ArrayRef<OpFoldResult> sizes, Type element) {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  return linalg::FillOp::create(b, zero, empty(sizes, element)).getResult(0);
}

Value StageLoops::f32(double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(float(value)));
}

Value StageLoops::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value StageLoops::loop(unsigned depth) {
  return linalg::IndexOp::create(b, depth);
}

Value StageLoops::dim(Value tensor, int64_t axis) {
  return b.createOrFold<tensor::DimOp>(tensor, axis);
}

Value StageLoops::toF32(Value element) {
  if (!isa<FloatType>(element.getType()) || element.getType().isF32())
    return element;
  return arith::ExtFOp::create(b, b.getF32Type(), element);
}

Value StageLoops::round(Value f32, Type type) {
  if (f32.getType() == type)
    return f32;
  return arith::TruncFOp::create(b, type, f32);
}

Value StageLoops::roundInF32(Value f32, Type type) {
  if (!type.isF16())
    return toF32(round(f32, type));
  // To 11 significant bits, ties to even: add just under half of what the low
  // 13 bits count, plus the last bit that stays, and drop them. A carry moves
  // on into the exponent, as it should.
  auto bits = [&](uint32_t value) {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(int32_t(value)));
  };
  Value x = arith::BitcastOp::create(b, b.getI32Type(), f32);
  Value last =
      arith::AndIOp::create(b, arith::ShRUIOp::create(b, x, bits(13)), bits(1));
  Value half = arith::AddIOp::create(b, last, bits(0x0fff));
  Value kept = arith::AndIOp::create(b, arith::AddIOp::create(b, x, half),
                                     bits(0xffffe000));
  return arith::BitcastOp::create(b, b.getF32Type(), kept);
}

Value StageLoops::power(Value x, double power) {
  double whole;
  double rest = std::modf(power, &whole);
  if (whole > 8 || (rest != 0 && rest != 0.5))
    return math::PowFOp::create(b, x, f32(power));
  Value result = x;
  for (int i = 1; i < int(whole); ++i)
    result = arith::MulFOp::create(b, result, x);
  if (rest == 0.5)
    result = arith::MulFOp::create(b, result, math::SqrtOp::create(b, x));
  return result;
}
