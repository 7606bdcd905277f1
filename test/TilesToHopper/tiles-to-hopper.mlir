// RUN: tda-opt %s --split-input-file --tda-tiles-to-hopper --canonicalize --cse | FileCheck %s

// Two consumer warpgroups, one view, d = 96 (two blocks of 64 columns, zeros in
// the last half of the second) and dv = 64 (one block), three slots.

#p = #tda.pipeline<consumers = 2, producer_registers = 40, consumer_registers = 232, slots = 3, slot_bytes = 8192,
  query_offset = 1024, ring_offset = 33792, fetch_offset = 58368, fetch_bytes = 0, shared_bytes = 58368,
  query = <rows = 64, columns = 128, leading = 16, stride = 1024, step = 32>,
  key = <rows = 32, columns = 128, leading = 16, stride = 1024, step = 32>,
  value = <rows = 32, columns = 64, leading = 4096, stride = 1024, step = 2048>>
!m = memref<?x?x?x96xbf16, strided<[?, ?, ?, 1], offset: ?>>
!mv = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>

// CHECK:       llvm.mlir.global external @tda_shared() {addr_space = 3 : i32, alignment = 1024
// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME:    %[[MAPQ:[a-z0-9]+]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}
// CHECK-SAME:    %[[MAPK:[a-z0-9]+]]: !llvm.ptr {llvm.align = 64
// CHECK-SAME:    %[[MAPV:[a-z0-9]+]]: !llvm.ptr {llvm.align = 64
// CHECK-SAME:    nvvm.kernel, nvvm.maxntid = array<i32: 384>
// CHECK-SAME:    tda.launch = {arch = "sm_90a", block = 384 : i32, grid = "ceildiv(Nq, 128) * Hq * B"
// CHECK-SAME:    maps = ["q argument q rows 64 columns 64", "k argument k rows 32 columns 64", "v argument v rows 32 columns 64"]
// CHECK-SAME:    params = ["ptr q", "ptr k", "ptr v", "ptr o", "i32 B", {{.*}} "map q", "map k", "map v"]
// CHECK-SAME:    shared_bytes = 58368 : i64

// A full barrier of one arrival and an empty one of eight warps a slot; for the
// queries of each consumer one arrival a view, and its four warps; one for what
// the gate says.
// CHECK-COUNT-11: nvvm.mbarrier.init
// CHECK-NOT:      nvvm.mbarrier.init
// CHECK:          nvvm.fence.mbarrier.init
// CHECK:          nvvm.barrier

// The producer: one thread copies panels in the order of their use, another the
// queries of both consumers. A box is {column, row, head, batch}.
// CHECK:         nvvm.setmaxregister decrease 40
// CHECK:         %[[FIRST:.+]] = arith.cmpi eq, %{{.+}}, %c0_i32
// CHECK:         scf.if %[[FIRST]]
// CHECK:         scf.for %[[J:.+]] = %c0_i32 to
// CHECK:           nvvm.mbarrier.try_wait.parity
// CHECK:           nvvm.mbarrier.arrive.expect_tx %{{.+}}, %c8192_i32
// CHECK:           nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[MAPK]], %{{.+}}, box[%c0_i32, %[[J]], %[[H:.+]], %[[B:.+]]] :
// CHECK:           nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[MAPK]], %{{.+}}, box[%c64_i32, %[[J]], %[[H]], %[[B]]] :
// CHECK:           nvvm.mbarrier.try_wait.parity
// CHECK:           nvvm.mbarrier.arrive.expect_tx %{{.+}}, %c4096_i32
// CHECK:           nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[MAPV]], %{{.+}}, box[%c0_i32, %[[J]], %[[H]], %[[B]]] :
// CHECK:         %[[SECOND:.+]] = arith.cmpi eq, %{{.+}}, %c32_i32
// CHECK:         scf.if %[[SECOND]]
// CHECK:         nvvm.mbarrier.arrive.expect_tx %{{.+}}, %c16384_i32
// CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[MAPQ]], %{{.+}}, box[%c0_i32, %[[ROW:.+]], %[[H2:.+]], %[[B2:.+]]] :
// CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[MAPQ]], %{{.+}}, box[%c64_i32, %[[ROW]], %[[H2]], %[[B2]]] :
// CHECK:         nvvm.mbarrier.arrive.expect_tx %{{.+}}, %c16384_i32
// CHECK-COUNT-2: nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.+}}, %[[MAPQ]]
// CHECK-NOT:     nvvm.cp.async.bulk

