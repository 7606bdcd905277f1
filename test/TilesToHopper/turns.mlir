// RUN: tda-opt %s --split-input-file --tda-attention-to-tiles --tda-assign-pipeline --tda-tiles-to-hopper | FileCheck %s

// Two consumers issue their scores in turn. The next one's begins once all are
// issued; in a fetched tile of two views, which has no other products, once the
// first view's are there. The adaptive kernel has a loop of masked tiles and one
// of whole ones, each with a run of staged and one of fetched tiles.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 6, warps = 8, skip = adaptive, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: llvm.func @adaptive
// CHECK-COUNT-4: bar.sync $0, 256;
// CHECK-NOT:     bar.sync $0, 256;
func.func @adaptive(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8, skip = tile, path = wgmma>
!q = tensor<?x?x?x128xbf16>

// CHECK-LABEL: llvm.func @tile
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:           bar.sync $0, 256;
// CHECK:           wgmma.mma_async
// CHECK:           wgmma.mma_async
// CHECK-NOT:       bar.arrive
// CHECK:           wgmma.wait_group.sync.aligned 1;
// CHECK:           bar.arrive $0, 256;
// CHECK:           arith.maxsi
// CHECK:           wgmma.wait_group.sync.aligned 0;
// CHECK:           arith.maxsi
// CHECK:           nvvm.vote.sync any
// CHECK-NOT:       bar.arrive
func.func @tile(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>, %lambda: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) inhibit(%q, %k) values(%v) beta(%beta) lambda(%lambda) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, !q, !q, tensor<?xf32>, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8, skip = tile, path = wgmma>
!q = tensor<?x?x?x128xbf16>

// CHECK-LABEL: llvm.func @one_view
// CHECK:         bar.sync $0, 256;
// CHECK:         wgmma.mma_async
// CHECK-NOT:     wgmma.wait_group
// CHECK:         bar.arrive $0, 256;
// CHECK:         wgmma.wait_group.sync.aligned 0;
func.func @one_view(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

// Scores apart from the others have a turn of their own; the one before is passed
// first.

#t = #tda.target<"sm_90">
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

// CHECK-LABEL: llvm.func @two_groups
// CHECK:           bar.sync $0, 256;
// CHECK-NOT:       bar.sync
// CHECK:           bar.arrive $0, 256;
// CHECK:           bar.sync $0, 256;
// CHECK:           bar.arrive $0, 256;
// CHECK-NOT:       bar.sync
// CHECK:           llvm.return
func.func @two_groups(%q1: !m {tda.operand = "q1"}, %k1: !m {tda.operand = "k1"},
                     %q2: !m {tda.operand = "q2"}, %k2: !m {tda.operand = "k2"},
                     %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k1, %c : !m
  %lambda = arith.constant 0.5 : f32
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 6, warps = 8, skip = tile, path = wgmma>
      target #t {
    %t1 = tda.tile_load %q1[%b, %h, %i] limit %n : !m -> !tda.tile<128x64xbf16>
    %t2 = tda.tile_load %q2[%b, %h, %i] limit %n : !m -> !tda.tile<128x64xbf16>
    %zero = tda.tile_zero : !tda.tile<128x64xf32>
    %tau = tda.tile_zero : !tda.tile<128xf32>
    %r = tda.tile_for %j = %c to %n step 64 limit %n at [%b, %h]
           stream (%p1 = %k1 : !m -> !tda.panel<64x64xbf16, key>,
                   %p2 = %k2 : !m -> !tda.panel<64x64xbf16, key>,
                   %p3 = %k1 : !m -> !tda.panel<64x64xbf16, key>,
                   %pv = %v : !m -> !tda.panel<64x64xbf16, value>)
           carry (%acc = %zero : !tda.tile<128x64xf32>) {
      %s1 = tda.tile_scores %t1, %p1 : !tda.tile<128x64xbf16>, <64x64xbf16, key> -> !tda.tile<128x64xf32>
      %s2 = tda.tile_scores %t2, %p2 : !tda.tile<128x64xbf16>, <64x64xbf16, key> -> !tda.tile<128x64xf32>
      %j1 = arith.addi %j, %n : index
      %s3 = tda.tile_scores %t1, %p3 : !tda.tile<128x64xbf16>, <64x64xbf16, key> -> !tda.tile<128x64xf32>
      %a1 = tda.tile_threshold %s1, %tau {power = 1.0 : f64} : !tda.tile<128x64xf32>, !tda.tile<128xf32>
      %a2 = tda.tile_threshold %s2, %tau {power = 1.0 : f64} : !tda.tile<128x64xf32>, !tda.tile<128xf32>
      %a3 = tda.tile_threshold %s3, %tau {power = 1.0 : f64} : !tda.tile<128x64xf32>, !tda.tile<128xf32>
      %a = tda.tile_differential %a1, %a2, %lambda : !tda.tile<128x64xf32>, f32
      %aa = tda.tile_differential %a, %a3, %lambda : !tda.tile<128x64xf32>, f32
      %x = tda.tile_aggregate %aa, %pv, %acc : !tda.tile<128x64xf32>, <64x64xbf16, value>, !tda.tile<128x64xf32>
      tda.tile_yield %x : !tda.tile<128x64xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !tda.tile<128x64xf32>, !m
  }
  return
}
