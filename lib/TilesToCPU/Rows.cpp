//===- Rows.cpp - The gate and the norms ----------------------------------===//
//
// One number a row, computed in f64 and rounded once: it costs little here, a
// sum of squares cannot overflow, and the f32 result is the nearest one.
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "lib/AttentionToTiles/Visibility.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tda;
using namespace tda::cpu;

void Emitter::emitGate(TileGateOp op) {
  auto type = cast<TileType>(op.getTau().getType());
  bind(op, fresh(type, Layout::Row));
  Value tau = buffer(op).memref;
  Type f64 = b.getF64Type();
  Value zero = b.zero(f64);
  Value beta = b.max(b.convert(scalar(op.getBeta()), b.getF64Type()), zero);
  Value kappa = b.convert(scalar(op.getKappa()), b.getF64Type());
  Value scale = b.constant(f64, 2.0 / double(op.getDim()));
  Value dead = b.constant(b.getF32Type(), INFINITY);
  Value row = scalar(op.getRow()), keys = scalar(op.getKeys());
  Value offset = scalar(op.getOffset());
  b.loop(type.getRows(), 1, [&](Value r) {
    Value n = emitVisibleCount(b, b.getLoc(), b.add(row, r), keys, offset,
                               op.getCausal(), op.getWindow());
    Value count = arith::SIToFPOp::create(
        b, f64, arith::IndexCastOp::create(b, b.getI64Type(), n));
    Value ratio = arith::DivFOp::create(b, count, kappa);
    Value log = b.max(math::LogOp::create(b, ratio), zero);
    Value root = math::SqrtOp::create(b, arith::MulFOp::create(b, log, scale));
    Value live =
        b.convert(arith::MulFOp::create(b, beta, root), b.getF32Type());
    Value none =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, n, b.index(0));
    Value result = arith::SelectOp::create(b, none, dead, live);
    memref::StoreOp::create(b, result, tau, r);
  });
}

/// 1 / max(sqrt(squares), 1e-12), the root rounded to f32 as it is stored by
/// whoever computes in f32. f64, a scalar or a vector.
static Value inverseNorm(VectorBuilder &b, Value squares) {
  Value root = math::SqrtOp::create(b, squares);
  Value norm = b.convert(root, b.getF32Type());
  Value bounded = b.max(norm, b.constant(norm.getType(), 1e-12));
  return arith::DivFOp::create(b, b.constant(root.getType(), 1.0),
                               b.convert(bounded, b.getF64Type()));
}

/// x * scale in f64, rounded to f32 and to `element`.
static Value scaled(VectorBuilder &b, Value x, Value scale, Type element) {
  Value product = arith::MulFOp::create(b, b.convert(x, b.getF64Type()), scale);
  Value single = b.convert(product, b.getF32Type());
  return b.convert(b.convert(single, cast<FloatType>(element)), b.getF32Type());
}

/// acc + x^2.
static Value addSquare(VectorBuilder &b, Value x, Value acc) {
  Value wide = b.convert(x, b.getF64Type());
  return vector::FMAOp::create(b, wide, wide, acc);
}

void Emitter::emitNormalize(TileNormalizeOp op) {
  auto type = cast<TileType>(op.getType());
  Value from = buffer(op.getTile()).memref;
  Buffer own = reuse(op.getTile(), op);
  bind(op, own);
  Value columns = b.index(type.getColumns());
  // The tile is transposed: a vector holds one column of several rows.
  b.loop(type.getRows(), b.lanes, [&](Value r) {
    Value squares = b.fold(columns, 1, b.zero(b.vector(b.getF64Type())),
                           [&](Value c, Value acc) {
                             return addSquare(b, b.load(from, {c, r}), acc);
                           });
    Value scale = inverseNorm(b, squares);
    b.loop(b.index(0), columns, [&](Value c) {
      b.store(scaled(b, b.load(from, {c, r}), scale, type.getElementType()),
              own.memref, {c, r});
    });
  });
}

void Emitter::emitPanelNormalize(PanelNormalizeOp op) {
  for (auto [from, to] : llvm::zip(op.getPanels(), op.getResults())) {
    auto type = cast<PanelType>(from.getType());
    panels[to] = Panel(panel(from)); // A copy: the map may grow.
    Value memref = panel(to).memref;
    Value columns = b.index(b.padded(type.getColumns()));
    b.loop(type.getRows(), 1, [&](Value r) {
      Value squares = b.fold(columns, b.lanes, b.zero(b.vector(b.getF64Type())),
                             [&](Value c, Value acc) {
                               return addSquare(b, b.load(memref, {r, c}), acc);
                             });
      Value sum =
          vector::ReductionOp::create(b, vector::CombiningKind::ADD, squares);
      Value scale = b.splat(inverseNorm(b, sum));
      b.loop(b.index(0), columns, b.lanes, [&](Value c) {
        b.store(scaled(b, b.load(memref, {r, c}), scale, type.getElementType()),
                memref, {r, c});
      });
    });
  }
}

void Emitter::emitScale(TileScaleOp op) {
  auto type = cast<TileType>(op.getTile().getType());
  Value from = buffer(op.getTile()).memref;
  Buffer own = reuse(op.getTile(), op);
  bind(op, own);
  Value factor =
      b.constant(b.vector(b.getF32Type()), op.getFactor().convertToDouble());
  Value columns = b.index(b.padded(type.getColumns()));
  b.loop(type.getRows(), 1, [&](Value r) {
    b.loop(b.index(0), columns, b.lanes, [&](Value c) {
      b.store(arith::MulFOp::create(b, b.load(from, {r, c}), factor),
              own.memref, {r, c});
    });
  });
}

void Emitter::emitRmsNorm(TileRmsNormOp op) {
  auto type = cast<TileType>(op.getTile().getType());
  Value from = buffer(op.getTile()).memref;
  Buffer own = reuse(op.getTile(), op);
  bind(op, own);
  Value gain = allocate({type.getColumns()}, b.getF32Type());
  copyColumns(scalar(op.getGain()), {}, gain, {}, type.getColumns());
  Type f64 = b.getF64Type();
  Value columns = b.index(b.padded(type.getColumns()));
  Value count = b.constant(f64, double(type.getColumns()));
  Value eps = b.constant(f64, op.getEps().convertToDouble());
  b.loop(type.getRows(), 1, [&](Value r) {
    Value squares = b.fold(columns, b.lanes, b.zero(b.vector(f64)),
                           [&](Value c, Value acc) {
                             return addSquare(b, b.load(from, {r, c}), acc);
                           });
    Value sum =
        vector::ReductionOp::create(b, vector::CombiningKind::ADD, squares);
    Value mean = arith::DivFOp::create(b, sum, count);
    Value root = math::SqrtOp::create(b, arith::AddFOp::create(b, mean, eps));
    Value scale = b.splat(arith::DivFOp::create(b, b.constant(f64, 1.0), root));
    b.loop(b.index(0), columns, b.lanes, [&](Value c) {
      Value unit = scaled(b, b.load(from, {r, c}), scale, b.getF32Type());
      Value y = arith::MulFOp::create(b, unit, b.load(gain, c));
      b.store(y, own.memref, {r, c});
    });
  });
}
