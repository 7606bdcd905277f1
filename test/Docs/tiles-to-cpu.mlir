// RUN: tda-opt %s --tda-tiles-to-cpu --canonicalize --cse | FileCheck %s

// example: tda-tiles-to-cpu
func.func @zeros(%o: memref<?x?x?x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %B = memref.dim %o, %c0 : memref<?x?x?x16xf32>
  %Hq = memref.dim %o, %c1 : memref<?x?x?x16xf32>
  %Nq = memref.dim %o, %c2 : memref<?x?x?x16xf32>
  tda.tile_program (%b, %h, %i) in (%B, %Hq, %Nq)
      schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 1, warps = 1>
      target #tda.target<"cpu", vector_bits = 512> {
    %zero = tda.tile_zero : !tda.tile<64x16xf32>
    tda.tile_store %zero, %o[%b, %h, %i] limit %Nq
      : !tda.tile<64x16xf32>, memref<?x?x?x16xf32>
  }
  return
}
// CHECK: func.func @zeros(%[[o:arg0]]: memref<?x?x?x16xf32>, %[[first:arg1]]: index, %[[last:arg2]]: index) {
// CHECK:   %[[zero:[a-z0-9_]+]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK:   %[[tile:[a-z0-9_]+]] = memref.alloc() {alignment = 64 : i64} : memref<64x16xf32>
// CHECK:   scf.for %[[program:[a-z0-9_]+]] = %[[first]] to %[[last]] step %c1 {
// CHECK:     {{.*}}
// CHECK:     scf.for %[[r:[a-z0-9_]+]] = %c0 to %c64 step %c1 {
// CHECK:       vector.store %[[zero]], %[[tile]][%[[r]], %c0] : memref<64x16xf32>, vector<16xf32>
// CHECK:     }
// CHECK:     {{.*}}
// CHECK:     scf.for %[[s:[a-z0-9_]+]] = %c0 to %[[rows:[a-z0-9_]+]] step %c1 {
// CHECK:       %[[x:[a-z0-9_]+]] = vector.load %[[tile]][%[[s]], %c0] : memref<64x16xf32>, vector<16xf32>
// CHECK:       {{.*}}
// CHECK:       vector.store %{{.*}}, %[[o]][{{.*}}] : memref<?x?x?x16xf32>, vector<16xf32>
// CHECK:     }
// CHECK:   }
// CHECK:   memref.dealloc %[[tile]] : memref<64x16xf32>
// CHECK:   return
// CHECK: }
// end: tda-tiles-to-cpu
