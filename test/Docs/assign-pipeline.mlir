// RUN: tda-opt %s --tda-assign-pipeline | FileCheck %s

// example: tda-assign-pipeline
func.func @scores(%q: memref<?x?x?x64xbf16>, %o: memref<?x?x?x64xbf16>,
                  %k: !tda.panel<64x64xbf16, key>, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8,
                             path = wgmma>
      target #tda.target<"sm_90"> {
    %rows = tda.tile_load %q[%b, %h, %i] limit %n
          : memref<?x?x?x64xbf16> -> !tda.tile<128x64xbf16>
    %s = tda.tile_scores %rows, %k
       : !tda.tile<128x64xbf16>, <64x64xbf16, key> -> !tda.tile<128x64xf32>
    tda.tile_store %s, %o[%b, %h, %i] limit %n
      : !tda.tile<128x64xf32>, memref<?x?x?x64xbf16>
  }
  return
}
// CHECK: tda.tile_program ({{.*}}) in ({{.*}})
// CHECK-SAME:     schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8, path = wgmma>
// CHECK-SAME:     target #tda.target<"sm_90">
// CHECK-SAME:     attributes {pipeline = #tda.pipeline<
// CHECK-SAME:       consumers = 2, producer_registers = 40, consumer_registers = 232,
// CHECK-SAME:       slots = 4, slot_bytes = 8192, query_offset = 1024,
// CHECK-SAME:       ring_offset = 17408, fetch_offset = 50176, fetch_bytes = 2304,
// CHECK-SAME:       shared_bytes = 68608,
// CHECK-SAME:       query = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
// CHECK-SAME:       key = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
// CHECK-SAME:       value = <rows = 64, columns = 64, leading = 8192, stride = 1024, step = 2048>>}
// CHECK:   {{.*}}
// CHECK: }
// end: tda-assign-pipeline
