// RUN: tda-opt %s --tda-attention-to-tiles --canonicalize --cse --tda-assign-pipeline --tda-tiles-to-hopper --tda-tiles-to-nvvm | FileCheck %s

// Kernels stand in the order of their launches. The attention reads unit rows
// through maps of the workspace: it has no pointer to them, and no strides.

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: llvm.func @unit_unit(
// CHECK-SAME:    grid = "ceildiv(Nq, 64) * Hq * B + ceildiv(Nk, 64) * Hkv * B"
// CHECK-SAME:    params = ["ptr q", "ptr k", "ws 0", "ws ceildiv(B * Hq * Nq * 128, 256) * 256", "i32 B"
// CHECK-LABEL: llvm.func @unit(
// CHECK-SAME:    arch = "sm_90a"
// CHECK-SAME:    maps = ["workspace_q workspace q rows 64 columns 64 offset 0", "workspace_k workspace k rows 32 columns 64 offset ceildiv(B * Hq * Nq * 128, 256) * 256", "v argument v rows 32 columns 64"]
// CHECK-SAME:    params = ["ptr v", "ptr beta", "ptr o", "i32 B", "i32 Hq", "i32 Hkv", "i32 Nq", "i32 Nk", "i64 v 0", "i64 v 1", "i64 v 2", "i64 o 0", "i64 o 1", "i64 o 2", "map workspace_q", "map workspace_k", "map v"]
// CHECK-SAME:    workspace = "ceildiv(B * Hq * Nq * 128, 256) * 256 + ceildiv(B * Hkv * Nk * 128, 256) * 256"
func.func @unit(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {normalize, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}
