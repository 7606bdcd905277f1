// Words and targets that are none.

// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_k=3"}))' 2>&1 | FileCheck %s --check-prefix=E0
// E0: error: schedule: unknown word 'tile_k'; known: tile_m, tile_n, stages, warps, skip, group, path, grid, force
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m"}))' 2>&1 | FileCheck %s --check-prefix=E1
// E1: error: schedule: expected 'tile_m = VALUE'
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=64 tile_m=32"}))' 2>&1 | FileCheck %s --check-prefix=E2
// E2: error: schedule: 'tile_m' is given twice
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=-1"}))' 2>&1 | FileCheck %s --check-prefix=E3
// E3: error: schedule: 'tile_m = -1' is not a positive integer
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="skip=often"}))' 2>&1 | FileCheck %s --check-prefix=E4
// E4: error: schedule: unknown skip policy 'often'; known: never, tile, steps, adaptive
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_n=20"}))' 2>&1 | FileCheck %s --check-prefix=E5
// E5: error: tile_n = 20 must be a multiple of 16, at most 1024
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=tcgen05"}))' 2>&1 | FileCheck %s --check-prefix=PATH
// PATH: error: schedule: unknown path 'tcgen05'; known: mma_sync, wgmma
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="grid=loop"}))' 2>&1 | FileCheck %s --check-prefix=GRID
// GRID: error: schedule: unknown grid 'loop'; known: plain, persistent
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="force=1"}))' 2>&1 | FileCheck %s --check-prefix=FORCE
// FORCE: error: schedule: unknown force '1'; known: true, false
// RUN: not tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_75}))' 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: tda-assign-schedule: unknown target 'sm_75'; known targets: cpu, sm_80, sm_86, sm_89, sm_90
// RUN: not tda-opt %s --tda-assign-schedule 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: tda-assign-schedule: unknown target ''; known targets: cpu, sm_80

!q = tensor<?x?x?x128xbf16>

func.func @f(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) inhibit(%q, %q) values(%q) beta(%beta) lambda(%beta)
    : (!q, !q, !q, !q, !q, tensor<f32>, tensor<f32>) -> !q
  return %o : !q
}
