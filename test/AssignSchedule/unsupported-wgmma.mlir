// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90 schedule="path=wgmma tile_m=64 tile_n=32 stages=2 warps=4"}))' --split-input-file --verify-diagnostics

// What no schedule of the wgmma path can help. Head dimensions up to 256 that
// the portable path has not are in its reach.

func.func @f32(%q: tensor<?x?x?x32xf32>, %beta: tensor<f32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{f32 runs on the CPU only; sm_90 takes bf16 or f16}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// -----

func.func @large(%q: tensor<?x?x?x256xbf16>, %beta: tensor<f32>) -> tensor<?x?x?x256xbf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    : (tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<?x?x?x256xbf16>, tensor<f32>) -> tensor<?x?x?x256xbf16>
  return %o : tensor<?x?x?x256xbf16>
}

// -----

// The sums of a tile of f16 are apart from the output, 64 columns at a time.

func.func @large_f16(%q: tensor<?x?x?x256xf16>, %beta: tensor<f32>) -> tensor<?x?x?x256xf16> {
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    : (tensor<?x?x?x256xf16>, tensor<?x?x?x256xf16>, tensor<?x?x?x256xf16>, tensor<f32>) -> tensor<?x?x?x256xf16>
  return %o : tensor<?x?x?x256xf16>
}

// -----

func.func @larger(%q: tensor<?x?x?x272xbf16>, %beta: tensor<f32>) -> tensor<?x?x?x272xbf16> {
  // expected-error @+1 {{d = 272, dv = 272: the wgmma path takes multiples of 16 up to 256}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    : (tensor<?x?x?x272xbf16>, tensor<?x?x?x272xbf16>, tensor<?x?x?x272xbf16>, tensor<f32>) -> tensor<?x?x?x272xbf16>
  return %o : tensor<?x?x?x272xbf16>
}
