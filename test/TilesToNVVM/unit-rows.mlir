// RUN: tda-opt %s --split-input-file --tda-tiles-to-nvvm | FileCheck %s

// Unit rows of the keys, written to the workspace: a 16-bit tile goes out as the
// words that it lies in. The tensor there has no stride parameters, and the
// grid covers the rows of what is written.

#s = #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1>
#t = #tda.target<"sm_90">
!bf = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!unit = memref<?x?x?x16xbf16>

// CHECK-LABEL: llvm.func @unit_k(
// CHECK-SAME:    %[[K:.+]]: !llvm.ptr<1> {llvm.noalias}, %[[U:.+]]: !llvm.ptr<1> {llvm.noalias}, %{{.+}}: i32, %{{.+}}: i32, %[[HKV:.+]]: i32, %{{.+}}: i32, %[[NK:.+]]: i32, %[[S0:[^:]+]]: i64
// CHECK-SAME:    grid = "ceildiv(Nk, 16) * Hkv * B"
// CHECK-SAME:    params = ["ptr k", "ws ceildiv(B * Hq * Nq * 32, 256) * 256", "i32 B", "i32 Hq", "i32 Hkv", "i32 Nq", "i32 Nk", "i64 k 0", "i64 k 1", "i64 k 2"]
// CHECK-SAME:    shared_bytes = 0 : i64
// CHECK-SAME:    workspace = "ceildiv(B * Hq * Nq * 32, 256) * 256 + ceildiv(B * Hkv * Nk * 32, 256) * 256"

// 16 columns, Nk rows, Hkv heads.
// CHECK:         %[[C:.+]] = llvm.sext %{{.+}} : i32 to i64
// CHECK-NEXT:    %[[ROW:.+]] = llvm.mul %{{.+}}, %[[C]]
// CHECK-NEXT:    %[[N:.+]] = llvm.sext %[[NK]]
// CHECK-NEXT:    %[[HEAD:.+]] = llvm.mul %[[ROW]], %[[N]]
// CHECK-NEXT:    %[[H:.+]] = llvm.sext %[[HKV]]
// CHECK-NEXT:    llvm.mul %[[HEAD]], %[[H]]

// CHECK-COUNT-4: llvm.load %{{.+}} : !llvm.ptr<1> -> i32
// CHECK:         scf.if
// CHECK:           llvm.getelementptr %[[U]]
// CHECK-COUNT-2:   llvm.store %{{.+}}, %{{.+}} : i32, !llvm.ptr<1>
// CHECK-NOT:       llvm.store
// CHECK:         scf.if
// CHECK-COUNT-2:   llvm.store %{{.+}}, %{{.+}} : i32, !llvm.ptr<1>
// CHECK-NOT:     llvm.store
func.func @unit_k(%k: !bf {tda.operand = "k"},
                  %u: !unit {tda.operand = "k", tda.workspace = "ceildiv(B * Hq * Nq * 32, 256) * 256"})
    attributes {tda.workspace = "ceildiv(B * Hq * Nq * 32, 256) * 256 + ceildiv(B * Hkv * Nk * 32, 256) * 256"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %B = memref.dim %k, %c0 : !bf
  %H = memref.dim %k, %c1 : !bf
  %N = memref.dim %k, %c2 : !bf
  tda.tile_program (%b, %h, %i) in (%B, %H, %N) schedule #s target #t {
    %rows = tda.tile_load %k[%b, %h, %i] limit %N : !bf -> !tda.tile<16x16xbf16>
    %unit = tda.tile_normalize %rows : !tda.tile<16x16xbf16>
    tda.tile_store %unit, %u[%b, %h, %i] limit %N : !tda.tile<16x16xbf16>, !unit
  }
  return
}

// -----

// Two programs are one kernel: the first blocks of the grid run the first, the
// others, counted from 0, the second.

#s = #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1>
#t = #tda.target<"sm_90">
!bf = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>

// CHECK-LABEL: llvm.func @both(
// CHECK-SAME:    %[[B:[^:]+]]: i32, %[[HQ:[^:]+]]: i32, %[[HKV:[^:]+]]: i32, %[[NQ:[^:]+]]: i32, %[[NK:[^:]+]]: i32
// CHECK-SAME:    grid = "ceildiv(Nq, 16) * Hq * B + ceildiv(Nk, 16) * Hkv * B"
// CHECK:         %[[BLOCK:.+]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK:         %[[UP:.+]] = arith.addi %[[NQ]], %c15
// CHECK:         %[[ROWS:.+]] = arith.divui %[[UP]], %c16
// CHECK:         %[[HEADS:.+]] = arith.muli %[[ROWS]], %[[HQ]]
// CHECK:         %[[COUNT:.+]] = arith.muli %[[HEADS]], %[[B]]
// CHECK:         %[[FIRST:.+]] = arith.cmpi slt, %[[BLOCK]], %[[COUNT]]
// CHECK:         scf.if %[[FIRST]] {
// CHECK:           arith.addi %[[NQ]], %c15
// CHECK:           llvm.store
// CHECK:         } else {
// CHECK:           %[[OWN:.+]] = arith.subi %[[BLOCK]], %[[COUNT]]
// CHECK:           arith.addi %[[NK]], %c15
// CHECK:           arith.divui %[[OWN]],
// CHECK:           llvm.store
// CHECK:         llvm.return
func.func @both(%q: !bf {tda.operand = "q"}, %k: !bf {tda.operand = "k"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %B = memref.dim %q, %c0 : !bf
  %H = memref.dim %q, %c1 : !bf
  %N = memref.dim %q, %c2 : !bf
  tda.tile_program (%b, %h, %i) in (%B, %H, %N) schedule #s target #t {
    %rows = tda.tile_load %q[%b, %h, %i] limit %N : !bf -> !tda.tile<16x16xbf16>
    tda.tile_store %rows, %q[%b, %h, %i] limit %N : !tda.tile<16x16xbf16>, !bf
  }
  %BK = memref.dim %k, %c0 : !bf
  %HK = memref.dim %k, %c1 : !bf
  %NK = memref.dim %k, %c2 : !bf
  tda.tile_program (%b, %h, %i) in (%BK, %HK, %NK) schedule #s target #t {
    %rows = tda.tile_load %k[%b, %h, %i] limit %NK : !bf -> !tda.tile<16x16xbf16>
    tda.tile_store %rows, %k[%b, %h, %i] limit %NK : !tda.tile<16x16xbf16>, !bf
  }
  return
}
