// RUN: tda-opt %s | tda-opt | FileCheck %s
// RUN: tda-opt %s --mlir-print-op-generic | tda-opt | FileCheck %s

// CHECK-LABEL: func private @schedule
// CHECK-SAME: #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8>
func.func private @schedule() attributes {
  s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8, skip = tile, group = 8>}

// Words in any order; a default is not printed.
// CHECK-LABEL: func private @never
// CHECK-SAME: #tda.schedule<tile_m = 16, tile_n = 32, stages = 3, warps = 1, skip = never, group = 4>
func.func private @never() attributes {
  s = #tda.schedule<skip = never, tile_n = 32, group = 4, warps = 1, tile_m = 16, stages = 3>}

// CHECK-LABEL: func private @targets
// CHECK-SAME: #tda.target<"sm_80">, #tda.target<"sm_86">, #tda.target<"sm_89">, #tda.target<"sm_90">
// CHECK-SAME: #tda.target<"cpu">, #tda.target<"cpu", vector_bits = 512>
func.func private @targets() attributes {
  t = [#tda.target<"sm_80">, #tda.target<"sm_86">, #tda.target<"sm_89">, #tda.target<"sm_90">,
       #tda.target<"cpu">, #tda.target<"cpu", vector_bits = 512>]}

// CHECK-LABEL: func private @types
// CHECK-SAME: (!tda.tile<128x64xf32>, !tda.tile<128xf32>, !tda.tile<16x32xbf16>, !tda.tile<16xi32>)
// CHECK-SAME: -> (!tda.panel<64x128xbf16, key>, !tda.panel<64x32xf16, value>)
func.func private @types(!tda.tile<128x64xf32>, !tda.tile<128xf32>, !tda.tile<16x32xbf16>, !tda.tile<16xi32>)
  -> (!tda.panel<64x128xbf16, key>, !tda.panel<64x32xf16, value>)
