// RUN: tda-opt %s --tda-stages-to-linalg | FileCheck %s

// example: tda-stages-to-linalg
func.func @differential(%a1: tensor<2x4x8x8xf32>, %a2: tensor<2x4x8x8xf32>,
                        %lambda: tensor<4xf32>) -> tensor<2x4x8x8xf32> {
  %a = tda.differential %a1, %a2 lambda(%lambda)
     : tensor<2x4x8x8xf32>, tensor<4xf32>
  return %a : tensor<2x4x8x8xf32>
}
// CHECK: #[[all:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK: #[[head:[a-z0-9]+]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK: %[[empty:[a-z0-9]+]] = tensor.empty() : tensor<2x4x8x8xf32>
// CHECK: %[[a:[a-z0-9]+]] = linalg.generic
// CHECK-SAME:        {indexing_maps = [#[[all]], #[[all]], #[[head]], #[[all]]],
// CHECK-SAME:         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
// CHECK-SAME:        ins(%[[a1:arg0]], %[[a2:arg1]], %[[lambda:arg2]] : {{[^)]*}})
// CHECK-SAME:        outs(%[[empty]] : tensor<2x4x8x8xf32>) {
// CHECK: ^bb0(%[[x1:[a-z0-9_]+]]: f32, %[[x2:[a-z0-9_]+]]: f32, %[[l:[a-z0-9_]+]]: f32, %{{[a-z]+}}: f32):
// CHECK:   %[[y:[a-z0-9]+]] = arith.mulf %[[l]], %[[x2]] : f32
// CHECK:   %[[x:[a-z0-9]+]] = arith.subf %[[x1]], %[[y]] : f32
// CHECK:   linalg.yield %[[x]] : f32
// CHECK: } -> tensor<2x4x8x8xf32>
// end: tda-stages-to-linalg
