//===- Visibility.h - Which keys a row sees --------------------*- C++ -*-===//
#ifndef TDA_STAGESTOLINALG_VISIBILITY_H
#define TDA_STAGESTOLINALG_VISIBILITY_H

#include "lib/StagesToLinalg/StageLoops.h"

namespace tda {

/// Step 3 of docs/semantics.md: key j is visible to row i where
///   j <= i + offset (causal) and j > i + offset - window (window).
class Visibility {
public:
  /// `offset` is an i64, or null for Nk - Nq.
  Visibility(StageLoops &loops, bool causal, std::optional<int64_t> window,
             mlir::Value offset, mlir::Value queries, mlir::Value keys);

  bool hidesKeys() const { return causal || window; }
  /// i1; `row` and `key` are indices.
  mlir::Value visible(mlir::Value row, mlir::Value key);
  /// n(i), an index.
  mlir::Value count(mlir::Value row);

private:
  StageLoops &loops;
  bool causal;
  std::optional<int64_t> window;
  mlir::Value offset, keys;
};

} // namespace tda

#endif // TDA_STAGESTOLINALG_VISIBILITY_H
