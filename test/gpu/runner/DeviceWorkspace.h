//===- DeviceWorkspace.h - A call's workspace between guards ---*- C++ -*-===//
#ifndef TDA_TOOLS_DEVICEWORKSPACE_H
#define TDA_TOOLS_DEVICEWORKSPACE_H

#include <cstddef>
#include <string>

namespace tda::gputest {

/// Device memory for what a call keeps between its kernels. It is filled with
/// NaN before a launch, so that what one launch left there helps no other.
class DeviceWorkspace {
public:
  DeviceWorkspace() = default;
  DeviceWorkspace(const DeviceWorkspace &) = delete;
  ~DeviceWorkspace();

  /// Makes room for `bytes` where there is less.
  bool reserve(size_t bytes, std::string &error);
  /// Fills it with NaN, and the guards with their pattern.
  bool poison(std::string &error);
  /// Fails where a guard has changed.
  bool check(std::string &error) const;

  /// Its address, and its size.
  void *data() const;
  size_t size() const { return bytes; }

private:
  void *memory = nullptr;
  size_t bytes = 0;
};

} // namespace tda::gputest

#endif // TDA_TOOLS_DEVICEWORKSPACE_H
