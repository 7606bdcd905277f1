//===- Surrogate.h - The cost model, corrected by measurements -*- C++ -*-===//
//
// A Gaussian process over log(measured / predicted), whose kernel counts what
// two schedules have in common. It learns, for one problem, by what factor the
// cost model errs for a tile shape or a skip policy, and how sure that is.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_SURROGATE_H
#define TDA_AUTOTUNE_SURROGATE_H

#include "tda/Schedule.h"

#include <vector>

namespace tda::tune {

class Surrogate {
public:
  struct Observation {
    Schedule schedule;
    double predicted = 0; ///< Of the cost model, microseconds.
    double measured = 0;  ///< Microseconds.
  };
  explicit Surrogate(std::vector<Observation> observations);

  struct Estimate {
    double us = 0;
    double spread = 0; ///< Of log(us), one standard deviation.
  };
  /// What `schedule`, for which the cost model says `predicted`, should take.
  Estimate estimate(const Schedule &schedule, double predicted) const;

private:
  std::vector<Observation> observations;
  std::vector<std::vector<double>> factor; ///< Cholesky, lower.
  std::vector<double> weights;
  double mean = 0;

  std::vector<double> solveLower(std::vector<double> b) const;
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_SURROGATE_H
