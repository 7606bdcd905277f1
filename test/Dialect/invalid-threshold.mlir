// RUN: tda-opt %s --split-input-file --verify-diagnostics

// What the verifier of tda.threshold says.

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<2x3xf32>) {
  // expected-error @+1 {{'tda.threshold' op beta must be an f32 tensor [] or [Hq], but is 'tensor<2x3xf32>'}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64} : tensor<?x?x?x?xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f16>) {
  // expected-error @+1 {{beta must have elements of type f32, but is 'tensor<f16>'}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64} : tensor<?x?x?x?xf32>, tensor<f16>
  return
}

// -----

func.func @f(%s: tensor<?x4x?x?xf32>, %b: tensor<8xf32>) {
  // expected-error @+1 {{beta has Hq = 8, but s has Hq = 4}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64} : tensor<?x4x?x?xf32>, tensor<8xf32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<?xf32>) {
  // expected-error @+1 {{kappa must be an f32 tensor [], but is 'tensor<?xf32>'}}
  %a = tda.threshold %s beta(%b) kappa(%b) {dim = 32 : i64} : tensor<?x?x?x?xf32>, tensor<?xf32>, tensor<?xf32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{dim = 0 must be at least 1: it is D}}
  %a = tda.threshold %s beta(%b) {dim = 0 : i64} : tensor<?x?x?x?xf32>, tensor<f32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{window = -1 must be at least 1 key}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64, window = -1 : i64} : tensor<?x?x?x?xf32>, tensor<f32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{power = 5.000000e-01 must be a finite number, at least 1}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64, power = 0.5 : f64} : tensor<?x?x?x?xf32>, tensor<f32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{power = nan must be a finite number, at least 1}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64, power = 0x7FF8000000000000 : f64} : tensor<?x?x?x?xf32>, tensor<f32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{kappa = 0.000000e+00 must be a finite number above 0}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64, kappa = 0.0 : f64} : tensor<?x?x?x?xf32>, tensor<f32>
  return
}

// -----

func.func @f(%s: tensor<?x?x?x?xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{must be a finite number above 0}}
  %a = tda.threshold %s beta(%b) {dim = 32 : i64, kappa = 0x7FF0000000000000 : f64} : tensor<?x?x?x?xf32>, tensor<f32>
  return
}
