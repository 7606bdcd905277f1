// RUN: tda-opt %s --tda-tiles-to-hopper --canonicalize --cse | FileCheck %s

// example: tda-tiles-to-hopper
!m = memref<?x?x?x64xbf16, strided<[?, ?, ?, 1], offset: ?>>
func.func @scores(%q: !m {tda.operand = "q"}, %k: !m {tda.operand = "k"},
                  %o: !m {tda.operand = "o"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %B = memref.dim %q, %c0 : !m
  %Hq = memref.dim %q, %c1 : !m
  %Nq = memref.dim %q, %c2 : !m
  %Nk = memref.dim %k, %c2 : !m
  tda.tile_program (%b, %h, %i) in (%B, %Hq, %Nq)
      schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 4, warps = 8,
                             path = wgmma>
      target #tda.target<"sm_90">
      attributes {pipeline = #tda.pipeline<
        consumers = 2, producer_registers = 40, consumer_registers = 232,
        slots = 4, slot_bytes = 8192, query_offset = 1024, ring_offset = 17408,
        fetch_offset = 50176, fetch_bytes = 2304, shared_bytes = 68608,
        query = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
        key = <rows = 64, columns = 64, leading = 16, stride = 1024, step = 32>,
        value = <rows = 64, columns = 64, leading = 8192, stride = 1024,
                 step = 2048>>} {
    %rows = tda.tile_load %q[%b, %h, %i] limit %Nq
          : !m -> !tda.tile<128x64xbf16>
    %none = tda.tile_zero : !tda.tile<128x64xf32>
    %last = tda.tile_for %j = %c0 to %Nk step 64 limit %Nk at [%b, %h]
        stream (%keys = %k : !m -> !tda.panel<64x64xbf16, key>)
        carry (%before = %none : !tda.tile<128x64xf32>) {
      %s = tda.tile_scores %rows, %keys
         : !tda.tile<128x64xbf16>, <64x64xbf16, key> -> !tda.tile<128x64xf32>
      tda.tile_yield %s : !tda.tile<128x64xf32>
    }
    tda.tile_store %last, %o[%b, %h, %i] limit %Nq : !tda.tile<128x64xf32>, !m
  }
  return
}
// CHECK: llvm.func @scores(%[[q:arg0]]: !llvm.ptr<1> {llvm.noalias}, {{[^)]*}})
// CHECK-SAME: attributes {nvvm.kernel, nvvm.maxntid = array<i32: 384>,
// CHECK-SAME:   nvvm.minctasm = 1 : i32, tda.launch = {arch = "sm_90a",
// CHECK-SAME:     block = 384 : i32, grid = "ceildiv(Nq, 128) * Hq * B",
// CHECK-SAME:     maps = ["q argument q rows 64 columns 64",
// CHECK-SAME:             "k argument k rows 64 columns 64"],
// CHECK-SAME:     params = ["ptr q", {{.*}}, "map q", "map k"],
// CHECK-SAME:     shared_bytes = 68608 : i64}} {
// CHECK:   {{.*}}
// CHECK:   scf.if %[[producer:[a-z0-9]+]] {
// CHECK:     nvvm.setmaxregister decrease 40
// CHECK:     {{.*}}
// CHECK:     scf.for %[[j:[a-z0-9]+]] = {{.*}} {
// CHECK:       nvvm.mbarrier.try_wait.parity %[[empty:[a-z0-9]+]], {{.*}}
// CHECK:       nvvm.mbarrier.arrive.expect_tx %[[full:[a-z0-9]+]], %c8192_i32 : !llvm.ptr<3>, i32
// CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.*}}, %[[map:[a-z0-9]+]], %[[full]], box[%c0_i32, %[[j]], %[[h:[a-z0-9]+]], %[[b:[a-z0-9]+]]] : !llvm.ptr<7>, !llvm.ptr
// CHECK:     }
// CHECK:   } else {
// CHECK:     nvvm.setmaxregister increase 232
// CHECK:     {{.*}}
// CHECK:     scf.for %[[j2:[a-z0-9]+]] = {{.*}} {
// CHECK:       nvvm.mbarrier.try_wait.parity %[[full2:[a-z0-9]+]], {{.*}}
// CHECK:       %[[s:[a-z0-9]+]] = llvm.inline_asm {{.*}}wgmma.mma_async{{.*}}
// CHECK:       %[[done:[a-z0-9]+]] = llvm.inline_asm {{.*}}wgmma.wait_group{{.*}}
// CHECK:       llvm.inline_asm {{.*}}mbarrier.arrive{{.*}}
// CHECK:     }
// CHECK:     {{.*}}
// CHECK:   }
// CHECK:   llvm.return
// CHECK: }
// end: tda-tiles-to-hopper
