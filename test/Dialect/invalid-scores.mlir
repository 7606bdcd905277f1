// RUN: tda-opt %s --split-input-file --verify-diagnostics

// What the verifiers of tda.normalize and tda.scores say.

func.func @f(%x: tensor<?x?x32xf32>) {
  // expected-error @+1 {{'tda.normalize' op x must be a tensor [B, H, N, D], but is 'tensor<?x?x32xf32>'}}
  %y = tda.normalize %x : tensor<?x?x32xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x?x32xf64>) {
  // expected-error @+1 {{x must have elements of type f32, bf16 or f16, but is 'tensor<?x?x?x32xf64>'}}
  %y = tda.normalize %x : tensor<?x?x?x32xf64>
  return
}

// -----

func.func @f(%x: tensor<?x?x?x?xf32>) {
  // expected-error @+1 {{x must have a static D, but is 'tensor<?x?x?x?xf32>'}}
  %y = tda.normalize %x : tensor<?x?x?x?xf32>
  return
}

// -----

func.func @f(%x: tensor<?x?x?x0xf32>) {
  // expected-error @+1 {{x has D = 0; it must be at least 1}}
  %y = tda.normalize %x : tensor<?x?x?x0xf32>
  return
}

// -----

func.func @f(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x64xf32>) {
  // expected-error @+1 {{'tda.scores' op k has D = 64, but q has D = 32}}
  %s = tda.scores %q, %k : (tensor<?x?x?x32xf32>, tensor<?x?x?x64xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @f(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf16>) {
  // expected-error @+1 {{k has elements of type 'f16', but the inputs are 'f32'}}
  %s = tda.scores %q, %k : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf16>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x4x32xf16>, %k: tensor<3x2x4x32xf16>) {
  // expected-error @+1 {{k has B = 3, but q has B = 2}}
  %s = tda.scores %q, %k : (tensor<2x8x4x32xf16>, tensor<3x2x4x32xf16>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @f(%q: tensor<2x8x4x32xf16>, %k: tensor<2x3x4x32xf16>) {
  // expected-error @+1 {{Hkv = 3 does not divide Hq = 8}}
  %s = tda.scores %q, %k : (tensor<2x8x4x32xf16>, tensor<2x3x4x32xf16>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @f(%q: tensor<?x8x?x32xf16>, %k: tensor<?x0x?x32xf16>) {
  // expected-error @+1 {{Hkv = 0 does not divide Hq = 8}}
  %s = tda.scores %q, %k : (tensor<?x8x?x32xf16>, tensor<?x0x?x32xf16>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @f(%q: tensor<?x?x?x32xf32>) {
  // expected-error @+1 {{s must have elements of type f32, but is 'tensor<?x?x?x?xbf16>'}}
  %s = tda.scores %q, %q : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xbf16>
  return
}

// -----

func.func @f(%q: tensor<?x?x?x32xf32>) {
  // expected-error @+1 {{window = 0 must be at least 1 key}}
  %s = tda.scores %q, %q {window = 0 : i64} : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xf32>
  return
}
