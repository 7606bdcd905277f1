// RUN: tda-opt %s --split-input-file --verify-diagnostics

// What the verifier of tda.attention says of extents.

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x?xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{v must have a static Dv, but is 'tensor<?x?x?x?xf32>'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x?xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{k1 has D = 64, but q1 has D = 32}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{o has Dv = 64, but v has Dv = 32}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x64xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x4x32xf32>, %q2: tensor<?x?x?x32xf32>, %k2: tensor<?x?x8x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>, %l: tensor<f32>) {
  // expected-error @+1 {{k2 has Nk = 8, but k1 has Nk = 4}}
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%l)
    : (tensor<?x?x?x32xf32>, tensor<?x?x4x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x8x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>, %g: tensor<8xf32>) {
  // expected-error @+1 {{gain has Dv = 8, but v has Dv = 32}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) gain(%g)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>, tensor<8xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{survivors must be [1, B, Hq, Nq], but is 'tensor<2x?x?x?xi32>'}}
  %o:2 = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> (tensor<?x?x?x32xf32>, tensor<2x?x?x?xi32>)
  return
}

// -----

func.func @f(%q1: tensor<?x4x?x32xf32>, %k1: tensor<?x3x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{Hkv = 3 does not divide Hq = 4}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x4x?x32xf32>, tensor<?x3x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}
