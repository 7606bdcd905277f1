// RUN: tda-opt %s --verify-roundtrip | FileCheck %s

// The examples of the reference: attributes, types, stage ops and the fused op.

// CHECK-LABEL: func.func private @attributes
func.func private @attributes() attributes {
  schedules = [
// example: #tda.schedule
  #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8, skip = tile>,
  #tda.schedule<tile_m = 128, tile_n = 128, stages = 5, warps = 8,
                skip = adaptive, path = wgmma>
// end: #tda.schedule
  ], layout =
// example: #tda.panel_layout
  #tda.panel_layout<rows = 64, columns = 128, leading = 16, stride = 1024,
                    step = 32>
// end: #tda.panel_layout
  , pipeline =
// example: #tda.pipeline
  #tda.pipeline<consumers = 2, producer_registers = 40,
                consumer_registers = 232, slots = 10, slot_bytes = 16384,
                query_offset = 1024, ring_offset = 66560, fetch_offset = 230400, fetch_bytes = 0, shared_bytes = 230400,
                query = <rows = 64, columns = 128, leading = 16,
                         stride = 1024, step = 32>,
                key = <rows = 64, columns = 128, leading = 16,
                       stride = 1024, step = 32>,
                value = <rows = 64, columns = 128, leading = 8192,
                         stride = 1024, step = 2048>>
// end: #tda.pipeline
  , targets = [
// example: #tda.target
  #tda.target<"sm_90">
// end: #tda.target
  , #tda.target<"cpu", vector_bits = 512>]
}

func.func private @types(
// example: !tda.tile
  !tda.tile<128x64xf32>
// end: !tda.tile
  ,
// example: !tda.panel
  !tda.panel<64x128xbf16, key>
// end: !tda.panel
)

// CHECK-LABEL: func.func @normalize
func.func @normalize(%x: tensor<?x?x?x128xbf16>) {
  // example: tda.normalize
  %y = tda.normalize %x : tensor<?x?x?x128xbf16>
  // end: tda.normalize
  return
}

// CHECK-LABEL: func.func @scores
func.func @scores(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>) {
  // example: tda.scores
  %s = tda.scores %q, %k {causal}
     : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x?xf32>
  // end: tda.scores
  return
}

// CHECK-LABEL: func.func @threshold
func.func @threshold(%s: tensor<?x?x?x?xf32>, %beta: tensor<?xf32>) {
  // example: tda.threshold
  %a = tda.threshold %s beta(%beta) {causal, dim = 128 : i64}
     : tensor<?x?x?x?xf32>, tensor<?xf32>
  // end: tda.threshold
  return
}

// CHECK-LABEL: func.func @differential
func.func @differential(%a1: tensor<?x?x?x?xf32>, %a2: tensor<?x?x?x?xf32>, %l: tensor<?xf32>) {
  // example: tda.differential
  %a = tda.differential %a1, %a2 lambda(%l) : tensor<?x?x?x?xf32>, tensor<?xf32>
  // end: tda.differential
  return
}

// CHECK-LABEL: func.func @aggregate
func.func @aggregate(%a: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x128xbf16>) {
  // example: tda.aggregate
  %o = tda.aggregate %a, %v
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16>
  // end: tda.aggregate
  return
}

// CHECK-LABEL: func.func @rms_norm
func.func @rms_norm(%x: tensor<?x?x?x128xf32>, %g: tensor<128xf32>) {
  // example: tda.rms_norm
  %y = tda.rms_norm %x gain(%g) : (tensor<?x?x?x128xf32>, tensor<128xf32>)
                                  -> tensor<?x?x?x128xbf16>
  // end: tda.rms_norm
  return
}

// CHECK-LABEL: func.func @count_survivors
func.func @count_survivors(%a1: tensor<?x?x?x?xf32>, %a2: tensor<?x?x?x?xf32>) {
  // example: tda.count_survivors
  %n = tda.count_survivors %a1, %a2
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<2x?x?x?xi32>
  // end: tda.count_survivors
  return
}

// CHECK-LABEL: func.func @attention
func.func @attention(%q1: tensor<?x?x?x128xbf16>, %k1: tensor<?x?x?x128xbf16>,
                 %q2: tensor<?x?x?x128xbf16>, %k2: tensor<?x?x?x128xbf16>,
                 %v: tensor<?x?x?x128xbf16>, %beta: tensor<?xf32>,
                 %lambda: tensor<?xf32>) {
  // example: tda.attention
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
         beta(%beta) lambda(%lambda) {causal, normalize}
     : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>,
        tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>,
        tensor<?x?x?x128xbf16>, tensor<?xf32>, tensor<?xf32>)
       -> tensor<?x?x?x128xbf16>
  // end: tda.attention
  return
}
