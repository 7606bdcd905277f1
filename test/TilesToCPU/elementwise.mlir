// RUN: tda-opt --tda-tiles-to-cpu --canonicalize --split-input-file %s | FileCheck %s

#f = strided<[?, ?, ?, 1], offset: ?>
#r = strided<[?, ?, ?], offset: ?>
#schedule = #tda.schedule<tile_m = 16, tile_n = 16, stages = 1, warps = 1>
#cpu = #tda.target<"cpu", vector_bits = 256>

// Two views, everything that happens to scores in one turn.
// CHECK-LABEL: func @views(
// The mask: the rows' visible keys, then a select per vector.
// CHECK:         arith.constant dense<0xFF800000> : vector<8xf32>
// CHECK:         arith.cmpi sge, {{.*}} : vector<8xi32>
// CHECK:         arith.cmpi slt, {{.*}} : vector<8xi32>
// CHECK:         arith.select {{.*}} : vector<8xi1>, vector<8xf32>
// Power 2.5: x * x * sqrt(x).
// CHECK:         math.sqrt {{.*}} : vector<8xf32>
// Power 2.7: a call, where a lane needs it.
// CHECK:         %[[ANY:.+]] = vector.reduction <or>
// CHECK:         scf.if %[[ANY]] -> (vector<8xf32>) {
// CHECK-NEXT:      math.powf
// lambda a row: a vector.
// CHECK:         %[[LAMBDA:.+]] = arith.negf {{.*}} : vector<8xf32>
// CHECK:         vector.fma %[[LAMBDA]],
// Counts.
// CHECK:         arith.extui {{.*}} : vector<8xi1> to vector<8xi32>
// CHECK:         memref.store {{.*}} : memref<2x?x?x?xi32
func.func @views(%Q: memref<?x?x?x8xf32, #f>, %lambdas: memref<?x?x?xf32, #r>,
                 %counts: memref<2x?x?x?xi32, #f>, %beta: f32, %n: index) {
  %zero = arith.constant 0 : index
  tda.tile_program (%b, %h, %i) in (%n, %n, %n) schedule #schedule target #cpu {
    %tau = tda.tile_gate beta(%beta) kappa(%beta) rows(%i) keys(%n)
        offset(%zero) {causal, dim = 8 : i64} : !tda.tile<16xf32>
    %lambda = tda.tile_load %lambdas[%b, %h, %i] limit %n
        : memref<?x?x?xf32, #r> -> !tda.tile<16xf32>
    %q = tda.tile_load %Q[%b, %h, %i] limit %n
        : memref<?x?x?x8xf32, #f> -> !tda.tile<16x8xf32>
    %o = tda.tile_zero : !tda.tile<16x8xf32>
    %c = tda.tile_zero : !tda.tile<16xi32>
    %sum, %count = tda.tile_for %j = %zero to %n step 16 limit %n at [%b, %h]
        stream (%k = %Q : memref<?x?x?x8xf32, #f> -> !tda.panel<16x8xf32, key>,
                %v = %Q : memref<?x?x?x8xf32, #f> -> !tda.panel<16x8xf32, value>)
        carry (%acc = %o : !tda.tile<16x8xf32>, %seen = %c : !tda.tile<16xi32>) {
      %s = tda.tile_scores %q, %k : !tda.tile<16x8xf32>,
          !tda.panel<16x8xf32, key> -> !tda.tile<16x16xf32>
      %m = tda.tile_mask %s rows(%i) from(%j) keys(%n) offset(%zero) {causal}
          : !tda.tile<16x16xf32>
      %a1 = tda.tile_threshold %m, %tau {power = 2.5}
          : !tda.tile<16x16xf32>, !tda.tile<16xf32>
      %a2 = tda.tile_threshold %m, %tau {power = 2.7}
          : !tda.tile<16x16xf32>, !tda.tile<16xf32>
      %a = tda.tile_differential %a1, %a2, %lambda
          : !tda.tile<16x16xf32>, !tda.tile<16xf32>
      %next = tda.tile_aggregate %a, %v, %acc : !tda.tile<16x16xf32>,
          !tda.panel<16x8xf32, value>, !tda.tile<16x8xf32>
      %more = tda.tile_count %m above %tau, %seen
          : !tda.tile<16x16xf32>, !tda.tile<16xf32>, !tda.tile<16xi32>
      tda.tile_yield %next, %more : !tda.tile<16x8xf32>, !tda.tile<16xi32>
    }
    tda.tile_store %count, %counts[%b, %h, %i] limit %n {plane = 1 : i64}
        : !tda.tile<16xi32>, memref<2x?x?x?xi32, #f>
  }
  return
}
