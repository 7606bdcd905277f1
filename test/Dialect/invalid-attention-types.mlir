// RUN: tda-opt %s --split-input-file --verify-diagnostics

// What the verifier of tda.attention says of ranks and element types.

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %q2: tensor<?x?x?x32xf32>, %k2: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{two views need a lambda}}
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>, %l: tensor<f32>) {
  // expected-error @+1 {{lambda needs a second view}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) lambda(%l)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<1x2x3xf32>) {
  // expected-error @+1 {{beta must be an f32 tensor [] or [Hq], but is 'tensor<1x2x3xf32>'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<1x2x3xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %q2: tensor<?x?x?x32xf32>, %k2: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>, %l: tensor<1x2xf32>) {
  // expected-error @+1 {{lambda must be an f32 tensor [], [Hq] or [B, Hq, Nq], but is 'tensor<1x2xf32>'}}
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%l)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>, tensor<1x2xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>, %kappa: tensor<4xf32>) {
  // expected-error @+1 {{kappa must be an f32 tensor [], but is 'tensor<4xf32>'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) kappa(%kappa)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>, tensor<4xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{q1 must be a tensor [B, Hq, Nq, D], but is 'tensor<?x?x32xf32>'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xi32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{q1 must have elements of type f32, bf16 or f16, but is 'tensor<?x?x?x32xi32>'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xi32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x0xf32>, %k1: tensor<?x?x?x0xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{q1 has D = 0; it must be at least 1}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x0xf32>, tensor<?x?x?x0xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xbf16>, %beta: tensor<f32>) {
  // expected-error @+1 {{v has elements of type 'bf16', but the inputs are 'f32'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xbf16>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{o has elements of type 'f16', but the inputs are 'f32'}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf16>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{survivors must have elements of type i32, but is 'tensor<1x?x?x?xi64>'}}
  %o:2 = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> (tensor<?x?x?x32xf32>, tensor<1x?x?x?xi64>)
  return
}
