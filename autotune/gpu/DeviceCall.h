//===- DeviceCall.h - Arguments and events on the device -------*- C++ -*-===//
#ifndef TDA_AUTOTUNE_GPU_DEVICECALL_H
#define TDA_AUTOTUNE_GPU_DEVICECALL_H

#include "tda/Host/Arguments.h"
#include "tda/Host/HostTensor.h"
#include "tda/device.h"

#include <memory>
#include <vector>

namespace tda::tune {

/// Device memory that is freed with this.
struct Buffer {
  void *data = nullptr;
  size_t bytes = 0;

  Buffer() = default;
  Buffer(const Buffer &) = delete;
  ~Buffer();
  tda_status create(size_t size);
};

/// The arguments of a call, with copies of the inputs in turn; the outputs are
/// the same in all copies.
struct Call {
  std::vector<std::vector<tda_argument>> copies;

  /// As many copies as together have `coldBytes`, at least one, and at most 32.
  tda_status create(const Problem &problem, const host::Lengths &lengths,
                    const std::vector<host::HostTensor> &inputs,
                    size_t coldBytes);
  /// Fills the outputs with NaN.
  tda_status poison();
  /// The first output.
  tda_status download(host::HostTensor &o);

private:
  tda_status add(const host::HostTensor &value,
                 std::vector<tda_argument> &arguments, bool upload);

  std::vector<std::unique_ptr<Buffer>> buffers;
  std::vector<Buffer *> outputs;
  host::HostTensor first; ///< Shape of the first output.
};

/// Captured launches.
struct Graph {
  tda_graph *graph = nullptr;
  Graph() = default;
  Graph(const Graph &) = delete;
  ~Graph() {
    if (graph)
      tda_graph_destroy(graph);
  }
};

/// Two events around a launch.
class EventPair {
public:
  EventPair() = default;
  EventPair(const EventPair &) = delete;
  ~EventPair();
  tda_status start(void *stream);
  tda_status stop(void *stream);
  tda_status elapsed(float &milliseconds);

private:
  void *events[2] = {nullptr, nullptr};
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_DEVICECALL_H
