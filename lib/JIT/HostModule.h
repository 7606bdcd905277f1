//===- HostModule.h - LLVM IR for a CPU, ready to be compiled --*- C++ -*-===//
#ifndef TDA_HOSTMODULE_H
#define TDA_HOSTMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace tda {

constexpr llvm::StringRef kPacked = "_tda_packed_";

/// Translates a module of the LLVM dialect, gives each function with a C
/// interface the function `_tda_packed_NAME(void **)`, and optimises for
/// `machine`.
llvm::Expected<std::unique_ptr<llvm::Module>>
makeHostModule(mlir::ModuleOp source, llvm::LLVMContext &context,
               llvm::TargetMachine &machine);

} // namespace tda

#endif // TDA_HOSTMODULE_H
