// RUN: tda-opt %s --tda-stages-to-linalg --cse --canonicalize | FileCheck %s --implicit-check-not=tda.

// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[TOKEN:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

!q = tensor<?x?x?x32xbf16>
!m = tensor<?x?x?x?xf32>

// x / max(||x||, 1e-12), the sum and the quotient in f32.
// CHECK-LABEL: func @normalize
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK: %[[X:.*]] = arith.extf
// CHECK: arith.mulf %[[X]], %[[X]]
// CHECK: linalg.generic
// CHECK: %[[NORM:.*]] = math.sqrt
// CHECK: %[[MAX:.*]] = arith.maximumf %[[NORM]]
// CHECK: %[[Y:.*]] = arith.divf %{{.*}}, %[[MAX]] : f32
// CHECK: arith.truncf %[[Y]] : f32 to bf16
func.func @normalize(%x: !q) -> !q {
  %y = tda.normalize %x : !q
  return %y : !q
}

// Head h of q reads head h / (Hq / Hkv) of k; hidden entries are -inf.
// CHECK-LABEL: func @scores
// CHECK-DAG: %[[HIDDEN:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: %[[HKV:.*]] = arith.maxui %{{.*}}, %[[ONE]]
// CHECK: %[[RATIO:.*]] = arith.divui %{{.*}}, %[[HKV]]
// CHECK: %[[GROUP:.*]] = arith.maxui %[[RATIO]], %[[ONE]]
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "parallel", "parallel", "reduction"]
// CHECK: %[[H:.*]] = linalg.index 1
// CHECK: %[[G:.*]] = arith.divui %[[H]], %[[GROUP]]
// CHECK: tensor.extract %{{.*}}[%{{.*}}, %[[G]], %{{.*}}, %{{.*}}]
// CHECK: linalg.generic
// CHECK: arith.cmpi slt
// CHECK-NOT: arith.cmpi
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[HIDDEN]]
func.func @scores(%q: !q, %k: !q) -> !m {
  %s = tda.scores %q, %k {causal} : (!q, !q) -> !m
  return %s : !m
}

// Without a rule nothing is masked.
// CHECK-LABEL: func @all_visible
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @all_visible(%q: !q, %k: !q) -> !m {
  %s = tda.scores %q, %k : (!q, !q) -> !m
  return %s : !m
}

// One gate a head and row, then max(0, s - tau)^2 where visible.
// CHECK-LABEL: func @threshold
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK: arith.minsi
// CHECK: arith.maxsi
// CHECK: math.log
// CHECK: math.sqrt
// CHECK: linalg.generic
// CHECK: %[[ABOVE:.*]] = arith.maximumf
// CHECK: %[[A:.*]] = arith.mulf %[[ABOVE]], %[[ABOVE]]
// CHECK: arith.cmpi sge
// CHECK: arith.cmpi slt
// CHECK: arith.select %{{.*}}, %[[A]], %{{.*}}
func.func @threshold(%s: !m, %beta: tensor<?xf32>, %kappa: tensor<f32>, %off: i64) -> !m {
  %a = tda.threshold %s beta(%beta) kappa(%kappa) offset(%off)
    {dim = 32 : i64, causal, window = 8 : i64} : !m, tensor<?xf32>, tensor<f32>
  return %a : !m
}

// CHECK-LABEL: func @powers
// CHECK: math.powf %{{.*}}, %{{.*}}
// CHECK: %[[SQUARE:.*]] = arith.mulf %[[X:.*]], %[[X]]
// CHECK: %[[ROOT:.*]] = math.sqrt %[[X]]
// CHECK: arith.mulf %[[SQUARE]], %[[ROOT]]
func.func @powers(%s: !m, %beta: tensor<f32>) -> (!m, !m) {
  %a = tda.threshold %s beta(%beta) {dim = 32 : i64, power = 1.25 : f64} : !m, tensor<f32>
  %b = tda.threshold %s beta(%beta) {dim = 32 : i64, power = 2.5 : f64} : !m, tensor<f32>
  return %a, %b : !m, !m
}

// CHECK-LABEL: func @differential
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[ALL]], #[[TOKEN]], #[[ALL]]]
// CHECK: %[[X:.*]] = arith.mulf
// CHECK: arith.subf %{{.*}}, %[[X]]
func.func @differential(%a1: !m, %a2: !m, %l: tensor<?x?x?xf32>) -> !m {
  %a = tda.differential %a1, %a2 lambda(%l) : !m, tensor<?x?x?xf32>
  return %a : !m
}

// A is rounded to v's type for the product, the sum once at the end.
// CHECK-LABEL: func @aggregate_bf16
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]
// CHECK: %[[R:.*]] = arith.truncf %{{.*}} : f32 to bf16
// CHECK: arith.extf %[[R]]
// CHECK: linalg.generic
// CHECK: arith.truncf
func.func @aggregate_bf16(%a: !m, %v: !q) -> !q {
  %o = tda.aggregate %a, %v : (!m, !q) -> !q
  return %o : !q
}

// f16: the significand alone, so that small squares do not underflow.
// CHECK-LABEL: func @aggregate_f16
// CHECK-DAG: arith.constant -8192 : i32
// CHECK: arith.bitcast %{{.*}} : f32 to i32
// CHECK-NOT: arith.truncf
// CHECK: arith.bitcast %{{.*}} : i32 to f32
// CHECK: return %{{.*}} : tensor<?x?x?x32xf32>
func.func @aggregate_f16(%a: !m, %v: tensor<?x?x?x32xf16>) -> tensor<?x?x?x32xf32> {
  %o = tda.aggregate %a, %v : (!m, tensor<?x?x?x32xf16>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// CHECK-LABEL: func @rms_norm
// CHECK: linalg.generic
// CHECK: linalg.generic
// CHECK: math.rsqrt
// CHECK: arith.truncf
func.func @rms_norm(%x: tensor<?x?x?x32xf32>, %g: tensor<32xf32>) -> !q {
  %y = tda.rms_norm %x gain(%g) : (tensor<?x?x?x32xf32>, tensor<32xf32>) -> !q
  return %y : !q
}

// CHECK-LABEL: func @count
// CHECK: linalg.generic
// CHECK: arith.cmpf ogt
// CHECK: return %{{.*}} : tensor<2x?x?x?xi32>
func.func @count(%a1: !m, %a2: !m) -> tensor<2x?x?x?xi32> {
  %n = tda.count_survivors %a1, %a2 : (!m, !m) -> tensor<2x?x?x?xi32>
  return %n : tensor<2x?x?x?xi32>
}

// What is static in the result alone stays so.
// CHECK-LABEL: func @static_result
// CHECK: return %{{.*}} : tensor<1x2x3x4xf32>
func.func @static_result(%q: !q, %k: !q) -> tensor<1x2x3x4xf32> {
  %s = tda.scores %q, %k : (!q, !q) -> tensor<1x2x3x4xf32>
  return %s : tensor<1x2x3x4xf32>
}
