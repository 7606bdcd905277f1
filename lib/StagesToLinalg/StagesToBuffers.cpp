//===- StagesToBuffers.cpp - linalg on tensors -> loops on memrefs --------===//
//
// After it a function takes its inputs, then its outputs, as dense memrefs
// (identity layout) and only memref, scf, arith and math ops are left. It never
// writes to an input. The registry has to hold the bufferization models of
// arith, func, linalg and tensor (tda::registerDialects).
//
//===----------------------------------------------------------------------===//
#include "tda/StagesToBuffers.h"
#include "tda/Backends.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace {

/// Bufferization may write into the arguments of a function unless told so.
struct ProtectArguments
    : PassWrapper<ProtectArguments, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ProtectArguments)
  StringRef getArgument() const override { return "tda-protect-arguments"; }
  StringRef getDescription() const override {
    return "Mark the tensors that a function gets as read-only";
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect, linalg::LinalgDialect,
                    memref::MemRefDialect>();
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (isa<TensorType>(function.getArgument(i).getType()))
        function.setArgAttr(
            i, bufferization::BufferizationDialect::kWritableAttrName,
            BoolAttr::get(&getContext(), false));
  }
};

/// memref.copy would become a call into a library.
struct CopiesToLinalg
    : PassWrapper<CopiesToLinalg, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CopiesToLinalg)
  StringRef getArgument() const override { return "tda-copies-to-linalg"; }
  StringRef getDescription() const override {
    return "Turn memref.copy into linalg.generic";
  }

  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp copy) {
      OpBuilder b(copy);
      linalg::makeMemRefCopyOp(b, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy.erase();
    });
  }
};

} // namespace

void tda::buildStagesToBuffers(OpPassManager &pm) {
  using namespace bufferization;
  // A difference may be spelled in arith on whole tensors. No CSE yet: it would
  // let stages share a tensor.empty, and then keep one map alive for both.
  pm.addPass(createConvertElementwiseToLinalgPass());
  pm.addPass(createCanonicalizerPass());

  pm.addNestedPass<func::FuncOp>(std::make_unique<ProtectArguments>());
  OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion = LayoutMapOption::IdentityLayoutMap;
  pm.addPass(createOneShotBufferizePass(bufferize));
  BufferResultsToOutParamsPassOptions outputs;
  outputs.hoistStaticAllocs = outputs.hoistDynamicAllocs = true;
  outputs.modifyPublicFunctions = true;
  pm.addPass(createBufferResultsToOutParamsPass(outputs));

  // Each map is freed after its last use, not at the end of the function.
  buildBufferDeallocationPipeline(pm);
  pm.addNestedPass<func::FuncOp>(createOptimizeAllocationLivenessPass());
  pm.addNestedPass<func::FuncOp>(std::make_unique<CopiesToLinalg>());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void tda::registerStagesToBuffers() {
  PassRegistration<ProtectArguments>();
  PassRegistration<CopiesToLinalg>();
  PassPipelineRegistration<>("tda-stages-to-buffers",
                             "linalg on tensors -> loops on memrefs",
                             buildStagesToBuffers);
}
