// Decomposing and fusing give the same tda.attention back.
// RUN: tda-opt %s -o %t.before
// RUN: tda-opt %s --tda-decompose-attention --tda-fuse-attention --verify-diagnostics -o %t.after
// RUN: diff %t.before %t.after

!q = tensor<?x?x?x128xbf16>
!v = tensor<?x?x?x64xbf16>
!h = tensor<?xf32>
!s = tensor<f32>
!t = tensor<?x?x?xf32>
!g = tensor<64xf32>
!n1 = tensor<1x?x?x?xi32>
!n2 = tensor<2x?x?x?xi32>

func.func @plain(%q: !q, %k: !q, %v: !v, %beta: !h) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) : (!q, !q, !v, !h) -> !v
  return %o : !v
}

func.func @causal(%q: !q, %k: !q, %v: !v, %beta: !s) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, normalize, power = 1.0 : f64} : (!q, !q, !v, !s) -> !v
  return %o : !v
}

func.func @window(%q: !q, %k: !q, %v: !v, %beta: !h) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {window = 5 : i64, kappa = 2.0 : f64} : (!q, !q, !v, !h) -> !v
  return %o : !v
}

func.func @offset(%q: !q, %k: !q, %v: !v, %beta: !h, %off: i64) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) offset(%off) {causal, window = 5 : i64} : (!q, !q, !v, !h, i64) -> !v
  return %o : !v
}

// No rule that the offset could act on: it comes back all the same.
func.func @idle_offset(%q: !q, %k: !q, %v: !v, %beta: !h, %off: i64) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) offset(%off) : (!q, !q, !v, !h, i64) -> !v
  return %o : !v
}

func.func @counts(%q: !q, %k: !q, %v: !v, %beta: !h, %kappa: !s) -> (!v, !n1) {
  %o, %n = tda.attention excite(%q, %k) values(%v) beta(%beta) kappa(%kappa) {power = 2.5 : f64} : (!q, !q, !v, !h, !s) -> (!v, !n1)
  return %o, %n : !v, !n1
}

func.func @norm(%q: !q, %k: !q, %v: !v, %beta: !h, %g: !g) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) gain(%g) {eps = 1.0e-3 : f64, causal} : (!q, !q, !v, !h, !g) -> !v
  return %o : !v
}

func.func @two_views(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !v, %beta: !h, %l: !h) -> !v {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%l) {causal, normalize}
    : (!q, !q, !q, !q, !v, !h, !h) -> !v
  return %o : !v
}

func.func @all(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !v, %beta: !h, %l: !t, %kappa: !s, %off: i64, %g: !g) -> (!v, !n2) {
  %o, %n = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%l) kappa(%kappa) offset(%off) gain(%g)
    {causal, normalize, window = 1024 : i64, power = 3.0 : f64, eps = 1.0e-6 : f64}
    : (!q, !q, !q, !q, !v, !h, !t, !s, i64, !g) -> (!v, !n2)
  return %o, %n : !v, !n2
}

// The same keys, or the same view, twice.
func.func @shared(%q1: !q, %q2: !q, %k: !q, %v: !v, %beta: !h, %l: !s) -> (!v, !v) {
  %o = tda.attention excite(%q1, %k) inhibit(%q2, %k) values(%v) beta(%beta) lambda(%l) {normalize} : (!q, !q, !q, !q, !v, !h, !s) -> !v
  %p = tda.attention excite(%q1, %k) inhibit(%q1, %k) values(%v) beta(%beta) lambda(%l) {normalize} : (!q, !q, !q, !q, !v, !h, !s) -> !v
  return %o, %p : !v, !v
}

// Static on one side only, and grouped heads.
func.func @static(%q1: tensor<2x8x4x32xf16>, %k1: tensor<2x2x?x32xf16>, %q2: tensor<?x?x4x32xf16>, %k2: tensor<2x?x16x32xf16>,
                  %v: tensor<2x2x16x16xf16>, %beta: tensor<8xf32>, %l: tensor<8xf32>) -> tensor<2x8x4x16xf16> {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%l)
    : (tensor<2x8x4x32xf16>, tensor<2x2x?x32xf16>, tensor<?x?x4x32xf16>, tensor<2x?x16x32xf16>, tensor<2x2x16x16xf16>, tensor<8xf32>, tensor<8xf32>)
      -> tensor<2x8x4x16xf16>
  return %o : tensor<2x8x4x16xf16>
}
