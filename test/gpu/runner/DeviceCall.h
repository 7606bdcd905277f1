//===- DeviceCall.h - A kernel and the arguments of a call -----*- C++ -*-===//
#ifndef TDA_TOOLS_DEVICECALL_H
#define TDA_TOOLS_DEVICECALL_H

#include "DeviceTensor.h"
#include "DeviceWorkspace.h"

#include "tda/Host/Arguments.h"

#include <memory>

namespace tda::gputest {

/// A kernel that was opened and loaded.
class Program {
public:
  /// Reads the manifest at `path` and loads it on `device`.
  bool open(const std::string &path, int device, std::string &error);

  tda_program *get() const { return program.get(); }
  const Manifest &getManifest() const { return manifest; }

private:
  std::unique_ptr<tda_program, decltype(&tda_close)> program{nullptr,
                                                             tda_close};
  Manifest manifest;
};

/// A stream of the current device.
class Stream {
public:
  Stream() = default;
  Stream(const Stream &) = delete;
  ~Stream();
  bool create(std::string &error);
  bool synchronize(std::string &error);
  void *get() const { return stream; }

private:
  void *stream = nullptr;
};

/// Layouts of a call's tensors: one for all, or a different one in turn.
constexpr int NumCallLayouts = NumLayouts + 1;
const char *callLayoutName(int layout); // "BHND", "BNHD", "padded", "mixed"

/// All arguments of one call in device memory.
class DeviceCall {
public:
  /// `inputs` are those of host::inputSpecs. Outputs are poisoned with NaN.
  bool create(const Manifest &manifest, const host::Lengths &lengths,
              const std::vector<host::HostTensor> &inputs, int layout,
              size_t guardBytes, std::string &error);

  /// Poisons the outputs and the workspace again.
  bool poison(std::string &error);
  /// Another value of input `index`, at the address it has.
  bool assign(size_t index, const host::HostTensor &value, std::string &error);
  bool launch(const Program &program, void *stream, std::string &error);
  /// Waits for the device and takes the outputs; see DeviceTensor::collect.
  bool collect(std::vector<host::HostTensor> &outputs, std::string &error);
  /// Waits for the device and takes the bytes of the outputs alone, whatever
  /// they are: quicker where only changes matter.
  bool takeBytes(std::vector<std::vector<uint8_t>> &outputs,
                 std::string &error);
  /// Poisons, launches and collects.
  bool run(const Program &program, void *stream,
           std::vector<host::HostTensor> &outputs, std::string &error);

  std::vector<tda_argument> arguments() const;

private:
  const Manifest *manifest = nullptr;
  std::vector<DeviceTensor> tensors; ///< One an argument; unused by scalars.
  std::vector<int64_t> scalars;      ///< One an argument.
  DeviceWorkspace workspace;
};

} // namespace tda::gputest

#endif // TDA_TOOLS_DEVICECALL_H
