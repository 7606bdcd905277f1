// RUN: tda-opt %s --tda-to-ptx="target=sm_90 schedule=tile_m=128,tile_n=64,stages=6,warps=8" \
// RUN:   --mlir-print-ir-after=tda-assign-pipeline,tda-tiles-to-hopper --mlir-disable-threading -o /dev/null 2>&1 | FileCheck %s

// The forms of docs/pipeline.md on the wgmma path: what forms.mlir describes,
// one view of it.

func.func @attention(
    %q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>) -> tensor<?x?x?x64xbf16> {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?xf32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}

// CHECK-LABEL: IR Dump After AssignPipeline
// example: form-hopper-tiles
// CHECK: tda.tile_program (%[[b:[a-z0-9_]+]], %[[h:[a-z0-9_]+]], %[[i:[a-z0-9_]+]]) in (%[[B:[a-z0-9_]+]], %[[Hq:[a-z0-9_]+]], %[[Nq:[a-z0-9_]+]])
// CHECK-SAME:    schedule #tda.schedule<tile_m = 128, tile_n = 64, stages = 6, warps = 8, skip = adaptive, group = 16, path = wgmma>
// CHECK-SAME:    target #tda.target<"sm_90">
// CHECK-SAME:    attributes {pipeline = #tda.pipeline<consumers = 2, {{.*}}, slots = 6, slot_bytes = 8192, {{.*}}>}
// CHECK:   %[[tau:[a-z0-9_]+]] = tda.tile_gate {{.*}} : !tda.tile<128xf32>
// CHECK:   %[[q:[a-z0-9_]+]] = tda.tile_load %[[Q:arg0]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}} -> !tda.tile<128x64xbf16>
// CHECK:   %[[begin:[a-z0-9_]+]], %[[end:[a-z0-9_]+]], %[[fullBegin:[A-Za-z0-9_]+]], %[[fullEnd:[A-Za-z0-9_]+]] = tda.tile_span rows(%[[i]], %[[Nq]]) keys(%[[Nk:[a-z0-9_]+]]) {{.*}}
// CHECK:   {{.*}}
// CHECK:   %[[diagonal:[a-z0-9_]+]] = tda.tile_for %{{.*}} = %[[high:[a-z0-9_]+]] to %[[end]] step 64 {{.*}} attributes {descending} {
// CHECK:     {{.*}}
// CHECK:     %[[masked:[a-z0-9_]+]] = tda.tile_mask {{.*}}
// CHECK:     {{.*}}
// CHECK:   }
// CHECK:   %[[o:[a-z0-9_]+]] = tda.tile_for %[[j:[a-z0-9_]+]] = %[[low:[a-z0-9_]+]] to %[[high]] step 64 limit %[[Nk]] at [%[[b]], %[[g:[a-z0-9_]+]]]
// CHECK-SAME:      stream (%[[k:[a-z0-9_]+]] = %[[K:arg1]] : {{[^>]*>>}} -> !tda.panel<64x64xbf16, key>,
// CHECK-SAME:              %[[v:[a-z0-9_]+]] = %[[V:arg2]] : {{[^>]*>>}} -> !tda.panel<64x64xbf16, value>)
// CHECK-SAME:      carry (%[[acc:[a-z0-9_]+]] = %[[diagonal]] : !tda.tile<128x64xf32>) attributes {descending} {
// CHECK:     %[[staged:[a-z0-9_]+]] = tda.panel_staged %[[v]] : <64x64xbf16, value>
// CHECK:     %[[next:[a-z0-9_]+]]:2 = scf.if %[[staged]] -> (!tda.tile<128x64xf32>, i32) {
// CHECK:       %[[s:[a-z0-9_]+]] = tda.tile_scores %[[q]], %[[k]] : {{.*}}
// CHECK:       %[[a:[a-z0-9_]+]] = tda.tile_threshold %[[s]], %[[tau]] {power = 2.000000e+00 : f64} : {{.*}}
// CHECK:       %[[sum:[a-z0-9_]+]] = tda.tile_aggregate %[[a]], %[[v]], %[[acc]] : {{.*}}
// CHECK:       %[[steps:[a-z0-9_]+]] = tda.tile_live_steps %[[a]] as bf16 : !tda.tile<128x64xf32>
// CHECK:       scf.yield %[[sum]], %[[steps]] : !tda.tile<128x64xf32>, i32
// CHECK:     } else {
// CHECK:       %[[t:[a-z0-9_]+]] = tda.tile_scores %[[q]], %[[k]] : {{.*}}
// CHECK:       %[[live:[a-z0-9_]+]] = tda.tile_survives %[[t]] above %[[tau]] : {{.*}}
// CHECK:       %[[fetched:[a-z0-9_]+]]:2 = scf.if %[[live]] {{.*}} {
// CHECK:         %[[w:[a-z0-9_]+]] = tda.tile_threshold %[[t]], %[[tau]] {power = 2.000000e+00 : f64} : {{.*}}
// CHECK:         %[[found:[a-z0-9_]+]] = tda.tile_gather %[[w]], %[[V]][%[[b]], %[[g]], %[[j]]] limit %[[Nk]], %[[acc]] : {{.*}}
// CHECK:         %[[few:[a-z0-9_]+]] = tda.tile_live_steps %[[w]] as bf16 : !tda.tile<128x64xf32>
// CHECK:         scf.yield %[[found]], %[[few]] : !tda.tile<128x64xf32>, i32
// CHECK:       } else {
// CHECK:         scf.yield %[[acc]], %c0_i32 : !tda.tile<128x64xf32>, i32
// CHECK:       }
// CHECK:       scf.yield %[[fetched]]#0, %[[fetched]]#1 : !tda.tile<128x64xf32>, i32
// CHECK:     }
// CHECK:     tda.panel_vote %[[v]], %[[next]]#1 : <64x64xbf16, value>
// CHECK:     tda.tile_yield %[[next]]#0 : !tda.tile<128x64xf32>
// CHECK:   }
// CHECK:   tda.tile_store %[[o]], %[[O:arg4]][%[[b]], %[[h]], %[[i]]] limit %[[Nq]] : {{.*}}
// CHECK: }
// end: form-hopper-tiles

