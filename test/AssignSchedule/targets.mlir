// Each target has a default; the verifier of tda.attention checks its limits.
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu}))' | FileCheck %s --check-prefix=CPU
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu vector-bits=512}))' | FileCheck %s --check-prefix=CPU512
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_80}))' | FileCheck %s --check-prefixes=GPU,SM80
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_86}))' | FileCheck %s --check-prefixes=GPU,SM86
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_89}))' | FileCheck %s --check-prefixes=GPU,SM89
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90}))' | FileCheck %s --check-prefixes=GPU,SM90

!q = tensor<?x?x?x128xbf16>
!small = tensor<?x?x?x32xf16>

// CPU-LABEL: func @large
// CPU: schedule = #tda.schedule<tile_m = {{[0-9]+}}, tile_n = {{[0-9]+}}, stages = 1, warps = 1>, target = #tda.target<"cpu", vector_bits = 256>
// CPU512-LABEL: func @large
// CPU512: target = #tda.target<"cpu", vector_bits = 512>
// GPU-LABEL: func @large
// GPU: schedule = #tda.schedule<tile_m = {{[0-9]+}}, tile_n = {{[0-9]+}}, stages = {{[0-9]+}}, warps = {{[0-9]+}}
// SM80-SAME: >, target = #tda.target<"sm_80">
// SM86-SAME: >, target = #tda.target<"sm_86">
// SM89-SAME: >, target = #tda.target<"sm_89">
// SM90-SAME: , skip = adaptive, path = wgmma>, target = #tda.target<"sm_90">
func.func @large(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) inhibit(%q, %q) values(%q) beta(%beta) lambda(%beta)
    : (!q, !q, !q, !q, !q, tensor<f32>, tensor<f32>) -> !q
  return %o : !q
}

// GPU-LABEL: func @small
// GPU: schedule = #tda.schedule<
// SM80-SAME: warps = {{[0-9]+}}>
// SM90-SAME: skip = adaptive, group = 16, path = wgmma>
func.func @small(%q: !small, %beta: tensor<f32>) -> !small {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) : (!small, !small, !small, tensor<f32>) -> !small
  return %o : !small
}

// CPU-LABEL: func @nothing
// CPU-NEXT: return
func.func @nothing() {
  return
}
