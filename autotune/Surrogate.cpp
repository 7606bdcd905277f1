//===- Surrogate.cpp - The cost model, corrected by measurements ----------===//
#include "autotune/Surrogate.h"

#include <algorithm>
#include <cmath>

using namespace tda;
using namespace tda::tune;

/// Covariance of the logarithms of the cost model's errors.
static double common(const Schedule &a, const Schedule &b) {
  if (a.path != b.path)
    return 0.01;
  double sum = 0.03;
  bool m = a.tileM == b.tileM, n = a.tileN == b.tileN;
  sum += 0.015 * m + 0.015 * n + 0.015 * (m && n);
  bool skip = a.skip == b.skip, grid = a.grid == b.grid;
  sum += 0.03 * skip + 0.01 * grid + 0.01 * (skip && grid);
  // Neighbouring stage and group counts behave alike.
  auto near = [](int64_t x, int64_t y) {
    double d = std::log2(double(x) / double(y));
    return std::exp(-d * d);
  };
  sum += 0.005 * near(a.stages, b.stages) + 0.003 * near(a.group, b.group);
  sum += 0.01 * (m && n && skip) + 0.005 * (m && n && skip && grid);
  return sum;
}

/// Variance of a measurement's logarithm: 1%.
static constexpr double kNoise = 1e-4;

Surrogate::Surrogate(std::vector<Observation> given)
    : observations(std::move(given)) {
  size_t n = observations.size();
  std::vector<double> residual(n);
  for (size_t i = 0; i < n; ++i) {
    residual[i] =
        std::log(observations[i].measured / observations[i].predicted);
    mean += residual[i] / double(n);
  }
  for (double &r : residual)
    r -= mean;
  factor.assign(n, std::vector<double>(n, 0));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = common(observations[i].schedule, observations[j].schedule) +
                   (i == j ? kNoise : 0);
      for (size_t k = 0; k < j; ++k)
        sum -= factor[i][k] * factor[j][k];
      factor[i][j] =
          i == j ? std::sqrt(std::max(sum, kNoise)) : sum / factor[j][j];
    }
  weights = solveLower(residual);
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k)
      weights[i] -= factor[k][i] * weights[k];
    weights[i] /= factor[i][i];
  }
}

std::vector<double> Surrogate::solveLower(std::vector<double> b) const {
  for (size_t i = 0; i < b.size(); ++i) {
    for (size_t k = 0; k < i; ++k)
      b[i] -= factor[i][k] * b[k];
    b[i] /= factor[i][i];
  }
  return b;
}

Surrogate::Estimate Surrogate::estimate(const Schedule &schedule,
                                        double predicted) const {
  std::vector<double> shared(observations.size());
  double log = mean;
  for (size_t i = 0; i < shared.size(); ++i) {
    shared[i] = common(schedule, observations[i].schedule);
    log += shared[i] * weights[i];
  }
  double variance = common(schedule, schedule);
  for (double x : solveLower(shared))
    variance -= x * x;
  return {predicted * std::exp(log), std::sqrt(std::max(variance, 0.0))};
}
