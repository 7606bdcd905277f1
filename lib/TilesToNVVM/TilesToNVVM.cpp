//===- TilesToNVVM.cpp - Lower tiles to cp.async, ldmatrix and mma.sync ---===//
//
// The driver of the portable GPU path. Each function that holds
// tda.tile_programs becomes a kernel; Emitter.h says how a tile lies in the
// registers of a block, KernelSignature.h what its parameters are.
//
// Before: verify-form `tiles`, target with the MmaSync path. After: llvm, nvvm,
// scf and arith only; `tda.launch` on each kernel holds the launch facts.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToNVVM/Emitter.h"
#include "tda/Passes.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_TILESTONVVM
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

/// The bytes of shared memory that the panels of every key loop take.
int64_t ringBytes(TileProgramOp program) {
  int64_t most = 0;
  program.walk([&](TileForOp loop) {
    int64_t stage = 0;
    for (Value panel : loop.getPanels()) {
      auto type = cast<PanelType>(panel.getType());
      stage += type.getRows() * panelPitch(type.getColumns());
    }
    most = std::max(most, stage);
  });
  return most * program.getSchedule().getStages();
}

LogicalResult checkTarget(TileProgramOp program) {
  std::string error;
  const Target *target = findTarget(program.getTarget().getName().str(), error);
  if (target->path != Path::MmaSync)
    return program.emitError("tda-tiles-to-nvvm lowers GPU targets, not '")
           << target->name << "'; use tda-tiles-to-cpu";
  if (program.getSchedule().toSchedule().path != Path::MmaSync)
    return program.emitError("tda-tiles-to-nvvm lowers path = mma_sync; use "
                             "tda-assign-pipeline and tda-tiles-to-hopper");
  int64_t bytes = ringBytes(program);
  if (bytes > target->sharedPerBlock)
    return program.emitError("needs ")
           << bytes << " bytes of shared memory, " << target->name << " has "
           << target->sharedPerBlock << " for a block";
  if (program.getSchedule().getTileM() != 16 * program.getSchedule().getWarps())
    return program.emitError("tile_m must be 16 rows a warp");
  if (program.getSchedule().getStages() < 2)
    return program.emitError("stages must be at least 2: one tile is copied "
                             "while another is read");
  return success();
}

/// What the emitter relies on and IR from elsewhere may not keep: tiles come
/// from and go to arguments of the function.
LogicalResult checkBody(TileProgramOp program) {
  WalkResult result = program.walk([](Operation *op) {
    SmallVector<Value> tensors;
    if (auto load = dyn_cast<TileLoadOp>(op))
      tensors.push_back(load.getSource());
    if (auto store = dyn_cast<TileStoreOp>(op))
      tensors.push_back(store.getTarget());
    if (auto norm = dyn_cast<TileRmsNormOp>(op))
      tensors.push_back(norm.getGain());
    if (auto loop = dyn_cast<TileForOp>(op))
      llvm::append_range(tensors, loop.getSources());
    for (Value tensor : tensors)
      if (!isa<BlockArgument>(tensor)) {
        op->emitError("a GPU kernel reads tiles from its arguments only: pass "
                      "a constant gain, or a constant lambda per token, as an "
                      "argument");
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Blocks along x: a program for each block of rows of the tensor that the
/// programs write.
std::string gridOf(func::FuncOp func, TileProgramOp program) {
  StringRef name = "o";
  for (auto store : program.getBody().getOps<TileStoreOp>())
    if (auto operand = func.getArgAttrOfType<StringAttr>(
            cast<BlockArgument>(store.getTarget()).getArgNumber(),
            kOperandAttr);
        operand && !store.getPlane())
      name = operand.getValue();
  auto length = [&](int64_t axis) { return lengthName(name, 4, axis).str(); };
  return "ceildiv(" + length(2) + ", " +
         std::to_string(program.getSchedule().getTileM()) + ") * " + length(1) +
         " * " + length(0);
}

LogicalResult lowerFunction(func::FuncOp func,
                            ArrayRef<TileProgramOp> programs) {
  TileProgramOp program = programs.front();
  int64_t sharedBytes = 0;
  std::string grid;
  for (TileProgramOp each : programs) {
    if (failed(checkTarget(each)) || failed(checkBody(each)))
      return failure();
    if (each.getSchedule() != program.getSchedule())
      return each.emitError("another schedule than that of the program before "
                            "it, with which it shares a kernel");
    sharedBytes = std::max(sharedBytes, ringBytes(each));
    grid += (grid.empty() ? "" : " + ") + gridOf(func, each);
  }
  OpBuilder b(func);
  FailureOr<KernelSignature> signature = createKernel(b, func);
  if (failed(signature))
    return failure();
  if (failed(Emitter(b, *signature, program).emit()))
    return failure();

  LLVM::LLVMFuncOp kernel = signature->kernel;
  int32_t threads = 32 * program.getSchedule().getWarps();
  kernel->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                  b.getDenseI32ArrayAttr({threads}));
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  b.getI32IntegerAttr(1));
  NamedAttrList launch(kernel->getAttrOfType<DictionaryAttr>(kLaunchAttr));
  launch.set("grid", b.getStringAttr(grid));
  launch.set("block", b.getI32IntegerAttr(threads));
  launch.set("shared_bytes", b.getI64IntegerAttr(sharedBytes));
  kernel->setAttr(kLaunchAttr, launch.getDictionary(b.getContext()));
  func.erase();
  return success();
}

struct TilesToNVVM : tda::impl::TilesToNVVMBase<TilesToNVVM> {
  using TilesToNVVMBase::TilesToNVVMBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : functions) {
      if (func.isExternal())
        continue;
      SmallVector<TileProgramOp> programs(
          func.getBody().getOps<TileProgramOp>());
      if (!programs.empty() && failed(lowerFunction(func, programs)))
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
