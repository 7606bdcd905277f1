// RUN: tda-opt %s | tda-opt | FileCheck %s
// RUN: tda-opt %s --mlir-print-op-generic | tda-opt | FileCheck %s

!mq = memref<?x?x?x32xbf16>
!tq = !tda.tile<16x32xbf16>
!ts = !tda.tile<16x16xf32>
!row = !tda.tile<16xf32>
!key = !tda.panel<16x32xbf16, key>
!value = !tda.panel<16x32xbf16, value>

// A whole program: the algorithm as it is read on tiles.
// CHECK-LABEL: func @program
func.func @program(%q: !mq, %k: !mq, %v: !mq, %o: !mq, %n: memref<2x?x?x?xi32>, %g: memref<32xf32>,
                   %B: index, %H: index, %N: index, %beta: f32, %kappa: f32, %lambda: f32) {
  %zero = arith.constant 0 : index
  // CHECK: tda.tile_program (%[[B:.*]], %[[H:.*]], %[[I:.*]]) in (%{{.*}}, %{{.*}}, %{{.*}}) schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1> target #tda.target<"sm_80"> {
  tda.tile_program (%b, %h, %i) in (%B, %H, %N)
      schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1>
      target #tda.target<"sm_80"> {
    // CHECK: tda.tile_load %{{.*}}[%[[B]], %[[H]], %[[I]]] limit %{{.*}} : memref<?x?x?x32xbf16> -> !tda.tile<16x32xbf16>
    %qt = tda.tile_load %q[%b, %h, %i] limit %N : !mq -> !tq
    // CHECK: tda.tile_normalize %{{.*}} : !tda.tile<16x32xbf16>
    %qn = tda.tile_normalize %qt : !tq
    // CHECK: tda.tile_gate beta(%{{.*}}) kappa(%{{.*}}) rows(%{{.*}}) keys(%{{.*}}) offset(%{{.*}}) {causal, dim = 32 : i64, window = 9 : i64} : !tda.tile<16xf32>
    %tau = tda.tile_gate beta(%beta) kappa(%kappa) rows(%i) keys(%N) offset(%zero)
      {dim = 32 : i64, causal, window = 9 : i64} : !row
    // CHECK: tda.tile_span rows(%{{.*}}, %{{.*}}) keys(%{{.*}}) offset(%{{.*}}) {causal, tile_m = 16 : i64, tile_n = 16 : i64}
    %begin, %end, %fb, %fe = tda.tile_span rows(%i, %N) keys(%N) offset(%zero)
      {causal, tile_m = 16 : i64, tile_n = 16 : i64}
    // CHECK: tda.tile_zero : !tda.tile<16x32xf32>
    %z = tda.tile_zero : !tda.tile<16x32xf32>
    %c = tda.tile_zero : !row
    // CHECK: %{{.*}}:2 = tda.tile_for %[[J:.*]] = %{{.*}} to %{{.*}} step 16 limit %{{.*}} at [%{{.*}}, %{{.*}}]
    // CHECK-SAME: stream (%[[K:.*]] = %{{.*}} : memref<?x?x?x32xbf16> -> !tda.panel<16x32xbf16, key>, %[[V:.*]] = %{{.*}} : memref<?x?x?x32xbf16> -> !tda.panel<16x32xbf16, value>)
    // CHECK-SAME: carry (%[[ACC:.*]] = %{{.*}} : !tda.tile<16x32xf32>, %[[CNT:.*]] = %{{.*}} : !tda.tile<16xf32>) {
    %r:2 = tda.tile_for %j = %begin to %end step 16 limit %N at [%b, %h]
        stream (%kp = %k : !mq -> !key, %vp = %v : !mq -> !value)
        carry (%acc = %z : !tda.tile<16x32xf32>, %cnt = %c : !row) {
      // CHECK: tda.panel_normalize %[[K]] : (!tda.panel<16x32xbf16, key>) -> !tda.panel<16x32xbf16, key>
      %kn = tda.panel_normalize %kp : (!key) -> !key
      // CHECK: tda.tile_scores %{{.*}}, %{{.*}} : !tda.tile<16x32xbf16>, <16x32xbf16, key> -> !tda.tile<16x16xf32>
      %s = tda.tile_scores %qn, %kn : !tq, !key -> !ts
      // CHECK: tda.tile_mask %{{.*}} rows(%{{.*}}) from(%[[J]]) keys(%{{.*}}) offset(%{{.*}}) {causal} : !tda.tile<16x16xf32>
      %m = tda.tile_mask %s rows(%i) from(%j) keys(%N) offset(%zero) {causal} : !ts
      // CHECK: tda.tile_survives %{{.*}}, %{{.*}} above %{{.*}} : !tda.tile<16x16xf32>, !tda.tile<16x16xf32> above !tda.tile<16xf32>
      %live = tda.tile_survives %m, %m above %tau : !ts, !ts above !row
      // CHECK: tda.tile_survives %{{.*}} above %{{.*}} {recalled} : !tda.tile<16x16xf32> above !tda.tile<16xf32>
      %fires = tda.tile_survives %m above %tau {recalled} : !ts above !row
      // CHECK: tda.tile_count %{{.*}} above %{{.*}}, %[[CNT]] : !tda.tile<16x16xf32>, !tda.tile<16xf32>, !tda.tile<16xf32>
      %cn = tda.tile_count %m above %tau, %cnt : !ts, !row, !row
      // CHECK: tda.tile_threshold %{{.*}}, %{{.*}} {power = 2.000000e+00 : f64} : !tda.tile<16x16xf32>, !tda.tile<16xf32>
      %a1 = tda.tile_threshold %m, %tau {power = 2.0 : f64} : !ts, !row
      // CHECK: tda.tile_differential %{{.*}}, %{{.*}}, %{{.*}} : !tda.tile<16x16xf32>, f32
      %a = tda.tile_differential %a1, %a1, %lambda : !ts, f32
      // CHECK: tda.tile_differential %{{.*}}, %{{.*}}, %{{.*}} : !tda.tile<16x16xf32>, !tda.tile<16xf32>
      %ar = tda.tile_differential %a1, %a, %tau : !ts, !row
      // CHECK: tda.tile_aggregate %{{.*}}, %[[V]], %[[ACC]] : !tda.tile<16x16xf32>, <16x32xbf16, value>, !tda.tile<16x32xf32>
      %next = tda.tile_aggregate %ar, %vp, %acc : !ts, !value, !tda.tile<16x32xf32>
      // CHECK: tda.tile_yield %{{.*}}, %{{.*}} : !tda.tile<16x32xf32>, !tda.tile<16xf32>
      tda.tile_yield %next, %cn : !tda.tile<16x32xf32>, !row
    }
    // CHECK: tda.tile_rms_norm %{{.*}}, %{{.*}} {eps = {{.*}} : f64} : !tda.tile<16x32xf32>, memref<32xf32>
    %y = tda.tile_rms_norm %r#0, %g {eps = 1.0e-5 : f64} : !tda.tile<16x32xf32>, memref<32xf32>
    // CHECK: tda.tile_store %{{.*}}, %{{.*}}[%[[B]], %[[H]], %[[I]]] limit %{{.*}} : !tda.tile<16x32xf32>, memref<?x?x?x32xbf16>
    tda.tile_store %y, %o[%b, %h, %i] limit %N : !tda.tile<16x32xf32>, !mq
    // CHECK: tda.tile_store %{{.*}}, %{{.*}} limit %{{.*}} {plane = 1 : i64} : !tda.tile<16xf32>, memref<2x?x?x?xi32>
    tda.tile_store %r#1, %n[%b, %h, %i] limit %N {plane = 1 : i64} : !row, memref<2x?x?x?xi32>
  }
  return
}
