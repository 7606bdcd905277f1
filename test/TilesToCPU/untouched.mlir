// RUN: tda-opt --tda-tiles-to-cpu %s | FileCheck %s

// A function without a tile program is none of this pass's business.
// CHECK-LABEL: func @other(
// CHECK-SAME:    %[[X:.+]]: memref<4xf32>) {
// CHECK-NEXT:    %[[C:.+]] = arith.constant 0 : index
// CHECK-NEXT:    memref.load %[[X]][%[[C]]]
// CHECK-NEXT:    return
func.func @other(%x: memref<4xf32>) {
  %c = arith.constant 0 : index
  %y = memref.load %x[%c] : memref<4xf32>
  return
}
