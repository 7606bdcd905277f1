//===- DeviceTensor.cpp - A tensor on the GPU between guards --------------===//
#include "DeviceTensor.h"

#include "tda/device.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <numeric>
#include <utility>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

/// All bits set: NaN in every float type, -1 in integers.
static constexpr uint8_t NaNByte = 0xff;
static constexpr uint8_t OutputGapByte = 0xa5;

static std::vector<int64_t> stridesOf(const std::vector<int64_t> &shape,
                                      Layout layout, int64_t padding) {
  size_t rank = shape.size();
  std::vector<size_t> order(rank); // Axes, the outermost in memory first.
  std::iota(order.begin(), order.end(), 0);
  if (layout == Layout::RowsOuter && rank == 4)
    std::swap(order[1], order[2]);
  std::vector<int64_t> strides(rank);
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    strides[order[i]] = stride;
    stride *= std::max<int64_t>(shape[order[i]], 1);
    if (layout == Layout::Padded && i + 1 == rank)
      stride += padding;
  }
  if (layout == Layout::Padded)
    for (size_t i = 0; i + 1 < rank; ++i)
      if (shape[i] == 1)
        strides[i] = 3; // Addresses nothing.
  return strides;
}

/// Calls `row(index, offset)` for each row along the last axis: its index in
/// row-major order and the offset of its first element.
template <typename Fn>
static void forEachRow(const std::vector<int64_t> &shape,
                       const std::vector<int64_t> &strides, Fn row) {
  if (std::count(shape.begin(), shape.end(), 0))
    return;
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i)
    rows *= shape[i];
  for (int64_t index = 0; index < rows; ++index) {
    int64_t offset = 0, rest = index;
    for (size_t i = shape.size(); i-- > 1;) {
      offset += rest % shape[i - 1] * strides[i - 1];
      rest /= shape[i - 1];
    }
    row(index, offset);
  }
}

DeviceTensor::DeviceTensor(DeviceTensor &&other) { *this = std::move(other); }

DeviceTensor &DeviceTensor::operator=(DeviceTensor &&other) {
  name = std::move(other.name);
  output = other.output;
  dtype = other.dtype;
  shape = std::move(other.shape);
  strides = std::move(other.strides);
  first = other.first;
  image = std::move(other.image);
  std::swap(memory, other.memory);
  return *this;
}

DeviceTensor::~DeviceTensor() {
  if (memory)
    tda_device_free(memory);
}

bool DeviceTensor::create(const ManifestArgument &wanted,
                          const HostTensor &value, Layout layout,
                          size_t guardBytes, std::string &error) {
  name = wanted.name;
  output = wanted.output;
  dtype = value.dtype;
  shape = value.shape;
  if (wanted.strides == StrideRule::Contiguous)
    layout = Layout::Contiguous;
  strides = stridesOf(shape, layout, wanted.strideMultiple);

  size_t size = dtypeSize(dtype), row = shape.empty() ? 1 : shape.back();
  first = guardBytes + (layout == Layout::Padded ? wanted.alignment : 0);
  size_t end = first;
  forEachRow(shape, strides, [&](int64_t, int64_t offset) {
    end = std::max(end, first + (offset + row) * size);
  });
  image.assign(end + guardBytes, output ? OutputGapByte : NaNByte);
  fill(value);

  if (tda_device_alloc(image.size(), &memory) != TDA_OK) {
    error = fmt::format("'{}': {}", name, tda_last_error());
    return false;
  }
  return restore(error);
}

void DeviceTensor::fill(const HostTensor &value) {
  size_t size = dtypeSize(dtype), row = shape.empty() ? 1 : shape.back();
  forEachRow(shape, strides, [&](int64_t index, int64_t offset) {
    uint8_t *to = &image[first + offset * size];
    if (output)
      std::memset(to, NaNByte, row * size);
    else
      std::memcpy(to, &value.data[index * row * size], row * size);
  });
}

bool DeviceTensor::assign(const HostTensor &value, std::string &error) {
  fill(value);
  return restore(error);
}

bool DeviceTensor::restore(std::string &error) {
  if (tda_device_upload(memory, image.data(), image.size()) == TDA_OK)
    return true;
  error = fmt::format("'{}': {}", name, tda_last_error());
  return false;
}

bool DeviceTensor::download(std::vector<uint8_t> &bytes,
                            std::string &error) const {
  bytes.resize(image.size());
  if (tda_device_download(bytes.data(), memory, bytes.size()) == TDA_OK)
    return true;
  error = fmt::format("'{}': {}", name, tda_last_error());
  return false;
}

bool DeviceTensor::collect(HostTensor &value, std::string &error) const {
  std::vector<uint8_t> seen;
  if (!download(seen, error))
    return false;
  value = HostTensor::zeros(dtype, shape);
  size_t size = dtypeSize(dtype), row = shape.empty() ? 1 : shape.back();
  forEachRow(shape, strides, [&](int64_t index, int64_t offset) {
    size_t at = first + offset * size;
    std::memcpy(&value.data[index * row * size], &seen[at], row * size);
    if (output) // These may change; what is left must not.
      std::memcpy(&seen[at], &image[at], row * size);
  });
  auto change = std::mismatch(seen.begin(), seen.end(), image.begin());
  if (change.first == seen.end())
    return true;
  error = fmt::format("{} '{}' was written at byte {} from its first element",
                      output ? "memory around output" : "input", name,
                      change.first - seen.begin() - int64_t(first));
  return false;
}

tda_argument DeviceTensor::argument() const {
  auto type = static_cast<tda_dtype>(int(dtype) + TDA_F32);
  return tda_tensor_strided(type, static_cast<uint8_t *>(memory) + first,
                            int(shape.size()), shape.data(), strides.data());
}
