// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-assign-pipeline --tda-tiles-to-hopper

// Key loops in which the threads that copy and those that compute would not
// count the same slots.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @panels_out_of_order(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    // expected-error@+1 {{must read each panel once, in the order of the stream, and outside branches that warps take apart: a product takes the next slot of the ring}}
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pv = %v : !m -> !tda.panel<16x16xbf16, value>, %pk = %k : !m -> !tda.panel<16x16xbf16, key>)
        carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %x = tda.tile_aggregate %s, %pv, %acc : !sum, <16x16xbf16, value>, !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// As on the mma.sync path, where a warp may branch around its product.
func.func @product_in_a_branch(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    // expected-error@+1 {{must read each panel once}}
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>, %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
        carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %live = tda.tile_survives %s above %tau : !sum above !tda.tile<64xf32>
      %x = scf.if %live -> !sum {
        %y = tda.tile_aggregate %s, %pv, %acc : !sum, <16x16xbf16, value>, !sum
        scf.yield %y : !sum
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

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @loop_in_a_branch(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index, %c: i1) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = scf.if %c -> !sum {
      // expected-error@+1 {{must stand at the top level of the program: the threads that copy follow no other loop and no branch}}
      %x = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
          stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
        tda.tile_yield %s : !sum
      }
      scf.yield %x : !sum
    } else {
      scf.yield %zero : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = adaptive, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @steps_read(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{goes to panel_vote and nowhere else with skip = adaptive: the steps are added to the vote where they are counted}}
      %steps = tda.tile_live_steps %s as bf16 : !sum
      %none = arith.constant 0 : i32
      %some = arith.cmpi ne, %steps, %none : i32
      %x = scf.if %some -> !sum {
        scf.yield %s : !sum
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

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = adaptive, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @no_gate(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index, %v: !m {tda.operand = "v"}) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %none = arith.constant 0 : i32
    // expected-error@+1 {{an optional panel needs skip = adaptive and a tile_gate above the first key loop: until a program has voted, its gate says what is copied}}
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>, %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
        carry (%acc = %zero : !sum) {
      %staged = tda.panel_staged %pv : <16x16xbf16, value>
      %next:2 = scf.if %staged -> (!sum, i32) {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
        %x = tda.tile_aggregate %s, %pv, %acc : !sum, <16x16xbf16, value>, !sum
        scf.yield %x, %none : !sum, i32
      } else {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
        scf.yield %acc, %none : !sum, i32
      }
      tda.panel_vote %pv, %next#1 : <16x16xbf16, value>
      tda.tile_yield %next#0 : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma, grid = persistent>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// The second view would read its queries after the first one let others come.
func.func @scores_apart(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    // expected-error@+1 {{grid = persistent needs the scores of all views in one place of a key loop: the next program's queries come after the last of them}}
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%p1 = %k : !m -> !tda.panel<16x16xbf16, key>, %p2 = %k : !m -> !tda.panel<16x16xbf16, key>)
        carry (%acc = %zero : !sum) {
      %s1 = tda.tile_scores %t, %p1 : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %half = tda.tile_scale %s1 {factor = 0.5 : f64} : !sum
      %s2 = tda.tile_scores %t, %p2 : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s2 : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}
