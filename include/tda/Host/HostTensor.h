//===- HostTensor.h - A contiguous tensor in host memory -------*- C++ -*-===//
#ifndef TDA_HOST_HOSTTENSOR_H
#define TDA_HOST_HOSTTENSOR_H

#include "tda/Problem.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tda::host {

/// "[1, 2, 1000, 64]", and "[]" for a scalar.
std::string shapeText(const std::vector<int64_t> &shape);

/// The product of the extents in `count`; false where an extent is negative
/// or where the bytes of `elementSize` an element do not fit in 63 bits (zero
/// extents set aside, so that every partial product is safe too).
bool checkedNumElements(const std::vector<int64_t> &shape, size_t elementSize,
                        int64_t &count);

/// A dense row-major tensor. Rank 0 is a scalar: one element.
struct HostTensor {
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  /// numElements() * dtypeSize(dtype) bytes, little endian.
  std::vector<uint8_t> data;

  /// A tensor of zeros. The shape must pass `checkedNumElements`.
  static HostTensor zeros(DType dtype, std::vector<int64_t> shape);

  /// A tensor of the given row-major values, each rounded to `dtype`.
  static HostTensor fromValues(DType dtype, std::vector<int64_t> shape,
                               const std::vector<double> &values);

  int64_t numElements() const;

  /// Element `index` in row-major order; exact but for i64 beyond 2^53.
  double at(int64_t index) const;

  /// Stores `value` rounded to the element type (16-bit types through f32,
  /// integers truncated toward zero, which must hold it).
  void set(int64_t index, double value);

  /// Elements [first, first + count), widened exactly.
  void readDoubles(int64_t first, int64_t count, double *out) const;

  /// All elements as f32.
  std::vector<float> toFloats() const;
};

} // namespace tda::host

#endif // TDA_HOST_HOSTTENSOR_H
