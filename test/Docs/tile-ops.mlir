// RUN: tda-opt %s --verify-roundtrip | FileCheck %s

// The examples of the reference: tile ops, in one whole program.

// CHECK-LABEL: func @program
// CHECK:         tda.tile_program
// CHECK:           tda.tile_for

func.func @program(
    %q1: memref<?x?x?x128xbf16>, %K1: memref<?x?x?x128xbf16>,
    %q2: memref<?x?x?x128xbf16>, %K2: memref<?x?x?x128xbf16>,
    %V: memref<?x?x?x128xbf16>, %gain: memref<128xf32>,
    %o: memref<?x?x?x128xbf16>, %survivors: memref<2x?x?x?xi32>,
    %B: index, %Hq: index, %Hkv: index, %Nq: index, %Nk: index, %offset: index,
    %beta: f32, %kappa: f32, %lambda: f32) {
  // example: tda.tile_program
  tda.tile_program (%b, %h, %i) in (%B, %Hq, %Nq)
      schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8>
      target #tda.target<"sm_90"> {
    // example: tda.tile_load
    %q1_raw = tda.tile_load %q1[%b, %h, %i] limit %Nq
            : memref<?x?x?x128xbf16> -> !tda.tile<128x128xbf16>
    // end: tda.tile_load
    // example: tda.tile_normalize
    %q1_tile = tda.tile_normalize %q1_raw : !tda.tile<128x128xbf16>
    // end: tda.tile_normalize
    %q2_raw = tda.tile_load %q2[%b, %h, %i] limit %Nq
            : memref<?x?x?x128xbf16> -> !tda.tile<128x128xbf16>
    %q2_tile = tda.tile_normalize %q2_raw : !tda.tile<128x128xbf16>
    // example: tda.tile_gate
    %tau = tda.tile_gate beta(%beta) kappa(%kappa) rows(%i) keys(%Nk)
             offset(%offset) {causal, dim = 128 : i64} : !tda.tile<128xf32>
    // end: tda.tile_gate
    // example: tda.tile_span
    %begin, %end, %full_begin, %full_end =
        tda.tile_span rows(%i, %Nq) keys(%Nk) offset(%offset)
          {causal, tile_m = 128 : i64, tile_n = 64 : i64}
    // end: tda.tile_span
    // example: tda.tile_zero
    %zero = tda.tile_zero : !tda.tile<128x128xf32>
    // end: tda.tile_zero
    %none = tda.tile_zero : !tda.tile<128xi32>
    %group = arith.divui %Hq, %Hkv : index
    %g = arith.divui %h, %group : index
    // example: tda.tile_for
    %sum, %count1, %count2 =
      tda.tile_for %j = %begin to %end step 64 limit %Nk at [%b, %g]
        stream (%k1_raw = %K1 : memref<?x?x?x128xbf16>
                             -> !tda.panel<64x128xbf16, key>,
                %k2_raw = %K2 : memref<?x?x?x128xbf16>
                             -> !tda.panel<64x128xbf16, key>,
                %v = %V : memref<?x?x?x128xbf16>
                       -> !tda.panel<64x128xbf16, value>)
        carry (%acc = %zero : !tda.tile<128x128xf32>,
               %seen1 = %none : !tda.tile<128xi32>,
               %seen2 = %none : !tda.tile<128xi32>) {
      // example: tda.panel_normalize
      %k1, %k2 = tda.panel_normalize %k1_raw, %k2_raw
        : (!tda.panel<64x128xbf16, key>, !tda.panel<64x128xbf16, key>)
          -> (!tda.panel<64x128xbf16, key>, !tda.panel<64x128xbf16, key>)
      // end: tda.panel_normalize
      // example: tda.tile_scores
      %s1_all = tda.tile_scores %q1_tile, %k1
              : !tda.tile<128x128xbf16>, <64x128xbf16, key>
             -> !tda.tile<128x64xf32>
      // end: tda.tile_scores
      %s2_all = tda.tile_scores %q2_tile, %k2
              : !tda.tile<128x128xbf16>, <64x128xbf16, key>
             -> !tda.tile<128x64xf32>
      // example: tda.tile_mask
      %s1 = tda.tile_mask %s1_all rows(%i) from(%j) keys(%Nk) offset(%offset)
              {causal} : !tda.tile<128x64xf32>
      // end: tda.tile_mask
      %s2 = tda.tile_mask %s2_all rows(%i) from(%j) keys(%Nk) offset(%offset)
              {causal} : !tda.tile<128x64xf32>
      // example: tda.tile_survives
      %live = tda.tile_survives %s1, %s2 above %tau
            : !tda.tile<128x64xf32>, !tda.tile<128x64xf32>
              above !tda.tile<128xf32>
      // end: tda.tile_survives
      %next, %more1, %more2 = scf.if %live
          -> (!tda.tile<128x128xf32>, !tda.tile<128xi32>, !tda.tile<128xi32>) {
        // example: tda.tile_threshold
        %a1 = tda.tile_threshold %s1, %tau {power = 2.0 : f64}
            : !tda.tile<128x64xf32>, !tda.tile<128xf32>
        // end: tda.tile_threshold
        %a2 = tda.tile_threshold %s2, %tau {power = 2.0 : f64}
            : !tda.tile<128x64xf32>, !tda.tile<128xf32>
        // example: tda.tile_differential
        %a = tda.tile_differential %a1, %a2, %lambda
           : !tda.tile<128x64xf32>, f32
        // end: tda.tile_differential
        // example: tda.tile_aggregate
        %added = tda.tile_aggregate %a, %v, %acc
               : !tda.tile<128x64xf32>, <64x128xbf16, value>,
                 !tda.tile<128x128xf32>
        // end: tda.tile_aggregate
        // example: tda.tile_count
        %n1 = tda.tile_count %s1 above %tau, %seen1
            : !tda.tile<128x64xf32>, !tda.tile<128xf32>, !tda.tile<128xi32>
        // end: tda.tile_count
        %n2 = tda.tile_count %s2 above %tau, %seen2
            : !tda.tile<128x64xf32>, !tda.tile<128xf32>, !tda.tile<128xi32>
        scf.yield %added, %n1, %n2
          : !tda.tile<128x128xf32>, !tda.tile<128xi32>, !tda.tile<128xi32>
      } else {
        scf.yield %acc, %seen1, %seen2
          : !tda.tile<128x128xf32>, !tda.tile<128xi32>, !tda.tile<128xi32>
      }
      // example: tda.tile_yield
      tda.tile_yield %next, %more1, %more2
        : !tda.tile<128x128xf32>, !tda.tile<128xi32>, !tda.tile<128xi32>
      // end: tda.tile_yield
    }
    // end: tda.tile_for
    // example: tda.tile_scale
    %whole = tda.tile_scale %sum {factor = 4.0 : f64} : !tda.tile<128x128xf32>
    // end: tda.tile_scale
    // example: tda.tile_rms_norm
    %y = tda.tile_rms_norm %whole, %gain {eps = 1.0e-5 : f64}
       : !tda.tile<128x128xf32>, memref<128xf32>
    // end: tda.tile_rms_norm
    // example: tda.tile_store
    tda.tile_store %y, %o[%b, %h, %i] limit %Nq
      : !tda.tile<128x128xf32>, memref<?x?x?x128xbf16>
    // end: tda.tile_store
    tda.tile_store %count1, %survivors[%b, %h, %i] limit %Nq {plane = 0 : i64}
      : !tda.tile<128xi32>, memref<2x?x?x?xi32>
    tda.tile_store %count2, %survivors[%b, %h, %i] limit %Nq {plane = 1 : i64}
      : !tda.tile<128xi32>, memref<2x?x?x?xi32>
  }
  // end: tda.tile_program
  return
}
