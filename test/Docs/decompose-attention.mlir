// RUN: tda-opt %s --tda-decompose-attention | FileCheck %s

// CHECK-LABEL: func.func @one_view
// example: tda-decompose-attention
func.func @one_view(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
                    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?xf32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// CHECK-NEXT: %[[s:[a-z0-9]+]] = tda.scores %[[q:arg0]], %[[k:arg1]] {causal}
// CHECK-SAME:    : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>)
// CHECK-SAME:      -> tensor<?x?x?x?xf32>
// CHECK-NEXT: %[[a:[a-z0-9]+]] = tda.threshold %[[s]] beta(%[[beta:arg3]])
// CHECK-SAME:      {causal, dim = 64 : i64}
// CHECK-SAME:    : tensor<?x?x?x?xf32>, tensor<?xf32>
// CHECK-NEXT: %[[o:[a-z0-9]+]] = tda.aggregate %[[a]], %[[v:arg2]]
// CHECK-SAME:    : (tensor<?x?x?x?xf32>, tensor<?x?x?x64xbf16>)
// CHECK-SAME:      -> tensor<?x?x?x64xbf16>
// CHECK-NEXT: return %[[o]] : tensor<?x?x?x64xbf16>
// end: tda-decompose-attention
