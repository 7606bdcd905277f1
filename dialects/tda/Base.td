//===- Base.td - The tda dialect, its attributes and types -*- tablegen -*-===//
#ifndef TDA_BASE_TD
#define TDA_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Tda_Dialect : Dialect {
  let name = "tda";
  let cppNamespace = "::tda";
  let summary = "Threshold Differential Attention, from the paper to tiles";
  let description = [{
    Three levels of the same computation (arXiv 2601.12145):

    1. *Stage ops* on ranked tensors, as a person would write the paper:
       `normalize`, `scores`, `threshold`, `differential`, `aggregate`,
       `rms_norm`, `count_survivors`.
    2. *The fused op* `attention`, which is what compiles.
    3. *Tile ops* (`tile_*`), target-neutral: the loop over key tiles, the
       survivor test, and what happens to a tile that has survivors.

    Shapes use the names of docs/semantics.md: B batches, Hq query heads, Hkv
    key/value heads (Hkv divides Hq), Nq queries, Nk keys, D and Dv the head
    dimensions.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Tda_Attr<string name, string mnemonic_> : AttrDef<Tda_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Tda_SkipPolicy : I32EnumAttr<"SkipPolicy", "what an empty tile does", [
    I32EnumAttrCase<"Never", 0, "never">,
    I32EnumAttrCase<"Tile", 1, "tile">,
    I32EnumAttrCase<"Steps", 2, "steps">,
    I32EnumAttrCase<"Adaptive", 3, "adaptive">]> {
  let cppNamespace = "::tda";
  let genSpecializedAttr = 0;
}

def Tda_GpuPath : I32EnumAttr<"GpuPath", "which instructions of a GPU", [
    I32EnumAttrCase<"MmaSync", 0, "mma_sync">,
    I32EnumAttrCase<"Wgmma", 1, "wgmma">]> {
  let cppNamespace = "::tda";
  let genSpecializedAttr = 0;
}

def Tda_GridKind : I32EnumAttr<"GridKind", "how programs are spread", [
    I32EnumAttrCase<"Plain", 0, "plain">,
    I32EnumAttrCase<"Persistent", 1, "persistent">]> {
  let cppNamespace = "::tda";
  let genSpecializedAttr = 0;
}

def Tda_ScheduleAttr : Tda_Attr<"Schedule", "schedule"> {
  let summary = "tile shape, pipeline depth, warps and skip policy";
  let description = [{
    How an attention runs, never what it computes. `tile_m` query rows and
    `tile_n` keys make a tile; `stages` key tiles are in flight; `warps` share
    the rows; `skip` says what an empty tile does (`never`: the same arithmetic
    as a live one, `tile`: nothing); `group` heads walk the rows together, so
    that their keys stay in L2.

    `path` picks the instructions of a GPU that has several: `mma_sync`, or
    `wgmma` (sm_90). There `warps` counts consumer warps, four to a warpgroup
    (one more warpgroup copies); `stages` is the number of ring slots, each with
    one panel; `skip` may also be `steps` (values always staged, steps of 16
    keys without survivors left out of the product) or `adaptive` (`steps` or
    `tile`, tile by tile); `grid` may be `persistent` (a block an SM). `force`
    makes every tile count as one with survivors: same bits, for debugging.

    ```mlir
    #tda.schedule<tile_m = 128, tile_n = 64, stages = 2, warps = 8, skip = tile>
    #tda.schedule<tile_m = 128, tile_n = 128, stages = 5, warps = 8,
                  skip = adaptive, path = wgmma>
    ```

    Whether a schedule fits a problem and a target is decided by one function,
    `tda::whyIllegal` (include/tda/Schedule.h).
  }];
  let parameters = (ins
    "int64_t":$tile_m, "int64_t":$tile_n, "int64_t":$stages, "int64_t":$warps,
    DefaultValuedParameter<"SkipPolicy", "SkipPolicy::Tile">:$skip,
    DefaultValuedParameter<"int64_t", "8">:$group,
    DefaultValuedParameter<"GpuPath", "GpuPath::MmaSync">:$path,
    DefaultValuedParameter<"GridKind", "GridKind::Plain">:$grid,
    DefaultValuedParameter<"bool", "false">:$force);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The plain form that include/tda/Schedule.h works on.
    ::tda::Schedule toSchedule() const;
    static ScheduleAttr get(::mlir::MLIRContext *context,
                            const ::tda::Schedule &schedule);
  }];
  let attrName = "tda.schedule";
  let cppClassName = "ScheduleAttr";
}

