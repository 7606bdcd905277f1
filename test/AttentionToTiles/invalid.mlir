// RUN: tda-opt %s --split-input-file --verify-diagnostics --tda-attention-to-tiles

func.func @no_schedule(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{has no schedule; run tda-assign-schedule first}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @more_than_attention(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{'tda.normalize' beside tda.attention: a kernel holds nothing but one attention and constants}}
  %n = tda.normalize %q : tensor<1x1x8x16xbf16>
  %o = tda.attention excite(%n, %n) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @returns_something_else(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  // expected-error@+1 {{must return the results of tda.attention, in their order}}
  return %q : tensor<1x1x8x16xbf16>
}

// -----

// expected-error@+1 {{argument 1 is not used by tda.attention and has no place in a kernel; remove it}}
func.func @unused(%q: tensor<1x1x8x16xbf16>, %x: tensor<f32>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @constant_keys(%q: tensor<1x1x8x16xbf16>, %beta: tensor<f32>)
    -> tensor<1x1x8x16xbf16> {
  %k = arith.constant dense<1.0> : tensor<1x1x8x16xbf16>
  // expected-error@+1 {{a GPU kernel normalises queries and keys that are arguments of the function, not constants}}
  %o = tda.attention excite(%q, %k) values(%q) beta(%beta)
         {normalize, target = #tda.target<"sm_90">,
          schedule = #tda.schedule<tile_m = 64, tile_n = 32, stages = 4, warps = 4, skip = never, path = wgmma>}
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

// -----

func.func @resource(%q: tensor<1x1x8x16xbf16>) -> tensor<1x1x8x16xbf16> {
  // expected-error@+1 {{a constant of a kernel must be written out as dense<...>, not as a resource}}
  %beta = arith.constant dense_resource<blob> : tensor<f32>
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
     : (tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>, tensor<1x1x8x16xbf16>,
        tensor<f32>) -> tensor<1x1x8x16xbf16>
  return %o : tensor<1x1x8x16xbf16>
}

{-# dialect_resources: { builtin: { blob: "0x040000000000803F" } } #-}
