// RUN: tda-opt %s | tda-opt | FileCheck %s
// RUN: tda-opt %s --mlir-print-op-generic | tda-opt | FileCheck %s

// The examples of the op documentation first, then the other forms.

// CHECK-LABEL: func @normalize
// CHECK: tda.normalize %{{.*}} : tensor<?x?x?x128xbf16>
func.func @normalize(%x: tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16> {
  %y = tda.normalize %x : tensor<?x?x?x128xbf16>
  return %y : tensor<?x?x?x128xbf16>
}

// CHECK-LABEL: func @scores
// CHECK: tda.scores %{{.*}}, %{{.*}} {causal} : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x?xf32>
// CHECK: tda.scores %{{.*}}, %{{.*}} offset(%{{.*}}) {window = 5 : i64} :
func.func @scores(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>, %off: i64) {
  %s = tda.scores %q, %k {causal}
     : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x?xf32>
  %t = tda.scores %q, %k offset(%off) {window = 5 : i64}
     : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x?xf32>
  return
}

// Defaults (power = 2, kappa = 1) are not printed.
// CHECK-LABEL: func @threshold
// CHECK: tda.threshold %{{.*}} beta(%{{.*}}) {causal, dim = 128 : i64} : tensor<?x?x?x?xf32>, tensor<?xf32>
// CHECK: tda.threshold %{{.*}} beta(%{{.*}}) kappa(%{{.*}}) offset(%{{.*}}) {dim = 128 : i64, power = 2.5{{0*}}e+00 : f64, window = 5 : i64} : tensor<?x?x?x?xf32>, tensor<f32>, tensor<f32>
// CHECK: tda.threshold %{{.*}} beta(%{{.*}}) {dim = 64 : i64, kappa = 3.0{{0*}}e+00 : f64} :
func.func @threshold(%s: tensor<?x?x?x?xf32>, %beta: tensor<?xf32>, %x: tensor<f32>, %off: i64) {
  %a = tda.threshold %s beta(%beta) {causal, dim = 128 : i64}
     : tensor<?x?x?x?xf32>, tensor<?xf32>
  %b = tda.threshold %s beta(%x) kappa(%x) offset(%off)
     {dim = 128 : i64, window = 5 : i64, power = 2.5 : f64, kappa = 1.0 : f64}
     : tensor<?x?x?x?xf32>, tensor<f32>, tensor<f32>
  %c = tda.threshold %s beta(%beta) {dim = 64 : i64, power = 2.0 : f64, kappa = 3.0 : f64}
     : tensor<?x?x?x?xf32>, tensor<?xf32>
  return
}

// CHECK-LABEL: func @differential
// CHECK: tda.differential %{{.*}}, %{{.*}} lambda(%{{.*}}) : tensor<?x?x?x?xf32>, tensor<?xf32>
// CHECK: tda.differential %{{.*}}, %{{.*}} lambda(%{{.*}}) : tensor<?x?x?x?xf32>, tensor<f32>
// CHECK: tda.differential %{{.*}}, %{{.*}} lambda(%{{.*}}) : tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
func.func @differential(%a1: tensor<?x?x?x?xf32>, %a2: tensor<?x?x?x?xf32>,
                        %l: tensor<?xf32>, %x: tensor<f32>, %t: tensor<?x?x?xf32>) {
  %a = tda.differential %a1, %a2 lambda(%l) : tensor<?x?x?x?xf32>, tensor<?xf32>
  %b = tda.differential %a1, %a2 lambda(%x) : tensor<?x?x?x?xf32>, tensor<f32>
  %c = tda.differential %a1, %a2 lambda(%t) : tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
  return
}

// CHECK-LABEL: func @aggregate
// CHECK: tda.aggregate %{{.*}}, %{{.*}} : (tensor<?x?x?x?xf32>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16>
// CHECK: tda.aggregate %{{.*}}, %{{.*}} : (tensor<?x?x?x?xf32>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xf32>
func.func @aggregate(%a: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x128xbf16>) {
  %o = tda.aggregate %a, %v
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16>
  %p = tda.aggregate %a, %v
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xf32>
  return
}

// CHECK-LABEL: func @rms_norm
// CHECK: tda.rms_norm %{{.*}} gain(%{{.*}}) : (tensor<?x?x?x128xf32>, tensor<128xf32>) -> tensor<?x?x?x128xbf16>
// CHECK: tda.rms_norm %{{.*}} gain(%{{.*}}) {eps = 0.0{{0*}}e+00 : f64} :
func.func @rms_norm(%x: tensor<?x?x?x128xf32>, %g: tensor<128xf32>) {
  %y = tda.rms_norm %x gain(%g) : (tensor<?x?x?x128xf32>, tensor<128xf32>)
                                  -> tensor<?x?x?x128xbf16>
  %z = tda.rms_norm %x gain(%g) {eps = 0.0 : f64} : (tensor<?x?x?x128xf32>, tensor<128xf32>)
                                  -> tensor<?x?x?x128xf32>
  return
}

// CHECK-LABEL: func @count_survivors
// CHECK: tda.count_survivors %{{.*}}, %{{.*}} : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<2x?x?x?xi32>
// CHECK: tda.count_survivors %{{.*}} : (tensor<?x?x?x?xf32>) -> tensor<1x?x?x?xi32>
func.func @count_survivors(%a1: tensor<?x?x?x?xf32>, %a2: tensor<?x?x?x?xf32>) {
  %n = tda.count_survivors %a1, %a2
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<2x?x?x?xi32>
  %m = tda.count_survivors %a1 : (tensor<?x?x?x?xf32>) -> tensor<1x?x?x?xi32>
  return
}
