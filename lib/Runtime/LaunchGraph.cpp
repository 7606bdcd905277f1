//===- LaunchGraph.cpp - The kernels of a call as one CUDA graph ----------===//
#include "LaunchGraph.h"

using namespace tda;

/// Makes `graph` a chain of `kernels` and instantiates it; false on failure.
static bool build(const Driver &driver, const CUkernelNode *kernels,
                  size_t count, CUgraph &graph, CUgraphExec &executable,
                  CUgraphNode *nodes) {
  if (driver.graphCreate(&graph, 0) != CUDA_SUCCESS)
    return false;
  for (size_t i = 0; i < count; ++i)
    if (driver.graphAddKernel(&nodes[i], graph, i ? &nodes[i - 1] : nullptr,
                              i ? 1 : 0, &kernels[i]) != CUDA_SUCCESS)
      return false;
  return driver.graphInstantiate(&executable, graph, 0) == CUDA_SUCCESS;
}

/// The graph of `stream`, made where there is room for one more.
LaunchGraphs::Graph *LaunchGraphs::find(const Driver &driver,
                                        const CUkernelNode *kernels,
                                        size_t count, CUstream stream) {
  for (Graph &graph : graphs)
    if (graph.stream == stream)
      return &graph;
  if (graphs.size() == MaxStreams)
    return nullptr;
  graphs.reserve(MaxStreams);
  Graph &made = graphs.emplace_back();
  made.stream = stream;
  // Making a graph allocates, which would break a capture in another thread
  // that forbids this to all.
  int mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  if (driver.captureModeExchange(&mode) != CUDA_SUCCESS)
    return &made;
  if (!build(driver, kernels, count, made.graph, made.executable,
             made.nodes.data()))
    made.executable = nullptr;
  driver.captureModeExchange(&mode);
  return &made;
}

LaunchGraphs::Outcome LaunchGraphs::launch(const Driver &driver,
                                           const CUkernelNode *kernels,
                                           size_t count, CUstream stream,
                                           CUresult &result) {
  // Symbols of CUDA 12 come together.
  if (!driver.graphExecSetKernel || !driver.streamIsCapturing)
    return Outcome::None;
  int status = 0;
  if (driver.streamIsCapturing(stream, &status) != CUDA_SUCCESS ||
      status != CU_STREAM_CAPTURE_STATUS_NONE)
    return Outcome::None;
  std::unique_lock<std::mutex> lock(mutex, std::try_to_lock);
  if (!lock)
    return Outcome::None;
  Graph *graph = find(driver, kernels, count, stream);
  if (!graph || !graph->executable)
    return Outcome::None;
  for (size_t i = 0; i < count; ++i)
    if (driver.graphExecSetKernel(graph->executable, graph->nodes[i],
                                  &kernels[i]) != CUDA_SUCCESS)
      return Outcome::None;
  result = driver.graphLaunch(graph->executable, stream);
  return result == CUDA_SUCCESS ? Outcome::Launched : Outcome::Failed;
}

void LaunchGraphs::destroy(const Driver &driver) {
  for (Graph &graph : graphs) {
    if (graph.executable)
      driver.graphExecDestroy(graph.executable);
    if (graph.graph)
      driver.graphDestroy(graph.graph);
  }
  graphs.clear();
}
