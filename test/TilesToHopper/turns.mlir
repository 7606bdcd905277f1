// RUN: tda-opt %s --split-input-file --tda-attention-to-tiles --tda-assign-pipeline --tda-tiles-to-hopper | FileCheck %s

// Two consumers issue their scores in turn: in staged tiles always, in fetched
// ones where queries have more than 64 columns. A loop of masked tiles and one
// of whole ones, each with a run of staged and one of fetched tiles.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 6, warps = 8, skip = adaptive, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: llvm.func @narrow
// CHECK-COUNT-2: bar.sync $0, 256;
// CHECK-NOT:     bar.sync $0, 256;
func.func @narrow(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8, skip = adaptive, path = wgmma>
!q = tensor<?x?x?x128xbf16>

// CHECK-LABEL: llvm.func @wide
// CHECK-COUNT-4: bar.sync $0, 256;
// CHECK-NOT:     bar.sync $0, 256;
func.func @wide(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8, skip = tile, path = wgmma>
!q = tensor<?x?x?x128xbf16>

// CHECK-LABEL: llvm.func @tile
// CHECK-NOT:     bar.sync $0, 256;
func.func @tile(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}
