// Causal two-view attention of 64-dimensional heads; q and k are unit rows
// already, all lengths are run-time values.
func.func @attention(%q1: tensor<?x?x?x64xbf16>, %k1: tensor<?x?x?x64xbf16>,
                     %q2: tensor<?x?x?x64xbf16>, %k2: tensor<?x?x?x64xbf16>,
                     %v: tensor<?x?x?x64xbf16>,
                     %beta: tensor<?xf32>, %lambda: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
         beta(%beta) lambda(%lambda) {causal}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?xf32>,
        tensor<?xf32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
