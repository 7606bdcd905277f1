// RUN: tda-opt %s --tda-assign-schedule="target=sm_90 schedule=stages=4" | FileCheck %s

// CHECK-LABEL: func.func @one_view
// example: tda-assign-schedule
func.func @one_view(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
                    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?xf32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// CHECK-NEXT: %[[o:[a-z0-9]+]] = tda.attention excite(%[[q:arg0]], %[[k:arg1]])
// CHECK-SAME:      values(%[[v:arg2]]) beta(%[[beta:arg3]]) {causal,
// CHECK-SAME:      schedule = #tda.schedule<tile_m = {{[0-9]+}}, tile_n = {{[0-9]+}}, stages = 4, warps = {{[0-9]+}},
// CHECK-SAME:                              skip = adaptive, group = 16, path = wgmma>,
// CHECK-SAME:      target = #tda.target<"sm_90">}
// CHECK-SAME:   : {{.*}}
// end: tda-assign-schedule
