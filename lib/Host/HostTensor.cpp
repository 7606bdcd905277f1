//===- HostTensor.cpp - A contiguous tensor in host memory ----------------===//

#include "tda/Host/HostTensor.h"

#include "tda/Host/HostFloat.h"

#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace tda::host {

std::string shapeText(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool checkedNumElements(const std::vector<int64_t> &shape, size_t elementSize,
                        int64_t &count) {
  constexpr int64_t maxBytes = std::numeric_limits<int64_t>::max();
  int64_t bytes = elementSize; // Of the extents that are not zero.
  bool isEmpty = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return false;
    if (extent == 0) {
      isEmpty = true;
      continue;
    }
    if (bytes > maxBytes / extent)
      return false;
    bytes *= extent;
  }
  count = isEmpty ? 0 : bytes / int64_t(elementSize);
  return true;
}

HostTensor HostTensor::zeros(DType dtype, std::vector<int64_t> shape) {
  HostTensor tensor;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.data.resize(tensor.numElements() * dtypeSize(dtype));
  return tensor;
}

HostTensor HostTensor::fromValues(DType dtype, std::vector<int64_t> shape,
                                  const std::vector<double> &values) {
  HostTensor tensor = zeros(dtype, std::move(shape));
  for (size_t i = 0; i < values.size(); ++i)
    tensor.set(i, values[i]);
  return tensor;
}

int64_t HostTensor::numElements() const {
  int64_t count = 0;
  return checkedNumElements(shape, dtypeSize(dtype), count) ? count : 0;
}

template <typename Element>
static Element load(const uint8_t *data, int64_t index) {
  Element element;
  std::memcpy(&element, data + index * sizeof(Element), sizeof(Element));
  return element;
}

template <typename Element>
static void store(uint8_t *data, int64_t index, Element element) {
  std::memcpy(data + index * sizeof(Element), &element, sizeof(Element));
}

double HostTensor::at(int64_t index) const {
  double value;
  readDoubles(index, 1, &value);
  return value;
}

void HostTensor::set(int64_t index, double value) {
  switch (dtype) {
  case DType::F32:
    return store(data.data(), index, float(value));
  case DType::BF16:
    return store(data.data(), index, floatToBF16(float(value)));
  case DType::F16:
    return store(data.data(), index, floatToF16(float(value)));
  case DType::I32:
    return store(data.data(), index, int32_t(value));
  case DType::I64:
    return store(data.data(), index, int64_t(value));
  }
}

void HostTensor::readDoubles(int64_t first, int64_t count, double *out) const {
  const uint8_t *from = data.data() + first * dtypeSize(dtype);
  auto readAll = [&](auto widen) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = widen(i);
  };
  switch (dtype) {
  case DType::F32:
    return readAll([&](int64_t i) { return load<float>(from, i); });
  case DType::BF16:
    return readAll(
        [&](int64_t i) { return bf16ToFloat(load<uint16_t>(from, i)); });
  case DType::F16:
    return readAll(
        [&](int64_t i) { return f16ToFloat(load<uint16_t>(from, i)); });
  case DType::I32:
    return readAll([&](int64_t i) { return load<int32_t>(from, i); });
  case DType::I64:
    return readAll([&](int64_t i) { return double(load<int64_t>(from, i)); });
  }
}

std::vector<float> HostTensor::toFloats() const {
  std::vector<float> floats(numElements());
  for (size_t i = 0; i < floats.size(); ++i)
    floats[i] = float(at(i));
  return floats;
}

} // namespace tda::host
