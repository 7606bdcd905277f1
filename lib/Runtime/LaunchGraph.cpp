//===- LaunchGraph.cpp - The kernels of a call as one CUDA graph ----------===//
#include "LaunchGraph.h"

using namespace tda;

namespace {

/// What allocates would break a capture in another thread that forbids this to
/// all threads; in this scope it does not.
class RelaxedCapture {
public:
  explicit RelaxedCapture(const Driver &driver) : driver(driver) {
    isSet = driver.captureModeExchange(&mode) == CUDA_SUCCESS;
  }
  ~RelaxedCapture() {
    if (isSet)
      driver.captureModeExchange(&mode);
  }
  bool isSet;

private:
  const Driver &driver;
  int mode = CU_STREAM_CAPTURE_MODE_RELAXED;
};

} // namespace

/// A chain of `kernels`, instantiated; false on failure.
bool LaunchGraph::build(const Driver &driver, const CUkernelNode *kernels,
                        size_t count) {
  isBuilt = true;
  RelaxedCapture relaxed(driver);
  if (!relaxed.isSet || driver.graphCreate(&graph, 0) != CUDA_SUCCESS)
    return false;
  for (size_t i = 0; i < count; ++i)
    if (driver.graphAddKernel(&nodes[i], graph, i ? &nodes[i - 1] : nullptr,
                              i ? 1 : 0, &kernels[i]) != CUDA_SUCCESS)
      return false;
  if (driver.graphInstantiate(&executable, graph, 0) == CUDA_SUCCESS)
    return true;
  executable = nullptr;
  return false;
}

bool LaunchGraph::launch(const Driver &driver, const CUkernelNode *kernels,
                         size_t count, CUresult &result) {
  if (!isBuilt)
    build(driver, kernels, count);
  if (!executable)
    return false;
  for (size_t i = 0; i < count; ++i)
    if (driver.graphExecSetKernel(executable, nodes[i], &kernels[i]) !=
        CUDA_SUCCESS)
      return false;
  result = driver.graphLaunch(executable, stream);
  return true;
}

void *LaunchGraph::getWorkspace(const Driver &driver) {
  if (!hasAskedForWorkspace) {
    hasAskedForWorkspace = true;
    RelaxedCapture relaxed(driver);
    if (!relaxed.isSet ||
        driver.memAlloc(&workspace, WorkspaceBytes) != CUDA_SUCCESS)
      workspace = 0;
  }
  return reinterpret_cast<void *>(static_cast<uintptr_t>(workspace));
}

void LaunchGraph::destroy(const Driver &driver) {
  if (executable)
    driver.graphExecDestroy(executable);
  if (graph)
    driver.graphDestroy(graph);
  if (workspace)
    driver.memFree(workspace);
}

LaunchGraph *LaunchGraphs::take(const Driver &driver, CUstream stream,
                                std::unique_lock<std::mutex> &lock) {
  // Symbols of CUDA 12 come together.
  if (!driver.graphExecSetKernel || !driver.streamIsCapturing ||
      stream == CU_STREAM_PER_THREAD)
    return nullptr;
  int status = 0;
  if (driver.streamIsCapturing(stream, &status) != CUDA_SUCCESS ||
      status != CU_STREAM_CAPTURE_STATUS_NONE)
    return nullptr;
  lock = std::unique_lock<std::mutex>(mutex, std::try_to_lock);
  if (!lock)
    return nullptr;
  for (LaunchGraph &graph : graphs)
    if (graph.stream == stream)
      return &graph;
  if (graphs.size() == MaxStreams)
    return nullptr;
  graphs.reserve(MaxStreams);
  graphs.emplace_back().stream = stream;
  return &graphs.back();
}

void LaunchGraphs::destroy(const Driver &driver) {
  if (graphs.empty())
    return;
  RelaxedCapture relaxed(driver);
  for (LaunchGraph &graph : graphs)
    graph.destroy(driver);
  graphs.clear();
}
