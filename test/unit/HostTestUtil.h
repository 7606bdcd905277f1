//===- HostTestUtil.h - What the tests of the host library share -*- C++
//-*-===//
#ifndef TDA_TEST_UNIT_HOSTTESTUTIL_H
#define TDA_TEST_UNIT_HOSTTESTUTIL_H

#include "tda/Host/Random.h"
#include "tda/Host/Reference.h"

#include <gtest/gtest.h>

namespace tda::host {

inline Problem parsed(const std::string &text) {
  Problem problem;
  std::string error;
  EXPECT_TRUE(Problem::parse(text, problem, error)) << error;
  return problem;
}

inline Reference evaluated(const Problem &problem,
                           const std::vector<HostTensor> &inputs,
                           unsigned threads = 0, TileShape tile = {}) {
  Reference reference;
  std::string error;
  EXPECT_TRUE(
      evaluate(problem, pointersTo(inputs), reference, error, threads, tile))
      << error;
  return reference;
}

inline HostTensor f32(std::vector<int64_t> shape,
                      const std::vector<double> &values) {
  return HostTensor::fromValues(DType::F32, shape, values);
}

/// f32 rows of zeros with a one (or `value`) at the given column.
inline HostTensor oneHot(std::vector<int64_t> shape,
                         const std::vector<int> &columns, double value = 1.0) {
  HostTensor tensor = HostTensor::zeros(DType::F32, shape);
  for (size_t row = 0; row < columns.size(); ++row)
    tensor.set(row * shape.back() + columns[row], value);
  return tensor;
}

} // namespace tda::host

#endif // TDA_TEST_UNIT_HOSTTESTUTIL_H
