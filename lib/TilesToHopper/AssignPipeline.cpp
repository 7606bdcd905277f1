//===- AssignPipeline.cpp - Roles, ring and shared memory of a program ----===//
//
// Decides, for each tile program with a schedule of the wgmma path, what its
// warpgroups do and where everything lies in shared memory, and writes it down
// as #tda.pipeline. The lowering only reads it.
//
// Panels lie in the 128-byte swizzle: blocks of 64 columns, each row 128 bytes,
// patterns of 8 rows (1024 bytes). A query or key panel is contracted along its
// columns (K-major): eight rows are 1024 bytes apart, the next k16 step is 32
// bytes further inside the block. A value panel is contracted along its rows
// (MN-major): the next 64 columns are a block further, the next eight rows 1024
// bytes, the next k16 step 16 rows. PTX ISA, "Asynchronous warpgroup level
// matrix shared memory layout" and "Matrix descriptor format".
//
// Before: verify-form `tiles`. After: the same, with `pipeline` on the programs
// of the wgmma path. Programs of other paths stay as they are.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/CheckProgram.h"
#include "tda/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_ASSIGNPIPELINE
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

constexpr int64_t kRowBytes = 128;      // a row of a block, one swizzle span
constexpr int64_t kPatternBytes = 1024; // eight rows

PanelLayoutAttr contractedAlongColumns(MLIRContext *context, int64_t rows,
                                       int64_t columns) {
  // The leading offset is not read in this layout.
  return PanelLayoutAttr::get(context, rows, swizzledColumns(columns),
                              /*leading=*/16, kPatternBytes, /*step=*/32);
}

PanelLayoutAttr contractedAlongRows(MLIRContext *context, int64_t rows,
                                    int64_t columns) {
  return PanelLayoutAttr::get(context, rows, swizzledColumns(columns),
                              /*leading=*/rows * kRowBytes, kPatternBytes,
                              /*step=*/16 * kRowBytes);
}

} // namespace

FailureOr<PipelineAttr> tda::pipelineOf(TileProgramOp program) {
  MLIRContext *context = program.getContext();
  Schedule schedule = program.getSchedule().toSchedule();
  int64_t views = 0, d = 0, dv = 0;
  bool isF16 = false;
  program.walk([&](TileScoresOp op) {
    auto panel = cast<PanelType>(op.getK().getType());
    d = panel.getColumns();
    isF16 = panel.getElementType().isF16();
  });
  program.walk([&](TileStoreOp op) {
    if (auto tile = cast<TileType>(op.getTile().getType());
        tile.getShape().size() == 2)
      dv = tile.getColumns();
  });
  program.walk([&](TileLoadOp op) {
    views += cast<TileType>(op.getType()).getShape().size() == 2;
  });
  if (!views || !d || !dv)
    return program.emitError("has no queries, scores or output to place in "
                             "shared memory");

  Problem problem;
  problem.views = views;
  problem.d = d;
  problem.dv = dv;
  problem.dtype = isF16 ? DType::F16 : DType::BF16;
  program.walk([&](Operation *op) {
    if (auto span = dyn_cast<TileSpanOp>(op))
      problem.window = span.getWindow().value_or(0);
    if (auto difference = dyn_cast<TileDifferentialOp>(op);
        difference && isa<TileType>(difference.getLambda().getType()))
      problem.lambda = Extent::Token;
    problem.stats |= isa<TileCountOp>(op);
  });
  std::string error;
  const Target *target = findTarget(program.getTarget().getName().str(), error);
  if (error = whyIllegal(schedule, problem, *target); !error.empty())
    return program.emitError("schedule cannot work on ")
           << target->name << ": " << error;

  int64_t consumers = schedule.warps / 4;
  RegisterSplit split = registerSplit(schedule, problem);
  auto query = contractedAlongColumns(context, 64, d);
  int64_t ring = kBarrierBytes + views * consumers * query.getBytes();
  int64_t slot = slotBytes(schedule, problem);
  return PipelineAttr::get(
      context, consumers, split.producer, split.consumer, schedule.stages, slot,
      kBarrierBytes, ring, ring + schedule.stages * slot,
      fetchBytes(schedule, problem), sharedBytes(schedule, problem), query,
      contractedAlongColumns(context, schedule.tileN, d),
      contractedAlongRows(context, schedule.tileN, dv));
}

namespace {

struct AssignPipeline : tda::impl::AssignPipelineBase<AssignPipeline> {
  using AssignPipelineBase::AssignPipelineBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](TileProgramOp program) {
      if (program.getSchedule().toSchedule().path != Path::Wgmma)
        return WalkResult::advance();
      FailureOr<PipelineAttr> pipeline = pipelineOf(program);
      if (failed(pipeline))
        return WalkResult::interrupt();
      program.setPipelineAttr(*pipeline);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
