// RUN: tda-opt %s --split-input-file --verify-diagnostics

func.func @f(%i: index, %m: memref<?x?x?x32xbf16>) {
  // expected-error @+1 {{'tda.tile_load' op loads 'memref<?x?x?x32xbf16>' as '!tda.tile<16x32xf32>'}}
  %t = tda.tile_load %m[%i, %i, %i] limit %i : memref<?x?x?x32xbf16> -> !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%i: index, %m: memref<?x?x32xbf16>) {
  // expected-error @+1 {{'tda.tile_load' op needs a memref of rank 4 for '!tda.tile<16x32xbf16>', but has 'memref<?x?x32xbf16>'}}
  %t = tda.tile_load %m[%i, %i, %i] limit %i : memref<?x?x32xbf16> -> !tda.tile<16x32xbf16>
  return
}

// -----

func.func @f(%i: index, %m: memref<?x?x?x64xbf16>) {
  // expected-error @+1 {{'tda.tile_load' op cannot move '!tda.tile<16x32xbf16>' and 'memref<?x?x?x64xbf16>': the columns differ}}
  %t = tda.tile_load %m[%i, %i, %i] limit %i : memref<?x?x?x64xbf16> -> !tda.tile<16x32xbf16>
  return
}

// -----

func.func @f(%i: index, %m: memref<?x?x?xi32>, %t: !tda.tile<16xf32>) {
  // expected-error @+1 {{'tda.tile_store' op needs a memref of rank 4 for '!tda.tile<16xf32>', but has 'memref<?x?x?xi32>'}}
  tda.tile_store %t, %m[%i, %i, %i] limit %i {plane = 0 : i64} : !tda.tile<16xf32>, memref<?x?x?xi32>
  return
}

// -----

func.func @f(%k: !tda.panel<16x32xbf16, key>) {
  // expected-error @+1 {{'tda.panel_normalize' op results must have the types of the operands}}
  %n = tda.panel_normalize %k : (!tda.panel<16x32xbf16, key>) -> !tda.panel<16x32xf16, key>
  return
}

// -----

func.func @f(%v: !tda.panel<16x32xbf16, value>) {
  // expected-error @+1 {{'tda.panel_normalize' op normalises key panels, not '!tda.panel<16x32xbf16, value>'}}
  %n = tda.panel_normalize %v : (!tda.panel<16x32xbf16, value>) -> !tda.panel<16x32xbf16, value>
  return
}

// -----

func.func @f(%q: !tda.tile<16x32xbf16>, %v: !tda.panel<16x32xbf16, value>) {
  // expected-error @+1 {{'tda.tile_scores' op reads a key panel, not '!tda.panel<16x32xbf16, value>'}}
  %s = tda.tile_scores %q, %v : !tda.tile<16x32xbf16>, !tda.panel<16x32xbf16, value> -> !tda.tile<16x16xf32>
  return
}

// -----

func.func @f(%q: !tda.tile<16x32xbf16>, %k: !tda.panel<16x64xbf16, key>) {
  // expected-error @+1 {{'tda.tile_scores' op cannot make '!tda.tile<16x16xf32>' of '!tda.tile<16x32xbf16>' and '!tda.panel<16x64xbf16, key>'}}
  %s = tda.tile_scores %q, %k : !tda.tile<16x32xbf16>, !tda.panel<16x64xbf16, key> -> !tda.tile<16x16xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x16xf32>, %k: !tda.panel<16x32xbf16, key>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_aggregate' op reads a value panel, not '!tda.panel<16x32xbf16, key>'}}
  %o = tda.tile_aggregate %a, %k, %acc : !tda.tile<16x16xf32>, !tda.panel<16x32xbf16, key>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x16xf32>, %v: !tda.panel<32x32xbf16, value>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_aggregate' op cannot add '!tda.tile<16x16xf32>' times '!tda.panel<32x32xbf16, value>' to '!tda.tile<16x32xf32>'}}
  %o = tda.tile_aggregate %a, %v, %acc : !tda.tile<16x16xf32>, !tda.panel<32x32xbf16, value>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x24xf32>, %v: !tda.panel<24x32xbf16, value>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_aggregate_steps' op works in steps of 16 keys, not on '!tda.tile<16x24xf32>'}}
  %o = tda.tile_aggregate_steps %a, %v, %acc : !tda.tile<16x24xf32>, <24x32xbf16, value>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x16xf32>, %k: !tda.panel<16x32xbf16, key>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_aggregate_steps' op reads a value panel, not '!tda.panel<16x32xbf16, key>'}}
  %o = tda.tile_aggregate_steps %a, %k, %acc : !tda.tile<16x16xf32>, <16x32xbf16, key>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x16xf32>, %v: !tda.panel<32x32xbf16, value>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_aggregate_steps' op cannot add '!tda.tile<16x16xf32>' times '!tda.panel<32x32xbf16, value>' to '!tda.tile<16x32xf32>'}}
  %o = tda.tile_aggregate_steps %a, %v, %acc : !tda.tile<16x16xf32>, <32x32xbf16, value>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%i: index, %a: !tda.tile<16x24xf32>, %v: memref<?x?x?x32xbf16>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_gather' op works in steps of 16 keys, not on '!tda.tile<16x24xf32>'}}
  %o = tda.tile_gather %a, %v[%i, %i, %i] limit %i, %acc : !tda.tile<16x24xf32>, memref<?x?x?x32xbf16>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%i: index, %a: !tda.tile<16x16xf32>, %v: memref<?x?x?x64xbf16>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_gather' op cannot add '!tda.tile<16x16xf32>' times rows of 'memref<?x?x?x64xbf16>' to '!tda.tile<16x32xf32>'}}
  %o = tda.tile_gather %a, %v[%i, %i, %i] limit %i, %acc : !tda.tile<16x16xf32>, memref<?x?x?x64xbf16>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%i: index, %a: !tda.tile<16x16xf32>, %v: memref<?x?x32xbf16>, %acc: !tda.tile<16x32xf32>) {
  // expected-error @+1 {{'tda.tile_gather' op cannot add '!tda.tile<16x16xf32>' times rows of 'memref<?x?x32xbf16>' to '!tda.tile<16x32xf32>'}}
  %o = tda.tile_gather %a, %v[%i, %i, %i] limit %i, %acc : !tda.tile<16x16xf32>, memref<?x?x32xbf16>, !tda.tile<16x32xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x24xf32>) {
  // expected-error @+1 {{'tda.tile_live_steps' op counts steps of 16 keys, not on '!tda.tile<16x24xf32>'}}
  %n = tda.tile_live_steps %a as bf16 : !tda.tile<16x24xf32>
  return
}

// -----

func.func @f(%a: !tda.tile<16x16xf32>) {
  // expected-error @+1 {{'tda.tile_live_steps' op weights are rounded to bf16 or f16, not to 'f32'}}
  %n = tda.tile_live_steps %a as f32 : !tda.tile<16x16xf32>
  return
}
