//===- FakeCuda.cpp - A CUDA driver that only takes notes -----------------===//
//
// Signatures as in the CUDA Driver API; handles are addresses of the structs
// below.
//
//===----------------------------------------------------------------------===//
#include "FakeCuda.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unistd.h>

namespace {

constexpr int Success = 0, InvalidValue = 1, NotFound = 500;
constexpr int InvalidContext = 201, CaptureUnsupported = 900;
constexpr int IllegalAddress = 700;

struct Context {
  int device;
};
struct Module {
  int device;
  std::map<std::string, struct Function *> functions;
};
struct Function {
  std::string name;
  Module *module;
};
struct Range {
  size_t bytes;
  int device;
};

FakeCuda state;
std::mutex mutex;
std::atomic<bool> capturing{false};
Context primary[64], other[64];
std::map<uintptr_t, Range> memory;
std::map<uintptr_t, size_t> poisoned; ///< Last filled with 0xff.
unsigned lastShared = 0;
thread_local std::vector<Context *> contexts;
thread_local int captureMode = 0;

void note(const char *call) {
  std::lock_guard<std::mutex> lock(mutex);
  state.calls.push_back(call);
}

int currentDevice() { return contexts.empty() ? -1 : contexts.back()->device; }

/// Whether the variable names this number of bytes of shared memory.
bool isShared(const char *variable, unsigned shared) {
  const char *value = std::getenv(variable);
  return value && std::strtoul(value, nullptr, 10) == shared;
}

/// The launch with what `params` point at now.
int take(FakeLaunch &launch, Function *function, std::array<unsigned, 3> grid,
         std::array<unsigned, 3> block, std::array<unsigned, 3> cluster,
         unsigned shared, void *stream, void **params) {
  if (currentDevice() != function->module->device)
    return InvalidValue;
  launch = {function->name, currentDevice(), grid,   block,
            cluster,        shared,          stream, {}};
  for (size_t i = 0; i < state.paramSizes.size(); ++i) {
    uint64_t bytes[16] = {};
    std::memcpy(bytes, params[i], state.paramSizes[i]);
    launch.params.push_back(bytes[0]);
    bool isMap = state.paramSizes[i] == sizeof(bytes);
    if (isMap && reinterpret_cast<uintptr_t>(params[i]) % 64 != 0)
      return InvalidValue;
  }
  return Success;
}

int run(const FakeLaunch &launch) {
  if (isShared("FAKE_CUDA_HANG", launch.sharedBytes))
    for (;;)
      pause();
  if (isShared("FAKE_CUDA_CRASH", launch.sharedBytes))
    std::abort();
  if (isShared("FAKE_CUDA_FAULT", launch.sharedBytes))
    return IllegalAddress;
  if (std::getenv("FAKE_CUDA_ZERO"))
    for (auto [address, bytes] : poisoned)
      std::memset(reinterpret_cast<void *>(address), 0, bytes);
  lastShared = launch.sharedBytes;
  state.launches.push_back(launch);
  return Success;
}

int record(Function *function, std::array<unsigned, 3> grid,
           std::array<unsigned, 3> block, std::array<unsigned, 3> cluster,
           unsigned shared, void *stream, void **params) {
  std::lock_guard<std::mutex> lock(mutex);
  FakeLaunch launch;
  int result =
      take(launch, function, grid, block, cluster, shared, stream, params);
  return result == Success ? run(launch) : result;
}

/// A graph, its nodes and what is made of it: one chain of kernels.
struct Graph {
  std::vector<FakeLaunch> kernels;
};
struct Node {
  size_t index; ///< Of its kernel.
};
Node nodes[] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};

} // namespace

extern "C" {

FakeCuda *fakeCuda() { return &state; }

void fakeCudaReset() {
  std::lock_guard<std::mutex> lock(mutex);
  for (auto [address, range] : memory)
    std::free(reinterpret_cast<void *>(address));
  memory.clear();
  poisoned.clear();
  contexts.clear();
  capturing = false;
  state = FakeCuda();
}

void fakeCudaUseOtherContext(int device) {
  other[device].device = device;
  contexts = {&other[device]};
}

#define REFUSE_IN_CAPTURE                                                      \
  note(__func__);                                                              \
  if (capturing)                                                               \
    return CaptureUnsupported;

int cuInit(unsigned) { return state.initResult; }
int cuDriverGetVersion(int *version) {
  *version = state.driverVersion;
  return Success;
}
int cuGetErrorName(int result, const char **name) {
  *name = result == InvalidValue         ? "CUDA_ERROR_INVALID_VALUE"
          : result == NotFound           ? "CUDA_ERROR_NOT_FOUND"
          : result == CaptureUnsupported ? "CUDA_ERROR_STREAM_CAPTURE"
                                         : "CUDA_ERROR_OTHER";
  return Success;
}
int cuGetErrorString(int, const char **text) {
  *text = "a fake error";
  return Success;
}
int cuDeviceGetCount(int *count) {
  *count = state.deviceCount;
  return Success;
}
int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return Success;
}
int cuDeviceGetName(char *name, int size, int) {
  std::strncpy(name, "Fake GPU", size);
  return Success;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = size_t{1} << 33;
  return Success;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
  switch (attribute) {
  case 16:
    *value = state.multiprocessors;
    return Success;
  case 75:
    *value = state.capability / 10;
    return Success;
  case 76:
    *value = state.capability % 10;
    return Success;
  case 88:
    *value = state.pageableAccess;
    return Success;
  case 97:
    *value = state.sharedLimit;
    return Success;
  default:
    return InvalidValue;
  }
}

