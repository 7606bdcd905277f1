// RUN: tda-opt %s --tda-attention-to-tiles --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @one_view
// CHECK: %[[offset:[a-z0-9_]+]] = arith.subi
// example: tda-attention-to-tiles
func.func @one_view(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
                    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {
         schedule = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>,
         target = #tda.target<"sm_80">}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?xf32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// CHECK: tda.tile_program (%[[b:[a-z0-9_]+]], %[[h:[a-z0-9_]+]], %[[i:[a-z0-9_]+]])
// CHECK-SAME:    in (%[[B:[a-z0-9_]+]], %[[Hq:[a-z0-9_]+]], %[[Nq:[a-z0-9_]+]])
// CHECK-SAME:    schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
// CHECK-SAME:    target #tda.target<"sm_80"> {
// CHECK:   %[[tau:[a-z0-9_]+]] = tda.tile_gate beta(%{{.*}}) kappa(%{{.*}}) rows(%[[i]]) keys(%[[Nk:[a-z0-9_]+]]) {{.*}} : !tda.tile<64xf32>
// CHECK:   %[[q:[a-z0-9_]+]] = tda.tile_load %[[Q:arg0]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}} -> !tda.tile<64x64xbf16>
// CHECK:   %[[begin:[a-z0-9_]+]], %[[end:[a-z0-9_]+]], {{.*}} = tda.tile_span rows(%[[i]], %[[Nq]]) {{.*}}
// CHECK:   %[[zero:[a-z0-9_]+]] = tda.tile_zero : !tda.tile<64x64xf32>
// CHECK:   %[[o:[a-z0-9_]+]] = tda.tile_for %[[j:[a-z0-9_]+]] = %[[begin]] to %[[end]] step 32 limit %[[Nk]] at [%[[b]], %[[g:[a-z0-9_]+]]]
// CHECK-SAME:      stream (%[[k:[a-z0-9_]+]] = %[[K:arg1]] : {{[^>]*>>}} -> !tda.panel<32x64xbf16, key>,
// CHECK-SAME:              %[[v:[a-z0-9_]+]] = %[[V:arg2]] : {{[^>]*>>}} -> !tda.panel<32x64xbf16, value>)
// CHECK-SAME:      carry (%[[acc:[a-z0-9_]+]] = %[[zero]] : !tda.tile<64x64xf32>) {
// CHECK:     %[[all:[a-z0-9_]+]] = tda.tile_scores %[[q]], %[[k]] : {{.*}} -> !tda.tile<64x32xf32>
// CHECK:     %[[s:[a-z0-9_]+]] = scf.if %[[edge:[a-z0-9_]+]] -> (!tda.tile<64x32xf32>) {
// CHECK:       %[[masked:[a-z0-9_]+]] = tda.tile_mask %[[all]] {{.*}}
// CHECK:       scf.yield %[[masked]] : !tda.tile<64x32xf32>
// CHECK:     } else {
// CHECK:       scf.yield %[[all]] : !tda.tile<64x32xf32>
// CHECK:     }
// CHECK:     %[[live:[a-z0-9_]+]] = tda.tile_survives %[[s]] above %[[tau]] : {{.*}}
// CHECK:     %[[next:[a-z0-9_]+]] = scf.if %[[live]] -> (!tda.tile<64x64xf32>) {
// CHECK:       %[[a:[a-z0-9_]+]] = tda.tile_threshold %[[s]], %[[tau]] {power = 2.000000e+00 : f64} : {{.*}}
// CHECK:       %[[sum:[a-z0-9_]+]] = tda.tile_aggregate %[[a]], %[[v]], %[[acc]] : {{.*}}
// CHECK:       scf.yield %[[sum]] : !tda.tile<64x64xf32>
// CHECK:     } else {
// CHECK:       scf.yield %[[acc]] : !tda.tile<64x64xf32>
// CHECK:     }
// CHECK:     tda.tile_yield %[[next]] : !tda.tile<64x64xf32>
// CHECK:   }
// CHECK:   tda.tile_store %[[o]], %[[O:arg4]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}}
// CHECK: }
// end: tda-attention-to-tiles
