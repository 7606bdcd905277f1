//===- Emitter.h - One tile program as loops over cache buffers -*- C++ -*-===//
//
// The state of the lowering and one method an op. Tiles become buffers that
// are allocated once a call:
//
//   queries, scores   [columns][rows]: vectors run along the rows, so that the
//                     gate is a vector and keys need no transposition
//   accumulator       [rows][columns]: vectors run along the columns
//   one value a row   [rows]
//   panels            [rows][columns]
//
// All are f32 (counts i32): 16-bit inputs are extended when they are copied.
// Columns in the contiguous dimension are padded with zeros to whole vectors.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LIB_TILESTOCPU_EMITTER_H
#define TDA_LIB_TILESTOCPU_EMITTER_H

#include "VectorBuilder.h"

#include "dialects/tda/Dialect.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

namespace tda::cpu {

/// How a tile lies in its buffer.
enum class Layout { Row, RowMajor, Transposed };

struct Buffer {
  Value memref;
  Layout layout = Layout::Row;
};

/// A panel: its buffer, and the keys that it stands for.
struct Panel {
  Value memref;
  Value source, batch, head, key, limit;
};

/// So many rows of scalars by so many vectors make a block of registers.
struct Blocking {
  int64_t scalars, vectors;
};

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, TileProgramOp program);

  /// Emits, before the program, a loop that runs programs `first` up to
  /// `last`. Fails with an error on an op that it cannot lower.
  llvm::LogicalResult emit(Value first, Value last);

private:
  // ControlFlow.cpp
  llvm::LogicalResult emitBlock(mlir::Block &block);
  llvm::LogicalResult emitOp(mlir::Operation *op);
  llvm::LogicalResult check(mlir::OpOperand &operand);
  llvm::LogicalResult emitIf(mlir::scf::IfOp op);
  llvm::LogicalResult emitFor(TileForOp op);
  void emitSpan(TileSpanOp op);

  // Copies.cpp
  void emitZero(TileZeroOp op);
  void emitLoad(TileLoadOp op);
  void emitStore(TileStoreOp op);
  void copyRow(const Panel &panel, Value row, Value to);
  void copyColumns(Value from, ValueRange at, Value to, ValueRange toAt,
                   int64_t columns);
  void fillZero(Value memref);
  void copy(Value from, Value to);

  // Rows.cpp
  void emitGate(TileGateOp op);
  void emitNormalize(TileNormalizeOp op);
  void emitPanelNormalize(PanelNormalizeOp op);
  void emitScale(TileScaleOp op);
  void emitRmsNorm(TileRmsNormOp op);

  // Elementwise.cpp
  void emitMask(TileMaskOp op);
  void emitSurvives(TileSurvivesOp op);
  void emitThreshold(TileThresholdOp op);
  void emitDifferential(TileDifferentialOp op);
  void emitCount(TileCountOp op);
  Value power(Value x, double exponent);

  // Products.cpp
  void emitScores(TileScoresOp op);
  void emitAggregate(TileAggregateOp op);
  Value roundWeights(const Buffer &a, const Buffer &weights, int64_t keys,
                     int64_t rows, Type element, Value live);
  Blocking chooseBlocking(int64_t vectors) const;

  // Buffers.
  /// A memref that lives as long as the call, contiguous dimension padded.
  Value allocate(llvm::ArrayRef<int64_t> shape, Type element);
  Buffer fresh(TileType type, Layout layout);
  /// A buffer for the result of `op`: the operand's own where nothing reads
  /// that later, else a new one of the same form.
  Buffer reuse(Value operand, mlir::Operation *op);
  bool diesAt(Value tile, mlir::Operation *op) const;
  void bind(Value tile, Buffer buffer);
  const Buffer &buffer(Value tile) const { return buffers.find(tile)->second; }
  const Panel &panel(Value value) const { return panels.find(value)->second; }
  /// The emitted value of a scalar of the tile program.
  Value scalar(Value value) const { return scalars.lookupOrDefault(value); }

  TileProgramOp program;
  VectorBuilder b;
  mlir::scf::ForOp programs; ///< The loop over programs; buffers go before it.
  mlir::IRMapping scalars;
  llvm::DenseMap<Value, Buffer> buffers;
  llvm::DenseMap<Value, Panel> panels;
  /// The tiles that lie in a buffer.
  llvm::DenseMap<Value, llvm::SmallVector<Value>> tenants;
  llvm::SmallVector<Value> allocated;
};

} // namespace tda::cpu

#endif // TDA_LIB_TILESTOCPU_EMITTER_H
