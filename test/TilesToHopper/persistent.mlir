// RUN: tda-opt %s --split-input-file --tda-tiles-to-hopper --canonicalize --cse | FileCheck %s

// A persistent grid: the producer waits until the queries of the program before
// have been read. A consumer says so once the last scores of the last tile are
// there, before it makes weights of them; and after the loop where that had no
// tile. The smallest program, as in products.mlir.

#key = #tda.panel_layout<rows = 16, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 3, slot_bytes = 2048,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 15360, fetch_bytes = 0, shared_bytes = 15360,
  query = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
  key = #key, value = <rows = 16, columns = 64, leading = 2048, stride = 1024, step = 2048>>
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>

// CHECK-LABEL: llvm.func @persistent
// The queries' thread, in its loop over programs.
// CHECK:         scf.while
// CHECK:         scf.while
// CHECK:           nvvm.mbarrier.try_wait.parity %[[EMPTY:.+]], %
// CHECK:           nvvm.mbarrier.arrive.expect_tx
// CHECK:           nvvm.cp.async.bulk.tensor
// The consumers.
// CHECK:         scf.while
// CHECK:           scf.for %[[J:.+]] = %{{.+}} to %[[END:.+]] step
// CHECK:             wgmma.mma_async
// CHECK:             wgmma.wait_group
// CHECK:             %[[NEXT:.+]] = arith.addi %[[J]], %c16_i32
// CHECK-NEXT:        %[[LAST:.+]] = arith.cmpi sge, %[[NEXT]], %[[END]]
// CHECK-NEXT:        scf.if %[[LAST]] {
// CHECK:               mbarrier.arrive
// CHECK:             }
// CHECK:             arith.maxnumf
// CHECK:             wgmma.mma_async
// CHECK:             scf.yield
// CHECK:           %[[NONE:.+]] = arith.cmpi sle, %[[END]], %c0_i32
// CHECK-NEXT:      scf.if %[[NONE]] {
// CHECK:             mbarrier.arrive
// CHECK:           }
// CHECK:           llvm.store
func.func @persistent(%q: !m {tda.operand = "q1"}, %k: !m {tda.operand = "k1"},
                      %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma, grid = persistent>
      target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !tda.tile<64x16xf32>
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
           stream (%p1 = %k : !m -> !tda.panel<16x16xbf16, key>,
                   %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
           carry (%acc = %zero : !tda.tile<64x16xf32>) {
      %s = tda.tile_scores %t, %p1 : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !tda.tile<64x16xf32>
      %a = tda.tile_threshold %s, %tau {power = 1.0 : f64} : !tda.tile<64x16xf32>, !tda.tile<64xf32>
      %x = tda.tile_aggregate %a, %pv, %acc : !tda.tile<64x16xf32>, <16x16xbf16, value>, !tda.tile<64x16xf32>
      tda.tile_yield %x : !tda.tile<64x16xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !tda.tile<64x16xf32>, !m
  }
  return
}

// -----

// A consumer keeps where its program stands in shared memory, and reads that
// where it stores. The output passes through the place for rows, which is
// cleared for the next program whichever way the output took.

#s = #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = tile, path = wgmma, grid = persistent>
#key = #tda.panel_layout<rows = 16, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 3, slot_bytes = 2048,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 15360, fetch_bytes = 768, shared_bytes = 18432,
  query = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
  key = #key, value = <rows = 16, columns = 64, leading = 2048, stride = 1024, step = 2048>>
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>
!sum = !tda.tile<64x16xf32>

// CHECK-LABEL: llvm.func @place
// CHECK:         st.shared.v4.b32
// CHECK:         scf.while
// CHECK:           nvvm.bar.warp.sync
// CHECK-NEXT:      llvm.inline_asm {{.*}}st.shared.b32 [$0], $1;{{.*}}st.shared.b32 [$0+4], $2;{{.*}}st.shared.b32 [$0+8], $3;
// CHECK-NEXT:      nvvm.bar.warp.sync
// CHECK:           scf.for
// CHECK-COUNT-3:   ld.shared.b32
// CHECK:           scf.if
// CHECK:             st.global.v4.b32
// CHECK:           } else {
// CHECK:             llvm.store
// CHECK:           nvvm.bar.warp.sync
// CHECK:           st.shared.v4.b32 [$0], {$1, $1, $1, $1};
// CHECK:           scf.yield
func.func @place(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"}, %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #s target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !sum
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
        stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>) carry (%acc = %zero : !sum) {
      %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !sum
      %x = tda.tile_gather %s, %v[%b, %h, %j] limit %n, %acc : !sum, !m, !sum
      tda.tile_yield %x : !sum
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !sum, !m
  }
  return
}
