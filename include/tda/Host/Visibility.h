//===- Visibility.h - The keys that a query sees ---------------*- C++ -*-===//
#ifndef TDA_HOST_VISIBILITY_H
#define TDA_HOST_VISIBILITY_H

#include "tda/Problem.h"

#include <algorithm>
#include <cstdint>

namespace tda::host {

/// Keys [begin, end); begin == end where the query sees none.
struct KeyRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

/// The keys of query `i` (docs/semantics.md, step 3). Any offset is allowed.
inline KeyRange visibleKeys(const Problem &problem, int64_t i, int64_t offset,
                            int64_t Nk) {
  // Offsets beyond any length mean the same as these, and cannot overflow.
  constexpr int64_t far = int64_t(1) << 61;
  int64_t diagonal = i + std::clamp(offset, -far, far);
  KeyRange keys{0, Nk};
  if (problem.causal)
    keys.end = std::clamp<int64_t>(diagonal + 1, 0, Nk);
  if (problem.window > 0)
    keys.begin = std::clamp<int64_t>(diagonal - problem.window + 1, 0, Nk);
  keys.begin = std::min(keys.begin, keys.end);
  return keys;
}

} // namespace tda::host

#endif // TDA_HOST_VISIBILITY_H
