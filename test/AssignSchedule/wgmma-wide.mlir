// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90}))' | FileCheck %s

// Sums of f16 apart, a wide output, counts, a window and a lambda per token: the
// smallest tile has room for all.

!q = tensor<?x?x?x64xf16>
!v = tensor<?x?x?x256xf16>

// CHECK: schedule = #tda.schedule<tile_m = 64, tile_n = 16, stages = 12, warps = 4, skip = steps, group = 16, path = wgmma>
func.func @wide(%q: !q, %v: !v, %beta: tensor<f32>, %lambda: tensor<?x?x?xf32>) -> (!v, tensor<2x?x?x?xi32>) {
  %o, %n = tda.attention excite(%q, %q) inhibit(%q, %q) values(%v) beta(%beta) lambda(%lambda) {window = 100}
    : (!q, !q, !q, !q, !v, tensor<f32>, tensor<?x?x?xf32>) -> (!v, tensor<2x?x?x?xi32>)
  return %o, %n : !v, tensor<2x?x?x?xi32>
}
