// RUN: tda-opt %s --verify-roundtrip | FileCheck %s

// The examples of the reference: tile ops of the wgmma path. One turn of the key
// loop, with both ways to aggregate a tile whose values came.

// CHECK-LABEL: func @turn
// CHECK:         tda.panel_staged
// CHECK:         tda.panel_vote
func.func @turn(%a: !tda.tile<128x64xf32>, %zero: !tda.tile<128x128xf32>,
                %V: memref<?x?x?x128xbf16>, %b: index, %g: index, %begin: index,
                %end: index, %Nk: index) {
  %sum = tda.tile_for %j = %begin to %end step 64 limit %Nk at [%b, %g]
      stream (%v = %V : memref<?x?x?x128xbf16>
                     -> !tda.panel<64x128xbf16, value>)
      carry (%acc = %zero : !tda.tile<128x128xf32>) {
    // example: tda.panel_staged
    %staged = tda.panel_staged %v : <64x128xbf16, value>
    // end: tda.panel_staged
    %next, %live = scf.if %staged -> (!tda.tile<128x128xf32>, i32) {
      // example: tda.tile_aggregate_steps
      %added = tda.tile_aggregate_steps %a, %v, %acc
             : !tda.tile<128x64xf32>, <64x128xbf16, value>,
               !tda.tile<128x128xf32>
      // end: tda.tile_aggregate_steps
      // example: tda.tile_live_steps
      %steps = tda.tile_live_steps %a as bf16 : !tda.tile<128x64xf32>
      // end: tda.tile_live_steps
      scf.yield %added, %steps : !tda.tile<128x128xf32>, i32
    } else {
      // example: tda.tile_gather
      %added = tda.tile_gather %a, %V[%b, %g, %j] limit %Nk, %acc
             : !tda.tile<128x64xf32>, memref<?x?x?x128xbf16>,
               !tda.tile<128x128xf32>
      // end: tda.tile_gather
      %steps = tda.tile_live_steps %a as bf16 : !tda.tile<128x64xf32>
      scf.yield %added, %steps : !tda.tile<128x128xf32>, i32
    }
    // example: tda.panel_vote
    tda.panel_vote %v, %live : <64x128xbf16, value>
    // end: tda.panel_vote
    tda.tile_yield %next : !tda.tile<128x128xf32>
  }
  return
}
