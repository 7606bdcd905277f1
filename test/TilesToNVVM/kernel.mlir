// RUN: tda-opt %s --split-input-file --tda-tiles-to-nvvm | FileCheck %s

// The smallest kernel with every part: 16 rows, one warp, one view.

#s = #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1>
#t = #tda.target<"sm_80">
!bf = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>

// Pointers, then lengths, then the dynamic strides.
// CHECK:       llvm.mlir.global external @tda_shared() {addr_space = 3 : i32
// CHECK-LABEL: llvm.func @small(
// CHECK-SAME:    %arg0: !llvm.ptr<1> {llvm.noalias}
// CHECK-SAME:    nvvm.kernel
// CHECK-SAME:    nvvm.maxntid = array<i32: 32>
// CHECK-SAME:    tda.launch = {block = 32 : i32, grid = "ceildiv(Nq, 16) * Hq * B"
// CHECK-SAME:    params = ["ptr q", "ptr k", "ptr v", "ptr beta", "ptr o", "i32 B", "i32 Hq", "i32 Hkv", "i32 Nq", "i32 Nk", "i64 q 0", "i64 q 1", "i64 q 2", "i64 k 0"
// Two slots of two panels of 16 rows, each row 32 bytes and 16 of padding.
// CHECK-SAME:    shared_bytes = 3072 : i64

// One tile ahead, then the loop: wait, one barrier, fetch, use.
// CHECK:         nvvm.cp.async.shared.global {{.*}}, 16, cache =  cg
// CHECK:         nvvm.cp.async.commit.group
// CHECK:         scf.for
// CHECK:           nvvm.cp.async.wait.group 0
// CHECK-NEXT:      nvvm.barrier
// CHECK:           nvvm.cp.async.commit.group
// CHECK:           nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>
// CHECK-COUNT-2:   nvvm.mma.sync
// CHECK:           %[[LIVE:.+]] = nvvm.vote.sync any
// CHECK:           scf.if %[[LIVE]]
// CHECK:             nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>
// CHECK-COUNT-2:     nvvm.mma.sync
// CHECK-NOT:     tda.
func.func @small(%q: !bf {tda.operand = "q"}, %k: !bf {tda.operand = "k"},
                 %v: !bf {tda.operand = "v"},
                 %beta: memref<f32> {tda.operand = "beta"},
                 %o: !bf {tda.operand = "o"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %kappa = arith.constant 1.0 : f32
  %B = memref.dim %q, %c0 : !bf
  %H = memref.dim %q, %c1 : !bf
  %Nq = memref.dim %q, %c2 : !bf
  %Nk = memref.dim %k, %c2 : !bf
  %off = arith.subi %Nk, %Nq : index
  tda.tile_program (%b, %h, %i) in (%B, %H, %Nq) schedule #s target #t {
    %bv = memref.load %beta[] : memref<f32>
    %tau = tda.tile_gate beta(%bv) kappa(%kappa) rows(%i) keys(%Nk) offset(%off)
             {dim = 16 : i64} : !tda.tile<16xf32>
    %qt = tda.tile_load %q[%b, %h, %i] limit %Nq : !bf -> !tda.tile<16x16xbf16>
    %zero = tda.tile_zero : !tda.tile<16x16xf32>
    %r = tda.tile_for %j = %c0 to %Nk step 16 limit %Nk at [%b, %h]
           stream (%kp = %k : !bf -> !tda.panel<16x16xbf16, key>,
                   %vp = %v : !bf -> !tda.panel<16x16xbf16, value>)
           carry (%acc = %zero : !tda.tile<16x16xf32>) {
      %s = tda.tile_scores %qt, %kp
         : !tda.tile<16x16xbf16>, <16x16xbf16, key> -> !tda.tile<16x16xf32>
      %live = tda.tile_survives %s above %tau
            : !tda.tile<16x16xf32> above !tda.tile<16xf32>
      %next = scf.if %live -> (!tda.tile<16x16xf32>) {
        %a = tda.tile_threshold %s, %tau {power = 2.0 : f64}
           : !tda.tile<16x16xf32>, !tda.tile<16xf32>
        %x = tda.tile_aggregate %a, %vp, %acc
           : !tda.tile<16x16xf32>, <16x16xbf16, value>, !tda.tile<16x16xf32>
        scf.yield %x : !tda.tile<16x16xf32>
      } else {
        scf.yield %acc : !tda.tile<16x16xf32>
      }
      tda.tile_yield %next : !tda.tile<16x16xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %Nq : !tda.tile<16x16xf32>, !bf
  }
  return
}

// -----

// A function without a tile program stays as it is.

// CHECK-LABEL: func.func @nothing
// CHECK-NEXT:    return
func.func @nothing() {
  return
}
