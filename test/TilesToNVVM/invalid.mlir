// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-tiles-to-nvvm

func.func @cpu_target(%n: index) {
  // expected-error@+1 {{tda-tiles-to-nvvm lowers GPU targets, not 'cpu'; use tda-tiles-to-cpu}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1> target #tda.target<"cpu"> {
  }
  return
}

// -----

func.func @rows_and_warps(%n: index) {
  // expected-error@+1 {{tile_m must be 16 rows a warp}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 2, warps = 1> target #tda.target<"sm_80"> {
  }
  return
}

// -----

// expected-error@+1 {{argument 0 carries no tda.operand; tda-attention-to-tiles sets it}}
func.func @unnamed(%m: memref<f32>, %n: i64) {
  %c = arith.constant 1 : index
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1> target #tda.target<"sm_80"> {
  }
  return
}

// -----

func.func @one_stage(%n: index) {
  // expected-error@+1 {{stages must be at least 2: one tile is copied while another is read}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1> target #tda.target<"sm_80"> {
  }
  return
}

// -----

memref.global "private" constant @gain : memref<16xf32> = dense<2.0>

func.func @constant_gain(%o: memref<?x?x?x16xbf16> {tda.operand = "o"}) {
  %c = arith.constant 1 : index
  %gain = memref.get_global @gain : memref<16xf32>
  tda.tile_program (%b, %h, %i) in (%c, %c, %c) schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1> target #tda.target<"sm_80"> {
    %zero = tda.tile_zero : !tda.tile<16x16xf32>
    // expected-error@+1 {{a GPU kernel reads tiles from its arguments only: pass a constant gain, or a constant lambda per token, as an argument}}
    %r = tda.tile_rms_norm %zero, %gain {eps = 1.0e-5 : f64} : !tda.tile<16x16xf32>, memref<16xf32>
    tda.tile_store %r, %o[%b, %h, %i] limit %c : !tda.tile<16x16xf32>, memref<?x?x?x16xbf16>
  }
  return
}

// -----

func.func @two_schedules(%n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1> target #tda.target<"sm_80"> {
  }
  // expected-error@+1 {{another schedule than that of the program before it}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #tda.schedule<tile_m = 32, tile_n = 16, stages = 2, warps = 2> target #tda.target<"sm_80"> {
  }
  return
}