def Tda_PanelLayoutAttr : Tda_Attr<"PanelLayout", "panel_layout"> {
  let summary = "how a panel lies in shared memory, for TMA and wgmma";
  let description = [{
    `rows` x `columns` elements of 16 bits, cut into blocks of 64 columns (128
    bytes), each block `rows` x 128 bytes in the 128-byte swizzle: what one box
    of a tensor map fills. `leading` and `stride` are the byte offsets of the
    matrix descriptor, `step` the bytes from the operand of one k16 product to
    that of the next inside a block (PTX ISA, "Matrix descriptor format" and
    "Strides" of wgmma.mma_async).
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns,
                        "int64_t":$leading, "int64_t":$stride, "int64_t":$step);
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    int64_t getBlocks() const { return getColumns() / 64; }
    int64_t getBlockBytes() const { return getRows() * 128; }
    int64_t getBytes() const { return getBlocks() * getBlockBytes(); }
  }];
  let attrName = "tda.panel_layout";
  let cppClassName = "PanelLayoutAttr";
}

def Tda_PipelineAttr : Tda_Attr<"Pipeline", "pipeline"> {
  let summary = "roles, ring and shared memory of a warp-specialised program";
  let description = [{
    One producer warpgroup copies, `consumers` warpgroups compute 64 rows each.
    Panels travel through a ring of `slots` slots of `slot_bytes` from byte
    `ring_offset`, each with a barrier that says full and one that says empty;
    the queries of view r lie at byte `query_offset` + r * `query.bytes`.
    Where values are fetched on demand, each consumer warp has `fetch_bytes` for
    the 16 rows that it fetches at a time, one warp after the other from byte
    `fetch_offset` on. `producer_registers` and `consumer_registers` are what
    setmaxnreg gives a thread (0: as launched).
  }];
  let parameters = (ins "int64_t":$consumers, "int64_t":$producer_registers,
    "int64_t":$consumer_registers, "int64_t":$slots, "int64_t":$slot_bytes,
    "int64_t":$query_offset, "int64_t":$ring_offset, "int64_t":$fetch_offset,
    "int64_t":$fetch_bytes, "int64_t":$shared_bytes,
    "PanelLayoutAttr":$query, "PanelLayoutAttr":$key,
    "PanelLayoutAttr":$value);
  let assemblyFormat = "`<` struct(params) `>`";
  let attrName = "tda.pipeline";
  let cppClassName = "PipelineAttr";
}

def Tda_TargetAttr : Tda_Attr<"Target", "target"> {
  let summary = "a row of the target table";
  let description = [{
    `#tda.target<"sm_90">` or `#tda.target<"cpu", vector_bits = 512>`. The name
    is looked up in lib/Target/TargetTable.cpp; `vector_bits` is the width of
    one vector register of the CPU (128 to 512).
  }];
  let parameters = (ins StringRefParameter<"name in the table">:$name,
                        DefaultValuedParameter<"int64_t", "0">:$vector_bits);
  let assemblyFormat = "`<` $name (`,` `vector_bits` `=` $vector_bits^)? `>`";
  let genVerifyDecl = 1;
  let attrName = "tda.target";
  let cppClassName = "TargetAttr";
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Tda_Type<string name, string mnemonic_> : TypeDef<Tda_Dialect, name> {
  let mnemonic = mnemonic_;
}

def Tda_TileType : Tda_Type<"Tile", "tile"> {
  let summary = "a block of values that one program holds";
  let description = [{
    `!tda.tile<128x64xf32>`: rows x columns; `!tda.tile<128xf32>`: one value a
    row. On a GPU it is spread over the registers of the program's threads, on
    the CPU it is a buffer in cache.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t", "rows[, columns]">:$shape,
                        "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRows() const { return getShape()[0]; }
    int64_t getColumns() const { return getShape()[1]; }
  }];
}

def Tda_PanelRole : I32EnumAttr<"PanelRole", "which product reads a panel", [
    I32EnumAttrCase<"Key", 0, "key">,
    I32EnumAttrCase<"Value", 1, "value">]> {
  let cppNamespace = "::tda";
  let genSpecializedAttr = 0;
}

def Tda_PanelType : Tda_Type<"Panel", "panel"> {
  let summary = "a tile of keys or values, staged near the arithmetic";
  let description = [{
    `!tda.panel<64x128xbf16, key>`: 64 keys of D = 128, read by `tile_scores`
    (contracted along D); `value` panels are read by `tile_aggregate`
    (contracted along the keys). Shared memory on a GPU, a packed cache buffer
    on the CPU.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns,
                        "::mlir::Type":$elementType, "PanelRole":$role);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

class Tda_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tda_Dialect, mnemonic, traits>;

#endif // TDA_BASE_TD
