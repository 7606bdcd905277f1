//===- Passes.td - Every pass of the compiler -------------*- tablegen -*-===//
//
// The order is lib/Pipeline.cpp; docs/pipeline.md shows what goes in and out of
// each. Examples are in test/Docs.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_PASSES_TD
#define TDA_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseAttention : Pass<"tda-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "Fuse stage ops into tda.attention";
  let description = [{
    Finds each `tda.aggregate` (with the `tda.rms_norm` after it), follows its
    operands back to `tda.scores`, and replaces what it found by one
    `tda.attention`. All spellings that mean the same fuse: visibility on the
    scores or on the threshold alone, normalised or raw inputs, the difference
    as `tda.differential` or in arith, with or without survivor counts. Where it
    cannot fuse, a remark says why and the stages stay.

    Numerics: within the contract; fused accumulators are not rounded between
    `aggregate` and `rms_norm`.
  }];
  let dependentDialects = ["::tda::TdaDialect", "::mlir::arith::ArithDialect"];
}

def DecomposeAttention : Pass<"tda-decompose-attention",
                              "::mlir::func::FuncOp"> {
  let summary = "Split tda.attention into stage ops";
  let description = [{
    The inverse of `tda-fuse-attention`: the unfused form, for comparison. It
    holds the whole Nq x Nk map in memory. Schedule, target and `max_length` are
    dropped; they say nothing about what is computed.
  }];
  let dependentDialects = ["::tda::TdaDialect"];
}

def StagesToLinalg : Pass<"tda-stages-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower stage ops to linalg on tensors";
  let description = [{
    Each stage becomes a `linalg.generic` or two, with f32 arithmetic inside.
    Afterwards no stage op is left; `tda.attention` is refused by name.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"];
}

def DiagnoseDeadHeads : Pass<"tda-diagnose-dead-heads",
                             "::mlir::func::FuncOp"> {
  let summary = "Remark on heads whose gate reaches 1";
  let description = [{
    With `normalize` no score exceeds 1, so a row with tau >= 1 is all zero.
    Where beta and kappa are constants and the longest n is known (static Nk,
    `window` or `max_length`), a remark names the heads that die and the
    length at which they do. Changes nothing.
  }];
}

def AssignSchedule : Pass<"tda-assign-schedule", "::mlir::func::FuncOp"> {
  let summary = "Give tda.attention a target and a schedule";
  let description = [{
    Before: form `fused`. After: form `scheduled`. Sets `target` and `schedule`:
    the one that is there, else the default of include/tda/Schedule.h, with
    the words of the option replaced. With the word `auto` first, what tuning
    found best comes in its place (docs/autotuning.md), and a remark says from
    where. A problem that the target does not support, or a schedule that
    cannot work, is an error that says why.

    The only pass that writes a schedule; later ones only read it.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "Name in the target table: cpu, sm_80, sm_86, sm_89, sm_90">,
    Option<"schedule", "schedule", "std::string", "\"\"",
           "Words of #tda.schedule; those left out keep the default, after "
           "'auto' what tuning found">,
    Option<"tunedShape", "tuned-shape", "std::string", "\"\"",
           "With auto: lengths, B=1,H=16,N=8192, where types fix none">,
    Option<"tunedDensity", "tuned-density", "std::string", "\"\"",
           "With auto: the data, null, real or dense">,
    Option<"noSkip", "no-skip", "bool", "false",
           "Send empty tiles down the arithmetic of live ones (debug)">,
    Option<"vectorBits", "vector-bits", "int64_t", "256",
           "CPU only: width of a vector register">,
  ];
  let dependentDialects = ["::tda::TdaDialect"];
}

def AttentionToTiles : Pass<"tda-attention-to-tiles", "::mlir::ModuleOp"> {
  let summary = "Lower functions of one tda.attention to the loop over tiles";
  let description = [{
    Before: form `scheduled`; a function holds one `tda.attention` on its
    arguments and constants, and returns its results. After: form `tiles`; a
    function on memrefs, inputs first, then the outputs, with one
    `tda.tile_program` in which keys are visited tile by tile. Tiles that no row
    sees are never visited; only tiles that some row does not wholly see are
    masked. Constant operands become globals.
  }];
  let dependentDialects = ["::tda::TdaDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def TilesToCPU : Pass<"tda-tiles-to-cpu", "::mlir::func::FuncOp"> {
  let summary = "Lower tiles to loops of vector operations";
  let description = [{
    Before: form `tiles`, target `cpu`. After: form `lowered`; scf, vector,
    arith, math and memref. Tiles become cache buffers, products become
    register-blocked loops of vector multiply-adds. The function gets two more
    arguments: programs from the first up to the last, exclusive, are run, so
    that a host divides them among its threads.

    Numerics: all arithmetic is f32, the gate and norms f64 rounded once.
    Weights keep the exponent of f32 and get the significant bits of the input
    type.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def TilesToNVVM : Pass<"tda-tiles-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Lower tiles to cp.async, ldmatrix and mma.sync";
  let description = [{
    The portable GPU path (sm_80 and up). Before: form `tiles`, a target of that
    path. After: form `lowered`; llvm, nvvm, scf and arith. Each function with a
    `tda.tile_program` becomes a kernel: an `llvm.func` with `nvvm.kernel` and
    the launch facts in `tda.launch`. Tiles are spread over registers in the
    layouts of mma.sync m16n8k16, panels over padded rows of shared memory.

    Numerics: the gate uses lg2.approx, a power other than 1, 2 and 3 lg2.approx
    and ex2.approx. f16 weights are scaled by a power of two, a row of a tile at
    a time.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect"];
}

def AssignPipeline : Pass<"tda-assign-pipeline", "::mlir::ModuleOp"> {
  let summary = "Give tile programs of the wgmma path their roles and ring";
  let description = [{
    Before and after: form `tiles`. Sets `pipeline` on each `tda.tile_program`
    whose schedule has `path = wgmma`: warpgroups and their registers, the slots
    of the ring, the layout of each panel in shared memory as TMA writes it and
    wgmma reads it. A schedule that does not fit is an error that says by how
    much. Programs of other paths stay as they are.
  }];
  let dependentDialects = ["::tda::TdaDialect"];
}

def TilesToHopper : Pass<"tda-tiles-to-hopper", "::mlir::ModuleOp"> {
  let summary = "Lower tiles to TMA, mbarriers and wgmma";
  let description = [{
    The wgmma path (sm_90a). Before: form `tiles`, with `pipeline` on the
    programs. After: form `lowered`; llvm, nvvm, scf and arith. Each function
    with such a program becomes a kernel: one warpgroup copies panels through a
    ring, the others multiply. Programs of other paths stay as they are, for
    `tda-tiles-to-nvvm`.

    A program in which these two would not count the same copies, a
    `tda.tile_gather` whose rows would be added too late, or a pipeline that
    `tda-assign-pipeline` would not give is an error that says what to change.

    Numerics: as `tda-tiles-to-nvvm`. Every skip policy gives the same bits.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect"];
}

def VerifyForm : Pass<"tda-verify-form"> {
  let summary = "Check what may no longer exist at this point of a pipeline";
  let description = [{
    `fused`: no stage op; `scheduled`: also a schedule on each attention;
    `tiles`: neither stage op nor attention; `lowered`: no tda op at all. The
    error names the op and the pass that should have removed it.
  }];
  let options = [Option<"form", "form", "std::string", "\"fused\"",
                        "fused, scheduled, tiles or lowered">];
}

#endif // TDA_PASSES_TD
