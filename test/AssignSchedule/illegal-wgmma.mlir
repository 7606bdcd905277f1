// Schedules of the wgmma path that cannot work, each with the reason.

// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="path=wgmma"}))' 2>&1 | FileCheck %s --check-prefix=SM80
// SM80: error: schedule cannot work on sm_80: path = wgmma needs an architecture with warpgroup instructions, sm_90; sm_80 has none
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu schedule="path=wgmma"}))' 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: error: schedule cannot work on cpu: path = wgmma needs an architecture with warpgroup instructions, sm_90; cpu has none

// What only the wgmma path has.
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync skip=steps"}))' 2>&1 | FileCheck %s --check-prefix=STEPS
// STEPS: error: schedule cannot work on sm_90: skip = steps exists on path = wgmma only
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="skip=adaptive"}))' 2>&1 | FileCheck %s --check-prefix=ADAPTIVE
// ADAPTIVE: error: schedule cannot work on sm_80: skip = adaptive exists on path = wgmma only
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync grid=persistent"}))' 2>&1 | FileCheck %s --check-prefix=GRID
// GRID: error: schedule cannot work on sm_90: grid = persistent exists on path = wgmma only
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu schedule="skip=steps"}))' 2>&1 | FileCheck %s --check-prefix=CPU-STEPS
// CPU-STEPS: error: schedule cannot work on cpu: skip = steps exists on path = wgmma only

// Warpgroups and their rows.
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_m=96 warps=6"}))' 2>&1 | FileCheck %s --check-prefix=SIX
// SIX: error: schedule cannot work on sm_90: warps = 6 must be 4, 8 or 12: one to three consumer warpgroups
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_m=256 warps=16"}))' 2>&1 | FileCheck %s --check-prefix=SIXTEEN
// SIXTEEN: error: schedule cannot work on sm_90: warps = 16 must be 4, 8 or 12: one to three consumer warpgroups
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_m=64 warps=8"}))' 2>&1 | FileCheck %s --check-prefix=ROWS
// ROWS: error: schedule cannot work on sm_90: tile_m = 64 must be 64 rows for each of the 2 consumer warpgroups: 128

// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=272"}))' 2>&1 | FileCheck %s --check-prefix=WIDE
// WIDE: error: schedule cannot work on sm_90: tile_n = 272 exceeds 256, the widest wgmma

// The ring.
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=64 stages=1"}))' 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: error: schedule cannot work on sm_90: stages = 1: the ring takes 2 to 24 slots; with fewer, the keys of a view cannot arrive while the others are read
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=16 stages=25"}))' 2>&1 | FileCheck %s --check-prefix=LONG
// LONG: error: schedule cannot work on sm_90: stages = 25: the ring takes 2 to 24 slots; more have no barriers

// 1024 bytes of barriers, 2 x 128 rows of queries, 9 slots of 64 rows, a row 256
// bytes; and for what a warp fetches 8 x 16 rows, a row 272.
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=64 stages=9"}))' 2>&1 | FileCheck %s --check-prefix=SHARED
// SHARED: error: schedule cannot work on sm_90: needs 248832 bytes of shared memory, 16384 more than the 232448 that a block may take on sm_90; a slot of the ring is 16384

// The output takes 64 registers of a thread, the scores of both views tile_n.
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=192 stages=2"}))' 2>&1 | FileCheck %s --check-prefix=REGISTERS
// REGISTERS: error: schedule cannot work on sm_90: needs about 296 registers a thread, 56 more than the 240 that 2 consumer warpgroups leave on sm_90
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_m=192 warps=12 tile_n=64 stages=2"}))' 2>&1 | FileCheck %s --check-prefix=THREE
// THREE: error: schedule cannot work on sm_90: needs about 168 registers a thread, 8 more than the 160 that 3 consumer warpgroups leave on sm_90

// The largest that fit.
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=64 stages=8"}))' | FileCheck %s --check-prefix=FITS
// FITS: schedule = #tda.schedule<tile_m = 128, tile_n = 64, stages = 8, warps = 8, skip = adaptive, path = wgmma>
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="tile_n=16 stages=24"}))' | FileCheck %s --check-prefix=FITS24
// FITS24: schedule = #tda.schedule<tile_m = 128, tile_n = 16, stages = 24, warps = 8, skip = adaptive, path = wgmma>

!q = tensor<?x?x?x128xbf16>

func.func @f(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) inhibit(%q, %q) values(%q) beta(%beta) lambda(%beta)
    : (!q, !q, !q, !q, !q, tensor<f32>, tensor<f32>) -> !q
  return %o : !q
}
