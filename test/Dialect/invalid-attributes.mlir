// RUN: tda-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{schedule: tile_m = 0 must be at least 1}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 0, tile_n = 64, stages = 2, warps = 8>}

// -----

// expected-error @+1 {{schedule: group = -8 must be at least 1}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 8, group = -8>}

// -----

// expected-error @+1 {{schedule: tile_m = 24 must be a multiple of 16, at most 1024}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 24, tile_n = 64, stages = 2, warps = 8>}

// -----

// expected-error @+1 {{schedule: tile_n = 2048 must be a multiple of 16, at most 1024}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 64, tile_n = 2048, stages = 2, warps = 8>}

// -----

// expected-error @below {{expected one of [never, tile, steps, adaptive] for what an empty tile does, got: often}}
// expected-error @below {{failed to parse Tda_ScheduleAttr parameter 'skip'}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 8, skip = often>}

// -----

// expected-error @below {{expected one of [mma_sync, wgmma] for which instructions of a GPU, got: tcgen05}}
// expected-error @below {{failed to parse Tda_ScheduleAttr parameter 'path'}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4, path = tcgen05>}

// -----

// expected-error @below {{expected one of [plain, persistent] for how programs are spread, got: cluster}}
// expected-error @below {{failed to parse Tda_ScheduleAttr parameter 'grid'}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 64, tile_n = 64, stages = 2, warps = 4, grid = cluster>}

// -----

// expected-error @+1 {{expected ','}}
func.func private @f() attributes {l = #tda.panel_layout<rows = 64, columns = 128, leading = 16, stride = 1024>}

// -----

// expected-error @+1 {{duplicate or unknown struct parameter name: slot}}
func.func private @f() attributes {p = #tda.pipeline<consumers = 1, slot = 2>}

// -----

// expected-error @+1 {{struct is missing required parameter: warps}}
func.func private @f() attributes {s = #tda.schedule<tile_m = 64, tile_n = 64, stages = 2>}

// -----

// expected-error @+1 {{unknown target 'sm_75'; known targets: cpu, sm_80, sm_86, sm_89, sm_90}}
func.func private @f() attributes {t = #tda.target<"sm_75">}

// -----

// expected-error @+1 {{vector_bits belongs to the CPU target, not to sm_90}}
func.func private @f() attributes {t = #tda.target<"sm_90", vector_bits = 256>}

// -----

// expected-error @+1 {{vector_bits = 100 must be 128, 256 or 512}}
func.func private @f() attributes {t = #tda.target<"cpu", vector_bits = 100>}

// -----

// expected-error @+1 {{a tile has one or two dimensions, not 3}}
func.func private @f(!tda.tile<2x3x4xf32>)

// -----

// expected-error @+1 {{extents must be static and at least 1}}
func.func private @f(!tda.tile<0x4xf32>)

// -----

// expected-error @+1 {{element type 'f64' is none of f32, bf16, f16, i32}}
func.func private @f(!tda.tile<16x4xf64>)

// -----

// expected-error @+1 {{expected <ROWSxCOLUMNSxTYPE, key|value>}}
func.func private @f(!tda.panel<16x4xf16, query>)

// -----

// expected-error @+1 {{expected <ROWSxCOLUMNSxTYPE, key|value>}}
func.func private @f(!tda.panel<16xf16, key>)

// -----

// expected-error @+1 {{extents must be static and at least 1}}
func.func private @f(!tda.panel<16x0xf16, key>)

// -----

// expected-error @+1 {{element type 'i8' is none of f32, bf16, f16, i32}}
func.func private @f(!tda.panel<16x4xi8, value>)
