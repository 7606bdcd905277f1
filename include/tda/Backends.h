//===- Backends.h - From our last form to the LLVM dialect -----*- C++ -*-===//
//
// Standard passes only, kept apart from the order of our own (Pipeline.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef TDA_BACKENDS_H
#define TDA_BACKENDS_H

#include <cstdint>

namespace mlir {
class OpPassManager;
}

namespace tda {

/// linalg on tensors -> loops on memrefs; results become trailing arguments.
void buildStagesToBuffers(mlir::OpPassManager &pm);

/// scf, arith, math, memref and vector -> LLVM dialect for this CPU.
void buildCpuBackendPipeline(mlir::OpPassManager &pm);

/// scf, arith and nvvm -> LLVM dialect for NVPTX.
void buildGpuBackendPipeline(mlir::OpPassManager &pm);

/// Width of a vector register of this machine: 128, 256 or 512.
int64_t hostVectorBits();

} // namespace tda

#endif // TDA_BACKENDS_H
