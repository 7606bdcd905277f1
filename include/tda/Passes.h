//===- Passes.h - Every pass of the compiler -------------------*- C++ -*-===//
#ifndef TDA_PASSES_H
#define TDA_PASSES_H

#include "dialects/tda/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace tda {
#define GEN_PASS_DECL
#include "lib/Passes/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Passes/Passes.h.inc"
} // namespace tda

#endif // TDA_PASSES_H
