// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=sm_90}))' --split-input-file --verify-diagnostics
// RUN: tda-opt %s --pass-pipeline='builtin.module(func.func(tda-assign-schedule{target=cpu}))' --split-input-file | FileCheck %s

// What no schedule can help on a GPU; the CPU takes all of it.
// CHECK-COUNT-3: target = #tda.target<"cpu"

func.func @f32(%q: tensor<?x?x?x32xf32>, %beta: tensor<f32>) -> tensor<?x?x?x32xf32> {
  // expected-error @+1 {{f32 runs on the CPU only; sm_90 takes bf16 or f16}}
  %o = tda.attention excite(%q, %q) values(%q) beta(%beta)
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// -----

func.func @odd_d(%q: tensor<?x?x?x40xf16>, %v: tensor<?x?x?x64xf16>, %beta: tensor<f32>) -> tensor<?x?x?x64xf16> {
  // expected-error @+1 {{d = 40, dv = 64: the wgmma path takes multiples of 16 up to 256}}
  %o = tda.attention excite(%q, %q) values(%v) beta(%beta)
    : (tensor<?x?x?x40xf16>, tensor<?x?x?x40xf16>, tensor<?x?x?x64xf16>, tensor<f32>) -> tensor<?x?x?x64xf16>
  return %o : tensor<?x?x?x64xf16>
}

// -----

func.func @large_dv(%q: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x272xf16>, %beta: tensor<f32>) -> tensor<?x?x?x272xf16> {
  // expected-error @+1 {{d = 64, dv = 272: the wgmma path takes multiples of 16 up to 256}}
  %o = tda.attention excite(%q, %q) values(%v) beta(%beta)
    : (tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x272xf16>, tensor<f32>) -> tensor<?x?x?x272xf16>
  return %o : tensor<?x?x?x272xf16>
}
