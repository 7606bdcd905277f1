//===- TileLoop.h - The body of one tile program ---------------*- C++ -*-===//
#ifndef TDA_TILELOOP_H
#define TDA_TILELOOP_H

#include "dialects/tda/Dialect.h"

#include "mlir/IR/Builders.h"

namespace tda {

/// The tensors (memrefs) and lengths of one attention, as values of the
/// function that holds its tile program; those that it has not are null.
struct Boundary {
  mlir::Value q[2], k[2], v, beta, lambda, kappa, gain, o, survivors;
  mlir::Value batches, heads, keyHeads, queries, keys, offset;
};

/// The memref of a tensor that crosses the boundary: any strides, but a unit
/// last one; and of one that lies in the workspace: contiguous.
mlir::MemRefType boundaryType(mlir::RankedTensorType tensor);
mlir::MemRefType workspaceType(mlir::RankedTensorType tensor);

/// Emits the tda.tile_program of a scheduled attention at `b`.
void buildTileProgram(mlir::OpBuilder &b, AttentionOp op,
                      const Boundary &boundary);

} // namespace tda

#endif // TDA_TILELOOP_H
