//===- Launch.cpp - A checked call onto a stream --------------------------===//
//
// The path of every call: waits for no lock, no heap, no parsing, and no driver
// function that waits, allocates or is refused while a stream is captured; but
// where the program keeps graphs, see LaunchGraph.h, for a stream's first.
//
//===----------------------------------------------------------------------===//
#include "Program.h"

#include <algorithm>

using namespace tda;

/// Alignment of the workspace, bytes; what cuMemAlloc gives.
static constexpr uintptr_t WorkspaceAlignment = 256;

tda_status tda::paramValue(const ParamPlan &param, const Call &call,
                           const tda_argument *args, const void *workspace,
                           uint64_t &value) {
  const tda_argument &argument = args[param.argument];
  switch (param.kind) {
  case KernelParam::Kind::Pointer:
    value = reinterpret_cast<uintptr_t>(argument.data);
    return TDA_OK;
  case KernelParam::Kind::Length:
    value = call.lengths[static_cast<size_t>(param.symbol)];
    return TDA_OK;
  case KernelParam::Kind::Stride:
    // Only the index 0 exists along an axis of one element: any stride is
    // right, and 0 cannot lead out of the tensor.
    value = argument.shape[param.axis] > 1 ? argument.strides[param.axis] : 0;
    return TDA_OK;
  case KernelParam::Kind::Scalar:
    value = argument.scalar;
    return TDA_OK;
  case KernelParam::Kind::Workspace: {
    int64_t offset = 0;
    std::string error;
    if (!param.offset.evaluate(call.lengths, offset, error))
      return fail(TDA_ERROR_ARGUMENT, "offset into the workspace: {}", error);
    if (offset < 0 || offset > call.workspaceBytes)
      return fail(TDA_ERROR_ARGUMENT,
                  "offset {} into the workspace of {} bytes is outside it",
                  offset, call.workspaceBytes);
    value = reinterpret_cast<uintptr_t>(workspace) + offset;
    return TDA_OK;
  }
  case KernelParam::Kind::TensorMap:
    break; // Not 8 bytes: launchKernel passes the map itself.
  }
  return TDA_OK;
}

static tda_status checkWorkspace(const Call &call, const void *workspace,
                                 size_t bytes) {
  if (call.workspaceBytes == 0)
    return TDA_OK;
  auto needed = static_cast<size_t>(call.workspaceBytes);
  if (!workspace || bytes < needed)
    return fail(TDA_ERROR_WORKSPACE,
                "the workspace has {} bytes; this call needs {} "
                "(tda_workspace_bytes)",
                workspace ? bytes : 0, needed);
  auto address = reinterpret_cast<uintptr_t>(workspace);
  if (address % WorkspaceAlignment != 0)
    return fail(TDA_ERROR_WORKSPACE,
                "the workspace is at {:#x}; it must be aligned to {} bytes",
                address, WorkspaceAlignment);
  return TDA_OK;
}

/// The loaded device of the thread's current context. Without a context: the
/// one device that is loaded, whose context `scope` makes current.
static tda_status findDevice(const tda_program &program, ContextScope &scope,
                             const LoadedDevice *&found) {
  int count = program.loadedCount.load(std::memory_order_acquire);
  const std::string &name = program.manifest.name;
  if (count == 0)
    return fail(TDA_ERROR_NOT_LOADED,
                "'{}' is loaded on no device; call tda_load first", name);
  const Driver &driver = *program.loaded[0].driver;
  CUcontext current = nullptr;
  TDA_TRY(driverStatus(driver, driver.contextGet(&current), "cuCtxGetCurrent"));
  if (!current) {
    if (count > 1)
      return fail(TDA_ERROR_NOT_LOADED,
                  "'{}' is loaded on {} devices and the thread has no current "
                  "context that says which; make one current",
                  name, count);
    found = &program.loaded[0];
    return scope.push(driver, found->context);
  }
  for (int i = 0; i < count; ++i) {
    if (program.loaded[i].context == current) {
      found = &program.loaded[i];
      return TDA_OK;
    }
  }
  CUdevice device = 0;
  TDA_TRY(
      driverStatus(driver, driver.contextDevice(&device), "cuCtxGetDevice"));
  for (int i = 0; i < count; ++i)
    if (program.loaded[i].device == device)
      return fail(TDA_ERROR_NOT_LOADED,
                  "the thread's current context is not the primary context of "
                  "device {}, which is where '{}' is loaded",
                  program.loaded[i].ordinal, name);
  return fail(TDA_ERROR_NOT_LOADED,
              "'{}' is not loaded on device {}, that of the thread's current "
              "context; call tda_load(program, {})",
              name, device, device);
}

