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
