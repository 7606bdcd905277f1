//===- TileOps.td - The algorithm on tiles ----------------*- tablegen -*-===//
#ifndef TDA_TILEOPS_TD
#define TDA_TILEOPS_TD

include "dialects/tda/Base.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tda_RowTileF32 : Type<CPred<"::tda::isTile($_self, 1)">, "one value a row">;
def Tda_Tile2D : Type<CPred<"::tda::isTile($_self, 2)">, "a rows x columns tile">;
def Tda_AnyTile : AnyTypeOf<[Tda_RowTileF32, Tda_Tile2D]>;
def Tda_RowOrScalar : AnyTypeOf<[F32, Tda_RowTileF32]>;

def Tda_TileProgramOp : Tda_Op<"tile_program",
    [SingleBlock, NoTerminator, DeclareOpInterfaceMethods<OpAsmOpInterface,
        ["getAsmBlockArgumentNames"]>]> {
  let summary = "for each batch, query head and block of query rows";
  let description = [{
    Runs its body for every batch, every query head and every `tile_m` query
    rows, in any order and at once: a block of a GPU grid, an item of the CPU's
    thread pool. The block arguments are the batch, the query head and the first
    row. The last tile may reach beyond `rows`; loads give zeros there and
    stores drop them.

    `pipeline`, set by `tda-assign-pipeline`, says how warpgroups share the work
    on the wgmma path and how shared memory is laid out.
  }];
  let arguments = (ins Index:$batches, Index:$heads, Index:$rows,
                       Tda_ScheduleAttr:$schedule, Tda_TargetAttr:$target,
                       OptionalAttr<Tda_PipelineAttr>:$pipeline);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$batches,
    "::mlir::Value":$heads, "::mlir::Value":$rows, "ScheduleAttr":$schedule,
    "TargetAttr":$target)>];
}

def Tda_TileForOp : Tda_Op<"tile_for",
    [SingleBlock, AttrSizedOperandSegments,
     DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>,
     AllTypesMatch<["inits", "results"]>]> {
  let summary = "the loop over key tiles";
  let description = [{
    Runs its body for j = begin, begin + step, ... below end, with the panels of
    keys j to j + step - 1 in place: a target loads them as many tiles ahead as
    the schedule has stages. A panel reads `source[b, g, j + r]`, zeros from
    `limit` (Nk) on. Loop-carried tiles are updated in place where a target can.
    With `descending` the same tiles are visited from the last to the first.
  }];
  let arguments = (ins Index:$begin, Index:$end, Index:$limit, Index:$batch,
                       Index:$head, Variadic<AnyMemRef>:$sources,
                       Variadic<Tda_AnyTile>:$inits, I64Attr:$step,
                       UnitAttr:$descending);
  let results = (outs Variadic<Tda_AnyTile>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$begin, "::mlir::Value":$end,
    "::mlir::Value":$limit, "::mlir::Value":$batch, "::mlir::Value":$head,
    "int64_t":$step, "::mlir::ValueRange":$sources,
    "::mlir::TypeRange":$panels, "::mlir::ValueRange":$inits)>];
  let extraClassDeclaration = [{
    /// The first key of this turn.
    ::mlir::Value getKey() { return getBody().front().getArgument(0); }
    ::mlir::ValueRange getPanels() {
      return getBody().front().getArguments().slice(1, getSources().size());
    }
    ::mlir::ValueRange getCarried() {
      return getBody().front().getArguments().drop_front(
          1 + getSources().size());
    }
    ::tda::TileYieldOp getYield();
  }];
}

