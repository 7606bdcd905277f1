//===- Register.cpp - Dialects, passes and pipelines by name --------------===//
#include "tda/Passes.h"
#include "tda/Pipeline.h"
#include "tda/StagesToBuffers.h"
#include "tda/Version.h"

#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tda;

void tda::registerDialects(DialectRegistry &registry) {
  registry
      .insert<TdaDialect, arith::ArithDialect,
              bufferization::BufferizationDialect, cf::ControlFlowDialect,
              func::FuncDialect, linalg::LinalgDialect, LLVM::LLVMDialect,
              math::MathDialect, memref::MemRefDialect, NVVM::NVVMDialect,
              scf::SCFDialect, tensor::TensorDialect, vector::VectorDialect>();
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

namespace {
/// The options of a pipeline, as --tda-to-ptx="target=sm_90 no-skip".
struct CommandLineOptions : PassPipelineOptions<CommandLineOptions> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("Name in the target table")};
  Option<std::string> schedule{
      *this, "schedule",
      llvm::cl::desc("Words of #tda.schedule; the others keep the default, "
                     "after 'auto' what tuning found")};
  Option<std::string> tunedShape{
      *this, "tuned-shape",
      llvm::cl::desc("With auto: lengths, where types fix none")};
  Option<std::string> tunedDensity{
      *this, "tuned-density",
      llvm::cl::desc("With auto: the data, null, real or dense")};
  Option<bool> noSkip{*this, "no-skip",
                      llvm::cl::desc("Empty tiles take the arithmetic of live "
                                     "ones (debug)")};
  Option<int64_t> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("CPU: register width, default this machine's")};

  CompileOptions get(const char *defaultTarget) const {
    CompileOptions options;
    options.target = target.empty() ? defaultTarget : std::string(target);
    options.schedule = schedule;
    options.tunedShape = tunedShape;
    options.tunedDensity = tunedDensity;
    options.noSkip = noSkip;
    options.vectorBits = vectorBits;
    return options;
  }
};
} // namespace

void tda::registerPassesAndPipelines() {
  registerTdaPasses();
  registerStagesToBuffers();
  registerTransformsPasses();
  bufferization::registerBufferizationPasses();
  registerLinalgPasses();
  PassPipelineRegistration<CommandLineOptions>(
      "tda-to-ptx", "Description -> GPU kernel in the LLVM dialect",
      [](OpPassManager &pm, const CommandLineOptions &options) {
        buildGpuPipeline(pm, options.get("sm_80"));
      });
  PassPipelineRegistration<CommandLineOptions>(
      "tda-to-cpu", "Description -> LLVM dialect for this CPU, fused",
      [](OpPassManager &pm, const CommandLineOptions &options) {
        buildCpuPipeline(pm, options.get("cpu"));
      });
  PassPipelineRegistration<>(
      "tda-to-cpu-unfused", "Description -> LLVM dialect, stage by stage",
      [](OpPassManager &pm) { buildUnfusedCpuPipeline(pm); });
}

std::string tda::versionText() {
  return "tda " TDA_VERSION " (git " TDA_GIT_REVISION "), LLVM " +
         std::string(LLVM_VERSION_STRING);
}

void tda::addVersionPrinter() {
  llvm::cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << versionText() << '\n'; });
}