int cuDevicePrimaryCtxRetain(Context **context, int device) {
  note(__func__);
  std::lock_guard<std::mutex> lock(mutex);
  primary[device].device = device;
  *context = &primary[device];
  ++state.retained;
  return Success;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  --state.retained;
  return Success;
}
int cuCtxGetCurrent(Context **context) {
  note(__func__);
  *context = contexts.empty() ? nullptr : contexts.back();
  return Success;
}
int cuCtxSetCurrent(Context *context) {
  if (!contexts.empty())
    contexts.pop_back();
  contexts.push_back(context);
  return Success;
}
int cuCtxPushCurrent_v2(Context *context) {
  note(__func__);
  contexts.push_back(context);
  return Success;
}
int cuCtxPopCurrent_v2(Context **context) {
  note(__func__);
  *context = contexts.back();
  contexts.pop_back();
  return Success;
}
int cuCtxGetDevice(int *device) {
  note(__func__);
  *device = currentDevice();
  return Success;
}
int cuCtxSynchronize() {
  REFUSE_IN_CAPTURE
  return Success;
}

int cuModuleLoadDataEx(Module **module, const void *image, unsigned count,
                       int *options, void **values) {
  REFUSE_IN_CAPTURE
  std::lock_guard<std::mutex> lock(mutex);
  state.images.push_back(static_cast<const char *>(image));
  if (state.moduleFails) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == 5) // CU_JIT_ERROR_LOG_BUFFER
        std::strcpy(static_cast<char *>(values[i]), "ptxas fatal : bad PTX");
    return InvalidValue;
  }
  *module = new Module{currentDevice(), {}};
  ++state.modules;
  return Success;
}
int cuModuleUnload(Module *module) {
  for (auto [name, function] : module->functions)
    delete function;
  delete module;
  --state.modules;
  return Success;
}
int cuModuleGetFunction(Function **function, Module *module, const char *name) {
  // The image names its kernels; that of a cubin is cut at its first NUL.
  bool isCubin = state.images.back().compare(0, 4,
                                             "\x7f"
                                             "ELF") == 0;
  if (!isCubin && state.images.back().find(name) == std::string::npos)
    return NotFound;
  *function = module->functions[name] = new Function{name, module};
  return Success;
}
#ifndef FAKE_CUDA_11
int cuFuncLoad(Function *) {
  note(__func__);
  return Success;
}
#endif
int cuFuncGetAttribute(int *value, int attribute, Function *) {
  *value = attribute == 0 ? state.maxThreads : state.staticShared;
  return Success;
}
int cuFuncSetAttribute(Function *function, int attribute, int value) {
  if (attribute != 8) // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    return InvalidValue;
  state.dynamicShared[function->name] = value;
  return Success;
}

int cuPointerGetAttributes(unsigned count, int *attributes, void **data,
                           unsigned long long address) {
  note(__func__);
  std::lock_guard<std::mutex> lock(mutex);
  auto range = memory.upper_bound(address);
  bool isKnown = range != memory.begin() &&
                 (--range, address < range->first + range->second.bytes);
  for (unsigned i = 0; i < count; ++i) {
    int value = attributes[i] == 2 && isKnown   ? 2 // CU_MEMORYTYPE_DEVICE
                : attributes[i] == 9 && isKnown ? range->second.device
                                                : 0;
    std::memcpy(data[i], &value, sizeof(value));
  }
  return Success;
}

int cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz,
                   unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **params, void **) {
  note(__func__);
  return record(function, {gx, gy, gz}, {bx, by, bz}, {1, 1, 1}, shared, stream,
                params);
}

struct LaunchAttribute {
  int id;
  char pad[4];
  unsigned cluster[16];
};
struct LaunchConfig {
  unsigned grid[3], block[3], shared;
  void *stream;
  LaunchAttribute *attributes;
  unsigned count;
};
int cuLaunchKernelEx(const LaunchConfig *config, Function *function,
                     void **params, void **) {
  note(__func__);
  if (config->count != 1 || config->attributes->id != 4)
    return InvalidValue;
  const unsigned *grid = config->grid, *block = config->block;
  const unsigned *cluster = config->attributes->cluster;
  return record(function, {grid[0], grid[1], grid[2]},
                {block[0], block[1], block[2]},
                {cluster[0], cluster[1], cluster[2]}, config->shared,
                config->stream, params);
}

