//===- Products.cpp - Scores and aggregate as loops of fma ----------------===//
//
// Both products are sums of outer products: a few scalars times a few vectors,
// added to a block of accumulators that stays in registers:
//
//   scores[j][i..]     += k[j][d] * q[d][i..]            for each d
//   acc[i][c..]        += a[j][i] * v[j][c..]            for each live key j
//
// The vectors' dimension is the outer loop: its slice of q or v stays in L1
// while the other operand goes by.
//
//===----------------------------------------------------------------------===//
#include "Emitter.h"

using namespace mlir;
using namespace tda;
using namespace tda::cpu;

/// The factors of one outer product.
struct Factors {
  SmallVector<Value> scalars, vectors;
};

/// acc[s][v] + sum over t < count of scalars(t)[s] * vectors(t)[v].
static SmallVector<Value>
sumOuterProducts(VectorBuilder &b, Value count, ValueRange inits,
                 llvm::function_ref<Factors(Value)> factors) {
  return b.fold(count, 1, inits, [&](Value t, ValueRange acc) {
    Factors f = factors(t);
    SmallVector<Value> next;
    for (Value x : f.scalars) {
      Value all = b.splat(x);
      for (Value y : f.vectors)
        next.push_back(vector::FMAOp::create(b, all, y, acc[next.size()]));
    }
    return next;
  });
}

/// Two or three vectors by as many scalars as leave registers for the factors:
/// there are 32 registers of 512 bits, 16 of the narrower ones. `vectors` of
/// the block divides the number given; `scalars` divides 16, as the rows and
/// keys of a tile are multiples of that.
Blocking Emitter::chooseBlocking(int64_t vectors) const {
  int64_t accumulators = b.vectorBits == 512 ? 24 : 12;
  Blocking blocking{16, vectors % 2 == 0 ? 2 : vectors % 3 == 0 ? 3 : 1};
  while (blocking.scalars * blocking.vectors > accumulators)
    blocking.scalars /= 2;
  return blocking;
}

void Emitter::emitScores(TileScoresOp op) {
  auto type = cast<TileType>(op.getS().getType());
  int64_t rows = type.getRows(), keys = type.getColumns();
  Value q = buffer(op.getQ()).memref, k = panel(op.getK()).memref;
  bind(op, fresh(type, Layout::Transposed));
  Value s = buffer(op).memref;
  Value depth = b.index(cast<TileType>(op.getQ().getType()).getColumns());
  Blocking block = chooseBlocking(rows / b.lanes);
  b.loop(rows, block.vectors * b.lanes, [&](Value i) {
    b.loop(keys, block.scalars, [&](Value j) {
      SmallVector<Value> zeros(block.scalars * block.vectors,
                               b.zero(b.vector(b.getF32Type())));
      SmallVector<Value> sums = sumOuterProducts(b, depth, zeros, [&](Value d) {
        Factors f;
        for (int64_t n = 0; n < block.scalars; ++n)
          f.scalars.push_back(
              memref::LoadOp::create(b, k, ValueRange{b.add(j, n), d}));
        for (int64_t n = 0; n < block.vectors; ++n)
          f.vectors.push_back(b.load(q, {d, b.add(i, n * b.lanes)}));
        return f;
      });
      for (int64_t n = 0; n < block.scalars; ++n)
        for (int64_t m = 0; m < block.vectors; ++m)
          b.store(sums[n * block.vectors + m], s,
                  {b.add(j, n), b.add(i, m * b.lanes)});
    });
  });
}

/// f32 rounded to nearest, ties to even, to the significant bits of `element`;
/// the exponent stays f32's.
static Value roundSignificand(VectorBuilder &b, Value x, Type element) {
  if (element.isF32())
    return x;
  Type bits = b.vector(b.getI32Type());
  int64_t drop = element.isBF16() ? 16 : 13;
  auto constant = [&](int64_t v) { return b.constant(bits, double(v)); };
  Value raw = arith::BitcastOp::create(b, bits, x);
  Value odd = arith::AndIOp::create(
      b, arith::ShRUIOp::create(b, raw, constant(drop)), constant(1));
  Value half = constant((int64_t(1) << (drop - 1)) - 1);
  Value up = arith::AddIOp::create(b, raw, arith::AddIOp::create(b, odd, half));
  Value rounded = arith::AndIOp::create(b, up, constant(-(int64_t(1) << drop)));
  return arith::BitcastOp::create(b, x.getType(), rounded);
}

/// Writes the rounded weights and the keys that have one other than 0 into
/// `live`; returns their number. The other keys would add exactly nothing.
Value Emitter::roundWeights(const Buffer &a, const Buffer &weights,
                            int64_t keys, int64_t rows, Type element,
                            Value live) {
  Type bits = b.vector(b.getI32Type());
  return b.fold(b.index(keys), 1, b.index(0), [&](Value j, Value count) {
    Value seen = b.fold(
        b.index(rows), b.lanes, b.zero(bits),
        [&](Value r, Value seen) -> Value {
          Value w = roundSignificand(b, b.load(a.memref, {j, r}), element);
          if (!element.isF32() || a.memref != weights.memref)
            b.store(w, weights.memref, {j, r});
          return arith::OrIOp::create(b, seen,
                                      arith::BitcastOp::create(b, bits, w));
        });
    Value isLive = b.any(
        arith::CmpIOp::create(b, arith::CmpIPredicate::ne, seen, b.zero(bits)));
    memref::StoreOp::create(b, j, live, count);
    return b.add(count,
                 arith::IndexCastUIOp::create(b, b.getIndexType(), isLive));
  });
}

void Emitter::emitAggregate(TileAggregateOp op) {
  auto type = cast<TileType>(op.getAcc().getType());
  auto values = cast<PanelType>(op.getV().getType());
  Buffer a = buffer(op.getA()), before = buffer(op.getAcc());
  Buffer weights = reuse(op.getA(), op), own = reuse(op.getAcc(), op);
  bind(op, own);
  copy(before.memref, own.memref);
  const Panel &v = panel(op.getV());
  Value acc = own.memref;

  Value live = allocate({values.getRows()}, b.getIndexType());
  Value count = roundWeights(a, weights, values.getRows(), type.getRows(),
                             values.getElementType(), live);
  auto liveKey = [&](Value t) -> Value {
    return memref::LoadOp::create(b, live, t);
  };
  b.loop(b.index(0), count, [&](Value t) { copyRow(v, liveKey(t), t); });

  int64_t columns = b.padded(type.getColumns());
  Blocking block = chooseBlocking(columns / b.lanes);
  b.loop(columns, block.vectors * b.lanes, [&](Value c) {
    b.loop(type.getRows(), block.scalars, [&](Value i) {
      SmallVector<SmallVector<Value>> places;
      SmallVector<Value> sums;
      for (int64_t n = 0; n < block.scalars; ++n)
        for (int64_t m = 0; m < block.vectors; ++m) {
          places.push_back({b.add(i, n), b.add(c, m * b.lanes)});
          sums.push_back(b.load(acc, places.back()));
        }
      sums = sumOuterProducts(b, count, sums, [&](Value t) {
        Factors f;
        Value j = liveKey(t);
        for (int64_t n = 0; n < block.scalars; ++n)
          f.scalars.push_back(memref::LoadOp::create(
              b, weights.memref, ValueRange{j, b.add(i, n)}));
        for (int64_t m = 0; m < block.vectors; ++m)
          f.vectors.push_back(b.load(v.memref, {t, b.add(c, m * b.lanes)}));
        return f;
      });
      for (auto [place, sum] : llvm::zip(places, sums))
        b.store(sum, acc, place);
    });
  });
}
