// RUN: tda-opt %s --tda-fuse-attention --split-input-file --verify-diagnostics | FileCheck %s

// tda.threshold gives 0 wherever its rule hides a key, so tda.scores may hide
// those keys or not; it may hide no other.

!q = tensor<?x?x?x32xf32>
!m = tensor<?x?x?x?xf32>
!s = tensor<1x1x4x6xf32>

// CHECK-LABEL: func @on_threshold_only
// CHECK: tda.attention {{.*}} offset(%{{.*}}) {causal, window = 4 : i64}
func.func @on_threshold_only(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>, %off: i64) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) offset(%off) {dim = 32 : i64, causal, window = 4 : i64} : !m, tensor<f32>
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// CHECK-LABEL: func @scores_hide_less
// CHECK: tda.attention {{.*}} {causal, window = 4 : i64}
func.func @scores_hide_less(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> !q {
  %s = tda.scores %q, %k {window = 5 : i64} : (!q, !q) -> !m
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64, causal, window = 4 : i64} : !m, tensor<f32>
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// The offset is the default, 6 - 4, in words.
// CHECK-LABEL: func @constant_offset
// CHECK: tda.attention {{.*}} offset(%{{.*}}) {causal}
func.func @constant_offset(%q: tensor<1x1x4x32xf32>, %k: tensor<1x1x6x32xf32>,
                           %v: tensor<1x1x6x32xf32>, %beta: tensor<f32>) -> tensor<1x1x4x32xf32> {
  %two = arith.constant 2 : i64
  %s = tda.scores %q, %k {causal} : (tensor<1x1x4x32xf32>, tensor<1x1x6x32xf32>) -> !s
  %a = tda.threshold %s beta(%beta) offset(%two) {dim = 32 : i64, causal} : !s, tensor<f32>
  %o = tda.aggregate %a, %v : (!s, tensor<1x1x6x32xf32>) -> tensor<1x1x4x32xf32>
  return %o : tensor<1x1x4x32xf32>
}

// -----

// CHECK-LABEL: func @causal_scores
// CHECK-NOT: tda.attention
func.func @causal_scores(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) -> tensor<?x?x?x32xf32> {
  %s = tda.scores %q, %k {causal} : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xf32>
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : tensor<?x?x?x?xf32>, tensor<f32>
  // expected-remark @+1 {{cannot fuse: tda.scores is causal, but tda.threshold is not and counts the hidden keys}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x?xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// -----

func.func @narrow_scores(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) -> tensor<?x?x?x32xf32> {
  %s = tda.scores %q, %k {window = 3 : i64} : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xf32>
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64, window = 4 : i64} : tensor<?x?x?x?xf32>, tensor<f32>
  // expected-remark @+1 {{cannot fuse: tda.scores has window = 3, but tda.threshold has window = 4 and counts the hidden keys}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x?xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// -----

func.func @no_window(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) -> tensor<?x?x?x32xf32> {
  %s = tda.scores %q, %k {window = 3 : i64} : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xf32>
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64} : tensor<?x?x?x?xf32>, tensor<f32>
  // expected-remark @+1 {{cannot fuse: tda.scores has window = 3, but tda.threshold has no window and counts the hidden keys}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x?xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// -----

func.func @offset(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>, %off: i64) -> tensor<?x?x?x32xf32> {
  %s = tda.scores %q, %k {causal} : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xf32>
  %a = tda.threshold %s beta(%beta) offset(%off) {dim = 32 : i64, causal} : tensor<?x?x?x?xf32>, tensor<f32>
  // expected-remark @+1 {{cannot fuse: tda.scores and tda.threshold differ in offset}}
  %o = tda.aggregate %a, %v : (tensor<?x?x?x?xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}
