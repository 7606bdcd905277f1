// RUN: tda-opt %s --split-input-file --verify-diagnostics

// A misspelt attribute is no comment; one with a dialect's prefix is.

func.func @prefixed(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>) -> tensor<1x1x8x16xbf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {causal, my.note}
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @attention(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>) -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{unknown attribute 'causl'; known: causal, eps, kappa, max_length, normalize, power, schedule, target, unit, window}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {causl}
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @stage(%q: tensor<1x1x8x16xbf16>) -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{unknown attribute 'epsilon'; it has none}}
  %n = tda.normalize %q {epsilon = 1.0 : f64} : tensor<1x1x8x16xbf16>
  return %n : tensor<1x1x8x16xbf16>
}
