// RUN: tda-opt %s --split-input-file --tda-attention-to-tiles --canonicalize --cse | FileCheck %s

// On the wgmma path whole tiles and masked ones have loops of their own, from
// the last key down. Causal: the tiles at the diagonal, then whole ones. What a
// tile does is the same in both; skip = never knows no branch.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @never
// CHECK:         %{{.+}}, %[[END:.+]], %[[FB:.+]], %[[FE:.+]] = tda.tile_span
// The first whole tile starts on a multiple of 32, and so do the masked ones.
// CHECK:         %[[UP:.+]] = arith.addi %[[FB]], %c31
// CHECK:         %[[R:.+]] = arith.remsi %[[UP]], %c32
// CHECK:         %[[LOW:.+]] = arith.subi %[[UP]], %[[R]]
// CHECK:         %[[R2:.+]] = arith.remsi %[[FE]], %c32
// CHECK:         %[[DOWN:.+]] = arith.subi %[[FE]], %[[R2]]
// CHECK:         %[[HIGH:.+]] = arith.maxsi %[[LOW]], %[[DOWN]]
// CHECK:         %[[EDGE:.+]] = tda.tile_for %{{.+}} = %[[HIGH]] to %[[END]] step 32
// CHECK-SAME:      !tda.panel<32x64xbf16, key>
// CHECK-SAME:      !tda.panel<32x64xbf16, value>
// CHECK-SAME:      attributes {descending}
// CHECK:           tda.tile_mask
// CHECK-NOT:       scf.if
// CHECK:           tda.tile_aggregate %{{.+}}
// CHECK:         %[[O:.+]] = tda.tile_for %{{.+}} = %[[LOW]] to %[[HIGH]] step 32
// CHECK-SAME:      carry (%{{.+}} = %[[EDGE]] : !tda.tile<64x64xf32>) attributes {descending}
// CHECK-NOT:       tda.tile_mask
// CHECK-NOT:       scf.if
// CHECK:           tda.tile_aggregate %{{.+}}
// CHECK-NOT:     tda.tile_for
// CHECK:         tda.tile_store %[[O]]
func.func @never(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

// A window has masked tiles at its other end too: three loops. All bounds are
// known before the first one.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @window
// CHECK:         %[[BEGIN:.+]], %[[END:.+]], %{{.+}}, %{{.+}} = tda.tile_span
// CHECK:         %[[HIGH:.+]] = arith.maxsi %[[LOW:.+]], %{{.+}}
// CHECK:         %[[STOP:.+]] = arith.minsi %[[LOW]], %[[END]]
// CHECK:         %[[LAST:.+]] = tda.tile_for %{{.+}} = %[[HIGH]] to %[[END]] step 32
// CHECK:           tda.tile_mask
// CHECK:         %[[WHOLE:.+]] = tda.tile_for %{{.+}} = %[[LOW]] to %[[HIGH]] step 32
// CHECK-SAME:      carry (%{{.+}} = %[[LAST]]
// CHECK-NOT:       tda.tile_mask
// CHECK-NOT:     arith.minsi
// CHECK:         tda.tile_for %{{.+}} = %[[BEGIN]] to %[[STOP]] step 32
// CHECK-SAME:      carry (%{{.+}} = %[[WHOLE]]
// CHECK:           tda.tile_mask
// CHECK-NOT:     tda.tile_for
// CHECK:         tda.tile_store
func.func @window(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {window = 100 : i64, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

// tile: values are not copied; a warp with survivors fetches them. Survivors
// are counted there too.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @tile(
// CHECK-SAME:    %[[V:[a-z0-9]+]]: memref<{{[^{]*}} {tda.operand = "v"}
// CHECK:         %[[G:.+]] = arith.divui %{{.+}}, %{{.+}}
// CHECK:         tda.tile_for %[[J:.+]] = {{.*}} limit %[[NK:.+]] at [%[[B:.+]], %[[G2:.+]]] stream
// CHECK-NOT:       !tda.panel<32x64xbf16, value>
// CHECK-SAME:      carry (%[[ACC:[a-z0-9_]+]] = %{{.+}} : !tda.tile<64x64xf32>, %[[N:[a-z0-9_]+]] = %{{.+}} : !tda.tile<64xi32>)
// CHECK:           %[[S:.+]] = tda.tile_scores
// CHECK:           %[[LIVE:.+]] = tda.tile_survives %[[S]]
// CHECK:           %[[NEXT:.+]]:{{[0-9]}} = scf.if %[[LIVE]]
// CHECK:             tda.tile_count %[[S]] {{.*}}, %[[N]]
// CHECK:             %[[A:.+]] = tda.tile_threshold %[[S]]
// CHECK:             tda.tile_gather %[[A]], %[[V]][%[[B]], %[[G2]], %[[J]]] limit %[[NK]], %[[ACC]]
// CHECK:           else
// CHECK-NEXT:        scf.yield %[[ACC]], %[[N]]
// CHECK:           tda.tile_yield %[[NEXT]]#0, %[[NEXT]]#1
// CHECK-NOT:     tda.panel_
func.func @tile(%v: !q, %q: !q, %k: !q, %beta: tensor<?xf32>) -> (!q, tensor<1x?x?x?xi32>) {
  %o:2 = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> (!q, tensor<1x?x?x?xi32>)
  return %o#0, %o#1 : !q, tensor<1x?x?x?xi32>
}

// -----

// steps: values are always copied, and no branch with one view.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = steps, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @steps
// CHECK:         tda.tile_for
// CHECK-SAME:      %[[V:[a-z0-9_]+]] = %{{[a-z0-9_]+}} : memref<{{[^>]*>>}} -> !tda.panel<32x64xbf16, value>) carry (%[[ACC:.+]] = %{{.+}} : !tda.tile<64x64xf32>)
// CHECK-NOT:       scf.if
// CHECK-NOT:       tda.tile_survives
// CHECK:           %[[SUM:.+]] = tda.tile_aggregate_steps %{{.+}}, %[[V]], %[[ACC]]
// CHECK-NOT:       tda.panel_vote
// CHECK:           tda.tile_yield %[[SUM]]
func.func @steps(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

// With two views the inhibitory one has its threshold only where it may fire;
// the excitatory one's is computed while those scores are on their way. Where
// force sends all tiles one way, nothing is asked.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = steps, path = wgmma>
#f = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = steps, path = wgmma, force = true>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @dead_view(
// CHECK:         tda.tile_for
// CHECK:           %[[S1:.+]] = tda.tile_scores
// CHECK:           %[[S2:.+]] = tda.tile_scores
// CHECK:           %[[A1:.+]] = tda.tile_threshold %[[MASKED1:.+]], %{{.+}}
// CHECK-NEXT:      %[[LIVE:.+]] = tda.tile_survives %[[MASKED2:.+]] above %{{.+}} {recalled}
// CHECK-NEXT:      %[[A:.+]] = scf.if %[[LIVE]] -> (!tda.tile<64x32xf32>) {
// CHECK-NEXT:        %[[A2:.+]] = tda.tile_threshold %[[MASKED2]]
// CHECK-NEXT:        %[[D:.+]] = tda.tile_differential %[[A1]], %[[A2]]
// CHECK-NEXT:        scf.yield %[[D]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %[[A1]]
// CHECK:           tda.tile_aggregate_steps %[[A]]
func.func @dead_view(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !q, %beta: tensor<?xf32>, %lambda: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%lambda) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, !q, !q, tensor<?xf32>, tensor<?xf32>) -> !q
  return %o : !q
}

// CHECK-LABEL: func.func @dead_view_forced(
// CHECK-NOT:     tda.tile_survives
// CHECK-NOT:     scf.if
// CHECK:         return
func.func @dead_view_forced(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !q, %beta: tensor<?xf32>, %lambda: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta) lambda(%lambda) {causal, schedule = #f, target = #t}
     : (!q, !q, !q, !q, !q, tensor<?xf32>, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

// adaptive: the whole product where the values came, as tile where they did
// not; the tile's live steps are voted on.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = adaptive, path = wgmma>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @adaptive
// CHECK:         tda.tile_for
// CHECK-SAME:      %[[V:[a-z0-9_]+]] = %{{[a-z0-9_]+}} : memref<{{[^>]*>>}} -> !tda.panel<32x64xbf16, value>) carry (%[[ACC:.+]] = %{{.+}} : !tda.tile<64x64xf32>)
// CHECK-NEXT:      %[[STAGED:.+]] = tda.panel_staged %[[V]]
// CHECK-NEXT:      %[[NEXT:.+]]:2 = scf.if %[[STAGED]] -> (!tda.tile<64x64xf32>, i32) {
// CHECK:             %[[A:.+]] = tda.tile_threshold
// CHECK-NEXT:        %[[SUM:.+]] = tda.tile_aggregate %[[A]], %[[V]], %[[ACC]]
// CHECK-NEXT:        %[[N:.+]] = tda.tile_live_steps %[[A]] as bf16
// CHECK-NEXT:        scf.yield %[[SUM]], %[[N]]
// CHECK-NEXT:      } else {
// CHECK:             %[[LIVE:.+]] = tda.tile_survives
// CHECK:             %[[FETCHED:.+]]:2 = scf.if %[[LIVE]]
// CHECK:               %[[A2:.+]] = tda.tile_threshold
// CHECK-NEXT:          %[[SUM2:.+]] = tda.tile_gather %[[A2]], {{.*}}, %[[ACC]]
// CHECK-NEXT:          %[[N2:.+]] = tda.tile_live_steps %[[A2]] as bf16
// CHECK-NEXT:          scf.yield %[[SUM2]], %[[N2]]
// CHECK-NEXT:        } else {
// CHECK-NEXT:          scf.yield %[[ACC]], %c0_i32
// CHECK:             scf.yield %[[FETCHED]]#0, %[[FETCHED]]#1
// CHECK:           tda.panel_vote %[[V]], %[[NEXT]]#1
// CHECK-NEXT:      tda.tile_yield %[[NEXT]]#0
func.func @adaptive(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

// adaptive with values of more than 64 columns: staged tiles leave out the steps
// without a weight.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = adaptive, path = wgmma>
!q = tensor<?x?x?x64xbf16>
!v = tensor<?x?x?x96xbf16>

// CHECK-LABEL: func.func @adaptive_wide
// CHECK:           scf.if %{{.+}} -> (!tda.tile<64x96xf32>, i32) {
// CHECK:             tda.tile_aggregate_steps
// CHECK-NEXT:        tda.tile_live_steps
// CHECK:           } else {
func.func @adaptive_wide(%q: !q, %k: !q, %v: !v, %beta: tensor<?xf32>) -> !v {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !v, tensor<?xf32>) -> !v
  return %o : !v
}

// -----

// force: every tile counts as one with survivors, so nothing is asked.

#t = #tda.target<"sm_90">
#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, path = wgmma, force = true>
!q = tensor<?x?x?x64xbf16>

// CHECK-LABEL: func.func @force
// CHECK-NOT:     tda.tile_survives
// CHECK-NOT:     scf.if
// CHECK-COUNT-2: tda.tile_gather
func.func @force(%q: !q, %k: !q, %v: !q, %beta: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<?xf32>) -> !q
  return %o : !q
}
