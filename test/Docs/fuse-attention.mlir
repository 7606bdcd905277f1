// RUN: tda-opt %s --tda-fuse-attention | FileCheck %s

// CHECK-LABEL: func.func @one_view
// example: tda-fuse-attention
func.func @one_view(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
                    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  %s = tda.scores %q, %k {causal}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) -> tensor<?x?x?x?xf32>
  %a = tda.threshold %s beta(%beta) {causal, dim = 64 : i64}
     : tensor<?x?x?x?xf32>, tensor<?xf32>
  %o = tda.aggregate %a, %v
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x64xbf16>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// CHECK-NEXT: %[[o:[a-z0-9]+]] = tda.attention excite(%[[q:arg0]], %[[k:arg1]])
// CHECK-SAME:      values(%[[v:arg2]]) beta(%[[beta:arg3]]) {causal}
// CHECK-SAME:   : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
// CHECK-SAME:      tensor<?x?x?x64xbf16>, tensor<?xf32>)
// CHECK-SAME:     -> tensor<?x?x?x64xbf16>
// CHECK-NEXT: return %[[o]] : tensor<?x?x?x64xbf16>
// end: tda-fuse-attention
