// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-tiles-to-hopper

func.func @no_pipeline(%n: index) {
  // expected-error@+1 {{has no pipeline; run tda-assign-pipeline first}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, path = wgmma> target #tda.target<"sm_90"> {
  }
  return
}

// -----

#l = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 25600, fetch_bytes = 0, shared_bytes = 25600, query = #l, key = #l, value = #l>
!m = memref<?x?x?x64xbf16>

memref.global "private" constant @gain : memref<64xf32> = dense<2.0>

func.func @constant_gain(%o: !m {tda.operand = "o"}) {
  %c = arith.constant 1 : index
  %gain = memref.get_global @gain : memref<64xf32>
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4, path = wgmma> target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %zero = tda.tile_zero : !tda.tile<64x64xf32>
    // expected-error@+1 {{a GPU kernel reads tiles from its arguments only: pass a constant gain, or a constant lambda per token, as an argument}}
    %r = tda.tile_rms_norm %zero, %gain {eps = 1.0e-5 : f64} : !tda.tile<64x64xf32>, memref<64xf32>
    tda.tile_store %r, %o[%b, %h, %i] limit %c : !tda.tile<64x64xf32>, !m
  }
  return
}

// -----

#l = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 25600, fetch_bytes = 0, shared_bytes = 25600, query = #l, key = #l, value = #l>
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

func.func @panel_normalize(%k: !m {tda.operand = "k"}) {
  %c = arith.constant 1 : index
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4, path = wgmma> target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %z = tda.tile_zero : !tda.tile<64x64xf32>
    %r = tda.tile_for %j = %c to %c step 64 limit %c at [%b, %h]
        stream (%kp = %k : !m -> !tda.panel<64x64xbf16, key>) carry (%acc = %z : !tda.tile<64x64xf32>) {
      // expected-error@+1 {{has no form on the wgmma path: panels arrive as they lie in memory; normalise them first}}
      %unit = tda.panel_normalize %kp : (!tda.panel<64x64xbf16, key>) -> !tda.panel<64x64xbf16, key>
      tda.tile_yield %acc : !tda.tile<64x64xf32>
    }
  }
  return
}

// -----

#l = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 25600, fetch_bytes = 0, shared_bytes = 25600, query = #l, key = #l, value = #l>
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

// A map has boxes of one height: queries of 64 rows here, panels of 32.
func.func @two_heights(%q: !m {tda.operand = "q"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 1 : index
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, skip = never, path = wgmma> target #tda.target<"sm_90"> attributes {
      pipeline = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 4096,
        query_offset = 1024, ring_offset = 9216, fetch_offset = 17408, fetch_bytes = 0, shared_bytes = 17408, query = #l,
        key = <rows = 32, columns = 64, leading = 16, stride = 1024, step = 32>,
        value = <rows = 32, columns = 64, leading = 4096, stride = 1024, step = 2048>>} {
    %t = tda.tile_load %q[%b, %h, %i] limit %c : !m -> !tda.tile<64x64xbf16>
    %z = tda.tile_zero : !tda.tile<64x64xf32>
    // expected-error@+1 {{reads a tensor in boxes that is no argument, or in boxes of two heights}}
    %r = tda.tile_for %j = %c to %c step 32 limit %c at [%b, %h]
        stream (%kp = %q : !m -> !tda.panel<32x64xbf16, key>) carry (%acc = %z : !tda.tile<64x64xf32>) {
      %s = tda.tile_scores %t, %kp : !tda.tile<64x64xbf16>, <32x64xbf16, key> -> !tda.tile<64x32xf32>
      tda.tile_yield %acc : !tda.tile<64x64xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %c : !tda.tile<64x64xf32>, !m
  }
  return
}

// -----

#l = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 25600, fetch_bytes = 0, shared_bytes = 25600, query = #l, key = #l, value = #l>
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

// The output is carried first.
func.func @no_output(%q: !m {tda.operand = "q"}) {
  %c = arith.constant 1 : index
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, path = wgmma> target #tda.target<"sm_90"> attributes {
      pipeline = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 4096,
        query_offset = 1024, ring_offset = 9216, fetch_offset = 17408, fetch_bytes = 0, shared_bytes = 17408, query = #l,
        key = <rows = 32, columns = 64, leading = 16, stride = 1024, step = 32>, value = #l>} {
    %t = tda.tile_load %q[%b, %h, %i] limit %c : !m -> !tda.tile<64x64xbf16>
    // expected-error@+1 {{the first tile that a key loop carries must be its output, a two-dimensional tile of f32}}
    tda.tile_for %j = %c to %c step 32 limit %c at [%b, %h]
        stream (%kp = %q : !m -> !tda.panel<32x64xbf16, key>) carry () {
      tda.tile_yield
    }
  }
  return
}

// -----

#l = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 25600, fetch_bytes = 0, shared_bytes = 25600, query = #l, key = #l, value = #l>
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

// What hangs on an optional panel is one branch and its vote.
func.func @no_vote(%k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}) {
  %c = arith.constant 1 : index
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4, path = wgmma> target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %zero = tda.tile_zero : !tda.tile<64x64xf32>
    // expected-error@+1 {{a loop with an optional panel, the last one, must be one branch on panel_staged and one panel_vote on its last result}}
    tda.tile_for %j = %c to %c step 64 limit %c at [%b, %h]
        stream (%kp = %k : !m -> !tda.panel<64x64xbf16, key>, %vp = %v : !m -> !tda.panel<64x64xbf16, value>)
        carry (%acc = %zero : !tda.tile<64x64xf32>) {
      %staged = tda.panel_staged %vp : <64x64xbf16, value>
      tda.tile_yield %acc : !tda.tile<64x64xf32>
    }
  }
  return
}

// -----

#l = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

// The schedule has three slots.
func.func @other_pipeline(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 1 : index
  // expected-error@+1 {{has a pipeline that its schedule and its shapes do not lead to; run tda-assign-pipeline, which gives #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 3, slot_bytes = 8192, query_offset = 1024, ring_offset = 9216, fetch_offset = 33792, fetch_bytes = 0, shared_bytes = 33792,}}
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 64, tile_n = 64, stages = 3, warps = 4, skip = never, path = wgmma> target #tda.target<"sm_90"> attributes {
      pipeline = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192,
        query_offset = 1024, ring_offset = 9216, fetch_offset = 25600, fetch_bytes = 0, shared_bytes = 25600, query = #l, key = #l,
        value = <rows = 64, columns = 64, leading = 8192, stride = 1024, step = 2048>>} {
    %t = tda.tile_load %q[%b, %h, %i] limit %c : !m -> !tda.tile<64x64xbf16>
    %z = tda.tile_zero : !tda.tile<64x64xf32>
    %r = tda.tile_for %j = %c to %c step 64 limit %c at [%b, %h]
        stream (%kp = %k : !m -> !tda.panel<64x64xbf16, key>) carry (%acc = %z : !tda.tile<64x64xf32>) {
      %s = tda.tile_scores %t, %kp : !tda.tile<64x64xbf16>, <64x64xbf16, key> -> !tda.tile<64x64xf32>
      tda.tile_yield %s : !tda.tile<64x64xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %c : !tda.tile<64x64xf32>, !m
  }
  return
}
