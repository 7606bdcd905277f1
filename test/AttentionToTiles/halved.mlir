// RUN: tda-opt %s --split-input-file --tda-attention-to-tiles | FileCheck %s

// Where rows are unit vectors the weights on the wgmma path are made from half
// of the excess, and the output is scaled back before anything else is done to
// it.

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @promised(
// CHECK:         tda.tile_threshold {{.*}} {halved, power = 2.000000e+00 : f64}
// CHECK:         tda.tile_threshold {{.*}} {halved, power = 2.000000e+00 : f64}
// CHECK:         %[[O:.+]] = tda.tile_scale %{{.+}} {factor = 4.000000e+00 : f64}
// CHECK:         %[[N:.+]] = tda.tile_rms_norm %[[O]]
// CHECK:         tda.tile_store %[[N]]
func.func @promised(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !q,
                    %beta: tensor<?xf32>, %lambda: tensor<?xf32>,
                    %gain: tensor<64xf32>) -> !q {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
         beta(%beta) lambda(%lambda) gain(%gain)
         {causal, unit, schedule = #s, target = #t}
     : (!q, !q, !q, !q, !q, tensor<?xf32>, tensor<?xf32>, tensor<64xf32>) -> !q
  return %o : !q
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!q = tensor<?x?x?x64xbf16>

// `normalize` makes unit rows itself.
// CHECK-LABEL: func.func @made(
// CHECK:         tda.tile_threshold {{.*}} {halved, power = 3.000000e+00 : f64}
// CHECK:         tda.tile_scale %{{.+}} {factor = 8.000000e+00 : f64}
func.func @made(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
         {causal, normalize, power = 3.0 : f64, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!q = tensor<?x?x?x64xbf16>

// Nothing is known of these rows; and 2 to a power that is not whole would not
// scale back exactly.
// CHECK-LABEL: func.func @given(
// CHECK-NOT:     halved
// CHECK-NOT:     tda.tile_scale
// CHECK-LABEL: func.func @real_power(
// CHECK-NOT:     halved
// CHECK-NOT:     tda.tile_scale
func.func @given(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
         {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}
func.func @real_power(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
         {causal, unit, power = 1.5 : f64, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}
