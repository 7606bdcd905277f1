// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-assign-pipeline

!m = memref<?x?x?x128xbf16>

func.func @too_large(%q: !m, %o: !m, %k: !tda.panel<128x128xbf16, key>, %x: !tda.tile<128x128xf32>, %n: index) {
  // expected-error @+1 {{schedule cannot work on sm_90: needs 297984 bytes of shared memory, 65536 more than the 232448 that a block may take on sm_90; a slot of the ring is 32768}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 128, tile_n = 128, stages = 7, warps = 8, path = wgmma>
      target #tda.target<"sm_90"> {
    %a = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<128x128xbf16>
    %s = tda.tile_scores %a, %k : !tda.tile<128x128xbf16>, <128x128xbf16, key> -> !tda.tile<128x128xf32>
    tda.tile_store %x, %o[%b, %h, %i] limit %n : !tda.tile<128x128xf32>, !m
  }
  return
}

// -----

func.func @empty(%n: index) {
  // expected-error @+1 {{has no queries, scores or output to place in shared memory}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, path = wgmma>
      target #tda.target<"sm_90"> {
  }
  return
}

// -----

!m = memref<?x?x?x64xbf16>

func.func @other_target(%q: !m, %o: !m, %k: !tda.panel<32x64xbf16, key>, %x: !tda.tile<64x64xf32>, %n: index) {
  // expected-error @+1 {{schedule cannot work on sm_80: path = wgmma needs an architecture with warpgroup instructions, sm_90; sm_80 has none}}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, path = wgmma>
      target #tda.target<"sm_80"> {
    %a = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x64xbf16>
    %s = tda.tile_scores %a, %k : !tda.tile<64x64xbf16>, <32x64xbf16, key> -> !tda.tile<64x32xf32>
    tda.tile_store %x, %o[%b, %h, %i] limit %n : !tda.tile<64x64xf32>, !m
  }
  return
}
