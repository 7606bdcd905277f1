// RUN: tda-opt %s --tda-diagnose-dead-heads --verify-diagnostics | FileCheck %s

// A head is dead from n = kappa exp(D / (2 beta^2)) keys on: 2981 for D = 16,
// beta = 1. Only remarks are made.

!q = tensor<?x?x?x16xf32>
!k = tensor<?x?x4096x16xf32>

// CHECK-LABEL: func @static_keys
// CHECK: tda.attention {{.*}} {normalize}
func.func @static_keys(%q: !q, %k: !k) -> !q {
  %beta = arith.constant dense<1.0> : tensor<f32>
  // expected-remark @+1 {{dead head: every head with beta = 1.000000e+00 has its gate at 1 or above for rows that see 2981 keys or more (up to 4096 here): their output is all zero}}
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) {normalize} : (!q, !k, !k, tensor<f32>) -> !q
  return %o : !q
}

func.func @max_length(%q: !q) -> !q {
  %beta = arith.constant dense<1.0> : tensor<4xf32>
  // expected-remark @+1 {{every head with beta = 1.000000e+00 has its gate at 1 or above for rows that see 2981 keys or more (up to 2981 here)}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {normalize, max_length = 2981 : i64} : (!q, !q, !q, tensor<4xf32>) -> !q
  return %o : !q
}

func.func @just_alive(%q: !q) -> !q {
  %beta = arith.constant dense<1.0> : tensor<4xf32>
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {normalize, max_length = 2980 : i64} : (!q, !q, !q, tensor<4xf32>) -> !q
  return %o : !q
}

// kappa moves the limit: 2 * 2980.96.
func.func @kappa(%q: !q) -> !q {
  %beta = arith.constant dense<1.0> : tensor<f32>
  // expected-remark @+1 {{for rows that see 5962 keys or more (up to 6000 here)}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {normalize, kappa = 2.0 : f64, max_length = 6000 : i64} : (!q, !q, !q, tensor<f32>) -> !q
  %p = tda.attention excite(%q, %q) values(%q) beta(%beta) {normalize, kappa = 2.0 : f64, max_length = 5961 : i64} : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// A causal window bounds n(i); the shortest bound counts.
func.func @window(%q: !q, %k: !k) -> !q {
  %beta = arith.constant dense<1.0> : tensor<f32>
  // expected-remark @+1 {{(up to 3000 here)}}
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) {normalize, causal, window = 3000 : i64} : (!q, !k, !k, tensor<f32>) -> !q
  %p = tda.attention excite(%q, %k) values(%k) beta(%beta) {normalize, causal, window = 2980 : i64} : (!q, !k, !k, tensor<f32>) -> !q
  // Without causal a window has no end on the right.
  // expected-remark @+1 {{(up to 4096 here)}}
  %r = tda.attention excite(%q, %k) values(%k) beta(%beta) {normalize, window = 8 : i64} : (!q, !k, !k, tensor<f32>) -> !q
  return %o : !q
}

// One remark a head; a head with beta <= 0 or a low beta never dies.
func.func @per_head(%q: !q, %k: !k) -> !q {
  %beta = arith.constant dense<[0.5, 2.0, 0.0, 1.0, -3.0]> : tensor<5xf32>
  // expected-remark @+2 {{dead head: head 1 with beta = 2.000000e+00 has its gate at 1 or above for rows that see 8 keys or more}}
  // expected-remark @+1 {{dead head: head 3 with beta = 1.000000e+00 has its gate at 1 or above for rows that see 2981 keys or more}}
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) {normalize} : (!q, !k, !k, tensor<5xf32>) -> !q
  return %o : !q
}

// Nothing is known, so nothing is said: raw scores, a run-time beta or kappa,
// no longest n.
func.func @nothing(%q: !q, %k: !k, %x: tensor<f32>) -> !q {
  %beta = arith.constant dense<1.0> : tensor<f32>
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) : (!q, !k, !k, tensor<f32>) -> !q
  %p = tda.attention excite(%q, %k) values(%k) beta(%x) {normalize} : (!q, !k, !k, tensor<f32>) -> !q
  %r = tda.attention excite(%q, %k) values(%k) beta(%beta) kappa(%x) {normalize} : (!q, !k, !k, tensor<f32>, tensor<f32>) -> !q
  %s = tda.attention excite(%q, %q) values(%q) beta(%beta) {normalize} : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}
