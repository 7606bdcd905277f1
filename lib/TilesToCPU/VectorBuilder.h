//===- VectorBuilder.h - Short spellings of what is emitted ----*- C++ -*-===//
//
// Counted loops and vectors of one register. Everything is emitted as loops,
// never as straight-line code over a tile, so that the IR stays small.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LIB_TILESTOCPU_VECTORBUILDER_H
#define TDA_LIB_TILESTOCPU_VECTORBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

namespace tda::cpu {

using mlir::Type;
using mlir::Value;
using mlir::ValueRange;

class VectorBuilder : public mlir::ImplicitLocOpBuilder {
public:
  /// `vectorBits`: width of a register; a vector has that many f32.
  VectorBuilder(mlir::Location loc, mlir::OpBuilder &builder,
                int64_t vectorBits)
      : ImplicitLocOpBuilder(loc, builder), vectorBits(vectorBits),
        lanes(vectorBits / 32) {}

  const int64_t vectorBits, lanes;

  /// `columns` rounded up to whole vectors.
  int64_t padded(int64_t columns) const {
    return (columns + lanes - 1) / lanes * lanes;
  }

  // Index arithmetic.
  Value index(int64_t value);
  Value add(Value x, Value y);
  Value add(Value x, int64_t y) { return y == 0 ? x : add(x, index(y)); }
  Value sub(Value x, Value y);
  /// x into [0, high].
  Value clamp(Value x, Value high);

  /// A vector of f32 is also spelled for one f32: these take both.
  Value cmp(mlir::arith::CmpFPredicate predicate, Value x, Value y);
  /// The larger; y where x is NaN.
  Value max(Value x, Value y);
  /// The constant with the type of `like`.
  Value constant(Type type, double value);
  Value zero(Type type);

  // Vectors of one register.
  mlir::VectorType vector(Type element) {
    return mlir::VectorType::get({lanes}, element);
  }
  Value splat(Value scalar);
  Value load(Value memref, ValueRange at);
  void store(Value vector, Value memref, ValueRange at);
  /// True where a lane of an i1 vector is.
  Value any(Value mask);
  /// Float conversions of a scalar or a vector; none where the type is there.
  Value convert(Value x, mlir::FloatType element);

  // Loops.
  using Body = llvm::function_ref<void(Value)>;
  void loop(Value begin, Value end, Body body) { loop(begin, end, 1, body); }
  void loop(Value begin, Value end, int64_t step, Body body);
  void loop(int64_t extent, int64_t step, Body body) {
    loop(index(0), index(extent), step, body);
  }

  using FoldBody =
      llvm::function_ref<llvm::SmallVector<Value>(Value, ValueRange)>;
  llvm::SmallVector<Value> fold(Value end, int64_t step, ValueRange inits,
                                FoldBody body);
  /// One carried value.
  Value fold(Value end, int64_t step, Value init,
             llvm::function_ref<Value(Value, Value)> body);
};

} // namespace tda::cpu

#endif // TDA_LIB_TILESTOCPU_VECTORBUILDER_H
