// RUN: tda-opt %s --split-input-file --tda-attention-to-tiles --canonicalize --cse | FileCheck %s

// On the wgmma path `normalize` is a function before the attention, with a
// program for the queries and one for the keys; the attention reads their
// results in the workspace.

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!q = tensor<?x?x?x64xbf16>

// Each tensor starts on a multiple of 256 bytes: q1, q2, k1, k2.

// CHECK-LABEL: func.func @two_views_unit(
// CHECK-SAME:    %[[Q1:[^:]+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "q1"}
// CHECK-SAME:    %[[Q2:[^:]+]]: memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "q2"}
// CHECK-SAME:    %[[K1:[^:]+]]: memref<{{[^{]+}} {tda.operand = "k1"}
// CHECK-SAME:    %[[K2:[^:]+]]: memref<{{[^{]+}} {tda.operand = "k2"}
// CHECK-SAME:    %[[U1:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "q1", tda.workspace = "0"}
// CHECK-SAME:    %[[U2:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "q2", tda.workspace = "ceildiv(B * Hq * Nq * 128, 256) * 256"}
// CHECK-SAME:    %[[W1:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "k1", tda.workspace = "ceildiv(B * Hq * Nq * 128, 256) * 256 + ceildiv(B * Hq * Nq * 128, 256) * 256"}
// CHECK-SAME:    %[[W2:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "k2", tda.workspace = "ceildiv(B * Hq * Nq * 128, 256) * 256 + ceildiv(B * Hq * Nq * 128, 256) * 256 + ceildiv(B * Hkv * Nk * 128, 256) * 256"}
// CHECK-SAME:    attributes {tda.workspace = "[[BYTES:ceildiv.B . Hq . Nq . 128, 256. . 256 . ceildiv.B . Hq . Nq . 128, 256. . 256 . ceildiv.B . Hkv . Nk . 128, 256. . 256 . ceildiv.B . Hkv . Nk . 128, 256. . 256]]"}
// CHECK-DAG:     %[[B:.+]] = memref.dim %[[Q1]], %c0
// CHECK-DAG:     %[[H:.+]] = memref.dim %[[Q1]], %c1
// CHECK-DAG:     %[[N:.+]] = memref.dim %[[Q1]], %c2
// CHECK:         tda.tile_program (%[[PB:.+]], %[[PH:.+]], %[[I:.+]]) in (%[[B]], %[[H]], %[[N]])
// CHECK-SAME:      schedule #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4> target #tda.target<"sm_90">
// CHECK:           %[[R1:.+]] = tda.tile_load %[[Q1]][%[[PB]], %[[PH]], %[[I]]] limit %[[N]] : {{.*}} -> !tda.tile<64x64xbf16>
// CHECK:           %[[N1:.+]] = tda.tile_normalize %[[R1]]
// CHECK:           tda.tile_store %[[N1]], %[[U1]][%[[PB]], %[[PH]], %[[I]]] limit %[[N]]
// CHECK:           %[[R2:.+]] = tda.tile_load %[[Q2]]
// CHECK:           %[[N2:.+]] = tda.tile_normalize %[[R2]]
// CHECK:           tda.tile_store %[[N2]], %[[U2]]
// CHECK-DAG:     %[[KB:.+]] = memref.dim %[[K1]], %c0
// CHECK-DAG:     %[[KH:.+]] = memref.dim %[[K1]], %c1
// CHECK-DAG:     %[[NK:.+]] = memref.dim %[[K1]], %c2
// CHECK:         tda.tile_program ({{.+}}) in (%[[KB]], %[[KH]], %[[NK]])
// CHECK:           %[[R3:.+]] = tda.tile_load %[[K1]]
// CHECK:           %[[N3:.+]] = tda.tile_normalize %[[R3]]
// CHECK:           tda.tile_store %[[N3]], %[[W1]]
// CHECK:           tda.tile_load %[[K2]]
// CHECK:           tda.tile_store %{{.+}}, %[[W2]]

