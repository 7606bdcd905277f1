// RUN: tda-opt %s --tda-fuse-attention --split-input-file --verify-diagnostics | FileCheck %s

// Every reason not to fuse but those of visibility. The stages stay.
// CHECK-NOT: tda.attention

!q = tensor<?x?x?x32xbf16>
!f = tensor<?x?x?x32xf32>
!m = tensor<?x?x?x?xf32>
!b = tensor<f32>

func.func @f32_output(%q: !q, %k: !q, %v: !q, %beta: !b) -> !f {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: 'tda.aggregate' gives f32 with no tda.rms_norm after it; tda.attention gives o in the type of v, bf16}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !f
  return %o : !f
}

func.func @f32_norm(%q: !q, %k: !q, %v: !q, %beta: !b, %g: tensor<32xf32>) -> !f {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: 'tda.rms_norm' gives f32; tda.attention gives o in the type of v, bf16}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  %y = tda.rms_norm %o gain(%g) : (!q, tensor<32xf32>) -> !f
  return %y : !f
}

func.func @norm_and_more(%q: !q, %k: !q, %v: !q, %beta: !b, %g: tensor<32xf32>) -> (!q, !q) {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: the result of 'tda.aggregate' has other uses: 'func.return' reads it too}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  %y = tda.rms_norm %o gain(%g) : (!q, tensor<32xf32>) -> !q
  return %o, %y : !q, !q
}

func.func @map_from_outside(%a: !m, %v: !q) -> !q {
  // expected-remark @+1 {{cannot fuse: the map of tda.aggregate comes from a block argument, not from tda.threshold or from a1 - lambda * a2}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @view_from_outside(%q: !q, %k: !q, %v: !q, %a2: !m, %beta: !b) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%beta) : !m, !b
  // expected-remark @+1 {{cannot fuse: the map of view 2 comes from a block argument, not from tda.threshold}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @scaled_scores(%q: !q, %k: !q, %v: !q, %beta: !b) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = arith.addf %s, %s : !m
  %a = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: the scores of view 1 come from 'arith.addf', not from tda.scores}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @dim(%q: !q, %k: !q, %v: !q, %beta: !b) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 64 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: tda.threshold has dim = 64, but q has D = 32}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @partly_normalised(%q: !q, %k: !q, %k2: !q, %v: !q, %beta: !b) -> !q {
  %qn = tda.normalize %q : !q
  %kn = tda.normalize %k : !q
  %s = tda.scores %qn, %kn : (!q, !q) -> !m
  %t = tda.scores %qn, %k2 : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%beta) : !m, !b
  // expected-remark @+1 {{cannot fuse: normalised: q1, k1, q2, but not: k2; tda.attention normalises every q and k, or none}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

func.func @map_is_read(%q: !q, %k: !q, %v: !q, %beta: !b) -> (!q, !m) {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: the result of 'tda.threshold' has other uses: 'func.return' reads it too}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o, %a : !q, !m
}

func.func @counts_one_view(%q: !q, %k: !q, %v: !q, %beta: !b) -> (!q, tensor<1x?x?x?xi32>) {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, !b
  %a = tda.differential %a1, %a2 lambda(%beta) : !m, !b
  // expected-remark @+1 {{cannot fuse: tda.count_survivors does not count the maps of all views, in their order}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  %n = tda.count_survivors %a2 : (!m) -> tensor<1x?x?x?xi32>
  return %o, %n : !q, tensor<1x?x?x?xi32>
}

func.func @counts_come_first(%q: !q, %k: !q, %v: !q, %beta: !b) -> (!q, tensor<?x?x?x?xi32>) {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  %n = tda.count_survivors %a : (!m) -> tensor<1x?x?x?xi32>
  %c = tensor.cast %n : tensor<1x?x?x?xi32> to tensor<?x?x?x?xi32>
  // expected-remark @+1 {{cannot fuse: the survivor counts are read before o is complete}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o, %c : !q, tensor<?x?x?x?xi32>
}

func.func @map_from_outside_of_a_branch(%q: !q, %k: !q, %v: !q, %beta: !b, %c: i1) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  %r = scf.if %c -> !q {
    // expected-remark @+1 {{cannot fuse: the result of 'tda.threshold' is made outside of the block of 'tda.aggregate'}}
    %o = tda.aggregate %a, %v : (!m, !q) -> !q
    scf.yield %o : !q
  } else {
    scf.yield %v : !q
  }
  return %r : !q
}

// What the verifier of tda.attention would say is a reason as well.
func.func @head_counts(%q: tensor<1x4x8x32xf32>, %k: tensor<1x2x8x32xf32>, %v: tensor<1x1x8x32xf32>, %beta: !b) -> tensor<1x4x8x32xf32> {
  %s = tda.scores %q, %k : (tensor<1x4x8x32xf32>, tensor<1x2x8x32xf32>) -> tensor<1x4x8x8xf32>
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : tensor<1x4x8x8xf32>, !b
  // expected-remark @+1 {{cannot fuse: 'tda.attention' op v has Hkv = 1, but k1 has Hkv = 2}}
  %o = tda.aggregate %a, %v : (tensor<1x4x8x8xf32>, tensor<1x1x8x32xf32>) -> tensor<1x4x8x32xf32>
  return %o : tensor<1x4x8x32xf32>
}

func.func @dtypes(%q: !q, %k: !q, %v: !f, %beta: !b) -> !f {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, !b
  // expected-remark @+1 {{cannot fuse: 'tda.attention' op v has elements of type 'f32', but the inputs are 'bf16'}}
  %o = tda.aggregate %a, %v : (!m, !f) -> !f
  return %o : !f
}
