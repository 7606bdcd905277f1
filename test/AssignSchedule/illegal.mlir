// Schedules of the portable path and of the CPU that cannot work on a target.
// Those of the wgmma path are in illegal-wgmma.mlir.

// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=64 tile_n=64 stages=2 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: schedule cannot work on sm_80: tile_m = 64 must be 16 rows for each of the 8 warps: 128
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=272 tile_n=64 stages=2 warps=17"}))' 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: schedule cannot work on sm_80: warps = 17 exceeds 16
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=128 tile_n=64 stages=1 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: schedule cannot work on sm_80: stages = 1 leaves no buffer to copy into while one is read; it must be at least 2
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=128 tile_n=64 stages=4 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: schedule cannot work on sm_80: needs {{[0-9]+}} bytes of shared memory, {{[0-9]+}} more than the 166912 that a block may take on sm_80
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_86 schedule="tile_m=128 tile_n=64 stages=2 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: schedule cannot work on sm_86: needs {{[0-9]+}} bytes of shared memory, {{[0-9]+}} more than the 101376 that a block may take on sm_86
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_89 schedule="tile_m=128 tile_n=64 stages=2 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: schedule cannot work on sm_89: needs {{[0-9]+}} bytes of shared memory, {{[0-9]+}} more than the 101376 that a block may take on sm_89
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync tile_m=128 tile_n=64 stages=5 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E6
// E6: error: schedule cannot work on sm_90: needs {{[0-9]+}} bytes of shared memory, {{[0-9]+}} more than the 232448 that a block may take on sm_90
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync tile_m=128 tile_n=112 stages=2 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=E7
// E7: error: schedule cannot work on sm_90: needs about {{[0-9]+}} registers a thread, {{[0-9]+}} more than the 255 that 8 warps leave on sm_90
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync tile_m=256 tile_n=32 stages=2 warps=16"}))' 2>&1 | FileCheck %s --check-prefix=E8
// E8: error: schedule cannot work on sm_90: needs about {{[0-9]+}} registers a thread, {{[0-9]+}} more than the 128 that 16 warps leave on sm_90
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu schedule="tile_m=64 tile_n=64 stages=2 warps=1"}))' 2>&1 | FileCheck %s --check-prefix=E9
// E9: error: schedule cannot work on cpu: stages = 2 and warps = 1 must both be 1 on the CPU
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu schedule="tile_m=64 tile_n=64 stages=1 warps=4"}))' 2>&1 | FileCheck %s --check-prefix=E10
// E10: error: schedule cannot work on cpu: stages = 1 and warps = 4 must both be 1 on the CPU

// The limits are those of a target: the schedule that is too large for sm_86
// and sm_89 fits the others.
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=128 tile_n=64 stages=2 warps=8"}))' | FileCheck %s --check-prefix=FITS
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync tile_m=128 tile_n=64 stages=2 warps=8"}))' | FileCheck %s --check-prefix=FITS
// FITS: schedule = #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8>

!q = tensor<?x?x?x128xbf16>

func.func @f(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) inhibit(%q, %q) values(%q) beta(%beta) lambda(%beta)
    : (!q, !q, !q, !q, !q, tensor<f32>, tensor<f32>) -> !q
  return %o : !q
}
