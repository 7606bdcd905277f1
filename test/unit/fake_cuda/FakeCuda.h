//===- FakeCuda.h - A CUDA driver that only takes notes --------*- C++ -*-===//
//
// fake_cuda is a shared library with the functions of libcuda.so.1 that the
// runtime calls. It runs no kernel: it records calls and launches, keeps
// "device" memory on the host, and refuses what a real driver refuses while a
// stream is captured. Tests set TDA_LIBCUDA to its path, and change what the
// machine looks like through `fakeCuda`. fake_cuda_11 is the same without the
// functions of CUDA 12.
//
// For other programs there are variables of the environment: FAKE_CUDA_ZERO, a
// launch writes zeros over what was filled with 0xff before; FAKE_CUDA_HANG,
// FAKE_CUDA_CRASH and FAKE_CUDA_FAULT, a launch with so many bytes of shared
// memory never returns, ends the process, or fails.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TEST_UNIT_FAKECUDA_H
#define TDA_TEST_UNIT_FAKECUDA_H

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct FakeLaunch {
  std::string function;
  int device;
  std::array<unsigned, 3> grid, block, cluster;
  unsigned sharedBytes;
  void *stream;
  std::vector<uint64_t> params; ///< By FakeCuda::paramSizes.
};

/// A call of cuTensorMapEncodeTiled; the map holds its number from 1 in its
/// first 8 bytes, and FakeLaunch::params give them.
struct FakeTensorMap {
  int dataType;
  uint64_t address;
  std::vector<uint64_t> dims, strides;
  std::vector<unsigned> box, elementStrides;
  /// Interleave, swizzle, L2 promotion, fill.
  std::array<int, 4> modes;

  bool operator==(const FakeTensorMap &other) const {
    return dataType == other.dataType && address == other.address &&
           dims == other.dims && strides == other.strides && box == other.box &&
           elementStrides == other.elementStrides && modes == other.modes;
  }
};

struct FakeCuda {
  // The machine.
  int initResult = 0;
  int deviceCount = 2;
  int driverVersion = 12040;
  int capability = 90;
  int sharedLimit = 232448;
  int staticShared = 0;
  int maxThreads = 1024;
  bool pageableAccess = false;
  int multiprocessors = 132;
  int tensorMapResult = 0;  ///< Of cuTensorMapEncodeTiled.
  bool moduleFails = false; ///< With the JIT log "ptxas fatal : bad PTX".
  bool graphFails = false;  ///< cuGraphInstantiateWithFlags.

  /// Bytes of each parameter of the next launches; of a tensor map 128.
  std::vector<int> paramSizes;

  // What happened.
  std::vector<std::string> calls;
  std::vector<FakeLaunch> launches;
  std::vector<FakeTensorMap> tensorMaps;
  std::vector<std::string> images;          ///< Loaded modules.
  std::map<std::string, int> dynamicShared; ///< By function.
  int retained = 0;                         ///< Primary contexts held.
  int modules = 0;                          ///< Modules loaded.
  int graphs = 0; ///< Graphs and executable graphs that exist.
};

/// The name of the function in the library that returns its state.
extern "C" FakeCuda *fakeCuda();
/// Forgets everything and gives the calling thread no context.
extern "C" void fakeCudaReset();
/// Puts a context that is not the primary one of `device` on this thread.
extern "C" void fakeCudaUseOtherContext(int device);

#endif // TDA_TEST_UNIT_FAKECUDA_H
