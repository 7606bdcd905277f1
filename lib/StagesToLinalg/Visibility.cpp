//===- Visibility.cpp - Which keys a row sees -----------------------------===//
#include "lib/StagesToLinalg/Visibility.h"

#include "lib/AttentionToTiles/Visibility.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tda;

Visibility::Visibility(StageLoops &loops, bool causal,
                       std::optional<int64_t> window, Value offset,
                       Value queries, Value keys)
    : loops(loops), causal(causal), window(window), keys(keys) {
  ImplicitLocOpBuilder &b = loops.b;
  if (hidesKeys())
    this->offset = offset
                       ? arith::IndexCastOp::create(b, b.getIndexType(), offset)
                             .getResult()
                       : b.createOrFold<arith::SubIOp>(keys, queries);
}

Value Visibility::visible(Value row, Value key) {
  ImplicitLocOpBuilder &b = loops.b;
  KeyRange range =
      emitVisibleKeys(b, b.getLoc(), row, keys, offset, causal, window);
  Value from =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, key, range.begin);
  Value below =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, key, range.end);
  return arith::AndIOp::create(b, from, below);
}

Value Visibility::count(Value row) {
  ImplicitLocOpBuilder &b = loops.b;
  return hidesKeys() ? emitVisibleCount(b, b.getLoc(), row, keys, offset,
                                        causal, window)
                     : keys;
}
