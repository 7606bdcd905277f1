//===- Shapes.h - Shape checks that name what is wrong ---------*- C++ -*-===//
//
// The stage ops and tda.attention share one vocabulary of extents (B, Hq, Hkv,
// Nq, Nk, D, Dv). A ShapeChecker binds each name to the first static extent it
// meets and reports the operand that disagrees.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_SHAPES_H
#define TDA_SHAPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

#include <map>
#include <string>

namespace tda {

enum class ElementKind {
  Input,      ///< f32, bf16 or f16; becomes the input type.
  SameInput,  ///< The input type of an earlier Input.
  InputOrF32, ///< The input type or f32.
  Float,      ///< f32, bf16 or f16.
  F32,
  I32,
};

class ShapeChecker {
public:
  explicit ShapeChecker(mlir::Operation *op) : op(op) {}

  /// No attribute without a dialect's prefix but the op's own: a misspelt
  /// `causal` must not pass for a comment.
  mlir::LogicalResult attributes();
  /// Rank, element type and extents of one tensor. An extent name that is a
  /// number must be that number.
  mlir::LogicalResult tensor(llvm::StringRef name, mlir::Type type,
                             llvm::ArrayRef<std::string> extents,
                             ElementKind kind);
  /// An f32 tensor [] / [Hq] / [B, Hq, Nq], up to `maxRank` (rank 2 excluded).
  mlir::LogicalResult coefficient(llvm::StringRef name, mlir::Type type,
                                  int64_t maxRank);
  mlir::LogicalResult headsDivide();
  mlir::LogicalResult window(std::optional<uint64_t> window);
  /// power >= 1, kappa > 0, eps >= 0, all finite.
  mlir::LogicalResult numbers(double power, double kappa, double eps);

private:
  mlir::Operation *op;
  mlir::Type input;
  std::map<std::string, std::pair<int64_t, std::string>> bound;
};

} // namespace tda

#endif // TDA_SHAPES_H
