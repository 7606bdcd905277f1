//===- Driver.h - The CUDA driver, opened at run time ----------*- C++ -*-===//
//
// The functions of libcuda.so.1 that the runtime calls, as a table that is
// filled with dlsym: one binary serves machines with and without a GPU, and
// building needs no CUDA header. The types and constants repeat cuda.h (CUDA
// Driver API Reference); the driver keeps them stable across versions.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_LIB_RUNTIME_DRIVER_H
#define TDA_LIB_RUNTIME_DRIVER_H

#include "Status.h"

#include <cstddef>
#include <cstdint>

namespace tda {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUmodule = struct CUmod_st *;
using CUfunction = struct CUfunc_st *;
using CUstream = struct CUstream_st *;
using CUevent = struct CUevent_st *;
using CUgraph = struct CUgraph_st *;
using CUgraphExec = struct CUgraphExec_st *;
using CUgraphNode = struct CUgraphNode_st *;

// CUresult
constexpr CUresult CUDA_SUCCESS = 0;
constexpr CUresult CUDA_ERROR_STUB_LIBRARY = 34;
constexpr CUresult CUDA_ERROR_NO_DEVICE = 100;
// CUdevice_attribute
constexpr int CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16;
constexpr int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;
constexpr int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;
constexpr int CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS = 88;
constexpr int CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;
// CUfunction_attribute
constexpr int CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 0;
constexpr int CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES = 1;
constexpr int CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;
// CUjit_option
constexpr int CU_JIT_ERROR_LOG_BUFFER = 5;
constexpr int CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6;
// CUpointer_attribute and CUmemorytype
constexpr int CU_POINTER_ATTRIBUTE_MEMORY_TYPE = 2;
constexpr int CU_POINTER_ATTRIBUTE_IS_MANAGED = 8;
constexpr int CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL = 9;
constexpr unsigned CU_MEMORYTYPE_HOST = 1;
constexpr unsigned CU_MEMORYTYPE_DEVICE = 2;
// CUlaunchAttributeID
constexpr int CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4;
// Flags
constexpr unsigned CU_STREAM_NON_BLOCKING = 1;
/// One handle, a stream for each thread.
inline const CUstream CU_STREAM_PER_THREAD = reinterpret_cast<CUstream>(2);
constexpr int CU_STREAM_CAPTURE_MODE_GLOBAL = 0;
constexpr int CU_STREAM_CAPTURE_MODE_RELAXED = 2;
constexpr int CU_STREAM_CAPTURE_STATUS_NONE = 0;
// CUtensorMapDataType, CUtensorMapInterleave, CUtensorMapSwizzle,
// CUtensorMapL2promotion, CUtensorMapFloatOOBfill
constexpr int CU_TENSOR_MAP_DATA_TYPE_FLOAT16 = 6;
constexpr int CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9;
constexpr int CU_TENSOR_MAP_INTERLEAVE_NONE = 0;
constexpr int CU_TENSOR_MAP_SWIZZLE_128B = 3;
constexpr int CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3;
constexpr int CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 0; // Zeros.

struct CUlaunchAttribute {
  int id;
  char pad[4];
  union {
    struct {
      unsigned x, y, z;
    } clusterDim;
    char bytes[64];
  } value;
};

struct CUlaunchConfig {
  unsigned gridDimX, gridDimY, gridDimZ;
  unsigned blockDimX, blockDimY, blockDimZ;
  unsigned sharedMemBytes;
  CUstream hStream;
  CUlaunchAttribute *attrs;
  unsigned numAttrs;
};

/// CUDA_KERNEL_NODE_PARAMS_v2.
struct CUkernelNode {
  CUfunction func;
  unsigned gridDimX, gridDimY, gridDimZ;
  unsigned blockDimX, blockDimY, blockDimZ;
  unsigned sharedMemBytes;
  void **kernelParams, **extra;
  void *kernel;      ///< Instead of `func`.
  CUcontext context; ///< Of `kernel`.
};

/// A TMA descriptor, passed to a kernel by value.
struct alignas(64) CUtensorMap {
  unsigned long long opaque[16];
};

/// X(field, symbol, parameters): every driver of CUDA 11.4 and later has these.
#define TDA_DRIVER_FUNCTIONS(X)                                                \
  X(init, cuInit, (unsigned flags))                                            \
  X(driverVersion, cuDriverGetVersion, (int *version))                         \
  X(errorName, cuGetErrorName, (CUresult, const char **))                      \
  X(errorText, cuGetErrorString, (CUresult, const char **))                    \
  X(deviceCount, cuDeviceGetCount, (int *))                                    \
  X(deviceGet, cuDeviceGet, (CUdevice *, int ordinal))                         \
  X(deviceName, cuDeviceGetName, (char *, int size, CUdevice))                 \
  X(deviceMemory, cuDeviceTotalMem_v2, (size_t *, CUdevice))                   \
  X(deviceAttribute, cuDeviceGetAttribute, (int *, int attribute, CUdevice))   \
  X(contextRetain, cuDevicePrimaryCtxRetain, (CUcontext *, CUdevice))          \
  X(contextRelease, cuDevicePrimaryCtxRelease_v2, (CUdevice))                  \
  X(contextGet, cuCtxGetCurrent, (CUcontext *))                                \
  X(contextSet, cuCtxSetCurrent, (CUcontext))                                  \
  X(contextPush, cuCtxPushCurrent_v2, (CUcontext))                             \
  X(contextPop, cuCtxPopCurrent_v2, (CUcontext *))                             \
  X(contextDevice, cuCtxGetDevice, (CUdevice *))                               \
  X(contextSynchronize, cuCtxSynchronize, ())                                  \
  X(moduleLoad, cuModuleLoadDataEx,                                            \
    (CUmodule *, const void *image, unsigned count, int *options,              \
     void **values))                                                           \
  X(moduleUnload, cuModuleUnload, (CUmodule))                                  \
  X(moduleFunction, cuModuleGetFunction,                                       \
    (CUfunction *, CUmodule, const char *name))                                \
  X(functionGet, cuFuncGetAttribute, (int *, int attribute, CUfunction))       \
  X(functionSet, cuFuncSetAttribute, (CUfunction, int attribute, int value))   \
  X(pointerAttributes, cuPointerGetAttributes,                                 \
    (unsigned count, int *attributes, void **data, CUdeviceptr))               \
  X(launchKernel, cuLaunchKernel,                                              \
    (CUfunction, unsigned gridX, unsigned gridY, unsigned gridZ,               \
     unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,  \
     CUstream, void **params, void **extra))                                   \
  X(memAlloc, cuMemAlloc_v2, (CUdeviceptr *, size_t))                          \
  X(memFree, cuMemFree_v2, (CUdeviceptr))                                      \
  X(memSet, cuMemsetD8_v2, (CUdeviceptr, unsigned char, size_t))               \
  X(copyToDevice, cuMemcpyHtoD_v2, (CUdeviceptr, const void *, size_t))        \
  X(copyToHost, cuMemcpyDtoH_v2, (void *, CUdeviceptr, size_t))                \
  X(streamCreate, cuStreamCreate, (CUstream *, unsigned flags))                \
  X(streamSynchronize, cuStreamSynchronize, (CUstream))                        \
  X(streamDestroy, cuStreamDestroy_v2, (CUstream))                             \
  X(eventCreate, cuEventCreate, (CUevent *, unsigned flags))                   \
  X(eventRecord, cuEventRecord, (CUevent, CUstream))                           \
  X(eventSynchronize, cuEventSynchronize, (CUevent))                           \
  X(eventElapsed, cuEventElapsedTime, (float *, CUevent, CUevent))             \
  X(eventDestroy, cuEventDestroy_v2, (CUevent))                                \
  X(captureBegin, cuStreamBeginCapture_v2, (CUstream, int mode))               \
  X(captureEnd, cuStreamEndCapture, (CUstream, CUgraph *))                     \
  X(graphInstantiate, cuGraphInstantiateWithFlags,                             \
    (CUgraphExec *, CUgraph, unsigned long long flags))                        \
  X(graphLaunch, cuGraphLaunch, (CUgraphExec, CUstream))                       \
  X(graphExecDestroy, cuGraphExecDestroy, (CUgraphExec))                       \
  X(graphDestroy, cuGraphDestroy, (CUgraph))

/// The same; NULL where the driver is older than the CUDA version named.
#define TDA_DRIVER_OPTIONAL_FUNCTIONS(X)                                       \
  /* CUDA 11.8 */                                                              \
  X(launchKernelEx, cuLaunchKernelEx,                                          \
    (const CUlaunchConfig *, CUfunction, void **params, void **extra))         \
  /* CUDA 12.0 */                                                              \
  X(tensorMapEncode, cuTensorMapEncodeTiled,                                   \
    (CUtensorMap *, int dataType, unsigned rank, void *address,                \
     const uint64_t *dims, const uint64_t *byteStrides, const unsigned *box,   \
     const unsigned *elementStrides, int interleave, int swizzle,              \
     int l2Promotion, int fill))                                               \
  X(streamIsCapturing, cuStreamIsCapturing, (CUstream, int *status))           \
  X(captureModeExchange, cuThreadExchangeStreamCaptureMode, (int *mode))       \
  X(graphCreate, cuGraphCreate, (CUgraph *, unsigned flags))                   \
  X(graphAddKernel, cuGraphAddKernelNode_v2,                                   \
    (CUgraphNode *, CUgraph, const CUgraphNode *dependencies, size_t count,    \
     const CUkernelNode *))                                                    \
  X(graphExecSetKernel, cuGraphExecKernelNodeSetParams_v2,                     \
    (CUgraphExec, CUgraphNode, const CUkernelNode *))                          \
  /* CUDA 12.4 */                                                              \
  X(functionLoad, cuFuncLoad, (CUfunction))

struct Driver {
#define TDA_FIELD(field, symbol, parameters)                                   \
  CUresult(*field) parameters = nullptr;
  TDA_DRIVER_FUNCTIONS(TDA_FIELD)
  TDA_DRIVER_OPTIONAL_FUNCTIONS(TDA_FIELD)
#undef TDA_FIELD
};

/// Opens and initialises the driver the first time; a failure is tried again
/// at the next call. TDA_ERROR_NO_DEVICE where there is none.
tda_status getDriver(const Driver *&driver);

/// TDA_OK for CUDA_SUCCESS, else TDA_ERROR_DRIVER with "`what`: NAME (text)".
tda_status driverStatus(const Driver &driver, CUresult result,
                        const std::string &what);

/// "CUDA_ERROR_INVALID_VALUE (invalid argument)".
std::string resultText(const Driver &driver, CUresult result);

/// The handle of device number `ordinal`; TDA_ERROR_NO_DEVICE when the machine
/// has no such device.
tda_status getDevice(const Driver &driver, int ordinal, CUdevice &device);

/// Makes a context current for a scope.
class ContextScope {
public:
  ContextScope() = default;
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;
  ~ContextScope();

  tda_status push(const Driver &driver, CUcontext context);

private:
  const Driver *pushed = nullptr;
};

} // namespace tda

#endif // TDA_LIB_RUNTIME_DRIVER_H
