//===- TilesToCPU.cpp - Lower tiles to loops of vector operations ---------===//
//
// A function with one tda.tile_program becomes scf, arith, memref, vector and
// math alone, with two more index arguments: the first and the last program to
// run. Programs are numbered from the last block of rows to the first, which
// under a causal mask is from the longest to the shortest.
//
// What an op becomes is in Copies, Rows, Elementwise and Products; ControlFlow
// walks the program.
//
// Numerics: all arithmetic is in f32 (the gate and norms in f64, rounded once).
// For the product with the values the weights are rounded to the 8 (bf16) or
// 11 (f16) significant bits of the input type but keep f32's exponent: as if
// each were scaled by a power of two of its own, so f16 cannot underflow.
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"
#include "tda/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tda;

namespace tda {
#define GEN_PASS_DEF_TILESTOCPU
#include "lib/Passes/Passes.h.inc"
} // namespace tda

namespace {

struct TilesToCPU : tda::impl::TilesToCPUBase<TilesToCPU> {
  using TilesToCPUBase::TilesToCPUBase;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SmallVector<TileProgramOp> programs;
    func.walk([&](TileProgramOp op) { programs.push_back(op); });
    if (programs.empty()) {
      func.walk([&](AttentionOp op) {
        op.emitError("is still here; run tda-attention-to-tiles first");
        signalPassFailure();
      });
      return;
    }
    if (programs.size() > 1) {
      programs[1].emitOpError("is the second in its function; split it: a "
                              "function is divided among threads as one");
      return signalPassFailure();
    }
    if (failed(check(programs[0])) || failed(lower(func, programs[0])))
      signalPassFailure();
  }

private:
  LogicalResult check(TileProgramOp op) {
    TargetAttr attr = op.getTarget();
    std::string error;
    const Target *row = findTarget(attr.getName().str(), error);
    if (!row)
      return op.emitOpError(error);
    if (row->path != Path::Vector)
      return op.emitOpError("is scheduled for ")
             << attr.getName()
             << ", not for the cpu; run tda-assign-schedule with target=cpu";
    int64_t bits = attr.getVectorBits();
    if (bits != 128 && bits != 256 && bits != 512)
      return op.emitOpError("needs vector_bits = 128, 256 or 512 in its "
                            "target, but has ")
             << bits;
    // What the blocks of registers rely on.
    WalkResult odd = op.walk([](Operation *inner) {
      auto isOdd = [](Value value) {
        auto tile = dyn_cast<TileType>(value.getType());
        auto panel = dyn_cast<PanelType>(value.getType());
        return (tile && tile.getRows() % 16) || (panel && panel.getRows() % 16);
      };
      bool found = llvm::any_of(inner->getResults(), isOdd);
      for (Region &region : inner->getRegions())
        found |= llvm::any_of(region.getArguments(), isOdd);
      if (!found)
        return WalkResult::advance();
      inner->emitOpError("makes a tile whose rows are no multiple of 16");
      return WalkResult::interrupt();
    });
    return failure(odd.wasInterrupted());
  }

  LogicalResult lower(func::FuncOp func, TileProgramOp op) {
    Type index = IndexType::get(&getContext());
    for (int i = 0; i < 2; ++i)
      if (failed(func.insertArgument(func.getNumArguments(), index, {},
                                     op.getLoc())))
        return failure();
    ValueRange arguments = func.getArguments().take_back(2);
    OpBuilder builder(op);
    cpu::Emitter emitter(builder, op);
    if (failed(emitter.emit(arguments[0], arguments[1])))
      return failure();
    op.erase();
    // The names of the operands have served; LLVM's translation warns of them.
    for (unsigned i = 0; i < func.getNumArguments(); ++i)
      func.removeArgAttr(i, kOperandAttr);
    return success();
  }
};

} // namespace
