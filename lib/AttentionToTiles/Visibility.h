//===- Visibility.h - Which keys a row sees, as arithmetic -----*- C++ -*-===//
//
// docs/semantics.md, step 3, in one place: every lowering that needs n(i), the
// span of a block of rows or the mask of one entry emits it from here.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_VISIBILITY_H
#define TDA_VISIBILITY_H

#include "dialects/tda/Dialect.h"

#include "mlir/IR/Builders.h"

namespace tda {

/// A row's visible keys [begin, end), both clamped to [0, keys], end >= begin.
/// `row`, `keys` and `offset` are values of one integer or index type, as are
/// the results.
struct KeyRange {
  mlir::Value begin, end;
};
KeyRange emitVisibleKeys(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value row, mlir::Value keys, mlir::Value offset,
                         bool causal, std::optional<int64_t> window);

/// n(i) = end - begin of the above.
mlir::Value emitVisibleCount(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value row, mlir::Value keys,
                             mlir::Value offset, bool causal,
                             std::optional<int64_t> window);

/// The four results of tile_span, from its operands mapped by `map`.
void emitSpan(mlir::OpBuilder &b, mlir::Location loc, TileSpanOp op,
              llvm::function_ref<mlir::Value(mlir::Value)> map,
              mlir::Value results[4]);

} // namespace tda

#endif // TDA_VISIBILITY_H
