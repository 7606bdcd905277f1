// RUN: tda-opt %s --canonicalize | FileCheck %s

!q = tensor<?x?x?x32xf32>
!m = tensor<?x?x?x?xf32>
!s = tensor<f32>

// lambda = 0 leaves one view.
// CHECK-LABEL: func @lambda_zero
// CHECK: tda.attention excite(%{{.*}}, %{{.*}}) values(%{{.*}}) beta(%{{[^)]*}}) {causal} :
func.func @lambda_zero(%q: !q, %k: !q, %beta: !s) -> !q {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %o = tda.attention excite(%q, %k) inhibit(%k, %q) values(%k) beta(%beta) lambda(%zero) {causal}
    : (!q, !q, !q, !q, !q, !s, tensor<4xf32>) -> !q
  return %o : !q
}

// But not where the survivors of both are asked for, or lambda may be more.
// CHECK-LABEL: func @lambda_stays
// CHECK-COUNT-3: tda.attention {{.*}} inhibit(
func.func @lambda_stays(%q: !q, %k: !q, %beta: !s, %l: !s) -> (!q, !q, !q, tensor<2x?x?x?xi32>) {
  %zero = arith.constant dense<0.0> : !s
  %some = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %o, %n = tda.attention excite(%q, %k) inhibit(%k, %q) values(%k) beta(%beta) lambda(%zero)
    : (!q, !q, !q, !q, !q, !s, !s) -> (!q, tensor<2x?x?x?xi32>)
  %p = tda.attention excite(%q, %k) inhibit(%k, %q) values(%k) beta(%beta) lambda(%some)
    : (!q, !q, !q, !q, !q, !s, tensor<2xf32>) -> !q
  %r = tda.attention excite(%q, %k) inhibit(%k, %q) values(%k) beta(%beta) lambda(%l)
    : (!q, !q, !q, !q, !q, !s, !s) -> !q
  return %o, %p, %r, %n : !q, !q, !q, tensor<2x?x?x?xi32>
}

// CHECK-LABEL: func @constant_kappa
// CHECK: tda.attention {{.*}} beta(%{{[^)]*}}) {kappa = 5.000000e-01 : f64} :
func.func @constant_kappa(%q: !q, %k: !q, %beta: !s) -> !q {
  %kappa = arith.constant dense<0.5> : !s
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) kappa(%kappa) : (!q, !q, !q, !s, !s) -> !q
  return %o : !q
}

// A kappa that breaks the rule kappa > 0 stays for the run-time to see.
// CHECK-LABEL: func @wrong_kappa
// CHECK: tda.attention {{.*}} kappa(%{{.*}}) :
func.func @wrong_kappa(%q: !q, %k: !q, %beta: !s) -> !q {
  %kappa = arith.constant dense<-1.0> : !s
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) kappa(%kappa) : (!q, !q, !q, !s, !s) -> !q
  return %o : !q
}

// beta <= 0 opens the gate whatever kappa is.
// CHECK-LABEL: func @open_gate
// CHECK: tda.attention {{.*}} beta(%{{[^)]*}}) :
// CHECK: tda.attention {{.*}} beta(%{{[^)]*}}) :
func.func @open_gate(%q: !q, %k: !q, %kappa: !s) -> (!q, !q) {
  %beta = arith.constant dense<0.0> : !s
  %below = arith.constant dense<-2.0> : tensor<4xf32>
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) kappa(%kappa) : (!q, !q, !q, !s, !s) -> !q
  %p = tda.attention excite(%q, %k) values(%k) beta(%below) {kappa = 3.0 : f64} : (!q, !q, !q, tensor<4xf32>) -> !q
  return %o, %p : !q, !q
}

// CHECK-LABEL: func @closed_gate
// CHECK: tda.attention {{.*}} {kappa = 3.000000e+00 : f64} :
func.func @closed_gate(%q: !q, %k: !q) -> !q {
  %beta = arith.constant dense<[-2.0, 1.0]> : tensor<2xf32>
  %o = tda.attention excite(%q, %k) values(%k) beta(%beta) {kappa = 3.0 : f64} : (!q, !q, !q, tensor<2xf32>) -> !q
  return %o : !q
}

// CHECK-LABEL: func @differential
// CHECK-SAME: (%[[A1:[^:]*]]:
// CHECK: %[[A:.*]] = tda.differential
// CHECK: return %[[A1]], %[[A]]
func.func @differential(%a1: !m, %a2: !m) -> (!m, !m) {
  %zero = arith.constant dense<0.0> : !s
  %one = arith.constant dense<1.0> : !s
  %a = tda.differential %a1, %a2 lambda(%zero) : !m, !s
  %b = tda.differential %a1, %a2 lambda(%one) : !m, !s
  return %a, %b : !m, !m
}

// Ops that nothing reads go away: they only compute.
// CHECK-LABEL: func @dead
// CHECK-NEXT: return
func.func @dead(%q: !q) {
  %x = tda.normalize %q : !q
  %s = tda.scores %x, %q : (!q, !q) -> !m
  return
}
