//===- Random.h - Repeatable inputs for a problem --------------*- C++ -*-===//
#ifndef TDA_HOST_RANDOM_H
#define TDA_HOST_RANDOM_H

#include "tda/Host/Arguments.h"
#include "tda/Host/HostTensor.h"
#include "tda/Problem.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tda::host {

struct RandomOptions {
  /// All of beta, lambda or kappa; else drawn from 0.6 to 1, drawn from 0.2
  /// to 0.8, and 1.
  std::optional<double> beta;
  std::optional<double> lambda;
  std::optional<double> kappa;
  /// The offset operand; else Nk - Nq.
  std::optional<int64_t> offset;
  /// Fraction of the queries that are aimed at a visible key in every view
  /// (half of them at the same key in both), and of the keys that are drawn
  /// toward a neighbour: survivors then exist at any length. 0: null input.
  double planted = 0.0;
  /// Fraction of the queries that are zero in every view: dead rows.
  double dead = 0.0;
};

/// Inputs in the order of `inputSpecs`, the same on every platform for the
/// same arguments. q and k rows are unit vectors rounded to the dtype, or with
/// `normalize` rows of norms from 1/4 to 4; v is standard normal (the sum of
/// twelve uniforms), gain near 1. The problem and lengths must be legal.
std::vector<HostTensor> randomInputs(const Problem &problem,
                                     const Lengths &lengths, uint64_t seed,
                                     const RandomOptions &options = {});

/// The addresses of the tensors, as `bindLengths` and `evaluate` take them.
std::vector<const HostTensor *> pointersTo(const std::vector<HostTensor> &);

} // namespace tda::host

#endif // TDA_HOST_RANDOM_H
