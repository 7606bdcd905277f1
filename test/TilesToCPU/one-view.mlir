// RUN: tda-opt --tda-tiles-to-cpu --canonicalize %s | FileCheck %s

#q = strided<[?, ?, ?, 1], offset: ?>
#schedule = #tda.schedule<tile_m = 32, tile_n = 16, stages = 1, warps = 1>
#cpu = #tda.target<"cpu", vector_bits = 512>

// The function takes the range of programs to run.
// CHECK-LABEL: func @one_view(
// CHECK-SAME:    %[[FIRST:[^ ]+]]: index, %[[LAST:[^ ]+]]: index) {

// Buffers are allocated once a call: the gate [rows], queries [columns][rows],
// the accumulator [rows][columns], the panels and the scores [keys][rows].
// CHECK-DAG:     memref.alloc() {alignment = 64 : i64} : memref<32xf32>
// CHECK-DAG:     memref.alloc() {alignment = 64 : i64} : memref<8x32xf32>
// CHECK-DAG:     memref.alloc() {alignment = 64 : i64} : memref<32x48xf32>
// CHECK-DAG:     memref.alloc() {alignment = 64 : i64} : memref<16x16xf32>
// CHECK-DAG:     memref.alloc() {alignment = 64 : i64} : memref<16x48xf32>
// CHECK-DAG:     %[[SCORES:.+]] = memref.alloc() {alignment = 64 : i64} : memref<16x32xf32>

// CHECK:         scf.for %[[P:.+]] = %[[FIRST]] to %[[LAST]]
// CHECK:           math.log
// CHECK:           scf.for
// Scores: 8 keys by 2 vectors of 16 rows in registers.
// CHECK:             scf.for {{.*}} -> (vector<16xf32>, {{.*}}) {
// CHECK-COUNT-16:      vector.fma
// CHECK-NOT:           vector.fma
// CHECK:             }
// CHECK:             vector.store {{.*}}, %[[SCORES]]
// The survivor test guards threshold and aggregate.
// CHECK:             %[[LIVE:.+]] = vector.reduction <or>
// CHECK:             scf.if %[[LIVE]] {
// bf16 weights keep 8 significant bits.
// CHECK:               arith.shrui
// Aggregate: 3 vectors of the 40 padded columns by 8 rows.
// CHECK-COUNT-24:      vector.fma
// CHECK-NOT:           vector.fma
// CHECK:             }
// The last 8 of the 40 columns are stored one by one.
// CHECK:           arith.truncf {{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK:           arith.truncf {{.*}} : f32 to bf16
// CHECK-COUNT-7: memref.dealloc
// CHECK-NOT:     memref.dealloc
func.func @one_view(%Q: memref<?x?x?x8xbf16, #q>, %K: memref<?x?x?x8xbf16, #q>,
                    %V: memref<?x?x?x40xbf16, #q>, %beta: f32,
                    %O: memref<?x?x?x40xbf16, #q>, %B: index, %H: index,
                    %N: index) {
  %zero = arith.constant 0 : index
  %kappa = arith.constant 1.0 : f32
  tda.tile_program (%b, %h, %i) in (%B, %H, %N) schedule #schedule target #cpu {
    %tau = tda.tile_gate beta(%beta) kappa(%kappa) rows(%i) keys(%N)
        offset(%zero) {causal, dim = 8 : i64} : !tda.tile<32xf32>
    %q = tda.tile_load %Q[%b, %h, %i] limit %N
        : memref<?x?x?x8xbf16, #q> -> !tda.tile<32x8xbf16>
    %none = tda.tile_zero : !tda.tile<32x40xf32>
    %o = tda.tile_for %j = %zero to %N step 16 limit %N at [%b, %h]
        stream (%k = %K : memref<?x?x?x8xbf16, #q> -> !tda.panel<16x8xbf16, key>,
                %v = %V : memref<?x?x?x40xbf16, #q> -> !tda.panel<16x40xbf16, value>)
        carry (%acc = %none : !tda.tile<32x40xf32>) {
      %s = tda.tile_scores %q, %k : !tda.tile<32x8xbf16>,
          !tda.panel<16x8xbf16, key> -> !tda.tile<32x16xf32>
      %live = tda.tile_survives %s above %tau
          : !tda.tile<32x16xf32> above !tda.tile<32xf32>
      %next = scf.if %live -> !tda.tile<32x40xf32> {
        %a = tda.tile_threshold %s, %tau {power = 2.0}
            : !tda.tile<32x16xf32>, !tda.tile<32xf32>
        %sum = tda.tile_aggregate %a, %v, %acc : !tda.tile<32x16xf32>,
            !tda.panel<16x40xbf16, value>, !tda.tile<32x40xf32>
        scf.yield %sum : !tda.tile<32x40xf32>
      } else {
        scf.yield %acc : !tda.tile<32x40xf32>
      }
      tda.tile_yield %next : !tda.tile<32x40xf32>
    }
    tda.tile_store %o, %O[%b, %h, %i] limit %N
        : !tda.tile<32x40xf32>, memref<?x?x?x40xbf16, #q>
  }
  return
}
