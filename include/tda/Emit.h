//===- Emit.h - From the LLVM dialect to PTX -------------------*- C++ -*-===//
#ifndef TDA_EMIT_H
#define TDA_EMIT_H

#include "tda/TargetTable.h"

#include <string>

namespace mlir {
class ModuleOp;
}

namespace tda {

/// Optimises the kernels of `module` (LLVM dialect) and prints them as LLVM IR
/// and as PTX for `chip`: the name of `target`, or its `wgmmaChip` for kernels
/// of that path. False and `error` when LLVM cannot.
bool translateToPtx(mlir::ModuleOp module, const Target &target,
                    const std::string &chip, std::string &llvmText,
                    std::string &ptx, std::string &error);

} // namespace tda

#endif // TDA_EMIT_H
