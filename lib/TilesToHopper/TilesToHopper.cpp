//===- TilesToHopper.cpp - Lower tiles to TMA, mbarriers and wgmma --------===//
//
// The driver of the wgmma path (sm_90a). Each function that holds one
// tda.tile_program with a pipeline becomes a kernel; WarpgroupEmitter.h says
// what each warpgroup of a block does.
//
// Before: verify-form `tiles`, after tda-assign-pipeline. After: llvm, nvvm,
// scf and arith only; `tda.launch` on each kernel holds the launch facts.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/CheckProgram.h"
#include "lib/TilesToHopper/WarpgroupEmitter.h"
#include "tda/Passes.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_TILESTOHOPPER
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

/// The tensors that are read in boxes, with the rows of a box.
FailureOr<SmallVector<MapRequest>> boxedTensors(TileProgramOp program) {
  PipelineAttr pipeline = *program.getPipeline();
  llvm::SmallMapVector<Value, int64_t, 8> rows;
  WalkResult result = program.walk([&](Operation *op) {
    auto want = [&](Value tensor, int64_t count) {
      auto [it, isNew] = rows.insert({tensor, count});
      if (isa<BlockArgument>(tensor) && it->second == count)
        return true;
      op->emitError("reads a tensor in boxes that is no argument, or in boxes "
                    "of two heights");
      return false;
    };
    if (auto load = dyn_cast<TileLoadOp>(op);
        load && cast<TileType>(load.getType()).getShape().size() == 2 &&
        !want(load.getSource(), pipeline.getQuery().getRows()))
      return WalkResult::interrupt();
    if (auto loop = dyn_cast<TileForOp>(op))
      for (Value source : loop.getSources())
        if (!want(source, pipeline.getKey().getRows()))
          return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  SmallVector<MapRequest> maps;
  for (auto &[tensor, count] : rows)
    maps.push_back({tensor, count});
  return maps;
}

LogicalResult lowerFunction(func::FuncOp func, TileProgramOp program) {
  if (!program.getPipeline())
    return program.emitError("has no pipeline; run tda-assign-pipeline first");
  if (failed(checkProgram(program)))
    return failure();
  FailureOr<SmallVector<MapRequest>> maps = boxedTensors(program);
  if (failed(maps))
    return failure();
  OpBuilder b(func);
  FailureOr<KernelSignature> signature = createKernel(b, func, *maps);
  if (failed(signature))
    return failure();
  if (failed(WarpgroupEmitter(b, *signature, program).emit()))
    return failure();

  std::string error;
  const Target *target = findTarget(program.getTarget().getName().str(), error);
  Schedule schedule = program.getSchedule().toSchedule();
  PipelineAttr pipeline = *program.getPipeline();
  LLVM::LLVMFuncOp kernel = signature->kernel;
  int32_t threads = 128 * (1 + pipeline.getConsumers());
  kernel->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                  b.getDenseI32ArrayAttr({threads}));
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  b.getI32IntegerAttr(1));
  NamedAttrList launch(kernel->getAttrOfType<DictionaryAttr>(kLaunchAttr));
  launch.set("arch", b.getStringAttr(target->wgmmaChip));
  launch.set("grid", b.getStringAttr("ceildiv(Nq, " + Twine(schedule.tileM) +
                                     ") * Hq * B"));
  launch.set("block", b.getI32IntegerAttr(threads));
  launch.set("shared_bytes", b.getI64IntegerAttr(pipeline.getSharedBytes()));
  if (schedule.grid == Grid::Persistent)
    launch.set("blocks_per_sm", b.getI32IntegerAttr(1));
  kernel->setAttr(kLaunchAttr, launch.getDictionary(b.getContext()));
  func.erase();
  return success();
}

struct TilesToHopper : tda::impl::TilesToHopperBase<TilesToHopper> {
  using TilesToHopperBase::TilesToHopperBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : functions) {
      if (func.isExternal())
        continue;
      auto programs = func.getBody().getOps<TileProgramOp>();
      if (programs.empty() ||
          (*programs.begin()).getSchedule().toSchedule().path != Path::Wgmma)
        continue;
      if (failed(lowerFunction(func, *programs.begin())))
        return signalPassFailure();
    }
    // What was read from constant globals is in the kernels now.
    for (auto global :
         llvm::make_early_inc_range(getOperation().getOps<memref::GlobalOp>()))
      if (SymbolTable::symbolKnownUseEmpty(global, getOperation()))
        global.erase();
  }
};

} // namespace
