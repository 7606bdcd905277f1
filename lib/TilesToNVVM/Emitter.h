//===- Emitter.h - One thread's view of a tile program ---------*- C++ -*-===//
//
// Walks the body of a tda.tile_program once, in order, and emits what one
// thread does; where a function holds several programs, they share the blocks
// of the grid. A tile is a list of values, its fragment:
//
//   f32 tile M x N     4 values an n8 block: the accumulator of mma.sync
//                      m16n8k16 (rows g and g + 8, columns 2t and 2t + 1, with
//                      g = lane / 4 and t = lane % 4)
//   query tile M x D   4 i32 a k16 block: its A operand, two elements each
//   row tile M         2 values, for the rows g and g + 8
//   panel              1 value: its address in shared memory
//
// (PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".)
// Each warp owns 16 rows of the tile, so rows never cross warps, and a warp may
// branch around a tile on its own.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_EMITTER_H
#define TDA_EMITTER_H

#include "lib/TilesToNVVM/KernelSignature.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tda {

/// Dynamic shared memory: one external array, as PTX wants it.
mlir::Value sharedMemory(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Operation *kernel, int64_t alignment);

class Emitter {
public:
  using Fragment = llvm::SmallVector<mlir::Value>;

  Emitter(mlir::OpBuilder &b, KernelSignature &signature,
          TileProgramOp program);
  virtual ~Emitter() = default;

  /// Emits the whole kernel body at the builder. Fails with an error on an op
  /// that has no form here.
  virtual llvm::LogicalResult emit();

protected:
  // Emitter.cpp: control flow and index arithmetic.
  mlir::Value rowBlocks();
  std::pair<mlir::Value, mlir::Value> walkGroups(mlir::Value number,
                                                 mlir::Value turns);
  void placeProgram(mlir::Value head, mlir::Value rowBlock);
  void placeByBlock(mlir::Value number);
  llvm::LogicalResult emitByBlock(llvm::ArrayRef<TileProgramOp> programs,
                                  mlir::Value number);
  llvm::LogicalResult emitBlock(mlir::Block &block);
  virtual llvm::LogicalResult emitOp(mlir::Operation *op);
  llvm::LogicalResult emitIf(mlir::scf::IfOp op);
  llvm::LogicalResult emitScalar(mlir::Operation *op);
  mlir::Type convert(mlir::Type type);
  virtual llvm::SmallVector<mlir::Type> fragmentTypes(mlir::Type type);
  llvm::SmallVector<mlir::Type> fragmentTypes(mlir::TypeRange types);
  /// The values of `tiles`, one fragment after the other; and back.
  Fragment flatten(mlir::ValueRange tiles);
  void setFlat(mlir::ValueRange tiles, mlir::ValueRange values);

  // CopyRing.cpp: panels in flight.
  llvm::LogicalResult emitTileFor(TileForOp op);
  void copyPanels(TileForOp op, mlir::Value slot, mlir::Value key,
                  llvm::ArrayRef<mlir::Value> sources);
  void emitPanelNormalize(PanelNormalizeOp op);

  // Products.cpp: tensor cores.
  void emitScores(TileScoresOp op);
  void emitAggregate(TileAggregateOp op);
  void accumulate(mlir::Value *acc, llvm::ArrayRef<mlir::Value> a,
                  llvm::ArrayRef<mlir::Value> b);
  /// For f16, scales each row of the tile `a` so that its largest weight fits;
  /// `unscale` undoes it, one factor for each half. Null for bf16.
  void scaleRows(Fragment &a, mlir::Type element, mlir::Value unscale[2]);
  /// The accumulator layout of two n8 blocks is the A layout of a k16 block:
  /// weights rounded to `element`, two to an i32, four of these a k16 block.
  Fragment packWeights(llvm::ArrayRef<mlir::Value> a, mlir::Type element);
  Fragment loadMatrices(mlir::Value address, bool transposed);
  /// Words of an operand as pairs of `element`, so that accumulate knows bf16
  /// from f16.
  llvm::SmallVector<mlir::Value> typed(llvm::ArrayRef<mlir::Value> words,
                                       mlir::Type element);

