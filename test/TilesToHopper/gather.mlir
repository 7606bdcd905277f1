// RUN: tda-opt %s --split-input-file --tda-assign-pipeline --tda-tiles-to-hopper --canonicalize --cse | FileCheck %s

// With skip = never no warp has a place for rows: those of a gather are read
// into registers and multiplied where it stands, twice if there are two.

#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// CHECK-LABEL: llvm.func @never
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:           wgmma.wait_group
// CHECK-NOT:       cp.async.shared.global
// CHECK-COUNT-4:   llvm.inline_asm {{.*}}movmatrix{{.*}}mma.sync
// CHECK:           scf.yield
func.func @never(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma> target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      %y = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %x : !sum, !m, !sum
      tda.tile_yield %y : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

// Weights that only a gather reads are made a step at a time; which steps, is
// asked again where the first answer was given inside a branch.

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!map = !tda.tile<64x32xf32>
!sum = !tda.tile<64x16xf32>

// CHECK-LABEL: llvm.func @asked_in_a_branch
// CHECK:         nvvm.vote.sync any
// CHECK:         scf.if
// CHECK:           nvvm.redux.sync or
// CHECK:         }
// CHECK:         nvvm.redux.sync or
// CHECK:         nvvm.cp.async.shared.global
func.func @asked_in_a_branch(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  %none = arith.constant 0 : i32
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 32 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<32x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <32x16xbf16, key> -> !map
      %a = tda.tile_threshold %s, %tau {power = 2.0 : f64} : !map, !tda.tile<64xf32>
      %live = tda.tile_survives %s above %tau : !map above !tda.tile<64xf32>
      %steps = scf.if %live -> i32 {
        %count = tda.tile_live_steps %a as bf16 : !map
        scf.yield %count : i32
      } else {
        scf.yield %none : i32
      }
      %some = arith.cmpi ne, %steps, %none : i32
      %x = scf.if %some -> !sum {
        %g = tda.tile_gather %a, %v[%b, %h, %j] limit %n, %acc : !map, !m, !sum
        scf.yield %g : !sum
      } else {
        scf.yield %acc : !sum
      }
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

// What the first loop leaves on its way goes on into the second, which reads
// the same rows; after that nothing is left. The output passes through the
// warp's place for rows where the tensor's rows lie at multiples of 16 bytes.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// The producer's first loop, then the consumer's: in a turn, copies of the tile
// before and of an earlier step of the same tile.
// CHECK-LABEL: llvm.func @two_loops
// CHECK:         scf.for {{.*}} = %c32_i32 to
// CHECK:         scf.for {{.*}} = %c32_i32 to
// CHECK-COUNT-2:   nvvm.cp.async.commit.group
// CHECK-NOT:     nvvm.cp.async
// CHECK:         scf.for {{.*}} = %c0_i32 to %c32_i32
// CHECK-COUNT-2:   nvvm.cp.async.commit.group
// CHECK:         nvvm.cp.async.commit.group
// CHECK:         nvvm.cp.async.wait.group 0
// CHECK:         nvvm.mma.sync
// CHECK-NOT:     nvvm.cp.async
// CHECK:         %[[REST:.+]] = arith.andi %{{.+}}, %c15_i32
// CHECK-NEXT:    %[[WIDE:.+]] = arith.cmpi eq, %[[REST]], %c0_i32
// CHECK-NEXT:    scf.if %[[WIDE]] {
// CHECK-COUNT-4:   st.shared.b32
// CHECK:           ld.shared.v4.b32
// CHECK-NEXT:      %{{.+}} = llvm.extractvalue
// CHECK:           st.global.v4.b32
// CHECK:         } else {
// CHECK:           llvm.store
func.func @two_loops(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  %half = arith.constant 32 : index
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %x = tda.tile_for %j = %half to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %g = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %g : !sum
    }
    %y = tda.tile_for %j = %c to %half step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %x : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %g = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %g : !sum
    }
    tda.tile_store %y, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

// Loops over the values of different heads: the first one's are finished.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// CHECK-LABEL: llvm.func @two_heads
// CHECK:         scf.for {{.*}} = %c32_i32 to
// CHECK:         scf.for {{.*}} = %c32_i32 to
// CHECK-COUNT-2:   nvvm.cp.async.commit.group
// CHECK:         nvvm.cp.async.commit.group
// CHECK:         nvvm.cp.async.wait.group 0
// CHECK:         nvvm.mma.sync
// CHECK:         scf.for {{.*}} = %c0_i32 to %c32_i32
func.func @two_heads(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  %half = arith.constant 32 : index
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %x = tda.tile_for %j = %half to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %g = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %g : !sum
    }
    %y = tda.tile_for %j = %c to %half step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %x : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %g = tda.tile_gather %s, %v[%b, %c, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %g : !sum
    }
    tda.tile_store %y, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}
