// RUN: tda-opt %s --split-input-file --tda-attention-to-tiles --canonicalize --cse | FileCheck %s

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
#t = #tda.target<"sm_80">

// Two views, causal: keys beyond the diagonal are never visited, only tiles
// that the span does not call full are masked, and the rest of a tile's work
// hangs on the survivor test.

// CHECK-LABEL: func.func @two_views
// CHECK-SAME:    %[[Q1:.+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "q1"}
// CHECK-SAME:    {tda.operand = "o"}
// CHECK:         tda.tile_program (%[[B:.+]], %[[H:.+]], %[[I:.+]]) in
// CHECK-SAME:      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
// CHECK:           %[[G:.+]] = arith.divui %[[H]]
// CHECK:           %[[TAU:.+]] = tda.tile_gate {{.*}} {causal, dim = 64 : i64}
// CHECK:           %[[QT1:.+]] = tda.tile_load %[[Q1]][%[[B]], %[[H]], %[[I]]]
// CHECK:           %[[BEGIN:.+]], %[[END:.+]], %[[FB:.+]], %[[FE:.+]] = tda.tile_span {{.*}} {causal, tile_m = 64 : i64, tile_n = 32 : i64}
// CHECK:           tda.tile_for %[[J:.+]] = %[[BEGIN]] to %[[END]] step 32 limit %{{.+}} at [%[[B]], %[[G]]]
// CHECK-SAME:        -> !tda.panel<32x64xbf16, key>
// CHECK-SAME:        -> !tda.panel<32x128xbf16, value>
// CHECK-SAME:        carry (%[[ACC:.+]] = %{{.+}} : !tda.tile<64x128xf32>)
// CHECK:             tda.tile_scores %[[QT1]]
// CHECK:             tda.tile_scores
// CHECK:             arith.cmpi slt, %[[J]], %[[FB]]
// CHECK:             arith.cmpi sgt, %{{.+}}, %[[FE]]
// CHECK:             %[[M:.+]]:2 = scf.if
// CHECK-COUNT-2:       tda.tile_mask
// CHECK:             %[[LIVE:.+]] = tda.tile_survives %[[M]]#0, %[[M]]#1 above %[[TAU]]
// CHECK:             scf.if %[[LIVE]]
// CHECK-COUNT-2:       tda.tile_threshold
// CHECK:               tda.tile_differential
// CHECK:               tda.tile_aggregate
// CHECK:             else
// CHECK-NEXT:          scf.yield %[[ACC]]
// CHECK:           tda.tile_store
func.func @two_views(%q1: tensor<?x?x?x64xbf16>, %k1: tensor<?x?x?x64xbf16>,
                     %q2: tensor<?x?x?x64xbf16>, %k2: tensor<?x?x?x64xbf16>,
                     %v: tensor<?x?x?x128xbf16>, %beta: tensor<?xf32>,
                     %lambda: tensor<?xf32>) -> tensor<?x?x?x128xbf16> {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
         beta(%beta) lambda(%lambda) {causal, schedule = #s, target = #t}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16>, tensor<?xf32>,
        tensor<?xf32>) -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, skip = never>
#t = #tda.target<"sm_80">

// One view, everything on: rows are normalised where they are loaded, survivors
// are counted, nothing hangs on a survivor test with skip = never, and
// constants become globals.

// CHECK:       memref.global "private" constant @one_view_constant0 : memref<f32> = dense<5.000000e-01>
// CHECK-LABEL: func.func @one_view
// CHECK:         tda.tile_normalize
// CHECK:         tda.tile_for
// CHECK-SAME:      !tda.tile<64x64xf32>, %{{.+}} = %{{.+}} : !tda.tile<64xi32>
// CHECK:           tda.panel_normalize
// CHECK-NOT:       tda.tile_survives
// CHECK:           tda.tile_count
// CHECK:           tda.tile_threshold {{.*}} {power = 1.000000e+00 : f64}
// CHECK-NOT:       tda.tile_differential
// CHECK:         tda.tile_rms_norm {{.*}} {eps = 1.000000e-05 : f64}
// CHECK:         tda.tile_store {{.*}} {plane = 0 : i64}
func.func @one_view(%q: tensor<1x4x?x64xf16>, %k: tensor<1x2x?x64xf16>,
                    %v: tensor<1x2x?x64xf16>, %offset: i64,
                    %gain: tensor<64xf32>)
    -> (tensor<1x4x?x64xf16>, tensor<1x1x4x?xi32>) {
  %beta = arith.constant dense<0.5> : tensor<f32>
  %o:2 = tda.attention excite(%q, %k) values(%v) beta(%beta) offset(%offset)
           gain(%gain) {window = 100 : i64, power = 1.0 : f64, normalize,
                        schedule = #s, target = #t}
     : (tensor<1x4x?x64xf16>, tensor<1x2x?x64xf16>, tensor<1x2x?x64xf16>,
        tensor<f32>, i64, tensor<64xf32>)
       -> (tensor<1x4x?x64xf16>, tensor<1x1x4x?xi32>)
  return %o#0, %o#1 : tensor<1x4x?x64xf16>, tensor<1x1x4x?xi32>
}

// -----

// A function without attention stays as it is.

// CHECK-LABEL: func.func @nothing(%arg0: tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT:    return %arg0
func.func @nothing(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
