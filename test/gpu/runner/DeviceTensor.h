//===- DeviceTensor.h - A tensor on the GPU between guards -----*- C++ -*-===//
#ifndef TDA_TOOLS_DEVICETENSOR_H
#define TDA_TOOLS_DEVICETENSOR_H

#include "tda/Host/HostTensor.h"
#include "tda/Manifest.h"
#include "tda/runtime.h"

#include <string>
#include <vector>

namespace tda::gputest {

/// How the elements of a tensor lie in memory.
enum class Layout {
  Contiguous,
  RowsOuter, ///< [B, H, N, D] stored as [B, N, H, D].
  Padded,    ///< Gaps after each row, the least alignment allowed, and strides
             ///< of axes with one element that no rule would allow of others.
};
constexpr int NumLayouts = 3;

/// Device memory that holds the elements of one argument, everything around
/// and between them filled with a pattern. Needs a current device.
///
/// The gaps of an input are NaN, so reading one shows in the result; those of
/// an output are another pattern, so writing one shows in them.
class DeviceTensor {
public:
  DeviceTensor() = default;
  DeviceTensor(DeviceTensor &&other);
  DeviceTensor &operator=(DeviceTensor &&other);
  ~DeviceTensor();

  /// Allocates with `guardBytes` on both sides and uploads `value`, the shape
  /// of which fits `wanted`; an output's elements become NaN, whatever they
  /// are in `value`.
  bool create(const ManifestArgument &wanted, const host::HostTensor &value,
              Layout layout, size_t guardBytes, std::string &error);

  /// Another value of the same shape at the same address.
  bool assign(const host::HostTensor &value, std::string &error);

  /// Uploads everything anew: elements, gaps and guards.
  bool restore(std::string &error);

  /// Downloads the elements. Fails where anything but an output's elements
  /// has changed.
  bool collect(host::HostTensor &value, std::string &error) const;

  /// Downloads everything as it is: elements, gaps and guards.
  bool download(std::vector<uint8_t> &bytes, std::string &error) const;

  /// As a call takes it.
  tda_argument argument() const;

private:
  void fill(const host::HostTensor &value);

  std::string name;
  bool output = false;
  DType dtype = DType::F32;
  std::vector<int64_t> shape, strides;
  size_t first = 0;           ///< Byte offset of element 0.
  std::vector<uint8_t> image; ///< What was uploaded.
  void *memory = nullptr;
};

} // namespace tda::gputest

#endif // TDA_TOOLS_DEVICETENSOR_H
