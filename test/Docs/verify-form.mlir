// RUN: tda-opt %s --tda-verify-form="form=scheduled" --verify-diagnostics

// example: tda-verify-form
func.func @one_view(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>,
                    %v: tensor<?x?x?x64xbf16>, %beta: tensor<?xf32>)
    -> tensor<?x?x?x64xbf16> {
  // expected-error @+1 {{'tda.attention' may not exist in the form 'scheduled'; tda-assign-schedule has to run before}}
  %o = tda.attention excite(%q, %k) values(%v) beta(%beta) {causal}
     : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>,
        tensor<?xf32>) -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
// end: tda-verify-form
