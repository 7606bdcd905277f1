// RUN: tda-opt %s --split-input-file --tda-assign-pipeline --tda-tiles-to-hopper --canonicalize --cse | FileCheck %s

// A recalled test is taken for true where it was true the last time, and asked
// where it was not, and at the first tile of a run: four tiles, then sixteen.
// Without the attribute, and outside a loop, a test is asked each time.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = steps, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!map = !tda.tile<64x16xf32>
!row = !tda.tile<64xf32>

// CHECK-LABEL: llvm.func @recalled
// CHECK:         scf.for
// CHECK:         scf.for %[[J:[a-z0-9]+]] = %c0_i32 to %{{.+}} step %c16_i32 iter_args(
// CHECK:           wgmma.wait_group
// CHECK:           %[[PAST:.+]] = arith.subi %[[J]], %c64_i32
// CHECK:           %[[TURN:.+]] = arith.remui %[[PAST]], %c256_i32
// CHECK:           %[[FIRST:.+]] = arith.cmpi slt, %[[J]], %c64_i32
// CHECK:           %[[SINCE:.+]] = arith.select %[[FIRST]], %[[J]], %[[TURN]]
// CHECK:           %[[BIT:.+]] = arith.andi %{{.+}}, %c1_i32
// CHECK:           %[[WAS:.+]] = arith.cmpi ne, %[[BIT]], %c0_i32
// CHECK:           %[[LATER:.+]] = arith.cmpi sgt, %[[SINCE]], %c0_i32
// CHECK:           %[[ASSUMES:.+]] = arith.andi %[[LATER]], %[[WAS]]
// CHECK:           %[[LIVE:.+]] = scf.if %[[ASSUMES]] -> (i1) {
// CHECK-NEXT:        scf.yield
// CHECK-NEXT:      } else {
// CHECK:             %[[ANY:.+]] = nvvm.vote.sync any
// CHECK-NEXT:        scf.yield %[[ANY]]
// CHECK:           scf.if %[[LIVE]]
// CHECK:           nvvm.vote.sync any
// CHECK-NOT:       nvvm.vote.sync
// CHECK:           scf.yield
func.func @recalled(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !map
    %tau = tda.tile_zero : !row
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>, %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
        carry (%acc = %zero : !map) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !map
      %live = tda.tile_survives %s above %tau {recalled} : !map above !row
      %a = scf.if %live -> !map {
        %x = tda.tile_threshold %s, %tau {power = 2.0 : f64} : !map, !row
        scf.yield %x : !map
      } else {
        scf.yield %zero : !map
      }
      %some = tda.tile_survives %s above %tau : !map above !row
      %a2 = scf.if %some -> !map {
        %x = tda.tile_scale %a {factor = 0.5 : f64} : !map
        scf.yield %x : !map
      } else {
        scf.yield %a : !map
      }
      %sum = tda.tile_aggregate_steps %a2, %pv, %acc : !map, <16x16xbf16, value>, !map
      tda.tile_yield %sum : !map
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !map, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = steps, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!map = !tda.tile<64x16xf32>
!row = !tda.tile<64xf32>

// CHECK-LABEL: llvm.func @outside
// CHECK:         nvvm.vote.sync any
// CHECK:         scf.if
func.func @outside(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !map
    %tau = tda.tile_zero : !row
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>, %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
        carry (%acc = %zero : !map) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !map
      %sum = tda.tile_aggregate_steps %s, %pv, %acc : !map, <16x16xbf16, value>, !map
      tda.tile_yield %sum : !map
    }
    %live = tda.tile_survives %r above %tau {recalled} : !map above !row
    %y = scf.if %live -> !map {
      %x = tda.tile_scale %r {factor = 0.5 : f64} : !map
      scf.yield %x : !map
    } else {
      scf.yield %r : !map
    }
    tda.tile_store %y, %o[%b, %h, %i] limit %n : !map, !m
  }
  return
}
