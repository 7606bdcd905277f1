//===- Ops.td - Every op of the dialect -------------------*- tablegen -*-===//
include "dialects/tda/AttentionOp.td"
include "dialects/tda/StageOps.td"
include "dialects/tda/TileOps.td"
