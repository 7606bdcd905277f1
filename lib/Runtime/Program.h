//===- Program.h - A program and one call of it ----------------*- C++ -*-===//
//
// What tda_open prepares, so that a launch does no parsing, looks up no name
// and allocates nothing.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LIB_RUNTIME_PROGRAM_H
#define TDA_LIB_RUNTIME_PROGRAM_H

#include "Driver.h"
#include "tda/Manifest.h"

#include <array>
#include <atomic>
#include <mutex>

namespace tda {

/// A KernelParam with its names resolved.
struct ParamPlan {
  KernelParam::Kind kind;
  int argument = 0; ///< Index into the manifest's arguments.
  int axis = 0;
  Length symbol = Length::B;
  GridExpression offset;
};

struct KernelPlan {
  std::array<GridExpression, 3> grid;
  std::vector<ParamPlan> params;
};

/// The program on one device.
struct LoadedDevice {
  const Driver *driver = nullptr;
  int ordinal = 0;
  CUdevice device = 0;
  CUcontext context = nullptr; ///< The primary context; retained.
  CUmodule module = nullptr;
  bool readsHostMemory = false; ///< Any host address is a device address.
  std::array<CUfunction, MaxKernels> functions{};
};

constexpr int MaxDevices = 64;

/// Lengths, launch shape and workspace of one call, after its checks.
struct Call {
  LengthValues lengths{};
  std::array<std::array<int64_t, 3>, MaxKernels> grids{};
  int64_t workspaceBytes = 0;
};

/// Whether `data` of tensors is there already, or only their shape.
enum class DataCheck { Required, Ignored };

} // namespace tda

struct tda_program {
  tda::Manifest manifest;
  std::string manifestText;
  std::string ptx;
  std::string cubin; ///< Empty where there is none.
  std::vector<tda::KernelPlan> kernels;
  tda::GridExpression workspace;
  std::atomic<bool> checkPointers{true};

  /// The first `loadedCount` entries never change until tda_close, so that
  /// launches read them without the lock, which guards adding one.
  std::array<tda::LoadedDevice, tda::MaxDevices> loaded;
  std::atomic<int> loadedCount{0};
  std::mutex loadMutex;
};

namespace tda {

/// Everything about the arguments that can be checked without a GPU.
tda_status checkCall(const tda_program *program, const tda_argument *args,
                     size_t nargs, DataCheck dataCheck, Call &call);

/// One tensor of checkCall: dtype, rank, extents that are fixed, strides,
/// alignment. What its shape says of lengths is checked by the caller.
tda_status checkTensor(const ManifestArgument &wanted,
                       const tda_argument &given, DataCheck dataCheck);

/// The value of a kernel parameter in the low bytes of 8.
tda_status paramValue(const ParamPlan &param, const Call &call,
                      const tda_argument *args, const void *workspace,
                      uint64_t &value);

/// Undoes tda_load for all devices.
void unload(tda_program &program);

} // namespace tda

#endif // TDA_LIB_RUNTIME_PROGRAM_H
