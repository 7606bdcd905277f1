//===- Compare.cpp - An output beside the float64 reference ---------------===//

#include "tda/Host/Reference.h"

#include <cmath>
#include <limits>

namespace tda::host {

double relativeError(const HostTensor &o, const Reference &reference) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (o.numElements() != int64_t(reference.o.size()))
    return infinity;
  double difference = 0, size = 0;
  for (size_t i = 0; i < reference.o.size(); ++i) {
    double value = o.at(i), expected = reference.o[i];
    if (!std::isfinite(value))
      return infinity;
    difference += (value - expected) * (value - expected);
    size += expected * expected;
  }
  if (difference == 0)
    return 0;
  return size == 0 ? infinity : std::sqrt(difference / size);
}

double contract(DType type) {
  switch (type) {
  case DType::BF16:
    return 5e-3;
  case DType::F16:
    return 1e-3;
  default:
    return 5e-5;
  }
}

int64_t countDeadRowViolations(const HostTensor &o,
                               const Reference &reference) {
  int64_t rows = reference.dead.size(), violations = 0;
  if (rows == 0 || o.numElements() != int64_t(reference.o.size()))
    return rows;
  int64_t dv = int64_t(reference.o.size()) / rows;
  for (int64_t row = 0; row < rows; ++row) {
    if (!reference.dead[row])
      continue;
    bool isZero = true;
    for (int64_t c = 0; c < dv; ++c)
      isZero &= o.at(row * dv + c) == 0.0;
    violations += !isZero;
  }
  return violations;
}

} // namespace tda::host