def Tda_TileYieldOp : Tda_Op<"tile_yield", [Terminator, Pure,
    ParentOneOf<["TileForOp"]>]> {
  let summary = "the carried tiles of the next turn";
  let arguments = (ins Variadic<Tda_AnyTile>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

// `name` is how the result prints: %tau, %live, ...
class Tda_TileOp<string mnemonic, list<Trait> traits = [Pure], string name = "">
    : Tda_Op<mnemonic, !if(!empty(name), traits, traits # [
        DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>])> {
  let extraClassDefinition = !if(!empty(name), "", [{
    void $cppClass::getAsmResultNames(
        ::mlir::OpAsmSetValueNameFn setNameFn) {
      for (::mlir::Value result : getOperation()->getResults())
        setNameFn(result, "}] # name # [{");
    }
  }]);
}

def Tda_TileZeroOp : Tda_TileOp<"tile_zero", [Pure], "zero"> {
  let summary = "a tile of zeros";
  let results = (outs Tda_AnyTile:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Tda_TileLoadOp : Tda_TileOp<"tile_load", [MemoryEffects<[MemRead]>], "rows"> {
  let summary = "rows of a tensor";
  let description = [{
    `result(r, c) = source[batch, head, row + r, c]`, or `source[batch, head,
    row + r]` for a row tile; zero where `row + r` is not below `limit`.
  }];
  let arguments = (ins AnyMemRef:$source, Index:$batch, Index:$head, Index:$row,
                       Index:$limit);
  let results = (outs Tda_AnyTile:$result);
  let assemblyFormat = [{
    $source `[` $batch `,` $head `,` $row `]` `limit` $limit attr-dict
    `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tda_TileStoreOp : Tda_TileOp<"tile_store", [MemoryEffects<[MemWrite]>]> {
  let summary = "write the rows below the limit, rounded to the tensor's type";
  let description = [{
    `target[(plane,) batch, head, row + r, c] = tile(r, c)` where `row + r` is
    below `limit`. `plane` is the view of the survivor counts.
  }];
  let arguments = (ins Tda_AnyTile:$tile, AnyMemRef:$target, Index:$batch,
                       Index:$head, Index:$row, Index:$limit,
                       OptionalAttr<I64Attr>:$plane);
  let assemblyFormat = [{
    $tile `,` $target `[` $batch `,` $head `,` $row `]` `limit` $limit attr-dict
    `:` type($tile) `,` type($target)
  }];
  let hasVerifier = 1;
}

def Tda_TileNormalizeOp : Tda_TileOp<"tile_normalize",
    [SameOperandsAndResultType, Pure], "unit"> {
  let summary = "divide each row of a query tile by its L2 norm";
  let arguments = (ins Tda_Tile2D:$tile);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
}

def Tda_PanelNormalizeOp : Tda_TileOp<"panel_normalize", [], "unit"> {
  let summary = "divide each row of key panels by its L2 norm, where they lie";
  let description = [{
    Every thread of the program takes part, so it stands at the top level of the
    loop body, before the panels are read.
  }];
  let arguments = (ins Variadic<Tda_PanelType>:$panels);
  let results = (outs Variadic<Tda_PanelType>:$results);
  let assemblyFormat = "$panels attr-dict `:` functional-type($panels, $results)";
  let hasVerifier = 1;
}

def Tda_TileSpanOp : Tda_TileOp<"tile_span"> {
  let summary = "the keys that a block of rows must visit";
  let description = [{
    For the `tile_m` rows from `row`: [begin, end) holds every key that some row
    below `rows` sees, begin rounded down to a multiple of `tile_n`;
    [fullBegin, fullEnd) holds the keys that all those rows see. A tile outside
    the first range is never visited, one inside the second needs no mask.
  }];
  let arguments = (ins Index:$row, Index:$rows, Index:$keys, Index:$offset,
                       I64Attr:$tile_m, I64Attr:$tile_n, UnitAttr:$causal,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs Index:$begin, Index:$end, Index:$fullBegin,
                      Index:$fullEnd);
  let assemblyFormat = [{
    `rows` `(` $row `,` $rows `)` `keys` `(` $keys `)` `offset` `(` $offset `)`
    attr-dict
  }];
}

def Tda_TileGateOp : Tda_TileOp<"tile_gate", [Pure], "tau"> {
  let summary = "tau of each row";
  let description = [{
    `tau(r) = max(0, beta) sqrt(2 max(0, ln(n/kappa)) / dim)` with n the number
    of keys that row `row + r` sees. A row with n = 0 is dead: +inf.
  }];
  let arguments = (ins F32:$beta, F32:$kappa, Index:$row, Index:$keys,
                       Index:$offset, I64Attr:$dim, UnitAttr:$causal,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs Tda_RowTileF32:$tau);
  let assemblyFormat = [{
    `beta` `(` $beta `)` `kappa` `(` $kappa `)` `rows` `(` $row `)` `keys` `(` $keys `)`
    `offset` `(` $offset `)` attr-dict `:` type($tau)
  }];
}

def Tda_TileScoresOp : Tda_TileOp<"tile_scores", [Pure], "s"> {
  let summary = "scores of one view on a tile, f32";
  let arguments = (ins Tda_Tile2D:$q, Tda_PanelType:$k);
  let results = (outs Tda_Tile2D:$s);
  let assemblyFormat = [{
    $q `,` $k attr-dict `:` type($q) `,` type($k) `->` type($s)
  }];
  let hasVerifier = 1;
}

def Tda_TileMaskOp : Tda_TileOp<"tile_mask", [Pure,
    AllTypesMatch<["s", "result"]>], "masked"> {
  let summary = "set scores of keys that a row does not see to -inf";
  let arguments = (ins Tda_Tile2D:$s, Index:$row, Index:$key, Index:$keys,
                       Index:$offset, UnitAttr:$causal,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = [{
    $s `rows` `(` $row `)` `from` `(` $key `)` `keys` `(` $keys `)`
    `offset` `(` $offset `)` attr-dict `:` type($s)
  }];
}

def Tda_TileSurvivesOp : Tda_TileOp<"tile_survives", [Pure], "live"> {
  let summary = "the survivor test";
  let description = [{
    True where any score of any view is above its row's gate. A target may answer
    for fewer rows than the tile has, for those that it runs together (a warp):
    the branch on the result then diverges between groups, never inside one.

    With `recalled` the answer is certain only where it is false: a target may
    say true without asking where the tile before had a survivor, and ask every
    few tiles. For a branch that saves work where a view never fires.
  }];
  let arguments = (ins Variadic<Tda_Tile2D>:$scores, Tda_RowTileF32:$tau,
                       UnitAttr:$recalled);
  let results = (outs I1:$live);
  let assemblyFormat = [{
    $scores `above` $tau attr-dict `:` type($scores) `above` type($tau)
  }];
}

def Tda_TileThresholdOp : Tda_TileOp<"tile_threshold", [Pure,
    AllTypesMatch<["s", "a"]>], "a"> {
  let summary = "rectify: max(0, s - tau)^power";
  let description = [{
    With `halved` the excess is halved first, `max(0, (s - tau) / 2)^power`, and
    must be at most 1: so it is where rows are unit vectors. A target then
    subtracts and rectifies in one instruction (fma.sat, PTX ISA
    "Floating Point Instructions: fma"). Halving is exact, and `tile_scale` of
    the output undoes it exactly.
  }];
  let arguments = (ins Tda_Tile2D:$s, Tda_RowTileF32:$tau, F64Attr:$power,
                       UnitAttr:$halved);
  let results = (outs Tda_Tile2D:$a);
  let assemblyFormat = "$s `,` $tau attr-dict `:` type($s) `,` type($tau)";
}

def Tda_TileDifferentialOp : Tda_TileOp<"tile_differential", [Pure,
    AllTypesMatch<["a1", "a2", "a"]>], "diff"> {
  let summary = "subtract lambda * a2 from a1, lambda one value or one a row";
  let arguments = (ins Tda_Tile2D:$a1, Tda_Tile2D:$a2, Tda_RowOrScalar:$lambda);
  let results = (outs Tda_Tile2D:$a);
  let assemblyFormat = [{
    $a1 `,` $a2 `,` $lambda attr-dict `:` type($a1) `,` type($lambda)
  }];
}

def Tda_TileAggregateOp : Tda_TileOp<"tile_aggregate", [Pure,
    AllTypesMatch<["acc", "result"]>], "sum"> {
  let summary = "add a v to acc, a rounded to v's type";
  let arguments = (ins Tda_Tile2D:$a, Tda_PanelType:$v, Tda_Tile2D:$acc);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = [{
    $a `,` $v `,` $acc attr-dict `:` type($a) `,` type($v) `,` type($acc)
  }];
  let hasVerifier = 1;
}

def Tda_TileAggregateStepsOp : Tda_TileOp<"tile_aggregate_steps", [Pure,
    AllTypesMatch<["acc", "result"]>], "sum"> {
  let summary = "add a v to acc, without the steps of 16 keys that add nothing";
  let description = [{
    As `tile_aggregate`, but a step of 16 keys in which every weight of the
    group of rows that runs together (a warpgroup) is zero is left out: it would
    add exactly nothing.
  }];
  let arguments = (ins Tda_Tile2D:$a, Tda_PanelType:$v, Tda_Tile2D:$acc);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = [{
    $a `,` $v `,` $acc attr-dict `:` type($a) `,` type($v) `,` type($acc)
  }];
  let hasVerifier = 1;
}

def Tda_TileGatherOp : Tda_TileOp<"tile_gather",
    [MemoryEffects<[MemRead]>, AllTypesMatch<["acc", "result"]>], "sum"> {
  let summary = "add a v to acc, fetching only values that meet a weight";
  let description = [{
    `acc(r, c) + sum_j a(r, j) values[batch, head, key + j, c]`, a rounded to
    the type of the values. Values are not staged: each warp fetches those of
    the steps of 16 keys in which one of its rows has a weight. The same bits as
    `tile_aggregate`. Rows of values from `limit` on meet zero weights only.
  }];
  let arguments = (ins Tda_Tile2D:$a, AnyMemRef:$values, Index:$batch,
                       Index:$head, Index:$key, Index:$limit, Tda_Tile2D:$acc);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = [{
    $a `,` $values `[` $batch `,` $head `,` $key `]` `limit` $limit `,` $acc
    attr-dict `:` type($a) `,` type($values) `,` type($acc)
  }];
  let hasVerifier = 1;
}

def Tda_TileLiveStepsOp : Tda_TileOp<"tile_live_steps", [Pure], "steps"> {
  let summary = "count the steps of 16 keys that have a weight";
  let description = [{
    The number of steps of 16 keys of `a` in which a weight, rounded to
    `element`, is not zero. A target may answer for fewer rows than the tile
    has, for those that it runs together (a warp).
  }];
  let arguments = (ins Tda_Tile2D:$a, TypeAttr:$element);
  let results = (outs I32:$steps);
  let assemblyFormat = "$a `as` $element attr-dict `:` type($a)";
  let hasVerifier = 1;
}

def Tda_PanelStagedOp : Tda_TileOp<"panel_staged",
    [MemoryEffects<[MemRead]>], "staged"> {
  let summary = "was this panel of the loop copied for this tile?";
  let description = [{
    A panel that this op asks about is optional: the copies leave it out while
    the tiles of the program are sparse, as told by `panel_vote`. The answer is
    the same for all rows of the program.
  }];
  let arguments = (ins Tda_PanelType:$panel);
  let results = (outs I1:$staged);
  let assemblyFormat = "$panel attr-dict `:` type($panel)";
}

def Tda_PanelVoteOp : Tda_TileOp<"panel_vote", [MemoryEffects<[MemWrite]>]> {
  let summary = "tell the copies how many live steps this tile had";
  let arguments = (ins Tda_PanelType:$panel, I32:$live);
  let assemblyFormat = "$panel `,` $live attr-dict `:` type($panel)";
}

def Tda_TileCountOp : Tda_TileOp<"tile_count", [Pure,
    AllTypesMatch<["acc", "result"]>], "count"> {
  let summary = "add the survivors of each row";
  let arguments = (ins Tda_Tile2D:$s, Tda_RowTileF32:$tau, Tda_RowTileF32:$acc);
  let results = (outs Tda_RowTileF32:$result);
  let assemblyFormat = [{
    $s `above` $tau `,` $acc attr-dict `:` type($s) `,` type($tau) `,` type($acc)
  }];
}

def Tda_TileScaleOp : Tda_TileOp<"tile_scale", [Pure,
    AllTypesMatch<["tile", "result"]>], "scaled"> {
  let summary = "multiply each element by a constant";
  let arguments = (ins Tda_Tile2D:$tile, F64Attr:$factor);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
}

def Tda_TileRmsNormOp : Tda_TileOp<"tile_rms_norm", [
    MemoryEffects<[MemRead]>, AllTypesMatch<["tile", "result"]>], "normed"> {
  let summary = "scale rows: tile * rsqrt(mean(tile^2) + eps) * gain";
  let arguments = (ins Tda_Tile2D:$tile, AnyMemRef:$gain, F64Attr:$eps);
  let results = (outs Tda_Tile2D:$result);
  let assemblyFormat = "$tile `,` $gain attr-dict `:` type($tile) `,` type($gain)";
}

#endif // TDA_TILEOPS_TD
