// RUN: tda-opt %s --tda-tiles-to-nvvm --canonicalize --cse | FileCheck %s

// example: tda-tiles-to-nvvm
func.func @zeros(%o: memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
                 {tda.operand = "o"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %B = memref.dim %o, %c0
     : memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
  %Hq = memref.dim %o, %c1
      : memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
  %Nq = memref.dim %o, %c2
      : memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
  tda.tile_program (%b, %h, %i) in (%B, %Hq, %Nq)
      schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 2, warps = 4>
      target #tda.target<"sm_80"> {
    %zero = tda.tile_zero : !tda.tile<64x16xf32>
    tda.tile_store %zero, %o[%b, %h, %i] limit %Nq
      : !tda.tile<64x16xf32>,
        memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
  }
  return
}
// CHECK: llvm.func @zeros(%[[o:arg0]]: !llvm.ptr<1> {llvm.noalias}, {{[^)]*}})
// CHECK-SAME: attributes {nvvm.kernel, nvvm.maxntid = array<i32: 128>,
// CHECK-SAME:   nvvm.minctasm = 1 : i32, tda.launch = {
// CHECK-SAME:     block = 128 : i32, grid = "ceildiv(Nq, 64) * Hq * B",
// CHECK-SAME:     params = ["ptr o", "i32 B", "i32 Hq", "i32 Hkv", "i32 Nq",
// CHECK-SAME:               "i32 Nk", "i64 o 0", "i64 o 1", "i64 o 2"],
// CHECK-SAME:     shared_bytes = 0 : i64}} {
// CHECK:   %[[thread:[a-z0-9_]+]] = nvvm.read.ptx.sreg.tid.x : i32
// CHECK:   %[[block:[a-z0-9_]+]] = nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK:   {{.*}}
// CHECK:   scf.if %[[inside:[a-z0-9_]+]] {
// CHECK:     {{.*}}
// CHECK:     %[[pair:[a-z0-9_]+]] = llvm.fptrunc %{{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK:     %[[word:[a-z0-9_]+]] = llvm.bitcast %[[pair]] : vector<2xbf16> to i32
// CHECK:     llvm.store %[[word]], %[[address:[a-z0-9_]+]] : i32, !llvm.ptr<1>
// CHECK:     {{.*}}
// CHECK:   }
// CHECK:   llvm.return
// CHECK: }
// end: tda-tiles-to-nvvm
