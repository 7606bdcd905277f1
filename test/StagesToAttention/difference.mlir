// RUN: tda-opt %s --tda-fuse-attention --split-input-file --verify-diagnostics | FileCheck %s

// The spellings of a1 - lambda a2.

!q = tensor<2x4x8x32xf32>
!m = tensor<2x4x8x8xf32>

// CHECK-LABEL: func @constant
// CHECK-DAG: %[[L:.*]] = arith.constant dense<2.500000e-01> : tensor<f32>
// CHECK: tda.attention {{.*}} lambda(%[[L]])
func.func @constant(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %l = arith.constant dense<0.25> : !m
  %x = arith.mulf %l, %a2 : !m
  %a = arith.subf %a1, %x : !m
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// CHECK-LABEL: func @splat
// CHECK-SAME: %[[X:[^:]*]]: f32)
// CHECK: %[[L:.*]] = tensor.from_elements %[[X]] : tensor<f32>
// CHECK: tda.attention {{.*}} lambda(%[[L]])
func.func @splat(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>, %x: f32) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %l = tensor.splat %x : !m
  %y = arith.mulf %a2, %l : !m
  %a = arith.subf %a1, %y : !m
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// CHECK-LABEL: func @broadcast
// CHECK-SAME: %[[L:[^:]*]]: tensor<4xf32>)
// CHECK: tda.attention {{.*}} lambda(%[[L]])
func.func @broadcast(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>, %l: tensor<4xf32>) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %e = tensor.empty() : !m
  %b = linalg.broadcast ins(%l : tensor<4xf32>) outs(%e : !m) dimensions = [0, 2, 3]
  %y = arith.mulf %a2, %b : !m
  %a = arith.subf %a1, %y : !m
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// CHECK-LABEL: func @added
// CHECK-DAG: %[[L:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK: tda.attention excite(%[[Q:.*]], %[[K:.*]]) inhibit(%[[K]], %[[Q]]) {{.*}} lambda(%[[L]])
func.func @added(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %l = arith.constant dense<-0.5> : !m
  %x = arith.mulf %l, %a2 : !m
  %a = arith.addf %x, %a1 : !m
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// CHECK-LABEL: func @plain
// CHECK-DAG: %[[L:.*]] = arith.constant dense<1.000000e+00> : tensor<f32>
// CHECK: tda.attention {{.*}} lambda(%[[L]])
func.func @plain(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a = arith.subf %a1, %a2 : !m
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// -----

!q = tensor<2x4x8x32xf32>
!m = tensor<2x4x8x8xf32>

// CHECK-LABEL: func @along_keys
// CHECK-NOT: tda.attention
func.func @along_keys(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>, %l: !m) -> !q {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  %t = tda.scores %k, %q : (!q, !q) -> !m
  %a1 = tda.threshold %s beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %a2 = tda.threshold %t beta(%beta) {dim = 32 : i64} : !m, tensor<f32>
  %x = arith.mulf %l, %a2 : !m
  %a = arith.subf %a1, %x : !m
  // expected-remark @+1 {{cannot fuse: the map of tda.aggregate comes from 'arith.subf', not from tda.threshold or from a1 - lambda * a2 (lambda a constant, tensor.splat or linalg.broadcast)}}
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}