  // Elementwise.cpp.
  void emitGate(TileGateOp op);
  mlir::Value gateOf(TileGateOp op, mlir::Value row);
  void emitMask(TileMaskOp op);
  void emitSurvives(TileSurvivesOp op);
  /// Before the scores of a view are read, the others' may still be on their
  /// way.
  virtual void await(mlir::Value scores) {}
  /// The largest score of these rows in each step of 16 keys, over all views,
  /// as the bits of a float.
  Fragment stepMaxima(mlir::ValueRange scores, int half);
  void addToMaxima(Fragment &maxima, mlir::Value view, int half);
  void emitThreshold(TileThresholdOp op);
  /// Scores of an accumulator, from a step of 16 keys on, rectified.
  Fragment rectify(llvm::ArrayRef<mlir::Value> scores, TileThresholdOp op);
  void emitDifferential(TileDifferentialOp op);
  /// a1 - lambda a2, likewise.
  Fragment subtract(llvm::ArrayRef<mlir::Value> a1,
                    llvm::ArrayRef<mlir::Value> a2, TileDifferentialOp op);
  void emitCount(TileCountOp op);
  void emitScale(TileScaleOp op);
  void emitRmsNorm(TileRmsNormOp op);
  void emitNormalize(TileNormalizeOp op);

  // GlobalMemory.cpp.
  void emitLoad(TileLoadOp op);
  void emitStore(TileStoreOp op);
  llvm::LogicalResult emitMemrefLoad(mlir::memref::LoadOp op);
  mlir::Value elementAddress(const GlobalTensor &tensor,
                             llvm::ArrayRef<mlir::Value> indices);

  // Small steps that all of them take.
  mlir::Value i32(int64_t v);
  mlir::Value f32(double v);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, i32(y)); }
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, int64_t y) { return mul(x, i32(y)); }
  mlir::Value divide(mlir::Value x, mlir::Value y);
  mlir::Value remainder(mlir::Value x, mlir::Value y);
  mlir::Value less(mlir::Value x, mlir::Value y); ///< signed i32
  mlir::Value isAny(mlir::Value set);             ///< of the bits of an i32
  mlir::Value select(mlir::Value c, mlir::Value x, mlir::Value y);
  mlir::Value bits(mlir::Value x, mlir::Type type); ///< bitcast
  mlir::Value mulF(mlir::Value x, mlir::Value y);
  mlir::Value addF(mlir::Value x, mlir::Value y);
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value maxF(mlir::Value x, mlir::Value y);
  mlir::Value sqrt(mlir::Value x);
  mlir::Value divF(mlir::Value x, mlir::Value y);
  /// One-operand PTX instruction on f32 ("lg2.approx.f32").
  mlir::Value unaryPtx(llvm::StringRef instruction, mlir::Value x);
  mlir::Value saturatedFma(mlir::Value x, mlir::Value y, mlir::Value z);
  mlir::Value purePtx(llvm::StringRef text, llvm::StringRef constraints,
                      mlir::ValueRange operands);
  mlir::Value field(mlir::Value aggregate, int64_t index);
  mlir::Value shuffleXor(mlir::Value x, int64_t lanes);
  /// Sum or maximum over the four lanes that share a row.
  mlir::Value quadSum(mlir::Value x);
  mlir::Value quadMax(mlir::Value x);
  /// Two 16-bit elements in an i32 as two f32, and back (rounded).
  std::pair<mlir::Value, mlir::Value> unpack(mlir::Value pair,
                                             mlir::Type element);
  mlir::Value pack(mlir::Value low, mlir::Value high, mlir::Type element);
  mlir::Value sharedAddress(mlir::Value base, mlir::Value bytes);
  mlir::Value sharedAddress(mlir::Value base, int64_t bytes);
  /// Row g (half 0) or g + 8 (half 1) of this thread, from `first`.
  mlir::Value ownRow(mlir::Value first, int half);

  mlir::Value get(mlir::Value v) { return fragments.lookup(v).front(); }
  Fragment getAll(mlir::Value v) { return fragments.lookup(v); }
  void set(mlir::Value v, Fragment f) { fragments[v] = std::move(f); }

  mlir::OpBuilder &b;
  mlir::Location loc;
  KernelSignature &signature;
  TileProgramOp program; ///< The one that is emitted now.
  Schedule schedule;     ///< Of all of them.
  llvm::DenseMap<mlir::Value, Fragment> fragments;
  mlir::Value thread, lane, group, quad, warpRow, shared;
};

} // namespace tda

#endif // TDA_EMITTER_H
