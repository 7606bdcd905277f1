//===- Pipeline.h - The whole order of the compiler ------------*- C++ -*-===//
#ifndef TDA_PIPELINE_H
#define TDA_PIPELINE_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include <string>

namespace tda {

/// How to compile, from a tool's command line to the passes.
struct CompileOptions {
  std::string target; ///< Name in the target table.
  /// Words that override the default schedule; with "auto" before them, the one
  /// that is known to be best (autotune/Lookup.h) for the lengths that the
  /// types or `tunedShape` ("B=1,H=16,N=8192") fix, and for `tunedDensity`
  /// ("null", "real", "dense").
  std::string schedule;
  std::string tunedShape, tunedDensity;
  std::string deviceName; ///< Of the GPU to run on, where there is one: then
  int deviceSms = 0;      ///< timings of others do not count.
  int deviceDriver = 0;
  bool noSkip = false;    ///< Empty tiles take the arithmetic of live ones.
  int64_t vectorBits = 0; ///< CPU only; 0: what this machine has.
};

/// Fuses stages: any description -> tda.attention.
void buildFusePipeline(mlir::OpPassManager &pm);

/// buildFusePipeline, then a schedule: any description -> scheduled attention.
void buildFrontPipeline(mlir::OpPassManager &pm, const CompileOptions &options);

/// Scheduled attention -> the kernel in the LLVM dialect for a GPU.
void buildGpuLoweringPipeline(mlir::OpPassManager &pm);

/// Scheduled attention -> LLVM dialect for this CPU.
void buildCpuLoweringPipeline(mlir::OpPassManager &pm);

/// Description -> the kernel in the LLVM dialect for a GPU (mma.sync path).
void buildGpuPipeline(mlir::OpPassManager &pm, const CompileOptions &options);

/// Description -> LLVM dialect for this CPU, one program range a call.
void buildCpuPipeline(mlir::OpPassManager &pm, const CompileOptions &options);

/// Description -> LLVM dialect for this CPU, stage by stage, nothing fused.
void buildUnfusedCpuPipeline(mlir::OpPassManager &pm);

/// Every dialect, external model and LLVM translation that the passes need.
void registerDialects(mlir::DialectRegistry &registry);

/// For tools that take passes by name.
void registerPassesAndPipelines();

/// `--version`: tda, its git revision and LLVM.
void addVersionPrinter();
std::string versionText();

} // namespace tda

#endif // TDA_PIPELINE_H
