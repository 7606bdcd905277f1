//===- StageLoops.h - linalg.generic in a few words ------------*- C++ -*-===//
//
// A stage op is one or two loop nests with f32 arithmetic inside. This is the
// vocabulary in which StagesToLinalg.cpp writes them down.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_STAGESTOLINALG_STAGELOOPS_H
#define TDA_STAGESTOLINALG_STAGELOOPS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tda {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

/// A tensor and the loops that index its dimensions, in their order.
struct Access {
  mlir::Value tensor;
  llvm::SmallVector<unsigned> loops;
};

class StageLoops {
public:
  StageLoops(mlir::OpBuilder &builder, mlir::Location loc) : b(loc, builder) {}

  using Body = llvm::function_ref<mlir::Value(mlir::ValueRange)>;
  /// One linalg.generic. `kinds` has a letter a loop, outermost first:
  /// p(arallel) or r(eduction). `body` sees an element of each input, f32 where
  /// it is a float, and of the output last.
  mlir::Value nest(llvm::StringRef kinds, llvm::ArrayRef<Access> inputs,
                   Access output, Body body);
  /// Uninitialised, and zero.
  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    mlir::Type element);
  mlir::Value zeros(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    mlir::Type element);

  mlir::Value f32(double value);
  mlir::Value index(int64_t value);
  mlir::Value loop(unsigned depth); ///< Inside a body: the loop's index.
  mlir::Value dim(mlir::Value tensor, int64_t axis);
  mlir::Value toF32(mlir::Value element);
  /// f32 -> `type`.
  mlir::Value round(mlir::Value f32, mlir::Type type);
  /// f32 -> f32 with the precision of `type`. The exponent of an f16 is not
  /// limited, as if the whole map was scaled by a power of two.
  mlir::Value roundInF32(mlir::Value f32, mlir::Type type);
  /// x^power, x >= 0.
  mlir::Value power(mlir::Value x, double power);

  mlir::ImplicitLocOpBuilder b;
};

} // namespace tda

#endif // TDA_STAGESTOLINALG_STAGELOOPS_H
