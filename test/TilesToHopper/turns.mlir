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
