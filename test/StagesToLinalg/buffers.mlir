// RUN: tda-opt %s --tda-decompose-attention --tda-stages-to-linalg --tda-stages-to-buffers \
// RUN:   | FileCheck %s --implicit-check-not=linalg. --implicit-check-not=memref.copy \
// RUN:       --implicit-check-not='tensor<' --implicit-check-not=tda.

!q = tensor<?x?x?x32xbf16>

// Inputs, then outputs. Each map is freed, and the inputs are only read.
// CHECK-LABEL: func @attention
// CHECK-SAME: (%[[Q:[^:]*]]: memref<?x?x?x32xbf16>, %[[K:[^:]*]]: memref<?x?x?x32xbf16>, %[[V:[^:]*]]: memref<?x?x?x32xbf16>, %{{.*}}: memref<f32>, %[[O:[^:]*]]: memref<?x?x?x32xbf16>, %[[N:[^:]*]]: memref<1x?x?x?xi32>) {
// CHECK: %[[S:.*]] = memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {{.*}} : memref<?x?x?x?xf32>
// CHECK: %[[A:.*]] = memref.alloc(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {{.*}} : memref<?x?x?x?xf32>
// CHECK: memref.dealloc %[[S]]
// CHECK: memref.dealloc %[[A]]
// CHECK: memref.store %{{.*}}, %[[O]]
// CHECK: memref.store %{{.*}}, %[[N]]
// CHECK: return{{$}}
func.func @attention(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> (!q, tensor<1x?x?x?xi32>) {
  %o, %n = tda.attention excite(%q, %k) values(%v) beta(%beta)
    : (!q, !q, !q, tensor<f32>) -> (!q, tensor<1x?x?x?xi32>)
  return %o, %n : !q, tensor<1x?x?x?xi32>
}

// A difference in arith becomes loops too, into a buffer of its own.
// CHECK-LABEL: func @difference
// CHECK-SAME: (%[[A1:[^:]*]]: memref<?xf32>, %[[A2:[^:]*]]: memref<?xf32>, %[[A:[^:]*]]: memref<?xf32>)
// CHECK-NOT: memref.store %{{.*}}, %[[A1]]
// CHECK-NOT: memref.store %{{.*}}, %[[A2]]
// CHECK: memref.store %{{.*}}, %[[A]]
func.func @difference(%a1: tensor<?xf32>, %a2: tensor<?xf32>) -> tensor<?xf32> {
  %a = arith.subf %a1, %a2 : tensor<?xf32>
  return %a : tensor<?xf32>
}

// A result that is an argument, or given twice, is copied by a loop.
// CHECK-LABEL: func @copies
// CHECK-SAME: (%[[X:[^:]*]]: memref<?xf32>, %[[Y:[^:]*]]: memref<?xf32>, %[[Z:[^:]*]]: memref<?xf32>)
// CHECK: memref.store %{{.*}}, %[[Y]]
// CHECK: memref.store %{{.*}}, %[[Z]]
func.func @copies(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  return %x, %x : tensor<?xf32>, tensor<?xf32>
}
