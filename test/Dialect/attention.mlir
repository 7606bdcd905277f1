// RUN: tda-opt %s | tda-opt | FileCheck %s
// RUN: tda-opt %s --mlir-print-op-generic | tda-opt | FileCheck %s

// The example of the op documentation.
// CHECK-LABEL: func @example
// CHECK: tda.attention excite(%{{.*}}, %{{[^)]*}}) inhibit(%{{.*}}, %{{[^)]*}}) values(%{{[^)]*}}) beta(%{{[^)]*}}) lambda(%{{[^)]*}}) {causal, normalize} : (
func.func @example(%q1: tensor<?x?x?x128xbf16>, %k1: tensor<?x?x?x128xbf16>,
                   %q2: tensor<?x?x?x128xbf16>, %k2: tensor<?x?x?x128xbf16>,
                   %v: tensor<?x?x?x128xbf16>, %beta: tensor<?xf32>, %lambda: tensor<?xf32>)
    -> tensor<?x?x?x128xbf16> {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
         beta(%beta) lambda(%lambda) {causal, normalize}
     : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>,
        tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>,
        tensor<?x?x?x128xbf16>, tensor<?xf32>, tensor<?xf32>)
       -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func @one_view
// CHECK: tda.attention excite(%{{.*}}, %{{[^)]*}}) values(%{{[^)]*}}) beta(%{{[^)]*}}) :
func.func @one_view(%q: tensor<1x2x3x32xf32>, %v: tensor<1x2x3x16xf32>, %beta: tensor<f32>)
    -> tensor<1x2x3x16xf32> {
  %o = tda.attention excite(%q, %q) values(%v) beta(%beta)
     : (tensor<1x2x3x32xf32>, tensor<1x2x3x32xf32>, tensor<1x2x3x16xf32>, tensor<f32>)
       -> tensor<1x2x3x16xf32>
  return %o : tensor<1x2x3x16xf32>
}

// Every operand and attribute, in the order of printing.
// CHECK-LABEL: func @all
// CHECK: %{{.*}}, %{{.*}} = tda.attention excite({{.*}}) inhibit({{.*}}) values(%{{[^)]*}}) beta(%{{[^)]*}}) lambda(%{{[^)]*}}) kappa(%{{[^)]*}}) offset(%{{[^)]*}}) gain(%{{[^)]*}})
// CHECK-SAME: {causal, eps = 1.000000e-03 : f64, max_length = 4096 : i64, normalize, power = 3.000000e+00 : f64,
// CHECK-SAME: schedule = #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8>, target = #tda.target<"sm_90">, window = 256 : i64}
// CHECK-SAME: -> (tensor<?x?x?x64xf16>, tensor<2x?x?x?xi32>)
func.func @all(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %beta: tensor<?xf32>,
               %lambda: tensor<?x?x?xf32>, %kappa: tensor<f32>, %off: i64, %gain: tensor<64xf32>) {
  %o, %n = tda.attention excite(%q, %k) inhibit(%q, %k) values(%k) beta(%beta) lambda(%lambda)
     kappa(%kappa) offset(%off) gain(%gain)
     {causal, window = 256 : i64, power = 3.0 : f64, normalize, eps = 1.0e-3 : f64, max_length = 4096 : i64,
      target = #tda.target<"sm_90">,
      schedule = #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8>}
     : (tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>,
        tensor<?x?x?x64xf16>, tensor<?xf32>, tensor<?x?x?xf32>, tensor<f32>, i64, tensor<64xf32>)
       -> (tensor<?x?x?x64xf16>, tensor<2x?x?x?xi32>)
  return
}
