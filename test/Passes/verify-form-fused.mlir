// RUN: tda-opt %s --tda-verify-form --split-input-file --verify-diagnostics
// RUN: not tda-opt %s --tda-verify-form=form=often 2>&1 | FileCheck %s

// CHECK: tda-verify-form: unknown form 'often'; known: fused, scheduled, tiles, lowered

!q = tensor<?x?x?x32xf32>

func.func @fused(%q: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta) : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}

// -----

func.func @stage(%q: tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{'tda.normalize' may not exist in the form 'fused'; tda-fuse-attention has to run before and to fuse it (its remarks say why it could not)}}
  %y = tda.normalize %q : tensor<?x?x?x32xf32>
  return %y : tensor<?x?x?x32xf32>
}

// -----

func.func @last_stage(%a: tensor<?x?x?x?xf32>) -> tensor<1x?x?x?xi32> {
  // expected-error @+1 {{'tda.count_survivors' may not exist in the form 'fused'}}
  %n = tda.count_survivors %a : (tensor<?x?x?x?xf32>) -> tensor<1x?x?x?xi32>
  return %n : tensor<1x?x?x?xi32>
}
