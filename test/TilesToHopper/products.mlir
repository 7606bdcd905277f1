// RUN: tda-opt %s --split-input-file --tda-tiles-to-hopper --canonicalize --cse | FileCheck %s

// Two views: both products are on their way before the first is awaited, where
// its result is read; one may then be under way still. The smallest program: one
// consumer warpgroup, 16 keys a tile.

#key = #tda.panel_layout<rows = 16, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 3, slot_bytes = 2048,
  query_offset = 1024, ring_offset = 17408, fetch_offset = 23552, fetch_bytes = 0, shared_bytes = 23552,
  query = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
  key = #key, value = <rows = 16, columns = 64, leading = 2048, stride = 1024, step = 2048>>
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>

// CHECK-LABEL: llvm.func @two_views
// CHECK-NOT:     nvvm.setmaxregister
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:           %[[S1:.+]] = llvm.inline_asm {{.*}}wgmma.mma_async.sync.aligned.m64n16k16
// CHECK:           %[[S2:.+]] = llvm.inline_asm {{.*}}wgmma.mma_async.sync.aligned.m64n16k16
// CHECK:           llvm.extractvalue %[[S2]][7]
// CHECK-NOT:       arith.subf
// CHECK:           llvm.inline_asm {{.*}}wgmma.wait_group.sync.aligned 1;{{.*}}: (f32, f32, f32, f32, f32, f32, f32, f32) ->
// CHECK:           llvm.inline_asm {{.*}}mbarrier.arrive
// CHECK:           llvm.inline_asm {{.*}}wgmma.wait_group.sync.aligned 0;{{.*}}: (f32, f32, f32, f32, f32, f32, f32, f32) ->
// CHECK:           llvm.inline_asm {{.*}}mbarrier.arrive
// CHECK:           llvm.inline_asm {{.*}}wgmma.mma_async.sync.aligned.m64n16k16
// CHECK:           llvm.inline_asm {{.*}}wgmma.wait_group.sync.aligned 0;
// CHECK:           llvm.inline_asm {{.*}}mbarrier.arrive
// CHECK:           scf.yield
// After a loop the accumulators pass an `or` with 0 that ptxas cannot drop.
// CHECK:         %[[SIGN:.+]] = arith.shrsi %{{.+}}, %c31_i32
// CHECK-COUNT-8: arith.ori %{{.+}}, %[[SIGN]]
func.func @two_views(%q1: !m {tda.operand = "q1"}, %k1: !m {tda.operand = "k1"},
                     %q2: !m {tda.operand = "q2"}, %k2: !m {tda.operand = "k2"},
                     %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k1, %c : !m
  %lambda = arith.constant 0.5 : f32
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = never, path = wgmma>
      target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %t1 = tda.tile_load %q1[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %t2 = tda.tile_load %q2[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !tda.tile<64x16xf32>
    %tau = tda.tile_zero : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
           stream (%p1 = %k1 : !m -> !tda.panel<16x16xbf16, key>,
                   %p2 = %k2 : !m -> !tda.panel<16x16xbf16, key>,
                   %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
           carry (%acc = %zero : !tda.tile<64x16xf32>) {
      %s1 = tda.tile_scores %t1, %p1 : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !tda.tile<64x16xf32>
      %s2 = tda.tile_scores %t2, %p2 : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !tda.tile<64x16xf32>
      %a1 = tda.tile_threshold %s1, %tau {power = 1.0 : f64} : !tda.tile<64x16xf32>, !tda.tile<64xf32>
      %a2 = tda.tile_threshold %s2, %tau {power = 1.0 : f64} : !tda.tile<64x16xf32>, !tda.tile<64xf32>
      %a = tda.tile_differential %a1, %a2, %lambda : !tda.tile<64x16xf32>, f32
      %x = tda.tile_aggregate %a, %pv, %acc : !tda.tile<64x16xf32>, <16x16xbf16, value>, !tda.tile<64x16xf32>
      tda.tile_yield %x : !tda.tile<64x16xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !tda.tile<64x16xf32>, !m
  }
  return
}

// -----

// Runs of tiles with and without staged values: each kind in a loop of its own,
// inside the loop over all, sixteen tiles at a time. For the first of these the
// producer adds up the warps' votes (of the program's first, once it
// holds what the gate says) and leaves a flag in the slot of its first panel,
// which is full only then. After the last one the warps cast their votes. A warp
// copies the rows that it fetches, and multiplies once it has started the next
// scores.

#key = #tda.panel_layout<rows = 16, columns = 64, leading = 16, stride = 1024, step = 32>
#p = #tda.pipeline<consumers = 1, producer_registers = 0, consumer_registers = 0, slots = 3, slot_bytes = 2048,
  query_offset = 1024, ring_offset = 9216, fetch_offset = 15360, fetch_bytes = 768, shared_bytes = 18432,
  query = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
  key = #key, value = <rows = 16, columns = 64, leading = 2048, stride = 1024, step = 2048>>
!m = memref<?x?x?x16xbf16, strided<[?, ?, ?, 1], offset: ?>>

// CHECK-LABEL: llvm.func @runs
// CHECK:         scf.for
// CHECK:           nvvm.mbarrier.try_wait.parity
// CHECK:           llvm.inline_asm {{.*}}mbarrier.expect_tx.relaxed
// CHECK:           nvvm.cp.async.bulk.tensor
// CHECK:           %[[STAGED:.+]] = scf.if %{{.+}} -> (i32) {
// CHECK:             scf.if
// CHECK:               nvvm.mbarrier.try_wait.parity
// CHECK:             %[[SECOND:.+]] = arith.cmpi eq, %{{.+}}, %c64_i32
// CHECK:             %[[WAITS:.+]] = arith.andi %[[SECOND]]
// CHECK:             scf.if %[[WAITS]]
// CHECK:               nvvm.mbarrier.try_wait.parity
// CHECK:             %[[WORD:.+]] = llvm.atomicrmw _or
// CHECK-DAG:         %[[NOW:.+]] = arith.remui %[[WORD]], %c65536_i32
// CHECK-DAG:         %[[SLOW:.+]] = arith.cmpi sgt, %[[NOW]], %c1_i32
// CHECK-DAG:         arith.divui %[[WORD]], %c65536_i32
// CHECK-DAG:         arith.select %[[SLOW]], %c65536_i32, %c0_i32
// CHECK-COUNT-3:     llvm.atomicrmw _or
// CHECK:             %[[WANTS:.+]] = arith.cmpi sgt, %{{.+}}, %c4_i32
// CHECK:             %[[FLAG:.+]] = arith.extui %[[WANTS]]
// CHECK:             llvm.atomicrmw xchg %{{.+}}, %[[FLAG]] monotonic
// CHECK:             scf.yield %[[FLAG]]
// CHECK:           llvm.inline_asm {{.*}}mbarrier.arrive.release
// CHECK:           %[[SOME:.+]] = arith.cmpi sgt, %[[STAGED]], %{{.+}}
// CHECK:           scf.if %[[SOME]]
// CHECK:             nvvm.cp.async.bulk.tensor
// CHECK:         llvm.inline_asm {{.*}}atom.shared.or.b32
// CHECK:         nvvm.shfl.sync
// CHECK:         scf.while
// Whole products; the last tile counts its live steps for all of them.
// CHECK:           scf.while
// CHECK:             scf.condition
// CHECK:             scf.for
// CHECK:               llvm.inline_asm {{.*}}wgmma.mma_async
// CHECK:               llvm.inline_asm {{.*}}wgmma.mma_async
// CHECK:               scf.if
// CHECK:                 nvvm.redux.sync or
// CHECK:                 llvm.inline_asm {{.*}}red.shared.add
// CHECK:               scf.yield
// CHECK:             llvm.inline_asm {{.*}}atom.shared.exch.b32
// CHECK:             llvm.inline_asm {{.*}}atom.shared.or.b32
// Values fetched by the warp: while the scores are on their way the step that
// the tile before noted sets out, after those that it cannot be multiplied with;
// then this tile's steps are noted.
// CHECK:           scf.while
// CHECK:             scf.condition
// CHECK:             scf.for
// CHECK:               llvm.inline_asm {{.*}}wgmma.mma_async
// CHECK-NOT:           wgmma.mma_async
// CHECK:               nvvm.redux.sync or
// CHECK:               scf.if
// CHECK:                 nvvm.cp.async.wait.group 0
// CHECK:                 nvvm.ldmatrix
// CHECK:                 nvvm.mma.sync
// CHECK:               nvvm.cp.async.shared.global
// CHECK:               nvvm.cp.async.commit.group
// CHECK:               wgmma.wait_group
// CHECK:               nvvm.redux.sync or
// CHECK:               scf.while
// CHECK:                 llvm.intr.cttz
// CHECK:               llvm.inline_asm {{.*}}red.shared.add
// CHECK:               scf.yield
// CHECK:             llvm.inline_asm {{.*}}atom.shared.exch.b32
// After the last tile all that is noted or on its way.
// CHECK:           nvvm.cp.async.wait.group 0
// CHECK:           nvvm.mma.sync
// CHECK:           scf.yield
func.func @runs(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"},
                %v: !m {tda.operand = "v"}, %o: !m {tda.operand = "o"}) {
  %c = arith.constant 0 : index
  %n = memref.dim %k, %c : !m
  %one = arith.constant 1.0 : f32
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 16, stages = 3, warps = 4, skip = adaptive, path = wgmma>
      target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %t = tda.tile_load %q[%b, %h, %i] limit %n : !m -> !tda.tile<64x16xbf16>
    %zero = tda.tile_zero : !tda.tile<64x16xf32>
    %tau = tda.tile_gate beta(%one) kappa(%one) rows(%i) keys(%n) offset(%c) {dim = 16 : i64} : !tda.tile<64xf32>
    %r = tda.tile_for %j = %c to %n step 16 limit %n at [%b, %h]
           stream (%pk = %k : !m -> !tda.panel<16x16xbf16, key>,
                   %pv = %v : !m -> !tda.panel<16x16xbf16, value>)
           carry (%acc = %zero : !tda.tile<64x16xf32>) {
      %staged = tda.panel_staged %pv : <16x16xbf16, value>
      %next:2 = scf.if %staged -> (!tda.tile<64x16xf32>, i32) {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !tda.tile<64x16xf32>
        %x = tda.tile_aggregate %s, %pv, %acc : !tda.tile<64x16xf32>, <16x16xbf16, value>, !tda.tile<64x16xf32>
        %steps = tda.tile_live_steps %s as bf16 : !tda.tile<64x16xf32>
        scf.yield %x, %steps : !tda.tile<64x16xf32>, i32
      } else {
        %s = tda.tile_scores %t, %pk : !tda.tile<64x16xbf16>, <16x16xbf16, key> -> !tda.tile<64x16xf32>
        %w = tda.tile_threshold %s, %tau {power = 2.0 : f64} : !tda.tile<64x16xf32>, !tda.tile<64xf32>
        %x = tda.tile_gather %w, %v[%b, %h, %j] limit %n, %acc : !tda.tile<64x16xf32>, !m, !tda.tile<64x16xf32>
        %steps = tda.tile_live_steps %w as bf16 : !tda.tile<64x16xf32>
        scf.yield %x, %steps : !tda.tile<64x16xf32>, i32
      }
      tda.panel_vote %pv, %next#1 : <16x16xbf16, value>
      tda.tile_yield %next#0 : !tda.tile<64x16xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %n : !tda.tile<64x16xf32>, !m
  }
  return
}