/// The device `ordinal`; `scope` makes its context current where another is.
static tda_status findOrdinal(const tda_program &program, int ordinal,
                              ContextScope &scope, const LoadedDevice *&found) {
  int count = program.loadedCount.load(std::memory_order_acquire);
  for (int i = 0; i < count; ++i) {
    found = &program.loaded[i];
    if (found->ordinal != ordinal)
      continue;
    CUcontext current = nullptr;
    TDA_TRY(driverStatus(*found->driver, found->driver->contextGet(&current),
                         "cuCtxGetCurrent"));
    return current == found->context
               ? TDA_OK
               : scope.push(*found->driver, found->context);
  }
  return fail(TDA_ERROR_NOT_LOADED,
              "'{}' is not loaded on device {}; call tda_load(program, {})",
              program.manifest.name, ordinal, ordinal);
}

/// Asks the driver whether `address` can be used on `device`.
static tda_status checkAddress(const LoadedDevice &device,
                               const std::string &name, const void *address) {
  unsigned type = 0;
  int managed = 0, ordinal = -1;
  int attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                      CU_POINTER_ATTRIBUTE_IS_MANAGED,
                      CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
  void *values[] = {&type, &managed, &ordinal};
  const Driver &driver = *device.driver;
  TDA_TRY(driverStatus(
      driver,
      driver.pointerAttributes(3, attributes, values,
                               reinterpret_cast<uintptr_t>(address)),
      "cuPointerGetAttributes"));
  if (managed || type == CU_MEMORYTYPE_HOST) // Pinned host memory.
    return TDA_OK;
  if (type != CU_MEMORYTYPE_DEVICE) {
    if (device.readsHostMemory)
      return TDA_OK;
    return fail(TDA_ERROR_ARGUMENT,
                "argument '{}': data {} is not memory that the GPU can use (a "
                "host address?)",
                name, address);
  }
  if (ordinal != device.ordinal)
    return fail(TDA_ERROR_ARGUMENT,
                "argument '{}': data {} is memory of device {}; the call runs "
                "on device {}",
                name, address, ordinal, device.ordinal);
  return TDA_OK;
}

static bool hasElements(const tda_argument &argument) {
  for (int i = 0; i < argument.rank; ++i)
    if (argument.shape[i] == 0)
      return false;
  return true;
}

static tda_status checkAddresses(const tda_program &program,
                                 const LoadedDevice &device, const Call &call,
                                 const tda_argument *args,
                                 const void *workspace) {
  for (size_t i = 0; i < program.manifest.arguments.size(); ++i)
    if (args[i].kind == TDA_TENSOR && hasElements(args[i]))
      TDA_TRY(checkAddress(device, program.manifest.arguments[i].name,
                           args[i].data));
  if (call.workspaceBytes == 0)
    return TDA_OK;
  return checkAddress(device, "workspace", workspace);
}

/// Blocks along x of a kernel whose grid has `x`: no more than its cap, whole
/// clusters.
static int64_t cappedBlocks(const ManifestKernel &kernel,
                            const LoadedDevice &device, int64_t x) {
  if (kernel.blocksPerSm == 0)
    return x;
  int64_t clusters =
      int64_t{kernel.blocksPerSm} * device.multiprocessors / kernel.cluster[0];
  return std::min(x, std::max<int64_t>(clusters, 1) * kernel.cluster[0]);
}

/// A kernel with the parameters of one call, which lie here; not to be moved.
struct PreparedKernel {
  const ManifestKernel *kernel;
  CUkernelNode node;
  uint64_t values[MaxParams];
  void *addresses[MaxParams];
};

/// Whether a kernel has nothing to do: an empty result.
static bool isEmpty(const std::array<int64_t, 3> &grid) {
  return std::find(grid.begin(), grid.end(), 0) != grid.end();
}

static bool isClustered(const ManifestKernel &kernel) {
  const auto &[x, y, z] = kernel.cluster;
  return x * y * z != 1;
}

