// RUN: tda-opt %s --verify-diagnostics

// Rounding is from f32 alone.
func.func @f(%i: index, %m: memref<?x?x?x32xf16>, %t: !tda.tile<16x32xbf16>) {
  // expected-error @+1 {{'tda.tile_store' op stores f32 tiles, rounded to the tensor's type, or tiles of that type, not '!tda.tile<16x32xbf16>' to 'memref<?x?x?x32xf16>'}}
  tda.tile_store %t, %m[%i, %i, %i] limit %i : !tda.tile<16x32xbf16>, memref<?x?x?x32xf16>
  return
}
