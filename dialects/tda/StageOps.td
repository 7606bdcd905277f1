//===- StageOps.td - The paper, one op a stage ------------*- tablegen -*-===//
#ifndef TDA_STAGEOPS_TD
#define TDA_STAGEOPS_TD

include "dialects/tda/Base.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tda_StageOp<string mnemonic, list<Trait> traits = []>
    : Tda_Op<mnemonic, traits # [Pure,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>]> {
  let hasVerifier = 1;
}

def Tda_NormalizeOp : Tda_StageOp<"normalize", [SameOperandsAndResultType]> {
  let summary = "divide each row by its L2 norm";
  let description = [{
    `y = x / max(||x||2, 1e-12)` along the last dimension, computed in f32 and
    rounded to the element type (docs/semantics.md, step 1).
    `x`, `y`: [B, H, N, D] of f32, bf16 or f16.

    ```mlir
    %y = tda.normalize %x : tensor<?x?x?x128xbf16>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def Tda_ScoresOp : Tda_StageOp<"scores"> {
  let summary = "cosine scores of one view";
  let description = [{
    `s(i,j) = q(i) . k(j)`, accumulated in f32; no scale (steps 2 and 3). Query
    head h reads key head `h / (Hq / Hkv)`. An entry that the visibility rule
    (`causal`, `window`, `offset`) hides is -inf.
    `q`: [B, Hq, Nq, D], `k`: [B, Hkv, Nk, D], `s`: f32 [B, Hq, Nq, Nk].

    ```mlir
    %s = tda.scores %q, %k {causal}
       : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$q, AnyRankedTensor:$k,
                       Optional<I64>:$offset, UnitAttr:$causal,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs AnyRankedTensor:$s);
  let assemblyFormat = [{
    $q `,` $k (`offset` `(` $offset^ `)`)? attr-dict
    `:` `(` type($q) `,` type($k) `)` `->` type($s)
  }];
}

def Tda_ThresholdOp : Tda_StageOp<"threshold", [AttrSizedOperandSegments,
    AllTypesMatch<["s", "a"]>]> {
  let summary = "gate, rectify and raise to a power";
  let description = [{
    `a(i,j) = max(0, s(i,j) - tau(i))^power` where visible, else exactly 0, with
    `tau(i) = max(0, beta) * sqrt(2 max(0, ln(n(i) / kappa)) / dim)` and n(i)
    the number of keys that row i sees (steps 3 to 5). `dim` is D, which scores
    no longer show. `kappa` is an operand, or else the attribute.
    `s`, `a`: f32 [B, Hq, Nq, Nk]; `beta`: f32 [] or [Hq]; `kappa`: f32 [].

    ```mlir
    %a = tda.threshold %s beta(%beta) {causal, dim = 128 : i64}
       : tensor<?x?x?x?xf32>, tensor<?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$s, AnyRankedTensor:$beta,
                       Optional<AnyRankedTensor>:$kappaValue,
                       Optional<I64>:$offset, I64Attr:$dim, UnitAttr:$causal,
                       OptionalAttr<I64Attr>:$window,
                       DefaultValuedAttr<F64Attr, "2.0">:$power,
                       DefaultValuedAttr<F64Attr, "1.0">:$kappa);
  let results = (outs AnyRankedTensor:$a);
  let assemblyFormat = [{
    $s `beta` `(` $beta `)` (`kappa` `(` $kappaValue^ `)`)?
    (`offset` `(` $offset^ `)`)? attr-dict
    `:` type($s) `,` type($beta) (`,` type($kappaValue)^)?
  }];
}

def Tda_DifferentialOp : Tda_StageOp<"differential",
    [AllTypesMatch<["a1", "a2", "a"]>]> {
  let summary = "subtract the inhibitory view";
  let description = [{
    `a = a1 - lambda * a2` (step 6). `a1`, `a2`, `a`: f32 [B, Hq, Nq, Nk];
    `lambda`: f32 [], [Hq] or [B, Hq, Nq].

    ```mlir
    %a = tda.differential %a1, %a2 lambda(%l) : tensor<?x?x?x?xf32>, tensor<?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$a1, AnyRankedTensor:$a2,
                       AnyRankedTensor:$lambda);
  let results = (outs AnyRankedTensor:$a);
  let assemblyFormat = [{
    $a1 `,` $a2 `lambda` `(` $lambda `)` attr-dict
    `:` type($a1) `,` type($lambda)
  }];
  let hasFolder = 1;
}

def Tda_AggregateOp : Tda_StageOp<"aggregate"> {
  let summary = "weigh the values";
  let description = [{
    `o(i) = sum_j a(i,j) v(j)` (step 7): a is rounded to v's element type, the
    sum is in f32 and then rounded to the result's type (v's, or f32 for a
    following `rms_norm`).
    `a`: f32 [B, Hq, Nq, Nk], `v`: [B, Hkv, Nk, Dv], `o`: [B, Hq, Nq, Dv].

    ```mlir
    %o = tda.aggregate %a, %v
       : (tensor<?x?x?x?xf32>, tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$a, AnyRankedTensor:$v);
  let results = (outs AnyRankedTensor:$o);
  let assemblyFormat = [{
    $a `,` $v attr-dict `:` `(` type($a) `,` type($v) `)` `->` type($o)
  }];
}

def Tda_RmsNormOp : Tda_StageOp<"rms_norm"> {
  let summary = "head-wise RMSNorm of the output";
  let description = [{
    `y = x * rsqrt(mean(x^2) + eps) * gain` along the last dimension, in f32,
    rounded to the result's type (step 8). `x`, `y`: [B, Hq, Nq, Dv];
    `gain`: f32 [Dv].

    ```mlir
    %y = tda.rms_norm %x gain(%g) : (tensor<?x?x?x128xf32>, tensor<128xf32>)
                                    -> tensor<?x?x?x128xbf16>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$gain,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$eps);
  let results = (outs AnyRankedTensor:$y);
  let assemblyFormat = [{
    $x `gain` `(` $gain `)` attr-dict
    `:` `(` type($x) `,` type($gain) `)` `->` type($y)
  }];
}

def Tda_CountSurvivorsOp : Tda_StageOp<"count_survivors"> {
  let summary = "survivors of each row and view";
  let description = [{
    The number of entries above zero along the keys, one plane a view.
    `maps`: one or two f32 [B, Hq, Nq, Nk] as `threshold` gives them;
    `counts`: i32 [views, B, Hq, Nq].

    ```mlir
    %n = tda.count_survivors %a1, %a2
       : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> tensor<2x?x?x?xi32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$maps);
  let results = (outs AnyRankedTensor:$counts);
  let assemblyFormat = "$maps attr-dict `:` functional-type($maps, $counts)";
}

#endif // TDA_STAGEOPS_TD