// The consumers: a product is one block, awaited where it is first read; each
// wait gives the slot back. They issue their scores in turn: the last one lets
// the first begin.
// CHECK:         } else {
// CHECK:         nvvm.setmaxregister increase 232
// CHECK:         %[[LAST:.+]] = arith.cmpi eq, %{{.+}}, %c1_i32
// CHECK:         scf.if %[[LAST]]
// CHECK:           llvm.inline_asm {{.*}}bar.arrive $0, 256;
// CHECK:         nvvm.mbarrier.try_wait.parity
// CHECK:         scf.for %{{.+}} = %c0_i32 to
// CHECK:           nvvm.mbarrier.try_wait.parity
// CHECK:           llvm.inline_asm {{.*}}bar.sync $0, 256;
// CHECK:           llvm.inline_asm {{.*}}wgmma.fence{{.*}}m64n32k16.f32.bf16.bf16 {{.*}}first, 1, 1, 0, 0;{{.*}}next, 1, 1, 0, 0;{{.*}}wgmma.commit_group
// CHECK:           llvm.inline_asm {{.*}}bar.arrive $0, 256;
// CHECK:           llvm.inline_asm {{.*}}wgmma.wait_group.sync.aligned 0;
// CHECK:           llvm.inline_asm {{.*}}mbarrier.arrive.shared::cta.b64
// CHECK:           nvvm.mbarrier.try_wait.parity
// CHECK:           llvm.inline_asm {{.*}}wgmma.fence{{.*}}m64n64k16.f32.bf16.bf16 {{.*}}next, 1, 1, 1;{{.*}}wgmma.commit_group
// CHECK:           llvm.inline_asm {{.*}}wgmma.wait_group.sync.aligned 0;
// CHECK:           llvm.inline_asm {{.*}}mbarrier.arrive.shared::cta.b64
// CHECK-NEXT:      scf.yield
// CHECK-NOT:     wgmma
// CHECK-NOT:     tda.{{[a-z]+_}}
func.func @kernel(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"},
                  %v: !mv {tda.operand = "v"}, %o: !mv {tda.operand = "o"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %B = memref.dim %q, %c0 : !m
  %H = memref.dim %q, %c1 : !m
  %Nq = memref.dim %q, %c2 : !m
  %Nk = memref.dim %k, %c2 : !m
  tda.tile_program (%b, %h, %i) in (%B, %H, %Nq)
      schedule #tda.schedule<tile_m = 128, tile_n = 32, stages = 3, warps = 8, skip = never, path = wgmma>
      target #tda.target<"sm_90"> attributes {pipeline = #p} {
    %qt = tda.tile_load %q[%b, %h, %i] limit %Nq : !m -> !tda.tile<128x96xbf16>
    %zero = tda.tile_zero : !tda.tile<128x64xf32>
    %r = tda.tile_for %j = %c0 to %Nk step 32 limit %Nk at [%b, %h]
           stream (%kp = %k : !m -> !tda.panel<32x96xbf16, key>,
                   %vp = %v : !mv -> !tda.panel<32x64xbf16, value>)
           carry (%acc = %zero : !tda.tile<128x64xf32>) {
      %s = tda.tile_scores %qt, %kp
         : !tda.tile<128x96xbf16>, <32x96xbf16, key> -> !tda.tile<128x32xf32>
      %x = tda.tile_aggregate %s, %vp, %acc
         : !tda.tile<128x32xf32>, <32x64xbf16, value>, !tda.tile<128x64xf32>
      tda.tile_yield %x : !tda.tile<128x64xf32>
    }
    tda.tile_store %r, %o[%b, %h, %i] limit %Nq : !tda.tile<128x64xf32>, !mv
  }
  return
}

// -----

// Programs of another path stay, for tda-tiles-to-nvvm.

// CHECK-LABEL: func.func @mma_sync
// CHECK:         tda.tile_program
// CHECK-SAME:      #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
// CHECK-NOT:   llvm.func
func.func @mma_sync(%n: index) {
  tda.tile_program (%b, %h, %i) in (%n, %n, %n)
      schedule #tda.schedule<tile_m = 64, tile_n = 32, stages = 2, warps = 4>
      target #tda.target<"sm_90"> {
  }
  return
}
