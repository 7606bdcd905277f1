// RUN: tda-opt %s --split-input-file --verify-diagnostics

// What the verifiers of differential, aggregate, rms_norm and count_survivors
// say.

func.func @f(%a: tensor<?x?x?x?xf32>, %l: tensor<?x?xf32>) {
  // expected-error @+1 {{'tda.differential' op lambda must be an f32 tensor [], [Hq] or [B, Hq, Nq], but is 'tensor<?x?xf32>'}}
  %d = tda.differential %a, %a lambda(%l) : tensor<?x?x?x?xf32>, tensor<?x?xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x8x?xf32>, %l: tensor<1x2x9xf32>) {
  // expected-error @+1 {{lambda has Nq = 9, but a1 has Nq = 8}}
  %d = tda.differential %a, %a lambda(%l) : tensor<?x?x8x?xf32>, tensor<1x2x9xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x?xbf16>, %l: tensor<f32>) {
  // expected-error @+1 {{a1 must have elements of type f32}}
  %d = tda.differential %a, %a lambda(%l) : tensor<?x?x?x?xbf16>, tensor<f32>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x8xf32>, %v: tensor<?x?x9x32xf32>) {
  // expected-error @+1 {{'tda.aggregate' op v has Nk = 9, but a has Nk = 8}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x8xf32>, tensor<?x?x9x32xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x32xbf16>) {
  // expected-error @+1 {{o has elements of type 'f16', but the inputs are 'bf16'}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x?xf32>, tensor<?x?x?x32xbf16>) -> tensor<?x?x?x32xf16>
  return
}

// -----

func.func @f(%a: tensor<?x6x?x?xf32>, %v: tensor<?x4x?x32xbf16>) {
  // expected-error @+1 {{Hkv = 4 does not divide Hq = 6}}
  %o = tda.aggregate %a, %v : (tensor<?x6x?x?xf32>, tensor<?x4x?x32xbf16>) -> tensor<?x6x?x32xbf16>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x0xbf16>) {
  // expected-error @+1 {{v has Dv = 0; it must be at least 1}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x?xf32>, tensor<?x?x?x0xbf16>) -> tensor<?x?x?x0xbf16>
  return
}

// -----

func.func @f(%x: tensor<?x?x?x32xf32>, %g: tensor<16xf32>) {
  // expected-error @+1 {{'tda.rms_norm' op gain has Dv = 16, but x has Dv = 32}}
  %y = tda.rms_norm %x gain(%g) : (tensor<?x?x?x32xf32>, tensor<16xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x?x32xf32>, %g: tensor<32xf32>) {
  // expected-error @+1 {{eps = -1.000000e+00 must be a finite number, at least 0}}
  %y = tda.rms_norm %x gain(%g) {eps = -1.0 : f64} : (tensor<?x?x?x32xf32>, tensor<32xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x?x32xf32>, %g: tensor<32xf32>) {
  // expected-error @+1 {{y must have elements of type f32, bf16 or f16}}
  %y = tda.rms_norm %x gain(%g) : (tensor<?x?x?x32xf32>, tensor<32xf32>) -> tensor<?x?x?x32xi32>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x?xf32>) {
  // expected-error @+1 {{'tda.count_survivors' op takes the map of one view or of two, not 3}}
  %n = tda.count_survivors %a, %a, %a : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<3x?x?x?xi32>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x?xf32>) {
  // expected-error @+1 {{counts must be [2, B, Hq, Nq], but is 'tensor<3x?x?x?xi32>'}}
  %n = tda.count_survivors %a, %a : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<3x?x?x?xi32>
  return
}

// -----

func.func @f(%a: tensor<?x?x?x?xf32>) {
  // expected-error @+1 {{counts must have elements of type i32, but is 'tensor<1x?x?x?xf32>'}}
  %n = tda.count_survivors %a : (tensor<?x?x?x?xf32>) -> tensor<1x?x?x?xf32>
  return
}

// -----

func.func @f(%a: tensor<?x?x4x?xf32>, %b: tensor<?x?x5x?xf32>) {
  // expected-error @+1 {{map has Nq = 5, but map has Nq = 4}}
  %n = tda.count_survivors %a, %b : (tensor<?x?x4x?xf32>, tensor<?x?x5x?xf32>) -> tensor<2x?x?x?xi32>
  return
}