// CHECK-LABEL: IR Dump After TilesToHopper
// example: form-hopper-lowered
// CHECK: llvm.func @attention({{.*}}%[[mapQ:arg[0-9]+]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}, %[[mapK:arg[0-9]+]]: {{.*}}, %[[mapV:arg[0-9]+]]: {{.*}}) attributes {nvvm.kernel, {{.*}}
// CHECK:   {{.*}}
// CHECK:   scf.if %[[producer:[a-z0-9_]+]] {
// CHECK:     nvvm.setmaxregister decrease {{[0-9]+}}
// CHECK:     {{.*}}
// CHECK:     scf.for {{.*}} {
// CHECK:       nvvm.mbarrier.try_wait.parity %[[empty:[a-z0-9_]+]], {{.*}}
// CHECK:       %[[staged:[a-z0-9_]+]] = scf.if %[[firstOfRun:[a-z0-9_]+]] {{.*}} {
// CHECK:         {{.*}}
// CHECK:       }
// CHECK:       nvvm.mbarrier.arrive.expect_tx %[[full:[a-z0-9_]+]], {{.*}}
// CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global %[[slot:[a-z0-9_]+]], %[[mapK]], %{{.*}}, box[%{{.*}}, %[[j:[a-z0-9_]+]], %{{.*}}, %{{.*}}] : {{.*}}
// CHECK:       %[[dense:[a-z0-9_]+]] = arith.cmpi slt, %{{.*}}, %[[staged]] : i32
// CHECK:       scf.if %[[dense]] {{.*}} {
// CHECK:         nvvm.mbarrier.try_wait.parity %[[empty2:[a-z0-9_]+]], {{.*}}
// CHECK:         nvvm.mbarrier.arrive.expect_tx %[[full2:[a-z0-9_]+]], {{.*}}
// CHECK:         nvvm.cp.async.bulk.tensor.shared.cluster.global %[[slot2:[a-z0-9_]+]], %[[mapV]], %{{.*}}, box[%{{.*}}, %[[j]], %{{.*}}, %{{.*}}] : {{.*}}
// CHECK:         {{.*}}
// CHECK:       }
// CHECK:     }
// CHECK:     {{.*}}
// CHECK:     nvvm.cp.async.bulk.tensor.shared.cluster.global %[[queries:[a-z0-9_]+]], %[[mapQ]], %[[arrived:[a-z0-9_]+]], box[{{.*}}] : {{.*}}
// CHECK:     {{.*}}
// CHECK:   } else {
// CHECK:     nvvm.setmaxregister increase {{[0-9]+}}
// CHECK:     {{.*}}
// CHECK:     scf.while {{.*}} {
// CHECK:       {{.*}}
// CHECK:       scf.while {{.*}} {
// CHECK:         scf.for {{.*}} {
// CHECK:           %[[s:[a-z0-9_]+]] = llvm.inline_asm {{.*}}wgmma.mma_async.sync.aligned.m64n64k16{{.*}}
// CHECK:           {{.*}}wgmma.wait_group{{.*}}
// CHECK:           {{.*}}mbarrier.arrive{{.*}}
// CHECK:           {{.*}}
// CHECK:           %[[sum:[a-z0-9_]+]] = llvm.inline_asm {{.*}}wgmma.mma_async.sync.aligned.m64n64k16{{.*}}
// CHECK:           {{.*}}
// CHECK:         }
// CHECK:         {{.*}}
// CHECK:       }
// CHECK:       scf.while {{.*}} {
// CHECK:         scf.for {{.*}} {
// CHECK:           %[[t:[a-z0-9_]+]] = llvm.inline_asm {{.*}}wgmma.mma_async.sync.aligned.m64n64k16{{.*}}
// CHECK:           %[[before:[a-z0-9_]+]]:{{[0-9]+}} = scf.if %[[onTheWay:[a-z0-9_]+]] {{.*}} {
// CHECK:             nvvm.cp.async.wait.group 0
// CHECK:             nvvm.mma.sync {{.*}}
// CHECK:             {{.*}}
// CHECK:           }
// CHECK:           {{.*}}wgmma.wait_group{{.*}}
// CHECK:           {{.*}}
// CHECK:           %[[live:[a-z0-9_]+]] = nvvm.vote.sync any {{.*}}
// CHECK:           scf.if %[[live]] {{.*}} {
// CHECK:             {{.*}}
// CHECK:             nvvm.cp.async.shared.global {{.*}}
// CHECK:             {{.*}}
// CHECK:           }
// CHECK:           {{.*}}
// CHECK:         }
// CHECK:         {{.*}}
// CHECK:       }
// CHECK:     }
// CHECK:     {{.*}}
// CHECK:   }
// CHECK:   llvm.return
// CHECK: }
// end: form-hopper-lowered
