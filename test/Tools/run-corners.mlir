// RUN: rm -rf %t && split-file %s %t

// A constant lambda of 0 keeps the function's arguments, and is right.
// RUN: tda-run %t/zero.mlir --target cpu --random 1 --shape B=1,H=2,N=70 --check | FileCheck %s
// RUN: tda-compile %t/zero.mlir --arch sm_80 --no-cubin -o %t/zero
// CHECK: relative error: {{[0-9.]+}}e-0{{[3-9]}} (contract 5.0e-03)

// A function may be called like one of the C library.
// RUN: tda-compile --attention "views=2 d=32 causal power=2.3" --emit=mlir -o - | sed s/@attention/@powf/ > %t/powf.mlir
// RUN: tda-run %t/powf.mlir --target cpu --random 1 --shape B=1,H=2,N=50 --check | FileCheck %s
// RUN: tda-run %t/powf.mlir --target cpu --unfused --random 1 --shape B=1,H=2,N=50 --check | FileCheck %s

// Any offset, however far.
// RUN: tda-run --attention "views=1 d=16 causal offset=arg" --target cpu --random 1 --shape B=1,H=1,N=40 --offset 1000000000000000000 --check | FileCheck %s
// RUN: tda-run --attention "views=1 d=16 causal window=5 offset=arg" --target cpu --random 1 --shape B=1,H=1,N=40 --offset 3 --check | FileCheck %s
// RUN: tda-run --attention "views=1 d=16 window=5" --target cpu --random 1 --shape B=1,H=1,N=40 --check | FileCheck %s

// A static extent is a promise about the arguments.
// RUN: not tda-run %t/promise.mlir --target cpu --unfused --args %data/real/q1.npy,%data/real/k1.npy --results %t/s.npy 2>&1 | FileCheck %s --check-prefix=PROMISE
// PROMISE: declared 4096, but is 1024

// What would change nothing is refused.
// RUN: not tda-run --attention "views=1 d=16" --target cpu --random 1 --shape B=1,H=1,N=4 --kappa 3 2>&1 | FileCheck %s --check-prefix=KAPPA
// KAPPA: --kappa: the function has no operand kappa
// RUN: not tda-run --attention "views=1 d=16" --target cpu --random 1 --shape B=1,H=1,N=4 --results '' 2>&1 | FileCheck %s --check-prefix=RESULTS
// RESULTS: --results takes the names of .npy files
// RUN: not tda-compile %t/zero.mlir --emit=mlir --arch sm_77 -o - 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: unknown target 'sm_77'; known targets: cpu, sm_80, sm_86, sm_89, sm_90

//--- zero.mlir
!t = tensor<?x?x?x32xbf16>
func.func @zero(%q1: !t, %k1: !t, %q2: !t, %k2: !t, %v: !t, %beta: tensor<?xf32>) -> !t {
  %l = arith.constant dense<0.0> : tensor<f32>
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v) beta(%beta)
         lambda(%l) {causal} : (!t, !t, !t, !t, !t, tensor<?xf32>, tensor<f32>) -> !t
  return %o : !t
}

//--- promise.mlir
!t = tensor<?x?x?x64xbf16>
func.func @promise(%q: !t, %k: !t) -> tensor<?x?x?x4096xf32> {
  %s = tda.scores %q, %k : (!t, !t) -> tensor<?x?x?x4096xf32>
  return %s : tensor<?x?x?x4096xf32>
}
