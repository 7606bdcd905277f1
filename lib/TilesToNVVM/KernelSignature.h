//===- KernelSignature.h - The parameters of a kernel ----------*- C++ -*-===//
//
// A function of memrefs becomes a kernel whose parameters are, in this order:
// one pointer a tensor, the run-time lengths it uses (i32, in elements of
// kLengths), one i64 a dynamic stride (in elements), and scalar arguments. The
// list goes into the manifest, so that any runtime can fill it.
//
// A tensor of the workspace (kWorkspaceAttr in UnitRows.h) is contiguous: its
// strides follow from lengths. One that is read through a tensor map alone has
// no pointer either.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_KERNELSIGNATURE_H
#define TDA_KERNELSIGNATURE_H

#include "dialects/tda/Dialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tda {

/// A tensor inside a kernel.
struct GlobalTensor {
  mlir::Value pointer;                    ///< !llvm.ptr<1>; null: mapped only.
  llvm::SmallVector<mlir::Value> sizes;   ///< i32
  llvm::SmallVector<mlir::Value> strides; ///< i64, in elements
  mlir::Type elementType;
};

struct KernelSignature {
  mlir::LLVM::LLVMFuncOp kernel;
  llvm::DenseMap<mlir::Value, GlobalTensor> tensors; ///< By memref argument.
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;  ///< i64 arguments.
  llvm::DenseMap<mlir::Value, mlir::Value> maps; ///< Tensor maps, by memref.
  mlir::Value length(llvm::StringRef name) const {
    return lengths.lookup(name);
  }
  llvm::StringMap<mlir::Value> lengths; ///< i32
};

/// A tensor that the kernel reads through a TMA tensor map, in boxes of `rows`
/// rows of 64 elements.
struct MapRequest {
  mlir::Value tensor;
  int64_t rows;
};

/// Creates the kernel for `func` beside it, with its entry block; `b` is left
/// at the start of that block. Tensor maps follow the other parameters. Fails
/// with an error on an argument that no kernel can take.
llvm::FailureOr<KernelSignature>
createKernel(mlir::OpBuilder &b, mlir::func::FuncOp func,
             llvm::ArrayRef<MapRequest> maps = {});

/// Attribute on a kernel: how to launch it (a dictionary; see docs/manifest.md
/// for the meaning): params, grid, block, shared_bytes.
constexpr llvm::StringLiteral kLaunchAttr = "tda.launch";

} // namespace tda

#endif // TDA_KERNELSIGNATURE_H
