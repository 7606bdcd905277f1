// RUN: tda-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect

func.func @f(%i: index) {
  // expected-error @+1 {{'tda.tile_program' op the body takes a batch, a head and a row: 3 indices}}
  tda.tile_program (%b, %h) in (%i, %i, %i)
    schedule #tda.schedule<tile_m = 16, tile_n = 16, stages = 2, warps = 1> target #tda.target<"sm_80"> {
  }
  return
}

// -----

func.func @f(%i: index, %k: memref<?x?x?x32xbf16>) {
  // expected-error @+1 {{'tda.tile_for' op step must be at least 1}}
  tda.tile_for %j = %i to %i step 0 limit %i at [%i, %i]
      stream (%p = %k : memref<?x?x?x32xbf16> -> !tda.panel<16x32xbf16, key>) carry () {
    tda.tile_yield
  }
  return
}

// -----

func.func @f(%i: index, %k: memref<?x?x?x32xbf16>) {
  // expected-error @+1 {{'tda.tile_for' op cannot stream 'memref<?x?x?x32xbf16>' as '!tda.panel<32x32xbf16, key>' with step 16}}
  tda.tile_for %j = %i to %i step 16 limit %i at [%i, %i]
      stream (%p = %k : memref<?x?x?x32xbf16> -> !tda.panel<32x32xbf16, key>) carry () {
    tda.tile_yield
  }
  return
}

// -----

func.func @f(%i: index, %k: memref<?x?x?x32xbf16>) {
  // expected-error @+1 {{'tda.tile_for' op cannot stream 'memref<?x?x?x32xbf16>' as '!tda.panel<16x32xf16, key>' with step 16}}
  tda.tile_for %j = %i to %i step 16 limit %i at [%i, %i]
      stream (%p = %k : memref<?x?x?x32xbf16> -> !tda.panel<16x32xf16, key>) carry () {
    tda.tile_yield
  }
  return
}

// -----

func.func @f(%i: index) {
  // expected-error @+1 {{'tda.tile_for' op the body must end with tda.tile_yield}}
  tda.tile_for %j = %i to %i step 16 limit %i at [%i, %i] stream () carry () {
    "test.end"() : () -> ()
  }
  return
}

// -----

func.func @f(%i: index, %z: !tda.tile<16xf32>) {
  // expected-error @+1 {{'tda.tile_for' op the yielded and the carried tiles differ in type}}
  %r = tda.tile_for %j = %i to %i step 16 limit %i at [%i, %i] stream () carry (%c = %z : !tda.tile<16xf32>) {
    %t = tda.tile_zero : !tda.tile<16x16xf32>
    tda.tile_yield %t : !tda.tile<16x16xf32>
  }
  return
}

// -----

func.func @f(%i: index, %z: !tda.tile<16xf32>) {
  // expected-error @+1 {{'tda.tile_for' op the body takes the key, 0 panels and 1 carried tiles}}
  %r = "tda.tile_for"(%i, %i, %i, %i, %i, %z)
    <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1>, step = 16 : i64}> ({
  ^body(%j: index):
    "tda.tile_yield"(%z) : (!tda.tile<16xf32>) -> ()
  }) : (index, index, index, index, index, !tda.tile<16xf32>) -> !tda.tile<16xf32>
  return
}
