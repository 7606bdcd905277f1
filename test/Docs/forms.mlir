// RUN: tda-opt %s --tda-to-ptx="target=sm_80 schedule=tile_m=64,tile_n=32,stages=2,warps=4" \
// RUN:   --mlir-print-ir-after=tda-verify-form -o /dev/null 2>&1 | FileCheck %s

// The forms of docs/pipeline.md: one description on its way to the GPU
// on the portable path. hopper-forms.mlir has the same on the wgmma path.

// example: form-stages
func.func @attention(
    %q1: tensor<?x?x?x64xbf16>, %k1: tensor<?x?x?x64xbf16>,
    %q2: tensor<?x?x?x64xbf16>, %k2: tensor<?x?x?x64xbf16>,
    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>, %lambda: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  %s1 = tda.scores %q1, %k1 {causal}
      : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) -> tensor<?x?x?x?xf32>
  %s2 = tda.scores %q2, %k2 {causal}
      : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) -> tensor<?x?x?x?xf32>
  %a1 = tda.threshold %s1 beta(%beta) {causal, dim = 64 : i64}
      : tensor<?x?x?x?xf32>, tensor<?xf32>
  %a2 = tda.threshold %s2 beta(%beta) {causal, dim = 64 : i64}
      : tensor<?x?x?x?xf32>, tensor<?xf32>
  %a = tda.differential %a1, %a2 lambda(%lambda)
     : tensor<?x?x?x?xf32>, tensor<?xf32>
  %o = tda.aggregate %a, %v
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// end: form-stages

// CHECK-LABEL: IR Dump After VerifyForm
// example: form-fused
// CHECK: %[[o:[a-z0-9_]+]] = tda.attention excite(%[[q1:arg0]], %[[k1:arg1]]) inhibit(%[[q2:arg2]], %[[k2:arg3]])
// CHECK-SAME:      values(%[[v:arg4]]) beta(%[[beta:arg5]]) lambda(%[[lambda:arg6]]) {causal}
// CHECK-SAME:   : {{.*}} -> tensor<?x?x?x64xbf16>
// end: form-fused

// CHECK-LABEL: IR Dump After VerifyForm
// example: form-scheduled
// CHECK: %[[o:[a-z0-9_]+]] = tda.attention excite(%[[q1:arg0]], %[[k1:arg1]]) inhibit(%[[q2:arg2]], %[[k2:arg3]])
// CHECK-SAME:      values(%[[v:arg4]]) beta(%[[beta:arg5]]) lambda(%[[lambda:arg6]]) {causal,
// CHECK-SAME:      schedule = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>,
// CHECK-SAME:      target = #tda.target<"sm_80">}
// CHECK-SAME:   : {{.*}} -> tensor<?x?x?x64xbf16>
// end: form-scheduled

