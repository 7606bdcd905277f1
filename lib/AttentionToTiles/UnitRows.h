//===- UnitRows.h - Unit copies of queries and keys ------------*- C++ -*-===//
//
// On the wgmma path panels arrive in shared memory as they lie in global
// memory, so `normalize` is a pass of its own: a function of tiles, launched
// first, writes each query or key row divided by its L2 norm to the workspace
// of the call, and the attention reads that copy. A row is then normalised
// once, not once for each block of rows that meets it. The function has a
// program for the queries and one for the keys, which have rows of their own;
// both are one launch.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_UNITROWS_H
#define TDA_UNITROWS_H

#include "dialects/tda/Dialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tda {

/// On an argument of a function of tiles: the tensor is none of the call's, but
/// lies in the workspace, at this many bytes (an expression over lengths),
/// contiguous and with the shape of the operand that it is named after. On the
/// function: the bytes of the whole workspace.
constexpr llvm::StringLiteral kWorkspaceAttr = "tda.workspace";

/// Takes `normalize` out of `op`, the one attention of `func`, whose arguments
/// have their names: puts the function of tiles that makes unit rows before
/// `func`, and gives `func` arguments for what it makes. Fails with an error
/// where a query or key is no argument.
llvm::LogicalResult splitUnitRows(mlir::func::FuncOp func, AttentionOp op);

} // namespace tda

#endif // TDA_UNITROWS_H
