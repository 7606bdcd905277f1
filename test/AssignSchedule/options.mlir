// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80}))' | FileCheck %s --check-prefix=OWN
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 no-skip}))' | FileCheck %s --check-prefix=NOSKIP
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80 schedule="tile_m=64, warps = 4"}))' | FileCheck %s --check-prefix=WORDS

!small = tensor<?x?x?x32xf16>

// What the op came with stays, but for the words of the option.
// OWN-LABEL: func @own
// OWN: schedule = #tda.schedule<tile_m = 32, tile_n = 16, stages = 3, warps = 2, skip = never, group = 1>
// NOSKIP-LABEL: func @own
// NOSKIP: schedule = #tda.schedule<tile_m = 32, tile_n = 16, stages = 3, warps = 2, skip = never, group = 1>
// WORDS-LABEL: func @own
// WORDS: schedule = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, group = 1>
func.func @own(%q: !small, %beta: tensor<f32>) -> !small {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    {target = #tda.target<"sm_80">,
     schedule = #tda.schedule<tile_m = 32, tile_n = 16, stages = 3, warps = 2, skip = never, group = 1>}
    : (!small, !small, !small, tensor<f32>) -> !small
  return %o : !small
}

// The other words keep the default.
// OWN-LABEL: func @default
// OWN-NOT: skip
// NOSKIP-LABEL: func @default
// NOSKIP: schedule = #tda.schedule<{{.*}}, skip = never>
// WORDS-LABEL: func @default
// WORDS: schedule = #tda.schedule<tile_m = 64, tile_n = {{[0-9]+}}, stages = {{[0-9]+}}, warps = 4>
func.func @default(%q: !small, %beta: tensor<f32>) -> !small {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) : (!small, !small, !small, tensor<f32>) -> !small
  return %o : !small
}