// CHECK-LABEL: IR Dump After VerifyForm
// example: form-tiles
// CHECK: tda.tile_program (%[[b:[a-z0-9_]+]], %[[h:[a-z0-9_]+]], %[[i:[a-z0-9_]+]]) in (%[[B:[a-z0-9_]+]], %[[Hq:[a-z0-9_]+]], %[[Nq:[a-z0-9_]+]])
// CHECK-SAME:    schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
// CHECK-SAME:    target #tda.target<"sm_80"> {
// CHECK:   %[[tau:[a-z0-9_]+]] = tda.tile_gate beta({{.*}}) kappa({{.*}}) rows(%[[i]]) keys(%[[Nk:[a-z0-9_]+]]) {{.*}} {causal, dim = 64 : i64} : !tda.tile<64xf32>
// CHECK:   %[[lambda:[a-z0-9_]+]] = memref.load %[[Lambda:arg6]][%[[h]]] : {{.*}}
// CHECK:   %[[q1:[a-z0-9_]+]] = tda.tile_load %[[Q1:arg0]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}} -> !tda.tile<64x64xbf16>
// CHECK:   %[[q2:[a-z0-9_]+]] = tda.tile_load %[[Q2:arg2]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}} -> !tda.tile<64x64xbf16>
// CHECK:   %[[begin:[a-z0-9_]+]], %[[end:[a-z0-9_]+]], %[[fullBegin:[A-Za-z0-9_]+]], %[[fullEnd:[A-Za-z0-9_]+]] = tda.tile_span rows(%[[i]], %[[Nq]]) keys(%[[Nk]]) {{.*}}
// CHECK:   %[[zero:[a-z0-9_]+]] = tda.tile_zero : !tda.tile<64x64xf32>
// CHECK:   %[[o:[a-z0-9_]+]] = tda.tile_for %[[j:[a-z0-9_]+]] = %[[begin]] to %[[end]] step 32 limit %[[Nk]] at [%[[b]], %[[g:[a-z0-9_]+]]]
// CHECK-SAME:      stream (%[[k1:[a-z0-9_]+]] = %[[K1:arg1]] : {{[^>]*>>}} -> !tda.panel<32x64xbf16, key>,
// CHECK-SAME:              %[[k2:[a-z0-9_]+]] = %[[K2:arg3]] : {{[^>]*>>}} -> !tda.panel<32x64xbf16, key>,
// CHECK-SAME:              %[[v:[a-z0-9_]+]] = %[[V:arg4]] : {{[^>]*>>}} -> !tda.panel<32x64xbf16, value>)
// CHECK-SAME:      carry (%[[acc:[a-z0-9_]+]] = %[[zero]] : !tda.tile<64x64xf32>) {
// CHECK:     %[[all1:[a-z0-9_]+]] = tda.tile_scores %[[q1]], %[[k1]] : {{.*}}
// CHECK:     %[[all2:[a-z0-9_]+]] = tda.tile_scores %[[q2]], %[[k2]] : {{.*}}
// CHECK:     %[[below:[a-z0-9_]+]] = arith.cmpi slt, %[[j]], %[[fullBegin]] : index
// CHECK:     %[[above:[a-z0-9_]+]] = arith.cmpi sgt, %{{.*}}, %[[fullEnd]] : index
// CHECK:     %[[edge:[a-z0-9_]+]] = arith.ori %[[below]], %[[above]] : i1
// CHECK:     %[[s:[a-z0-9_]+]]:2 = scf.if %[[edge]] {{.*}} {
// CHECK:       %[[mask1:[a-z0-9_]+]] = tda.tile_mask %[[all1]] {{.*}}
// CHECK:       %[[mask2:[a-z0-9_]+]] = tda.tile_mask %[[all2]] {{.*}}
// CHECK:       scf.yield %[[mask1]], %[[mask2]] : {{.*}}
// CHECK:     } else {
// CHECK:       scf.yield %[[all1]], %[[all2]] : {{.*}}
// CHECK:     }
// CHECK:     %[[live:[a-z0-9_]+]] = tda.tile_survives %[[s]]#0, %[[s]]#1 above %[[tau]] : {{.*}}
// CHECK:     %[[next:[a-z0-9_]+]] = scf.if %[[live]] {{.*}} {
// CHECK:       %[[a1:[a-z0-9_]+]] = tda.tile_threshold %[[s]]#0, %[[tau]] {power = 2.000000e+00 : f64} : {{.*}}
// CHECK:       %[[a2:[a-z0-9_]+]] = tda.tile_threshold %[[s]]#1, %[[tau]] {power = 2.000000e+00 : f64} : {{.*}}
// CHECK:       %[[a:[a-z0-9_]+]] = tda.tile_differential %[[a1]], %[[a2]], %[[lambda]] : !tda.tile<64x32xf32>, f32
// CHECK:       %[[sum:[a-z0-9_]+]] = tda.tile_aggregate %[[a]], %[[v]], %[[acc]] : {{.*}}
// CHECK:       scf.yield %[[sum]] : !tda.tile<64x64xf32>
// CHECK:     } else {
// CHECK:       scf.yield %[[acc]] : !tda.tile<64x64xf32>
// CHECK:     }
// CHECK:     tda.tile_yield %[[next]] : !tda.tile<64x64xf32>
// CHECK:   }
// CHECK:   tda.tile_store %[[o]], %[[O:arg7]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}}
// CHECK: }
// end: form-tiles

// CHECK-LABEL: IR Dump After VerifyForm
// example: form-lowered
// CHECK: llvm.func @attention(%[[q1:arg0]]: !llvm.ptr<1> {llvm.noalias}, {{.*}} attributes {nvvm.kernel, {{.*}}
// CHECK:   {{.*}}
// CHECK:   %{{.*}} = scf.for %[[j:[a-z0-9_]+]] = %[[begin:[a-z0-9_]+]] to %[[end:[a-z0-9_]+]] step {{.*}} {
// CHECK:     nvvm.cp.async.wait.group 0
// CHECK:     nvvm.barrier
// CHECK:     {{.*}}
// CHECK:     scf.if %[[more:[a-z0-9_]+]] {
// CHECK:       nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, {{.*}}
// CHECK:     }
// CHECK:     nvvm.cp.async.commit.group
// CHECK:     %[[keys:[a-z0-9_]+]] = nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>{{.*}}
// CHECK:     %[[s:[a-z0-9_]+]] = nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {{.*}}
// CHECK:     {{.*}}
// CHECK:     %[[live:[a-z0-9_]+]] = nvvm.vote.sync any {{.*}}
// CHECK:     %{{.*}} = scf.if %[[live]] {{.*}} {
// CHECK:       %[[values:[a-z0-9_]+]] = nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>{{.*}}
// CHECK:       %[[acc:[a-z0-9_]+]] = nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {{.*}}
// CHECK:     } else {
// CHECK:       {{.*}}
// CHECK:     }
// CHECK:   }
// CHECK:   {{.*}}
// CHECK: }
// end: form-lowered
