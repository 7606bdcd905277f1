// RUN: tda-opt %s --tda-fuse-attention --verify-diagnostics \
// RUN:   | FileCheck %s --implicit-check-not=tda.

// Chains that mean one tda.attention. None may leave a stage op behind.

!q = tensor<?x?x?x128xbf16>
!v = tensor<?x?x?x64xbf16>
!f = tensor<?x?x?x64xf32>
!m = tensor<?x?x?x?xf32>
!h = tensor<?xf32>

// CHECK-LABEL: func @one_view
// CHECK-SAME: (%[[Q:[^:]*]]: {{[^,]*}}, %[[K:[^:]*]]: {{[^,]*}}, %[[V:[^:]*]]: {{[^,]*}}, %[[BETA:[^:]*]]: {{[^,]*}})
// CHECK: %[[O:.*]] = tda.attention excite(%[[Q]], %[[K]]) values(%[[V]]) beta(%[[BETA]]) :
// CHECK: return %[[O]]
func.func @one_view(%q: !q, %k: !q, %v: !v, %beta: !h) -> !v {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 128 : i64} : !m, !h
  %o = tda.aggregate %a, %v : (!m, !v) -> !v
  return %o : !v
}

// CHECK-LABEL: func @two_views
// CHECK-SAME: (%[[Q1:[^:]*]]: {{[^,]*}}, %[[K1:[^:]*]]: {{[^,]*}}, %[[Q2:[^:]*]]: {{[^,]*}}, %[[K2:[^:]*]]: {{[^,]*}}, %[[V:[^:]*]]: {{[^,]*}}, %[[BETA:[^:]*]]: {{[^,]*}}, %[[L:[^:]*]]: {{[^,]*}}, %[[KAPPA:[^:]*]]: {{[^,]*}}, %[[OFF:[^:]*]]: {{[^,]*}}, %[[G:[^:]*]]: {{[^,]*}})
// CHECK: %[[O:.*]], %[[N:.*]] = tda.attention excite(%[[Q1]], %[[K1]]) inhibit(%[[Q2]], %[[K2]])
// CHECK-SAME: values(%[[V]]) beta(%[[BETA]]) lambda(%[[L]]) kappa(%[[KAPPA]]) offset(%[[OFF]]) gain(%[[G]])
// CHECK-SAME: {causal, eps = {{.*}}, normalize, power = 3.0{{.*}}, window = 9 : i64}
// CHECK: return %[[O]], %[[N]]
func.func @two_views(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !v, %beta: !h,
                     %l: tensor<?x?x?xf32>, %kappa: tensor<f32>, %off: i64,
                     %g: tensor<64xf32>) -> (!v, tensor<2x?x?x?xi32>) {
  %q1n = tda.normalize %q1 : !q
  %k1n = tda.normalize %k1 : !q
  %q2n = tda.normalize %q2 : !q
  %k2n = tda.normalize %k2 : !q
  %s1 = tda.scores %q1n, %k1n offset(%off) {causal, window = 9 : i64} : (!q, !q) -> !m
  %s2 = tda.scores %q2n, %k2n offset(%off) {causal, window = 9 : i64} : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) kappa(%kappa) offset(%off)
    {dim = 128 : i64, causal, window = 9 : i64, power = 3.0 : f64} : !m, !h, tensor<f32>
  %a2 = tda.threshold %s2 beta(%beta) kappa(%kappa) offset(%off)
    {dim = 128 : i64, causal, window = 9 : i64, power = 3.0 : f64} : !m, !h, tensor<f32>
  %n = tda.count_survivors %a1, %a2 : (!m, !m) -> tensor<2x?x?x?xi32>
  %a = tda.differential %a1, %a2 lambda(%l) : !m, tensor<?x?x?xf32>
  %x = tda.aggregate %a, %v : (!m, !v) -> !f
  %o = tda.rms_norm %x gain(%g) {eps = 1.0e-6 : f64} : (!f, tensor<64xf32>) -> !v
  return %o, %n : !v, tensor<2x?x?x?xi32>
}

// A norm after a rounded aggregate fuses too: one rounding less.
// CHECK-LABEL: func @norm_of_rounded
// CHECK: tda.attention {{.*}} gain(
func.func @norm_of_rounded(%q: !q, %k: !q, %v: !v, %beta: !h, %g: tensor<64xf32>) -> !v {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 128 : i64} : !m, !h
  %x = tda.aggregate %a, %v : (!m, !v) -> !v
  %o = tda.rms_norm %x gain(%g) : (!v, tensor<64xf32>) -> !v
  return %o : !v
}

// Normalised rows, and a whole view, may be shared.
// CHECK-LABEL: func @shared
// CHECK-SAME: (%[[Q1:[^:]*]]: {{[^,]*}}, %[[Q2:[^:]*]]: {{[^,]*}}, %[[K:[^:]*]]: 
// CHECK: tda.attention excite(%[[Q1]], %[[K]]) inhibit(%[[Q2]], %[[K]]) {{.*}} {normalize}
// CHECK: tda.attention excite(%[[Q1]], %[[K]]) inhibit(%[[Q1]], %[[K]]) {{.*}} {normalize}
func.func @shared(%q1: !q, %q2: !q, %k: !q, %v: !v, %beta: !h, %l: !h) -> (!v, !v) {
  %q1n = tda.normalize %q1 : !q
  %q2n = tda.normalize %q2 : !q
  %kn = tda.normalize %k : !q
  %s1 = tda.scores %q1n, %kn : (!q, !q) -> !m
  %s2 = tda.scores %q2n, %kn : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 128 : i64} : !m, !h
  %a2 = tda.threshold %s2 beta(%beta) {dim = 128 : i64} : !m, !h
  %a = tda.differential %a1, %a2 lambda(%l) : !m, !h
  %o = tda.aggregate %a, %v : (!m, !v) -> !v
  %s = tda.scores %q1n, %kn : (!q, !q) -> !m
  %b = tda.threshold %s beta(%beta) {dim = 128 : i64} : !m, !h
  %c = tda.differential %b, %b lambda(%l) : !m, !h
  %p = tda.aggregate %c, %v : (!m, !v) -> !v
  return %o, %p : !v, !v
}

// Grouped heads, static shapes and f32 are no special case.
// CHECK-LABEL: func @grouped
// CHECK: tda.attention {{.*}} : (tensor<1x8x4x32xf32>, tensor<1x2x16x32xf32>, tensor<1x2x16x32xf32>, tensor<f32>) -> (tensor<1x8x4x32xf32>, tensor<1x1x8x4xi32>)
func.func @grouped(%q: tensor<1x8x4x32xf32>, %k: tensor<1x2x16x32xf32>,
                   %v: tensor<1x2x16x32xf32>, %beta: tensor<f32>)
    -> (tensor<1x8x4x32xf32>, tensor<1x1x8x4xi32>) {
  %s = tda.scores %q, %k : (tensor<1x8x4x32xf32>, tensor<1x2x16x32xf32>) -> tensor<1x8x4x16xf32>
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : tensor<1x8x4x16xf32>, tensor<f32>
  %o = tda.aggregate %a, %v : (tensor<1x8x4x16xf32>, tensor<1x2x16x32xf32>) -> tensor<1x8x4x32xf32>
  %n = tda.count_survivors %a : (tensor<1x8x4x16xf32>) -> tensor<1x1x8x4xi32>
  return %o, %n : tensor<1x8x4x32xf32>, tensor<1x1x8x4xi32>
}
