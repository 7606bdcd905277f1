//===- Elementwise.cpp - What happens to scores, entry by entry -----------===//
//
// Scores lie as [keys][rows], so tau and lambda of a row are lanes of vectors
// that stay in registers while the keys go by.
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

#include "lib/AttentionToTiles/Visibility.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace tda;
using namespace tda::cpu;

static constexpr auto kAbove = arith::CmpFPredicate::OGT;

void Emitter::emitMask(TileMaskOp op) {
  auto type = cast<TileType>(op.getS().getType());
  Value from = buffer(op.getS()).memref;
  Buffer own = reuse(op.getS(), op);
  bind(op, own);
  // The visible keys of each row, counted from the first key of the tile.
  Value row = scalar(op.getRow()), key = scalar(op.getKey());
  Value keys = scalar(op.getKeys()), offset = scalar(op.getOffset());
  Value columns = b.index(type.getColumns());
  Value begins = allocate({type.getRows()}, b.getI32Type());
  Value ends = allocate({type.getRows()}, b.getI32Type());
  b.loop(type.getRows(), 1, [&](Value r) {
    KeyRange range = emitVisibleKeys(b, b.getLoc(), b.add(row, r), keys, offset,
                                     op.getCausal(), op.getWindow());
    auto put = [&](Value bound, Value to) {
      Value inTile = b.clamp(b.sub(bound, key), columns);
      memref::StoreOp::create(
          b, arith::IndexCastOp::create(b, b.getI32Type(), inTile), to, r);
    };
    put(range.begin, begins);
    put(range.end, ends);
  });
  Value hidden = b.constant(b.vector(b.getF32Type()), -INFINITY);
  b.loop(type.getRows(), b.lanes, [&](Value r) {
    Value begin = b.load(begins, r), end = b.load(ends, r);
    b.loop(b.index(0), columns, [&](Value c) {
      Value at = b.splat(arith::IndexCastOp::create(b, b.getI32Type(), c));
      Value after =
          arith::CmpIOp::create(b, arith::CmpIPredicate::sge, at, begin);
      Value before =
          arith::CmpIOp::create(b, arith::CmpIPredicate::slt, at, end);
      Value visible = arith::AndIOp::create(b, after, before);
      Value s = b.load(from, {c, r});
      b.store(arith::SelectOp::create(b, visible, s, hidden), own.memref,
              {c, r});
    });
  });
}

void Emitter::emitSurvives(TileSurvivesOp op) {
  auto type = cast<TileType>(op.getScores().front().getType());
  Value tau = buffer(op.getTau()).memref;
  // The largest s - tau, in chains of their own that need not wait for each
  // other.
  int64_t vectors = chooseBlocking(type.getRows() / b.lanes).vectors;
  Value columns = b.index(type.getColumns());
  SmallVector<Value> most(vectors * op.getScores().size(),
                          b.zero(b.vector(b.getF32Type())));
  most = b.fold(
      b.index(type.getRows()), vectors * b.lanes, most,
      [&](Value r, ValueRange carried) {
        SmallVector<Value> at, gates;
        for (int64_t v = 0; v < vectors; ++v) {
          at.push_back(b.add(r, v * b.lanes));
          gates.push_back(b.load(tau, at.back()));
        }
        return b.fold(columns, 1, carried, [&](Value c, ValueRange carried) {
          SmallVector<Value> next;
          for (Value s : op.getScores())
            for (int64_t v = 0; v < vectors; ++v) {
              Value score = b.load(buffer(s).memref, {c, at[v]});
              Value excess = arith::SubFOp::create(b, score, gates[v]);
              next.push_back(b.max(excess, carried[next.size()]));
            }
          return next;
        });
      });
  Value all = most.front();
  for (Value other : ArrayRef<Value>(most).drop_front())
    all = b.max(all, other);
  scalars.map(op.getLive(), b.any(b.cmp(kAbove, all, b.zero(all.getType()))));
}