// CHECK-LABEL: func.func @two_views(
// CHECK-SAME:    %[[A1:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "q1", tda.workspace = "0"}
// CHECK-SAME:    %[[K1:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "k1", tda.workspace = "ceildiv
// CHECK-SAME:    memref<?x?x?x64xbf16> {tda.operand = "q2", tda.workspace = "ceildiv
// CHECK-SAME:    %[[K2:[^:]+]]: memref<?x?x?x64xbf16> {tda.operand = "k2", tda.workspace = "ceildiv
// CHECK-SAME:    strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "v"}
// CHECK-SAME:    {tda.operand = "o"}
// CHECK-SAME:    attributes {tda.workspace = "[[BYTES]]"}
// CHECK-NOT:     normalize
// CHECK:         tda.tile_load %[[A1]]
// CHECK:         tda.tile_for
// CHECK-SAME:      %[[K1]] : memref<?x?x?x64xbf16> -> !tda.panel<32x64xbf16, key>
// CHECK-SAME:      %[[K2]] : memref<?x?x?x64xbf16> -> !tda.panel<32x64xbf16, key>
// CHECK-NOT:     normalize
// CHECK:         return
func.func @two_views(%q1: !q, %k1: !q, %q2: !q, %k2: !q, %v: !q,
                     %beta: tensor<?xf32>, %lambda: tensor<?xf32>) -> !q {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
         beta(%beta) lambda(%lambda) {normalize, schedule = #s, target = #t}
     : (!q, !q, !q, !q, !q, tensor<?xf32>, tensor<?xf32>) -> !q
  return %o : !q
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>
#t = #tda.target<"sm_90">
!q = tensor<2x4x100x64xf16>

// A tensor that is two operands is copied once; as values it stays as it is.
// The name of another function is left to that.

// CHECK:       func.func @shared_unit_0(
// CHECK-SAME:    %{{[^:]+}}: memref<2x4x100x64xf16, strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "q1"}
// CHECK-SAME:    %{{[^:]+}}: memref<2x4x100x64xf16, strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "k1"}
// CHECK-SAME:    %{{[^:]+}}: memref<2x4x100x64xf16> {tda.operand = "q1", tda.workspace = "0"}
// CHECK-SAME:    %{{[^:]+}}: memref<2x4x100x64xf16> {tda.operand = "k1", tda.workspace = "ceildiv(B * Hq * Nq * 128, 256) * 256"})
// CHECK-COUNT-2: tda.tile_normalize
// CHECK-NOT:     tda.tile_normalize
// CHECK-LABEL: func.func @shared(
// CHECK-SAME:    %[[Q:[^:]+]]: memref<2x4x100x64xf16> {tda.operand = "q1", tda.workspace = "0"}
// CHECK-SAME:    %[[V:[^:]+]]: memref<2x4x100x64xf16, strided<[?, ?, ?, 1], offset: ?>> {tda.operand = "k1"}
// CHECK-SAME:    %[[K:[^:]+]]: memref<2x4x100x64xf16> {tda.operand = "k1", tda.workspace = "ceildiv(B * Hq * Nq * 128, 256) * 256"}
// CHECK:         tda.tile_load %[[Q]]
// CHECK:         tda.tile_for
// CHECK-SAME:      stream (%{{.+}} = %[[K]] : {{.*}}, %{{.+}} = %[[K]] : {{.*}}, %{{.+}} = %[[V]] :
// CHECK-LABEL: func.func @shared_unit()
func.func @shared(%q: !q, %k: !q, %beta: tensor<f32>, %lambda: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %k) inhibit(%q, %k) values(%k)
         beta(%beta) lambda(%lambda) {normalize, schedule = #s, target = #t}
     : (!q, !q, !q, !q, !q, tensor<f32>, tensor<f32>) -> !q
  return %o : !q
}
func.func @shared_unit() {
  return
}

// -----

#s = #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
#t = #tda.target<"sm_90">
!q = tensor<?x?x?x64xbf16>

// The portable path normalises where it loads.

// CHECK-NOT:   _unit_
// CHECK-LABEL: func.func @portable(
// CHECK-NOT:     tda.workspace
// CHECK:         tda.tile_normalize
// CHECK:         tda.panel_normalize
func.func @portable(%q: !q, %k: !q, %v: !q, %beta: tensor<f32>) -> !q {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {normalize, schedule = #s, target = #t}
     : (!q, !q, !q, tensor<f32>) -> !q
  return %o : !q
}