#ifndef FAKE_CUDA_11
int cuTensorMapEncodeTiled(uint64_t *map, int dataType, unsigned rank,
                           void *address, const uint64_t *dims,
                           const uint64_t *strides, const unsigned *box,
                           const unsigned *elementStrides, int interleave,
                           int swizzle, int promotion, int fill) {
  note(__func__);
  std::lock_guard<std::mutex> lock(mutex);
  if (currentDevice() < 0) // A real driver wants a context here too.
    return InvalidContext;
  state.tensorMaps.push_back({dataType,
                              reinterpret_cast<uintptr_t>(address),
                              {dims, dims + rank},
                              {strides, strides + rank - 1},
                              {box, box + rank},
                              {elementStrides, elementStrides + rank},
                              {interleave, swizzle, promotion, fill}});
  std::fill(map, map + 16, uint64_t{0});
  map[0] = state.tensorMaps.size();
  return state.tensorMapResult;
}
#endif

int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  REFUSE_IN_CAPTURE
  void *block = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  *address = reinterpret_cast<uintptr_t>(block);
  std::lock_guard<std::mutex> lock(mutex);
  memory[*address] = {bytes, currentDevice()};
  return Success;
}
int cuMemFree_v2(unsigned long long address) {
  note(__func__);
  std::lock_guard<std::mutex> lock(mutex);
  if (!memory.erase(address))
    return InvalidValue;
  poisoned.erase(address);
  std::free(reinterpret_cast<void *>(address));
  return Success;
}
int cuMemsetD8_v2(unsigned long long address, unsigned char byte,
                  size_t bytes) {
  std::memset(reinterpret_cast<void *>(address), byte, bytes);
  std::lock_guard<std::mutex> lock(mutex);
  if (byte == 0xff)
    poisoned[address] = bytes;
  else
    poisoned.erase(address);
  return Success;
}
int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return Success;
}
int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return Success;
}

int cuStreamCreate(void **stream, unsigned) {
  *stream = new char;
  return Success;
}
int cuStreamSynchronize(void *) {
  REFUSE_IN_CAPTURE
  return Success;
}
int cuStreamDestroy_v2(void *stream) {
  delete static_cast<char *>(stream);
  return Success;
}
int cuEventCreate(void **event, unsigned) {
  *event = new char;
  return Success;
}
int cuEventRecord(void *, void *) { return Success; }
int cuEventSynchronize(void *) { return Success; }
int cuEventElapsedTime(float *milliseconds, void *, void *) {
  // Where kernels "run", what takes more shared memory takes longer.
  *milliseconds =
      std::getenv("FAKE_CUDA_ZERO") ? 1 + float(lastShared) / 1e6f : 1.5f;
  return Success;
}
int cuEventDestroy_v2(void *event) {
  delete static_cast<char *>(event);
  return Success;
}
int cuStreamBeginCapture_v2(void *, int) {
  capturing = true;
  return Success;
}
int cuStreamEndCapture(void *, Graph **graph) {
  capturing = false;
  *graph = new Graph;
  ++state.graphs;
  return Success;
}
int cuGraphInstantiateWithFlags(Graph **executable, Graph *graph,
                                unsigned long long) {
  note(__func__);
  if (state.graphFails)
    return InvalidValue;
  *executable = new Graph(*graph);
  ++state.graphs;
  return Success;
}
int cuGraphLaunch(Graph *executable, void *stream) {
  REFUSE_IN_CAPTURE
  std::lock_guard<std::mutex> lock(mutex);
  for (FakeLaunch launch : executable->kernels) {
    launch.stream = stream;
    if (int result = run(launch); result != Success)
      return result;
  }
  return Success;
}
int cuGraphExecDestroy(Graph *executable) {
  delete executable;
  --state.graphs;
  return Success;
}
int cuGraphDestroy(Graph *graph) {
  delete graph;
  --state.graphs;
  return Success;
}

#ifndef FAKE_CUDA_11
int cuStreamIsCapturing(void *, int *status) {
  note(__func__);
  *status = capturing;
  return Success;
}
int cuThreadExchangeStreamCaptureMode(int *mode) {
  note(__func__);
  std::swap(*mode, captureMode);
  return Success;
}
int cuGraphCreate(Graph **graph, unsigned) {
  note(__func__);
  *graph = new Graph;
  ++state.graphs;
  return Success;
}
struct KernelNode {
  Function *function;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
  void *kernel, *context;
};
static int setNode(Graph *graph, size_t index, const KernelNode *node) {
  std::lock_guard<std::mutex> lock(mutex);
  const unsigned *grid = node->grid, *block = node->block;
  return take(graph->kernels[index], node->function,
              {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]},
              {1, 1, 1}, node->shared, nullptr, node->params);
}
int cuGraphAddKernelNode_v2(Node **node, Graph *graph, Node *const *after,
                            size_t count, const KernelNode *kernel) {
  note(__func__);
  size_t index = graph->kernels.size();
  bool isChain =
      index == 0 ? count == 0 : count == 1 && (*after)->index + 1 == index;
  if (!isChain)
    return InvalidValue;
  *node = &nodes[index];
  graph->kernels.emplace_back();
  return setNode(graph, index, kernel);
}
int cuGraphExecKernelNodeSetParams_v2(Graph *executable, Node *node,
                                      const KernelNode *kernel) {
  note(__func__);
  return setNode(executable, node->index, kernel);
}
#endif

} // extern "C"
