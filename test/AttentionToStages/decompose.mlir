// RUN: tda-opt %s --tda-decompose-attention | FileCheck %s --implicit-check-not=tda.attention

!q = tensor<?x?x?x128xbf16>
!v = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func @two_views
// CHECK-SAME: (%[[Q1:[^:]*]]: {{[^,]*}}, %[[K1:[^:]*]]: {{[^,]*}}, %[[Q2:[^:]*]]: {{[^,]*}}, %[[K2:[^:]*]]: {{[^,]*}}, %[[V:[^:]*]]: {{[^,]*}}, %[[BETA:[^:]*]]: {{[^,]*}}, %[[L:[^:]*]]: {{[^,]*}}, %[[KAPPA:[^:]*]]: {{[^,]*}}, %[[OFF:[^:]*]]: {{[^,]*}}, %[[G:[^:]*]]:
// CHECK: %[[Q1N:.*]] = tda.normalize %[[Q1]]
// CHECK: %[[K1N:.*]] = tda.normalize %[[K1]]
// CHECK: %[[S1:.*]] = tda.scores %[[Q1N]], %[[K1N]] offset(%[[OFF]]) {causal, window = 7 : i64}
// CHECK: %[[A1:.*]] = tda.threshold %[[S1]] beta(%[[BETA]]) kappa(%[[KAPPA]]) offset(%[[OFF]])
// CHECK-SAME: {causal, dim = 128 : i64, power = 3.0{{.*}}, window = 7 : i64} : tensor<?x?x?x?xf32>
// CHECK: %[[Q2N:.*]] = tda.normalize %[[Q2]]
// CHECK: %[[K2N:.*]] = tda.normalize %[[K2]]
// CHECK: %[[S2:.*]] = tda.scores %[[Q2N]], %[[K2N]]
// CHECK: %[[A2:.*]] = tda.threshold %[[S2]]
// CHECK: %[[A:.*]] = tda.differential %[[A1]], %[[A2]] lambda(%[[L]])
// The norm reads sums that are not rounded yet.
// CHECK: %[[X:.*]] = tda.aggregate %[[A]], %[[V]] {{.*}} -> tensor<?x?x?x64xf32>
// CHECK: %[[O:.*]] = tda.rms_norm %[[X]] gain(%[[G]]) {{.*}} -> tensor<?x?x?x64xbf16>
// CHECK: %[[N:.*]] = tda.count_survivors %[[A1]], %[[A2]]
// CHECK: return %[[O]], %[[N]]
func.func @two_views(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !v, %beta: tensor<?xf32>,
                     %l: tensor<f32>, %kappa: tensor<f32>, %off: i64, %g: tensor<64xf32>)
    -> (!v, tensor<2x?x?x?xi32>) {
  %o, %n = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta)
      lambda(%l) kappa(%kappa) offset(%off) gain(%g)
      {causal, window = 7 : i64, power = 3.0 : f64, normalize}
    : (!q, !q, !q, !q, !v, tensor<?xf32>, tensor<f32>, tensor<f32>, i64, tensor<64xf32>)
      -> (!v, tensor<2x?x?x?xi32>)
  return %o, %n : !v, tensor<2x?x?x?xi32>
}

// One view, static lengths; schedule, target and max_length say nothing about
// what is computed.
// CHECK-LABEL: func @one_view
// CHECK-NOT: normalize
// CHECK: tda.scores %{{.*}}, %{{.*}} : {{.*}} -> tensor<1x4x8x16xf32>
// CHECK: tda.threshold %{{.*}} beta(%{{.*}}) {dim = 32 : i64, kappa = 5.0{{.*}}} : tensor<1x4x8x16xf32>, tensor<f32>
// CHECK: %[[O:.*]] = tda.aggregate {{.*}} -> tensor<1x4x8x32xf32>
// CHECK: return %[[O]]
func.func @one_view(%q: tensor<1x4x8x32xf32>, %k: tensor<1x2x16x32xf32>,
                    %v: tensor<1x2x16x32xf32>, %beta: tensor<f32>) -> tensor<1x4x8x32xf32> {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
      {kappa = 0.5 : f64, max_length = 99 : i64, target = #tda.target<"cpu">,
       schedule = #tda.schedule<tile_m = 64, tile_n = 64, stages = 1, warps = 1>}
    : (tensor<1x4x8x32xf32>, tensor<1x2x16x32xf32>, tensor<1x2x16x32xf32>, tensor<f32>)
      -> tensor<1x4x8x32xf32>
  return %o : tensor<1x4x8x32xf32>
}

// CHECK-LABEL: func @nothing
// CHECK-NEXT: return
func.func @nothing() {
  return
}
