// RUN: tda-opt %s --tda-diagnose-dead-heads --verify-diagnostics -o /dev/null

// example: tda-diagnose-dead-heads
func.func @one_head_dies(%q: tensor<?x2x?x16xf16>, %k: tensor<?x2x?x16xf16>,
                         %v: tensor<?x2x?x16xf16>) -> tensor<?x2x?x16xf16> {
  %beta = arith.constant dense<[1.0, 0.5]> : tensor<2xf32>
  // expected-remark @+1 {{dead head: head 0 with beta = 1.000000e+00 has its gate at 1 or above for rows that see 2981 keys or more (up to 8192 here): their output is all zero}}
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
         {causal, normalize, max_length = 8192 : i64}
     : (tensor<?x2x?x16xf16>, tensor<?x2x?x16xf16>, tensor<?x2x?x16xf16>,
        tensor<2xf32>) -> tensor<?x2x?x16xf16>
  return %o : tensor<?x2x?x16xf16>
}
// end: tda-diagnose-dead-heads
