// RUN: tda-opt %s --tda-stages-to-linalg --verify-diagnostics

func.func @fused(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{tda-stages-to-linalg lowers stage ops only; tda-decompose-attention has to run before}}
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}
