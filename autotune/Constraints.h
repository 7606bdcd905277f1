//===- Constraints.h - Which candidates can work at all --------*- C++ -*-===//
//
// Asks whyIllegal of Schedule.h, which the verifier of #tda.schedule asks too,
// and keeps its reasons.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_CONSTRAINTS_H
#define TDA_AUTOTUNE_CONSTRAINTS_H

#include "tda/Schedule.h"

#include <string>
#include <vector>

namespace tda::tune {

struct Rejection {
  Schedule schedule;
  std::string reason;
};

struct Constrained {
  std::vector<Schedule> legal; ///< In the order in which they were given.
  std::vector<Rejection> rejected;

  /// One line a kind of reason, the most frequent first: how many candidates
  /// failed for it, and one of them with its reason in full.
  std::string summary() const;
};

Constrained constrain(const std::vector<Schedule> &candidates,
                      const Problem &problem, const Target &target);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_CONSTRAINTS_H
