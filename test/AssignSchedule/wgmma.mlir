// The words of the wgmma path; the defaults of a path that is asked for.
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90}))' --verify-diagnostics | FileCheck %s --check-prefix=DEFAULT
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path = wgmma, skip = steps, grid = persistent, force = true"}))' | FileCheck %s --check-prefix=WORDS
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="grid=plain force=false skip=tile"}))' | FileCheck %s --check-prefix=PLAIN
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 no-skip}))' | FileCheck %s --check-prefix=NOSKIP
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync"}))' --verify-diagnostics | FileCheck %s --check-prefix=MMA
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=mma_sync skip=never force=true"}))' | FileCheck %s --check-prefix=MMA-FORCE

!q = tensor<?x?x?x64xf16>

// Nothing is said of it.
// DEFAULT-LABEL: func @f
// DEFAULT: schedule = #tda.schedule<tile_m = 128, tile_n = 128, stages = 12, warps = 8, skip = adaptive, group = 16, path = wgmma>
// WORDS-LABEL: func @f
// WORDS: schedule = #tda.schedule<tile_m = 128, tile_n = 128, stages = 12, warps = 8, skip = steps, group = 16, path = wgmma, grid = persistent, force = true>
// PLAIN-LABEL: func @f
// PLAIN: schedule = #tda.schedule<tile_m = 128, tile_n = 128, stages = 12, warps = 8, group = 16, path = wgmma>
// Debugging keeps the policy and takes every branch.
// NOSKIP-LABEL: func @f
// NOSKIP: schedule = #tda.schedule<tile_m = 128, tile_n = 128, stages = 12, warps = 8, skip = adaptive, group = 16, path = wgmma, force = true>
// The default of that path, without a remark: it was asked for.
// MMA-LABEL: func @f
// MMA: schedule = #tda.schedule<tile_m = 128, tile_n = 64, stages = 3, warps = 8>
// MMA-FORCE-LABEL: func @f
// MMA-FORCE: schedule = #tda.schedule<tile_m = 128, tile_n = 64, stages = 3, warps = 8, skip = never, force = true>
func.func @f(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// A schedule that is there stays, on its path.
// DEFAULT-LABEL: func @own
// DEFAULT: schedule = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
func.func @own(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    {target = #tda.target<"sm_90">, schedule = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>}
    : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// Queries and keys are normalised before: the path is the same.
// DEFAULT-LABEL: func @normalize
// DEFAULT: skip = adaptive, group = 16, path = wgmma>
func.func @normalize(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {normalize}
    : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}
