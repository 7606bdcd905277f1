// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-assign-pipeline --tda-tiles-to-hopper

// A gather of bf16 leaves its last rows on their way, to be added in a later turn
// or after the loop to the tile that the loop carries first.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @two(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{leaves its last rows on their way until a later tile: it must stand in a key loop, which carries its result on as the first tile, and nothing else may read that}}
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      %y = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %x : !sum, !m, !sum
      tda.tile_yield %y : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// The branch hands the result on, but something else reads it there.
func.func @read_in_body(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %live = tda.tile_survives %s above %tau : !sum above !tda.tile<64xf32>
      %x = scf.if %live -> !sum {
        // expected-error@+1 {{leaves its last rows on their way}}
        %g = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
        scf.yield %g : !sum
      } else {
        scf.yield %acc : !sum
      }
      %y = tda.tile_scale %x {factor = 2.0 : f64} : !sum
      tda.tile_yield %y : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @outside(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s : !sum
    }
    // expected-error@+1 {{leaves its last rows on their way}}
    %x = tda.tile_gather %r, %v[%b, %h, %c] limit %n, %zero : !sum, !m, !sum
    tda.tile_store %x, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @output_read_early(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %less = tda.tile_scale %acc {factor = 0.5 : f64} : !sum
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{must add to the first tile that the loop carries, which branches without a gather hand on as it is: rows of the tiles before are still to be added}}
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %less : !sum, !m, !sum
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

func.func @alone_in_adaptive(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{stands where nothing adds its last rows: with skip = adaptive its place is the branch of panel_staged without values; a loop that only gathers takes skip = tile}}
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

// Rows of a tile set out in the next turn, and the place in the turn after it.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @place_of_the_turn(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %other = arith.addi %h, %one : index
      // expected-error@+1 {{takes its values from a place that is worked out inside the key loop; its tensor, batch, head and limit must be known before the loop: rows are still fetched in the turns that follow}}
      %x = tda.tile_gather %s, %v[%b, %other, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @added_to_another(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{must add to the first tile that the loop carries}}
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %zero : !sum, !m, !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @reset_in_a_branch(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %live = tda.tile_survives %s above %tau : !sum above !tda.tile<64xf32>
      %x = scf.if %live -> !sum {
        // expected-error@+1 {{must add to the first tile that the loop carries}}
        %g = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
        scf.yield %g : !sum
      } else {
        scf.yield %zero : !sum
      }
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @output_carried_twice(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r:2 = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum, %old = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      // expected-error@+1 {{reads the output inside a loop that gathers: rows that the tiles before left on their way are not yet in it; read it after the loop}}
      tda.tile_yield %x, %acc : !sum, !sum
    }
    tda.tile_store %r#1, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @output_as_scores(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{reads the output inside a loop that gathers}}
      %a = tda.tile_threshold %acc, %tau {power = 2.0 : f64} : !sum, !tda.tile<64xf32>
      %x = tda.tile_gather %a, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @one_in_each_arm(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %live = tda.tile_survives %s above %tau : !sum above !tda.tile<64xf32>
      %x = scf.if %live -> !sum {
        // expected-error@+1 {{is not the only one of its key loop: rows that are noted in one turn set out in the next, by the one gather that the loop has}}
        %g = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
        scf.yield %g : !sum
      } else {
        %g = tda.tile_gather %s, %v[%b, %c, %j] limit %n, %acc : !sum, !m, !sum
        scf.yield %g : !sum
      }
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @between_scores(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>, %pk2 = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      // expected-error@+1 {{stands in a loop whose scores are not in one place, all views one after the other}}
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      %s2 = tda.tile_scores %t, %pk2 : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @stored_in_the_loop(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      // expected-error@+1 {{must stand at the top level below all key loops: the output passes through the shared memory in which a loop that gathers keeps rows of values}}
      tda.tile_store %s, %o[%b, %h, %i] limit %n : !sum, !m
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}
