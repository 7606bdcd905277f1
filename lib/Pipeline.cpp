//===- Pipeline.cpp - The whole order of the compiler ---------------------===//
//
// docs/pipeline.md shows the form of the IR between these lines.
//
//===----------------------------------------------------------------------===//
#include "tda/Pipeline.h"
#include "tda/Backends.h"
#include "tda/Passes.h"

#include "dialects/tda/Canonicalize.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tda;

static void verifyForm(OpPassManager &pm, const char *form) {
  pm.addPass(createVerifyForm(VerifyFormOptions{form}));
}

void tda::buildFusePipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createFuseAttention());
  // Arguments are the kernel's contract: none may lose its use here.
  pm.addPass(
      createCanonicalizerPass(GreedyRewriteConfig(), {kDropViewLabel.str()}));
  verifyForm(pm, "fused");
}

void tda::buildFrontPipeline(OpPassManager &pm, const CompileOptions &options) {
  buildFusePipeline(pm);
  pm.addNestedPass<func::FuncOp>(createDiagnoseDeadHeads());
  AssignScheduleOptions assign;
  assign.target = options.target;
  assign.schedule = options.schedule;
  assign.tunedShape = options.tunedShape;
  assign.tunedDensity = options.tunedDensity;
  assign.noSkip = options.noSkip;
  assign.vectorBits =
      options.vectorBits ? options.vectorBits : hostVectorBits();
  pm.addNestedPass<func::FuncOp>(createAssignSchedule(assign));
  verifyForm(pm, "scheduled");
}

static void buildTilePipeline(OpPassManager &pm) {
  pm.addPass(createAttentionToTiles());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  verifyForm(pm, "tiles");
}

void tda::buildGpuLoweringPipeline(OpPassManager &pm) {
  buildTilePipeline(pm);
  // A schedule names its path; each lowering leaves the other's alone.
  pm.addPass(createAssignPipeline());
  pm.addPass(createTilesToHopper());
  pm.addPass(createTilesToNVVM());
  verifyForm(pm, "lowered");
  buildGpuBackendPipeline(pm);
}

void tda::buildCpuLoweringPipeline(OpPassManager &pm) {
  buildTilePipeline(pm);
  pm.addNestedPass<func::FuncOp>(createTilesToCPU());
  verifyForm(pm, "lowered");
  buildCpuBackendPipeline(pm);
}

void tda::buildGpuPipeline(OpPassManager &pm, const CompileOptions &options) {
  buildFrontPipeline(pm, options);
  buildGpuLoweringPipeline(pm);
}

void tda::buildCpuPipeline(OpPassManager &pm, const CompileOptions &options) {
  buildFrontPipeline(pm, options);
  buildCpuLoweringPipeline(pm);
}

void tda::buildUnfusedCpuPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createDecomposeAttention());
  pm.addNestedPass<func::FuncOp>(createStagesToLinalg());
  verifyForm(pm, "lowered");
  buildStagesToBuffers(pm);
  buildCpuBackendPipeline(pm);
}
