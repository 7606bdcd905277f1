// RUN: tda-opt %s --tda-fuse-attention --split-input-file --verify-diagnostics | FileCheck %s

// Both views have one gate and one visibility rule; the remark names what
// differs.
// CHECK-NOT: tda.attention

!q = tensor<?x?x?x32xf32>
!m = tensor<?x?x?x?xf32>
!b = tensor<f32>

func.func @beta(%q: !q, %k: !q, %v: !q, %beta: !b, %b2: !b, %off: i64) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a2 = tda.threshold %s2 beta(%b2) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%b2) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in beta}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @kappa(%q: !q, %k: !q, %v: !q, %beta: !b, %b2: !b, %off: i64) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a2 = tda.threshold %s2 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64, kappa = 2.0 : f64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%b2) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in kappa}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @power(%q: !q, %k: !q, %v: !q, %beta: !b, %b2: !b, %off: i64) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a2 = tda.threshold %s2 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64, power = 3.0 : f64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%b2) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in power}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @causal(%q: !q, %k: !q, %v: !q, %beta: !b, %b2: !b, %off: i64) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a2 = tda.threshold %s2 beta(%beta) {dim = 32 : i64, window = 9 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%b2) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in causal}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @window(%q: !q, %k: !q, %v: !q, %beta: !b, %b2: !b, %off: i64) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a2 = tda.threshold %s2 beta(%beta) {dim = 32 : i64, causal, window = 8 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%b2) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in window}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @offset(%q: !q, %k: !q, %v: !q, %beta: !b, %b2: !b, %off: i64) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a2 = tda.threshold %s2 beta(%beta) offset(%off) {dim = 32 : i64, causal, window = 9 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%b2) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in offset}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @kappa_operand(%q: !q, %k: !q, %v: !q, %beta: !b, %kappa: !b) -> !q {
  %s1 = tda.scores %q, %k : (!q, !q) -> !m
  %s2 = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s1 beta(%beta) kappa(%kappa) {dim = 32 : i64} : !m, !b, !b
  %a2 = tda.threshold %s2 beta(%beta) {dim = 32 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%beta) : !m, !b
  // expected-remark @+1 {{cannot fuse: the two views differ in kappa}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}
