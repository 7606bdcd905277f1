// RUN: tda-opt %s | tda-opt | FileCheck %s
// RUN: tda-opt %s --mlir-print-op-generic | tda-opt | FileCheck %s

// The tile ops of the wgmma path, and a program that has a pipeline.

!mq = memref<?x?x?x64xbf16>
!tq = !tda.tile<64x64xbf16>
!ts = !tda.tile<64x32xf32>
!to = !tda.tile<64x64xf32>
#layout = #tda.panel_layout<rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>
#key = #tda.panel_layout<rows = 32, columns = 64, leading = 16, stride = 1024, step = 32>
#value = #tda.panel_layout<rows = 32, columns = 64, leading = 4096, stride = 1024, step = 2048>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 2, slot_bytes = 4096,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 17408, fetch_bytes = 0, shared_bytes = 17408, query = #layout, key = #key, value = #value>

// CHECK-LABEL: func @program
func.func @program(%q: !mq, %k: !mq, %v: !mq, %n: index, %z: !to) {
  // CHECK: tda.tile_program (%{{.*}}) in (%{{.*}}) schedule #tda.schedule<{{.*}}, path = wgmma> target #tda.target<"sm_90">
  // CHECK-SAME: attributes {pipeline = #tda.pipeline<consumers = 1, {{.*}}, slots = 2, slot_bytes = 4096, {{.*}}, shared_bytes = 17408, query = <rows = 64, {{.*}}>, key = <rows = 32, {{.*}}>, value = <rows = 32, {{.*}}, step = 2048>>}
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4, skip = adaptive, path = wgmma>
      target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %qt = tda.tile_load %q[%b, %h, %i] limit %n : !mq -> !tq
    // CHECK: tda.tile_for %[[J:[a-z0-9_]+]] = {{.*}} %[[V:[a-z0-9_]+]] = %{{.*}} : memref<?x?x?x64xbf16> -> !tda.panel<32x64xbf16, value>) carry (%[[ACC:[a-z0-9_]+]] = %{{.*}} : !tda.tile<64x64xf32>)
    %r = tda.tile_for %j = %n to %n step 32 limit %n at [%b, %h]
        stream (%kp = %k : !mq -> !tda.panel<32x64xbf16, key>, %vp = %v : !mq -> !tda.panel<32x64xbf16, value>)
        carry (%acc = %z : !to) {
      // CHECK: %[[STAGED:[a-z0-9_]+]] = tda.panel_staged %[[V]] : <32x64xbf16, value>
      %staged = tda.panel_staged %vp : <32x64xbf16, value>
      %a = tda.tile_scores %qt, %kp : !tq, <32x64xbf16, key> -> !ts
      // CHECK: scf.if %[[STAGED]]
      %sum:2 = scf.if %staged -> (!to, i32) {
        // CHECK: tda.tile_aggregate_steps %{{.*}}, %[[V]], %[[ACC]] : !tda.tile<64x32xf32>, <32x64xbf16, value>, !tda.tile<64x64xf32>
        %x = tda.tile_aggregate_steps %a, %vp, %acc : !ts, <32x64xbf16, value>, !to
        // CHECK: tda.tile_live_steps %{{.*}} as bf16 : !tda.tile<64x32xf32>
        %live = tda.tile_live_steps %a as bf16 : !ts
        scf.yield %x, %live : !to, i32
      } else {
        // CHECK: tda.tile_gather %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %[[J]]] limit %{{.*}}, %[[ACC]] : !tda.tile<64x32xf32>, memref<?x?x?x64xbf16>, !tda.tile<64x64xf32>
        %x = tda.tile_gather %a, %v[%b, %h, %j] limit %n, %acc : !ts, !mq, !to
        %live = tda.tile_live_steps %a as bf16 : !ts
        scf.yield %x, %live : !to, i32
      }
      // CHECK: tda.panel_vote %[[V]], %{{.*}} : <32x64xbf16, value>
      tda.panel_vote %vp, %sum#1 : <32x64xbf16, value>
      tda.tile_yield %sum#0 : !to
    }
  }
  return
}
