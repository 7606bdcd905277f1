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

// The wgmma path. A default is not printed here either.
// CHECK-LABEL: func private @wgmma
// CHECK-SAME: #tda.schedule<tile_m = 128, tile_n = 128, stages = 5, warps = 8, skip = adaptive, path = wgmma>
// CHECK-SAME: #tda.schedule<tile_m = 64, tile_n = 64, stages = 4, warps = 4, skip = steps, path = wgmma, grid = persistent, force = true>
// CHECK-SAME: #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4>
func.func private @wgmma() attributes {
  s = [#tda.schedule<path = wgmma, skip = adaptive, tile_m = 128, tile_n = 128, stages = 5, warps = 8>,
       #tda.schedule<tile_m = 64, tile_n = 64, stages = 4, warps = 4, skip = steps, force = true, grid = persistent, path = wgmma>,
       #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4, path = mma_sync, grid = plain, force = false>]}

// CHECK-LABEL: func private @pipeline
// CHECK-SAME: l = #tda.panel_layout<rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>
// CHECK-SAME: #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 8192, query_offset = 1024, ring_offset = 17408, fetch_offset = 33792, fetch_bytes = 0, shared_bytes = 33792, query = <rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>, key = <rows = 32, columns = 128, leading = 16, stride = 1024, step = 32>, value = <rows = 32, columns = 64, leading = 4096, stride = 1024, step = 2048>>
func.func private @pipeline() attributes {
  l = #tda.panel_layout<rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>,
  p = #tda.pipeline<
    value = <rows = 32, columns = 64, leading = 4096, stride = 1024, step = 2048>,
    key = <rows = 32, columns = 128, leading = 16, stride = 1024, step = 32>,
    query = <rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>,
    consumers = 1, producer_registers = 0, consumer_registers = 0,
    slots = 2, slot_bytes = 8192,
    query_offset = 1024, ring_offset = 17408, fetch_offset = 33792, fetch_bytes = 0, shared_bytes = 33792>}

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
