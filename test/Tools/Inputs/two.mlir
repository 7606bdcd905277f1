func.func @first(%q: tensor<?x?x?x32xbf16>, %k: tensor<?x?x?x32xbf16>,
                 %v: tensor<?x?x?x64xbf16>, %beta: tensor<f32>)
    -> tensor<?x?x?x64xbf16> {
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta)
     : (tensor<?x?x?x32xbf16>, tensor<?x?x?x32xbf16>, tensor<?x?x?x64xbf16>,
        tensor<f32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// Another order, one argument for both keys, a constant beta, fixed lengths.
func.func @second(%beta: tensor<2xf32>, %v: tensor<1x2x?x64xbf16>,
                  %k: tensor<1x2x?x64xbf16>, %q1: tensor<1x2x?x64xbf16>,
                  %q2: tensor<1x2x?x64xbf16>) -> tensor<1x2x?x64xbf16> {
  %lambda = arith.constant dense<[0.25, 0.5]> : tensor<2xf32>
  %o = tda.attention excite(%q1, %k) inhibit(%q2, %k) values(%v)
         beta(%beta) lambda(%lambda) {causal}
     : (tensor<1x2x?x64xbf16>, tensor<1x2x?x64xbf16>, tensor<1x2x?x64xbf16>,
        tensor<1x2x?x64xbf16>, tensor<1x2x?x64xbf16>, tensor<2xf32>,
        tensor<2xf32>) -> tensor<1x2x?x64xbf16>
  return %o : tensor<1x2x?x64xbf16>
}
