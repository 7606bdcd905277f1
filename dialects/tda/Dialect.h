//===- Dialect.h - The tda dialect -----------------------------*- C++ -*-===//
#ifndef TDA_DIALECT_H
#define TDA_DIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "tda/Problem.h"
#include "tda/Schedule.h"

#include "dialects/tda/DialectDecl.h.inc"
#include "dialects/tda/Enums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/tda/Attrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/tda/Types.h.inc"

namespace tda {
/// A !tda.tile with `rank` dimensions (1: one value a row, 2: rows x columns).
bool isTile(mlir::Type type, unsigned rank);
/// The dtype of an element type; false when it is none of the DType ones.
bool dtypeOf(mlir::Type type, DType &dtype);

/// On each argument of a function of tiles: its name in the attention ("q1",
/// "beta", "o", ...).
constexpr llvm::StringLiteral kOperandAttr = "tda.operand";
/// The run-time length ("B", "Hq", "Hkv", "Nq", "Nk") along one axis of the
/// operand called `name`; empty for an axis that is always static.
llvm::StringRef lengthName(llvm::StringRef name, int64_t rank, int64_t axis);
} // namespace tda

#define GET_OP_CLASSES
#include "dialects/tda/Ops.h.inc"

#endif // TDA_DIALECT_H
