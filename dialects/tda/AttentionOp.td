//===- AttentionOp.td - The fused op ----------------------*- tablegen -*-===//
#ifndef TDA_ATTENTIONOP_TD
#define TDA_ATTENTIONOP_TD

include "dialects/tda/Base.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tda_AttentionOp : Tda_Op<"attention", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>]> {
  let summary = "threshold differential attention, all stages in one";
  let description = [{
    `o = norm((A1 - lambda A2) v)` with
    `A[r] = max(0, q[r] k[r]^T - tau)^power` where visible, else 0, and
    `tau(i) = max(0, beta) sqrt(2 max(0, ln(n(i)/kappa)) / D)`
    (docs/semantics.md; arXiv 2601.12145). Without `inhibit` it is the one-view
    form (TRA).

    | operand | shape | element type |
    |---|---|---|
    | `q1`, `q2` | [B, Hq, Nq, D] | f32, bf16 or f16 |
    | `k1`, `k2` | [B, Hkv, Nk, D] | as q1 |
    | `v` | [B, Hkv, Nk, Dv] | as q1 |
    | `beta` | [] or [Hq] | f32 |
    | `lambda` | [], [Hq] or [B, Hq, Nq] | f32 |
    | `kappa` | [] | f32; else the attribute `kappa` |
    | `offset` | | i64; else Nk - Nq |
    | `gain` | [Dv] | f32; present: the epilogue RMSNorm with `eps` |
    | result `o` | [B, Hq, Nq, Dv] | as q1 |
    | result `survivors` | [views, B, Hq, Nq] | i32, only where asked for |

    `causal` and `window` give the visibility rule, `normalize` divides rows of
    q and k by their L2 norm first, `unit` promises that they are unit vectors
    as they come (norms up to sqrt 2: a score above tau + 2 may count as that,
    which lets a target rectify in one instruction), `max_length` declares the longest n(i) that
    will be seen (for the dead-head diagnostic only). `schedule` and `target`
    are set by `tda-assign-schedule`.

    ```mlir
    %o = tda.attention excite(%q1, %k1) inhibit(%q2, %k2) values(%v)
           beta(%beta) lambda(%lambda) {causal, normalize}
       : (tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>,
          tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>,
          tensor<?x?x?x128xbf16>, tensor<?xf32>, tensor<?xf32>)
         -> tensor<?x?x?x128xbf16>
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$q1, AnyRankedTensor:$k1,
    Optional<AnyRankedTensor>:$q2, Optional<AnyRankedTensor>:$k2,
    AnyRankedTensor:$v, AnyRankedTensor:$beta,
    Optional<AnyRankedTensor>:$lambda, Optional<AnyRankedTensor>:$kappaValue,
    Optional<I64>:$offset, Optional<AnyRankedTensor>:$gain,
    UnitAttr:$causal, OptionalAttr<I64Attr>:$window,
    DefaultValuedAttr<F64Attr, "2.0">:$power, UnitAttr:$normalize,
    UnitAttr:$unit,
    DefaultValuedAttr<F64Attr, "1.0">:$kappa,
    DefaultValuedAttr<F64Attr, "1.0e-5">:$eps,
    OptionalAttr<I64Attr>:$max_length,
    OptionalAttr<Tda_ScheduleAttr>:$schedule,
    OptionalAttr<Tda_TargetAttr>:$target);
  let results = (outs AnyRankedTensor:$o,
                      Optional<AnyRankedTensor>:$survivors);
  let assemblyFormat = [{
    `excite` `(` $q1 `,` $k1 `)` (`inhibit` `(` $q2^ `,` $k2 `)`)?
    `values` `(` $v `)` `beta` `(` $beta `)` (`lambda` `(` $lambda^ `)`)?
    (`kappa` `(` $kappaValue^ `)`)? (`offset` `(` $offset^ `)`)?
    (`gain` `(` $gain^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    int64_t getViews() { return getQ2() ? 2 : 1; }
    /// The compile-time part of this op, in the form that tools share. Legal
    /// once the op verifies.
    ::tda::Problem getProblem();
  }];
}

#endif // TDA_ATTENTIONOP_TD
