// The one-view attention of 32-dimensional heads as the paper writes it.
func.func @stages(%q: tensor<?x?x?x32xf32>, %k: tensor<?x?x?x32xf32>,
                  %v: tensor<?x?x?x32xf32>, %beta: tensor<?xf32>)
    -> tensor<?x?x?x32xf32> {
  %s = tda.scores %q, %k {causal}
     : (tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x?xf32>
  %a = tda.threshold %s beta(%beta) {causal, dim = 32 : i64}
     : tensor<?x?x?x?xf32>, tensor<?xf32>
  %o = tda.aggregate %a, %v
     : (tensor<?x?x?x?xf32>, tensor<?x?x?x32xf32>) -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}
