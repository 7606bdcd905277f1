// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-attention-to-tiles

func.func @no_schedule(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{has no schedule; run tda-assign-schedule first}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @more_than_attention(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{'tda.normalize' beside tda.attention: a kernel holds nothing but one attention and constants}}
  %n = tda.normalize %q : tensor<1x1x8x16xbf16>
  %o = tda.attention excite(%n, %n) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @returns_something_else(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  // expected-error@+1 {{must return the results of tda.attention, in their order}}
  return %q : tensor<1x1x8x16xbf16>
}

// -----

// expected-error@+1 {{argument 1 is not used by tda.attention (a constant lambda of 0 drops q2 and k2); remove it}}
func.func @unused(%q: tensor<1x1x8x16xbf16>, %x: tensor<f32>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}