static tda_status prepareKernel(const tda_program &program, size_t index,
                                const LoadedDevice &device, const Call &call,
                                const tda_argument *args, const void *workspace,
                                CUtensorMap *maps, PreparedKernel &prepared) {
  const ManifestKernel &kernel = program.manifest.kernels[index];
  const KernelPlan &plan = program.kernels[index];
  const auto &[items, y, z] = call.grids[index];
  const auto &[bx, by, bz] = kernel.block;
  prepared.kernel = &kernel;
  prepared.node = CUkernelNode{device.functions[index],
                               unsigned(cappedBlocks(kernel, device, items)),
                               unsigned(y),
                               unsigned(z),
                               unsigned(bx),
                               unsigned(by),
                               unsigned(bz),
                               unsigned(kernel.sharedBytes),
                               prepared.addresses,
                               nullptr,
                               nullptr,
                               nullptr};
  // The driver copies as many bytes as the parameter has from each address;
  // an i32 is the low half of its slot.
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  for (size_t i = 0; i < plan.params.size(); ++i) {
    if (plan.params[i].kind == KernelParam::Kind::TensorMap) {
      prepared.addresses[i] = &maps[plan.params[i].map];
      continue;
    }
    TDA_TRY(
        paramValue(plan.params[i], call, args, workspace, prepared.values[i]));
    prepared.addresses[i] = &prepared.values[i];
  }
  return TDA_OK;
}

static tda_status failLaunch(const std::string &what, CUresult result,
                             const LoadedDevice &device) {
  return fail(
      TDA_ERROR_DRIVER,
      "launching {} gave {}; either the stream is not one of device {}, "
      "or earlier work of the context failed",
      what, resultText(*device.driver, result), device.ordinal);
}

static tda_status launchKernel(const LoadedDevice &device,
                               const PreparedKernel &prepared,
                               CUstream stream) {
  const Driver &driver = *device.driver;
  const CUkernelNode &node = prepared.node;
  CUresult result;
  if (!isClustered(*prepared.kernel)) {
    result = driver.launchKernel(node.func, node.gridDimX, node.gridDimY,
                                 node.gridDimZ, node.blockDimX, node.blockDimY,
                                 node.blockDimZ, node.sharedMemBytes, stream,
                                 node.kernelParams, nullptr);
  } else {
    if (!driver.launchKernelEx)
      return fail(TDA_ERROR_UNSUPPORTED,
                  "kernel '{}' uses clusters; a driver of CUDA 11.8 or later "
                  "is needed",
                  prepared.kernel->entry);
    const auto &[x, y, z] = prepared.kernel->cluster;
    CUlaunchAttribute cluster{};
    cluster.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    cluster.value.clusterDim = {unsigned(x), unsigned(y), unsigned(z)};
    CUlaunchConfig config{node.gridDimX,
                          node.gridDimY,
                          node.gridDimZ,
                          node.blockDimX,
                          node.blockDimY,
                          node.blockDimZ,
                          node.sharedMemBytes,
                          stream,
                          &cluster,
                          1};
    result =
        driver.launchKernelEx(&config, node.func, node.kernelParams, nullptr);
  }
  if (result == CUDA_SUCCESS)
    return TDA_OK;
  return failLaunch(fmt::format("kernel '{}'", prepared.kernel->entry), result,
                    device);
}

/// Whether each call of the program can be one launch of a graph: cuGraph knows
/// no empty kernels, and clusters another way.
static bool fitsGraph(const tda_program &program, const Call &call) {
  for (size_t i = 0; i < program.kernels.size(); ++i)
    if (isClustered(program.manifest.kernels[i]) || isEmpty(call.grids[i]))
      return false;
  return true;
}

/// Launches all kernels of a call whose workspace is known, through `graph`
/// where that is not NULL; `refused`, and nothing launched, where it cannot.
static tda_status launchIn(const tda_program &program,
                           const LoadedDevice &device, const Call &call,
                           const tda_argument *args, const void *workspace,
                           LaunchGraph *graph, CUstream stream, bool &refused) {
  refused = false;
  const Driver &driver = *device.driver;
  size_t count = program.kernels.size();
  CUtensorMap maps[MaxTensorMaps];
  TDA_TRY(encodeTensorMaps(program, driver, call, args, workspace, maps));
  PreparedKernel prepared[MaxKernels];
  for (size_t i = 0; i < count; ++i)
    TDA_TRY(prepareKernel(program, i, device, call, args, workspace, maps,
                          prepared[i]));
  if (!graph) {
    for (size_t i = 0; i < count; ++i)
      if (!isEmpty(call.grids[i]))
        TDA_TRY(launchKernel(device, prepared[i], stream));
    return TDA_OK;
  }
  CUkernelNode nodes[MaxKernels];
  for (size_t i = 0; i < count; ++i)
    nodes[i] = prepared[i].node;
  CUresult result = CUDA_SUCCESS;
  refused = !graph->launch(driver, nodes, count, result);
  if (refused || result == CUDA_SUCCESS)
    return TDA_OK;
  return failLaunch(fmt::format("the kernels of '{}'", program.manifest.name),
                    result, device);
}

