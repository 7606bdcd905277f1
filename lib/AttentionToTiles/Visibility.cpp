//===- Visibility.cpp - Which keys a row sees, as arithmetic --------------===//
#include "lib/AttentionToTiles/Visibility.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tda;

namespace {
/// Signed arithmetic on values of one integer or index type.
struct Arith {
  OpBuilder &b;
  Location loc;
  Type type;

  Value constant(int64_t v) {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, v));
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value add(Value x, int64_t y) { return y ? add(x, constant(y)) : x; }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value min(Value x, Value y) { return arith::MinSIOp::create(b, loc, x, y); }
  Value max(Value x, Value y) { return arith::MaxSIOp::create(b, loc, x, y); }
  Value clamp(Value x, Value high) { return min(max(x, constant(0)), high); }
};
} // namespace

KeyRange tda::emitVisibleKeys(OpBuilder &b, Location loc, Value row, Value keys,
                              Value offset, bool causal,
                              std::optional<int64_t> window) {
  Arith a{b, loc, row.getType()};
  // Lengths and offsets are below 2^30 where indices have 32 bits: a window of
  // 2^30 hides nothing there, and a larger one would overflow. Elsewhere 2^40
  // is beyond every length.
  int64_t farthest = int64_t(1) << (row.getType().isInteger(32) ? 30 : 40);
  if (window)
    window = std::min(*window, farthest);
  if (!row.getType().isInteger(32))
    offset = a.min(a.max(offset, a.constant(-farthest)), a.constant(farthest));
  Value own = a.add(row, offset); // the key that stands where the row stands
  Value end = causal ? a.clamp(a.add(own, 1), keys) : keys;
  Value begin = window
                    ? a.min(a.max(a.add(own, 1 - *window), a.constant(0)), end)
                    : a.constant(0);
  return {begin, end};
}

Value tda::emitVisibleCount(OpBuilder &b, Location loc, Value row, Value keys,
                            Value offset, bool causal,
                            std::optional<int64_t> window) {
  KeyRange range = emitVisibleKeys(b, loc, row, keys, offset, causal, window);
  return Arith{b, loc, row.getType()}.sub(range.end, range.begin);
}

void tda::emitSpan(OpBuilder &b, Location loc, TileSpanOp op,
                   llvm::function_ref<Value(Value)> map, Value results[4]) {
  Value row = map(op.getRow()), keys = map(op.getKeys()),
        offset = map(op.getOffset());
  std::optional<int64_t> window = op.getWindow();
  Arith a{b, loc, row.getType()};
  Value last =
      a.min(a.add(row, op.getTileM() - 1), a.add(map(op.getRows()), -1));
  KeyRange low =
      emitVisibleKeys(b, loc, row, keys, offset, op.getCausal(), window);
  KeyRange high =
      emitVisibleKeys(b, loc, last, keys, offset, op.getCausal(), window);
  // The first row sees the lowest keys, the last row the highest.
  Value tile = a.constant(op.getTileN());
  Value rest = arith::RemSIOp::create(b, loc, low.begin, tile);
  results[0] = a.sub(low.begin, rest);
  results[1] = high.end;
  results[2] = high.begin;
  results[3] = low.end;
}
