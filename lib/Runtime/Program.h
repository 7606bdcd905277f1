//===- Program.h - A program and one call of it ----------------*- C++ -*-===//
//
// What tda_open prepares, so that a launch does no parsing, looks up no name
// and allocates nothing.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LIB_RUNTIME_PROGRAM_H
#define TDA_LIB_RUNTIME_PROGRAM_H

#include "LaunchGraph.h"
#include "tda/Manifest.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

namespace tda {

/// A KernelParam with its names resolved.
struct ParamPlan {
  KernelParam::Kind kind;
  int argument = 0; ///< Index into the manifest's arguments.
  int axis = 0;
  Length symbol = Length::B;
  GridExpression offset;
  int map = 0; ///< Index into the manifest's tensor maps.
};

/// A ManifestTensorMap with its names resolved.
struct TensorMapPlan {
  int argument = 0; ///< Index into the manifest's arguments.
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
  int multiprocessors = 0;
  std::array<CUfunction, MaxKernels> functions{};
  std::unique_ptr<LaunchGraphs> graphs;
};

constexpr int MaxDevices = 64;

/// A tensor as a tensor map describes it: axes from the innermost, as
/// cuTensorMapEncodeTiled takes them.
struct MappedTensor {
  bool isEmpty = false; ///< Without elements: there is no map.
  int64_t offset = 0;   ///< Into the workspace, where the tensor lies there.
  std::array<uint64_t, 4> dims{};
  std::array<uint64_t, 3> strides{}; ///< Bytes, of all axes but the innermost.
};

/// Lengths, launch shape and workspace of one call, after its checks.
struct Call {
  LengthValues lengths{};
  std::array<std::array<int64_t, 3>, MaxKernels> grids{};
  int64_t workspaceBytes = 0;
  std::array<MappedTensor, MaxTensorMaps> mapped{};
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
  std::vector<tda::TensorMapPlan> tensorMaps;
  std::array<bool, tda::MaxArguments> readByTma{}; ///< Each argument.
  tda::GridExpression workspace;
  std::atomic<bool> checkPointers{true};
  std::atomic<bool> keepGraphs{false};

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
/// `readByTma` is for the messages.
tda_status checkTensor(const ManifestArgument &wanted,
                       const tda_argument &given, DataCheck dataCheck,
                       bool readByTma);

/// The tensors of all tensor maps for `call`, whose lengths and workspace are
/// known.
tda_status describeTensorMaps(const tda_program &program,
                              const tda_argument *args, Call &call);

/// Fills `maps`, one entry a tensor map; zeros for a tensor without elements.
/// The context of the launch is current: the driver wants one.
tda_status encodeTensorMaps(const tda_program &program, const Driver &driver,
                            const Call &call, const tda_argument *args,
                            const void *workspace, CUtensorMap *maps);

/// The value of a kernel parameter other than a tensor map in the low bytes of
/// 8.
tda_status paramValue(const ParamPlan &param, const Call &call,
                      const tda_argument *args, const void *workspace,
                      uint64_t &value);

/// Undoes tda_load for all devices.
void unload(tda_program &program);

} // namespace tda

#endif // TDA_LIB_RUNTIME_PROGRAM_H
