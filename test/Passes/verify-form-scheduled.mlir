// RUN: tda-opt %s --tda-verify-form=form=scheduled --split-input-file --verify-diagnostics

!q = tensor<?x?x?x32xf32>

func.func @scheduled(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    {target = #tda.target<"cpu">, schedule = #tda.schedule<tile_m = 64, tile_n = 64, stages = 1, warps = 1>}
    : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// -----

!q = tensor<?x?x?x32xf32>

func.func @fused(%q: !q, %beta: tensor<f32>) -> !q {
  // expected-error @+1 {{'tda.attention' may not exist in the form 'scheduled'; tda-assign-schedule has to run before}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) {target = #tda.target<"cpu">} : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// -----

func.func @stage(%q: tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{'tda.normalize' may not exist in the form 'scheduled'; tda-fuse-attention has to run before}}
  %y = tda.normalize %q : tensor<?x?x?x32xf32>
  return %y : tensor<?x?x?x32xf32>
}
