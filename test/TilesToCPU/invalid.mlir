// RUN: tda-opt --tda-tiles-to-cpu --split-input-file --verify-diagnostics %s

#schedule = #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1>
func.func @gpu(%n: index) {
  // expected-error @+1 {{is scheduled for sm_90, not for the cpu; run tda-assign-schedule with target=cpu}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule
      target #tda.target<"sm_90"> {
  }
  return
}

// -----

#schedule = #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1>
#cpu = #tda.target<"cpu", vector_bits = 256>
func.func @two(%n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule target #cpu {
  }
  // expected-error @+1 {{is the second in its function}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule target #cpu {
  }
  return
}

// -----

func.func @not_tiled(%q: tensor<?x?x?x8xf32>, %beta: tensor<f32>)
    -> tensor<?x?x?x8xf32> {
  // expected-error @+1 {{is still here; run tda-attention-to-tiles first}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>,
        tensor<f32>) -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

#schedule = #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1>
#cpu = #tda.target<"cpu", vector_bits = 256>
func.func @foreign(%n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule target #cpu {
    %zero = tda.tile_zero : !tda.tile<16x16xf32>
    // expected-error @+1 {{cannot be lowered to the cpu inside a tile program}}
    builtin.unrealized_conversion_cast %zero : !tda.tile<16x16xf32> to index
  }
  return
}

// -----

#q = strided<[?, ?, ?, 1], offset: ?>
#schedule = #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1>
#cpu = #tda.target<"cpu", vector_bits = 256>
func.func @stores_queries(%q: memref<?x?x?x8xf32, #q>, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule target #cpu {
    %t = tda.tile_load %q[%b, %h, %i] limit %n
        : memref<?x?x?x8xf32, #q> -> !tda.tile<16x8xf32>
    // expected-error @+1 {{reads queries or scores where the cpu takes an accumulator}}
    tda.tile_store %t, %q[%b, %h, %i] limit %n
        : !tda.tile<16x8xf32>, memref<?x?x?x8xf32, #q>
  }
  return
}

// -----

#schedule = #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1>
#cpu = #tda.target<"cpu", vector_bits = 256>
func.func @odd_rows(%n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule target #cpu {
    // expected-error @+1 {{makes a tile whose rows are no multiple of 16}}
    %zero = tda.tile_zero : !tda.tile<8x16xf32>
  }
  return
}
