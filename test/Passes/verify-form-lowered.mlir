// RUN: tda-opt %s --tda-verify-form=form=lowered --split-input-file --verify-diagnostics

func.func @tiles() {
  // expected-error @+1 {{'tda.tile_zero' may not exist in the form 'lowered'; tda-tiles-to-nvvm or tda-tiles-to-cpu has to run before}}
  %z = tda.tile_zero : !tda.tile<16xf32>
  return
}

// -----

!q = tensor<?x?x?x32xf32>

func.func @fused(%q: !q, %beta: tensor<f32>) -> !q {
  // expected-error @+1 {{'tda.attention' may not exist in the form 'lowered'; tda-attention-to-tiles has to run before}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// -----

func.func @stage(%q: tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{'tda.normalize' may not exist in the form 'lowered'; tda-fuse-attention has to run before}}
  %y = tda.normalize %q : tensor<?x?x?x32xf32>
  return %y : tensor<?x?x?x32xf32>
}

// -----

// Nothing of ours is right in any form.
func.func @lowered(%x: f32) -> f32 {
  %y = arith.addf %x, %x : f32
  return %y : f32
}