/// x^exponent for x >= 0, 0 at 0. Halves up to 8 by multiplication and square
/// root, the others by powf.
Value Emitter::power(Value x, double exponent) {
  double doubled = 2 * exponent;
  if (doubled == std::floor(doubled) && doubled <= 16) {
    Value result;
    auto times = [&](Value factor) {
      result = result ? arith::MulFOp::create(b, result, factor) : factor;
    };
    Value square = x;
    for (int64_t whole = int64_t(exponent); whole > 0; whole /= 2) {
      if (whole % 2)
        times(square);
      if (whole > 1)
        square = arith::MulFOp::create(b, square, square);
    }
    if (int64_t(doubled) % 2)
      times(math::SqrtOp::create(b, x));
    return result;
  }
  // A call for each lane: worth a test, as almost all vectors are zero.
  Value zero = b.zero(x.getType());
  auto branch = scf::IfOp::create(
      b, b.any(b.cmp(kAbove, x, zero)),
      [&](OpBuilder &, Location) {
        Value y = math::PowFOp::create(b, x, b.constant(x.getType(), exponent));
        scf::YieldOp::create(b, y);
      },
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, zero); });
  return branch.getResult(0);
}

void Emitter::emitThreshold(TileThresholdOp op) {
  auto type = cast<TileType>(op.getS().getType());
  Value from = buffer(op.getS()).memref, tau = buffer(op.getTau()).memref;
  Buffer own = reuse(op.getS(), op);
  bind(op, own);
  Value zero = b.zero(b.vector(b.getF32Type()));
  Value half = b.constant(b.vector(b.getF32Type()), 0.5);
  b.loop(type.getRows(), b.lanes, [&](Value r) {
    Value gate = b.load(tau, r);
    b.loop(type.getColumns(), 1, [&](Value c) {
      Value excess = arith::SubFOp::create(b, b.load(from, {c, r}), gate);
      if (op.getHalved())
        excess = arith::MulFOp::create(b, excess, half);
      b.store(power(b.max(excess, zero), op.getPower().convertToDouble()),
              own.memref, {c, r});
    });
  });
}

void Emitter::emitDifferential(TileDifferentialOp op) {
  auto type = cast<TileType>(op.getA1().getType());
  Value a1 = buffer(op.getA1()).memref, a2 = buffer(op.getA2()).memref;
  Buffer own = reuse(op.getA1(), op);
  bind(op, own);
  bool isRow = isa<TileType>(op.getLambda().getType());
  b.loop(type.getRows(), b.lanes, [&](Value r) {
    Value lambda = isRow ? b.load(buffer(op.getLambda()).memref, r)
                         : b.splat(scalar(op.getLambda()));
    Value negated = arith::NegFOp::create(b, lambda);
    b.loop(type.getColumns(), 1, [&](Value c) {
      Value a = vector::FMAOp::create(b, negated, b.load(a2, {c, r}),
                                      b.load(a1, {c, r}));
      b.store(a, own.memref, {c, r});
    });
  });
}

void Emitter::emitCount(TileCountOp op) {
  auto type = cast<TileType>(op.getS().getType());
  Value from = buffer(op.getS()).memref, tau = buffer(op.getTau()).memref;
  Value before = buffer(op.getAcc()).memref;
  Buffer own = reuse(op.getAcc(), op);
  bind(op, own);
  b.loop(type.getRows(), b.lanes, [&](Value r) {
    Value gate = b.load(tau, r);
    Value count =
        b.fold(b.index(type.getColumns()), 1, b.load(before, r),
               [&](Value c, Value count) -> Value {
                 Value survives = b.cmp(kAbove, b.load(from, {c, r}), gate);
                 Value one =
                     arith::ExtUIOp::create(b, count.getType(), survives);
                 return arith::AddIOp::create(b, count, one);
               });
    b.store(count, own.memref, r);
  });
}
