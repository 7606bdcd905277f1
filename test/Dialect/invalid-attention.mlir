// RUN: tda-opt %s --split-input-file --verify-diagnostics

// What the verifier of tda.attention says of heads, numbers and the schedule.

func.func @f(%q1: tensor<?x4x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<8xf32>) {
  // expected-error @+1 {{q1 has Hq = 4, but beta has Hq = 8}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta)
    : (tensor<?x4x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<8xf32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{window = 0 must be at least 1 key}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {window = 0 : i64}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{power = 9.900000e-01 must be a finite number, at least 1}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {power = 0.99 : f64}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{kappa = -1.000000e+00 must be a finite number above 0}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {kappa = -1.0 : f64}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{eps = nan must be a finite number, at least 0}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {eps = 0x7FF8000000000000 : f64}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{max_length must be at least 1}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {max_length = 0 : i64}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{a schedule needs the target that it is for}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {schedule = #tda.schedule<tile_m = 64, tile_n = 64, stages = 1, warps = 1>}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{schedule cannot work: stages = 2 and warps = 4 must both be 1 on the CPU}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {target = #tda.target<"cpu">, schedule = #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4>}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

// Only the generic form can give q2 without k2.
func.func @f(%q: tensor<?x?x?x32xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{the inhibitory view needs both q2 and k2}}
  %o = "tda.attention"(%q, %q, %q, %q, %b)
    <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 1, 0, 0, 0, 0>}>
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}

// -----

func.func @f(%q1: tensor<?x?x?x32xf32>, %k1: tensor<?x?x?x32xf32>, %v: tensor<?x?x?x32xf32>, %beta: tensor<f32>) {
  // expected-error @+1 {{'unit' says that rows are unit vectors, 'normalize' makes them so: leave one of them out}}
  %o = tda.attention excite(%q1, %k1) values(%v) beta(%beta) {normalize, unit}
    : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<f32>) -> tensor<?x?x?x32xf32>
  return
}
