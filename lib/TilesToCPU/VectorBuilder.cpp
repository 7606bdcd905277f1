//===- VectorBuilder.cpp - Short spellings of what is emitted -------------===//
#include "VectorBuilder.h"

using namespace mlir;
using namespace tda::cpu;

Value VectorBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value VectorBuilder::add(Value x, Value y) {
  return createOrFold<arith::AddIOp>(x, y);
}

Value VectorBuilder::sub(Value x, Value y) {
  return createOrFold<arith::SubIOp>(x, y);
}

Value VectorBuilder::clamp(Value x, Value high) {
  Value low = arith::MaxSIOp::create(*this, x, zero(x.getType()));
  return arith::MinSIOp::create(*this, low, high);
}

Value VectorBuilder::cmp(arith::CmpFPredicate predicate, Value x, Value y) {
  return arith::CmpFOp::create(*this, predicate, x, y);
}

Value VectorBuilder::max(Value x, Value y) {
  Value larger = cmp(arith::CmpFPredicate::OGT, x, y);
  return arith::SelectOp::create(*this, larger, x, y);
}

Value VectorBuilder::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = isa<FloatType>(element)
                       ? TypedAttr(getFloatAttr(element, value))
                       : TypedAttr(getIntegerAttr(element, int64_t(value)));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(*this, attr);
}

Value VectorBuilder::zero(Type type) { return constant(type, 0.0); }

Value VectorBuilder::splat(Value scalar) {
  return vector::BroadcastOp::create(*this, vector(scalar.getType()), scalar);
}

Value VectorBuilder::load(Value memref, ValueRange at) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return vector::LoadOp::create(*this, vector(element), memref, at);
}

void VectorBuilder::store(Value vector, Value memref, ValueRange at) {
  vector::StoreOp::create(*this, vector, memref, at);
}

Value VectorBuilder::any(Value mask) {
  return vector::ReductionOp::create(*this, vector::CombiningKind::OR, mask);
}

Value VectorBuilder::convert(Value x, FloatType element) {
  Type to = element;
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    to = vector.clone(element);
  unsigned from = getElementTypeOrSelf(x).getIntOrFloatBitWidth();
  if (to == x.getType())
    return x;
  if (from < element.getWidth())
    return arith::ExtFOp::create(*this, to, x);
  return arith::TruncFOp::create(*this, to, x);
}

void VectorBuilder::loop(Value begin, Value end, int64_t step, Body body) {
  scf::ForOp::create(*this, begin, end, index(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       body(i);
                       scf::YieldOp::create(*this);
                     });
}

SmallVector<Value> VectorBuilder::fold(Value end, int64_t step,
                                       ValueRange inits, FoldBody body) {
  auto loop = scf::ForOp::create(
      *this, index(0), end, index(step), inits,
      [&](OpBuilder &, Location, Value i, ValueRange carried) {
        scf::YieldOp::create(*this, body(i, carried));
      });
  return SmallVector<Value>(loop.getResults());
}

Value VectorBuilder::fold(Value end, int64_t step, Value init,
                          llvm::function_ref<Value(Value, Value)> body) {
  return fold(end, step, ValueRange(init),
              [&](Value i, ValueRange carried) {
                return SmallVector<Value>{body(i, carried.front())};
              })
      .front();
}
