// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-assign-pipeline --tda-tiles-to-hopper

// What keeps the threads that copy in step with those that compute, and what
// one layout of shared memory is for.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @queries_stored(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
    // expected-error@+1 {{reads queries, which lie in shared memory for tile_scores alone}}
    tda.tile_store %t, %o[%b, %h, %i] limit %n : !tda.tile<64x16xbf16>, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @queries_in_the_loop(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      // expected-error@+1 {{copies queries inside a loop or a branch, where the thread that copies does not come: move it to the top level of the program}}
      %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s : !sum
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

func.func @place_from_a_branch(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}) {
  %first = arith.constant 0 : index
  %n = memref.dim %k, %first : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %c = arith.cmpi eq, %b, %h : index
    %end = scf.if %c -> index {
      scf.yield %b : index
    } else {
      scf.yield %n : index
    }
    // expected-error@+1 {{takes a place or a gate that the threads that copy cannot compute: they do arithmetic and tile_span, and read beta}}
    %r = tda.tile_for %j = %n to %end step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s : !sum
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

func.func @two_stores(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index) {
  // expected-error@+1 {{grid = persistent needs one tile_store without a plane, at the top level below the key loops: where these are empty it lets the next program's queries come}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
    tda.tile_store %zero, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @other_rows(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %zero = tda.tile_zero : !sum
    // expected-error@+1 {{has '!tda.tile<32x16xbf16>' where the schedule has tile_m = 64}}
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<32x16xbf16>
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<32x16xbf16>, <16x16xbf16, key> -> !tda.tile<32x16xf32>
      tda.tile_yield %acc : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!k2 = memref<?x?x?x128xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

func.func @two_widths(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}, %n: index, %k2: !k2 {tda.operand = "k2"}) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #t {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      tda.tile_yield %s : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
    // expected-error@+1 {{has keys or values of two widths or element types, for which the ring has one layout}}
    %x = tda.tile_for %j = %n to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k2 : !k2 -> !tda.panel<16x128xbf16, key>) carry (%acc = %zero : !sum) {
      tda.tile_yield %acc : !sum
    }
  }
  return
}

// -----

!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>
!map = !tda.tile<64x32xf32>
func.func @gate_of_a_branch(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}, %beta: memref<?xf32, strided<[?], offset: ?>> {tda.operand = "beta"}) {
  %c = arith.constant 0 : index
  %kappa = arith.constant 1.0 : f32
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 3, warps = 4, skip = adaptive, path = wgmma>
      target #tda.target<"sm_90"> {
    %cmp = arith.cmpi slt, %i, %n : index
    %hh = scf.if %cmp -> index {
      scf.yield %h : index
    } else {
      scf.yield %c : index
    }
    %bv = memref.load %beta[%hh] : memref<?xf32, strided<[?], offset: ?>>
    // expected-error@+1 {{takes a place or a gate that the threads that copy cannot compute}}
    %tau = tda.tile_gate beta(%bv) kappa(%kappa) rows(%i) keys(%n) offset(%c) {dim = 16 : i64} : !tda.tile<64xf32>
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 32 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<32x16xbf16, key>, %pv = %v : !m -> !tda.panel<32x16xbf16, value>) carry (%acc = %zero : !sum) {
      %st = tda.panel_staged %pv : <32x16xbf16, value>
      %x:2 = scf.if %st -> (!sum, i32) {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <32x16xbf16, key> -> !map
        %a = tda.tile_threshold %s, %tau {power = 1.0 : f64} : !map, !tda.tile<64xf32>
        %y = tda.tile_aggregate %a, %pv, %acc : !map, <32x16xbf16, value>, !sum
        %l = tda.tile_live_steps %a as bf16 : !map
        scf.yield %y, %l : !sum, i32
      } else {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <32x16xbf16, key> -> !map
        %a = tda.tile_threshold %s, %tau {power = 1.0 : f64} : !map, !tda.tile<64xf32>
        %y = tda.tile_gather %a, %v[%b, %h, %j] limit %n, %acc : !map, !m, !sum
        %l = tda.tile_live_steps %a as bf16 : !map
        scf.yield %y, %l : !sum, i32
      }
      tda.panel_vote %pv, %x#1 : <32x16xbf16, value>
      tda.tile_yield %x#0 : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}

// -----

!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>
!map = !tda.tile<64x32xf32>
func.func @scalar_as_it_is(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}, %off: i64 {tda.operand = "offset"}, %beta: memref<?xf32, strided<[?], offset: ?>> {tda.operand = "beta"}) {
  %c = arith.constant 0 : index
  %kappa = arith.constant 1.0 : f32
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 3, warps = 4, skip = adaptive, path = wgmma>
      target #tda.target<"sm_90"> {
    // expected-error@+1 {{reads a kernel's scalar as it is: arith.index_cast it to index first}}
    %t5 = arith.trunci %off : i64 to i32
    %u5 = arith.index_cast %t5 : i32 to index
    %cmp = arith.cmpi slt, %i, %n : index
    %hh = scf.if %cmp -> index {
      scf.yield %h : index
    } else {
      scf.yield %c : index
    }
    %bv = memref.load %beta[%h] : memref<?xf32, strided<[?], offset: ?>>
    %tau = tda.tile_gate beta(%bv) kappa(%kappa) rows(%i) keys(%n) offset(%u5) {dim = 16 : i64} : !tda.tile<64xf32>
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 32 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<32x16xbf16, key>, %pv = %v : !m -> !tda.panel<32x16xbf16, value>) carry (%acc = %zero : !sum) {
      %st = tda.panel_staged %pv : <32x16xbf16, value>
      %x:2 = scf.if %st -> (!sum, i32) {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <32x16xbf16, key> -> !map
        %a = tda.tile_threshold %s, %tau {power = 1.0 : f64} : !map, !tda.tile<64xf32>
        %y = tda.tile_aggregate %a, %pv, %acc : !map, <32x16xbf16, value>, !sum
        %l = tda.tile_live_steps %a as bf16 : !map
        scf.yield %y, %l : !sum, i32
      } else {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <32x16xbf16, key> -> !map
        %a = tda.tile_threshold %s, %tau {power = 1.0 : f64} : !map, !tda.tile<64xf32>
        %y = tda.tile_gather %a, %v[%b, %h, %j] limit %n, %acc : !map, !m, !sum
        %l = tda.tile_live_steps %a as bf16 : !map
        scf.yield %y, %l : !sum, i32
      }
      tda.panel_vote %pv, %x#1 : <32x16xbf16, value>
      tda.tile_yield %x#0 : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}
