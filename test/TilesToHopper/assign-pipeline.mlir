// RUN: tda-opt %s --split-input-file --tda-assign-pipeline | FileCheck %s

// Two views of d = 128: two consumer warpgroups, a ring of eight panels. Barriers
// take 1024 bytes, then come 4 x 64 rows of queries, then 8 slots of 64 rows; a
// row is 256 bytes. Each of the eight warps has room for 16 rows of 272.

!m = memref<?x?x?x128xbf16>

// CHECK-LABEL: func.func @d128
// CHECK:         tda.tile_program
// CHECK-SAME:      pipeline = #tda.pipeline<consumers = 2, producer_registers = 40, consumer_registers = 232,
// CHECK-SAME:        slots = 8, slot_bytes = 16384, query_offset = 1024, ring_offset = 66560, fetch_offset = 197632, fetch_bytes = 4352, shared_bytes = 232448,
// Contracted along its columns: rows of 128 bytes, 1024 from eight to the next.
// CHECK-SAME:        query = <rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>,
// CHECK-SAME:        key = <rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>,
// Along its rows: the next 64 columns are 64 rows further, the next step 16.
// CHECK-SAME:        value = <rows = 64, columns = 128, leading = 8192, stride = 1024, step = 2048>>
func.func @d128(%q1: !m, %q2: !m, %o: !m, %k: !tda.panel<64x128xbf16, key>, %x: !tda.tile<128x128xf32>, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 8, warps = 8, skip = adaptive, path = wgmma>
      target #tda.target<"sm_90"> {
    %a = tda.tile_load %q1[%b, %h, %i] limit %n : !m -> !tda.tile<128x128xbf16>
    %c = tda.tile_load %q2[%b, %h, %i] limit %n : !m -> !tda.tile<128x128xbf16>
    %s = tda.tile_scores %a, %k : !tda.tile<128x128xbf16>, <64x128xbf16, key> -> !tda.tile<128x64xf32>
    tda.tile_store %x, %o[%b, %h, %i] limit %n : !tda.tile<128x128xf32>, !m
  }
  return
}

// -----

// d = 96 lies as 128: whole blocks of 64 columns, zeros beyond. A slot holds the
// wider of keys and values. One consumer warpgroup keeps the registers it has.

!m = memref<?x?x?x96xf16>
!o = memref<?x?x?x64xf16>

// CHECK-LABEL: func.func @d96
// CHECK:         pipeline = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0,
// CHECK-SAME:        slots = 3, slot_bytes = 8192, query_offset = 1024, ring_offset = 17408, fetch_offset = 41984, fetch_bytes = 0, shared_bytes = 41984,
// CHECK-SAME:        query = <rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>,
// CHECK-SAME:        key = <rows = 32, columns = 128, leading = 16, stride = 1024, step = 32>,
// CHECK-SAME:        value = <rows = 32, columns = 64, leading = 4096, stride = 1024, step = 2048>>
func.func @d96(%q: !m, %o: !o, %k: !tda.panel<32x96xf16, key>, %x: !tda.tile<64x64xf32>, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 3, warps = 4, path = wgmma>
      target #tda.target<"sm_90"> {
    %a = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x96xf16>
    %s = tda.tile_scores %a, %k : !tda.tile<64x96xf16>, <32x96xf16, key> -> !tda.tile<64x32xf32>
    tda.tile_store %x, %o[%b, %h, %i] limit %n : !tda.tile<64x64xf32>, !o
  }
  return
}

// -----

// Three consumer warpgroups share the registers in another way.

!m = memref<?x?x?x64xbf16>

// CHECK-LABEL: func.func @three
// CHECK:         pipeline = #tda.pipeline<consumers = 3, producer_registers = 32, consumer_registers = 160,
func.func @three(%q: !m, %o: !m, %k: !tda.panel<64x64xbf16, key>, %x: !tda.tile<192x64xf32>, %n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 192, tile_n = 64, stages = 3, warps = 12, path = wgmma>
      target #tda.target<"sm_90"> {
    %a = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<192x64xbf16>
    %s = tda.tile_scores %a, %k : !tda.tile<192x64xbf16>, <64x64xbf16, key> -> !tda.tile<192x64xf32>
    tda.tile_store %x, %o[%b, %h, %i] limit %n : !tda.tile<192x64xf32>, !m
  }
  return
}

// -----

// Programs of another path stay as they are.

// CHECK-LABEL: func.func @mma_sync
// CHECK-NOT:     pipeline
// CHECK:         return
func.func @mma_sync(%n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
      target #tda.target<"sm_90"> {
  }
  return
}