/// `ordinal` < 0: the device of the thread's current context. `allocate`,
/// where it is not NULL, gives the workspace.
static tda_status launch(const tda_program *program, int ordinal,
                         const tda_argument *args, size_t nargs,
                         void *workspace, size_t workspaceBytes,
                         tda_allocate allocate, void *user, void *stream) {
  Call call;
  TDA_TRY(checkCall(program, args, nargs, DataCheck::Required, call));
  ContextScope scope;
  const LoadedDevice *device = nullptr;
  TDA_TRY(ordinal < 0 ? findDevice(*program, scope, device)
                      : findOrdinal(*program, ordinal, scope, device));
  const Driver &driver = *device->driver;
  auto cuStream = static_cast<CUstream>(stream);
  bool keeps = program->keepGraphs.load(std::memory_order_relaxed) &&
               fitsGraph(*program, call);
  bool allocates = allocate && call.workspaceBytes > 0;
  bool checksPointers = program->checkPointers.load(std::memory_order_relaxed);
  bool refused = false;

  // With the workspace of the graph, which only its launches may use.
  if (keeps && allocates &&
      size_t(call.workspaceBytes) <= LaunchGraph::WorkspaceBytes) {
    std::unique_lock<std::mutex> lock;
    LaunchGraph *graph = device->graphs->take(driver, cuStream, lock);
    void *kept = graph ? graph->getWorkspace(driver) : nullptr;
    // Tried again below where only the workspace was missing.
    keeps = graph && !kept;
    if (kept) {
      if (checksPointers)
        TDA_TRY(checkAddresses(*program, *device, call, args, kept));
      TDA_TRY(launchIn(*program, *device, call, args, kept, graph, cuStream,
                       refused));
      if (!refused)
        return TDA_OK;
    }
  }

  // `allocate` may do anything, even launch: it is called without the lock.
  if (allocates) {
    workspaceBytes = static_cast<size_t>(call.workspaceBytes);
    workspace = allocate(user, workspaceBytes);
  }
  TDA_TRY(checkWorkspace(call, workspace, workspaceBytes));
  if (checksPointers)
    TDA_TRY(checkAddresses(*program, *device, call, args, workspace));
  if (keeps) {
    std::unique_lock<std::mutex> lock;
    if (LaunchGraph *graph = device->graphs->take(driver, cuStream, lock)) {
      TDA_TRY(launchIn(*program, *device, call, args, workspace, graph,
                       cuStream, refused));
      if (!refused)
        return TDA_OK;
    }
  }
  return launchIn(*program, *device, call, args, workspace, nullptr, cuStream,
                  refused);
}

tda_status tda_launch(const tda_program *program, const tda_argument *args,
                      size_t nargs, void *workspace, size_t workspace_bytes,
                      void *stream) {
  return guarded([&] {
    return launch(program, -1, args, nargs, workspace, workspace_bytes, nullptr,
                  nullptr, stream);
  });
}

tda_status tda_launch_on(const tda_program *program, int device,
                         const tda_argument *args, size_t nargs,
                         void *workspace, size_t workspace_bytes,
                         void *stream) {
  return guarded([&]() -> tda_status {
    if (device < 0)
      return fail(TDA_ERROR_USE, "tda_launch_on: device {} is negative",
                  device);
    return launch(program, device, args, nargs, workspace, workspace_bytes,
                  nullptr, nullptr, stream);
  });
}

tda_status tda_launch_with(const tda_program *program, int device,
                           const tda_argument *args, size_t nargs,
                           tda_allocate allocate, void *user, void *stream) {
  return guarded([&]() -> tda_status {
    if (device < 0 || !allocate)
      return fail(TDA_ERROR_USE,
                  "tda_launch_with: device {} is negative, or `allocate` NULL",
                  device);
    return launch(program, device, args, nargs, nullptr, 0, allocate, user,
                  stream);
  });
}
