//===- Visibility.cpp - Which keys a row sees -----------------------------===//
#include "lib/StagesToLinalg/Visibility.h"

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

Value Visibility::endKey(Value row) {
  Value last = arith::AddIOp::create(loops.b, row, offset);
  return arith::AddIOp::create(loops.b, last, loops.index(1));
}

Value Visibility::firstKey(Value row) {
  return arith::SubIOp::create(loops.b, endKey(row), loops.index(*window));
}

Value Visibility::visible(Value row, Value key) {
  ImplicitLocOpBuilder &b = loops.b;
  Value below, above;
  if (causal)
    below =
        arith::CmpIOp::create(b, arith::CmpIPredicate::slt, key, endKey(row));
  if (window)
    above =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sge, key, firstKey(row));
  return causal && window ? arith::AndIOp::create(b, below, above)
         : causal         ? below
                          : above;
}

Value Visibility::count(Value row) {
  ImplicitLocOpBuilder &b = loops.b;
  if (!hidesKeys())
    return keys;
  Value zero = loops.index(0), first = zero, end = keys;
  if (causal)
    end = arith::MinSIOp::create(b, keys, endKey(row));
  if (window)
    first = arith::MaxSIOp::create(b, zero, firstKey(row));
  return arith::MaxSIOp::create(b, zero, arith::SubIOp::create(b, end, first));
}
