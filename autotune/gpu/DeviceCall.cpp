//===- DeviceCall.cpp - Arguments and events on the device ----------------===//
#include "autotune/gpu/DeviceCall.h"

#include <algorithm>

using namespace tda;
using namespace tda::tune;
using host::HostTensor;

/// Returns from a function of tda_status at the first failure.
#define TRY(call)                                                              \
  if (tda_status status = (call); status != TDA_OK)                            \
  return status

Buffer::~Buffer() {
  if (data)
    tda_device_free(data);
}

tda_status Buffer::create(size_t size) {
  bytes = size;
  return tda_device_alloc(size, &data);
}

tda_status Call::add(const HostTensor &value,
                     std::vector<tda_argument> &arguments, bool upload) {
  if (value.dtype == DType::I64) {
    arguments.push_back(tda_scalar(int64_t(value.at(0))));
    return TDA_OK;
  }
  buffers.push_back(std::make_unique<Buffer>());
  Buffer &buffer = *buffers.back();
  TRY(buffer.create(value.data.size()));
  if (upload && buffer.data)
    TRY(tda_device_upload(buffer.data, value.data.data(), value.data.size()));
  auto dtype = tda_dtype(TDA_F32 + int(value.dtype));
  arguments.push_back(tda_tensor(dtype, buffer.data, int(value.shape.size()),
                                 value.shape.data()));
  return TDA_OK;
}

tda_status Call::create(const Problem &problem, const host::Lengths &lengths,
                        const std::vector<HostTensor> &inputs,
                        size_t coldBytes) {
  size_t bytes = 1;
  for (const HostTensor &input : inputs)
    bytes += input.data.size();
  size_t count = std::clamp<size_t>(coldBytes / bytes + (coldBytes > 0), 1, 32);
  for (size_t i = 0; i < count; ++i) {
    std::vector<tda_argument> &arguments = copies.emplace_back();
    for (const HostTensor &input : inputs)
      TRY(add(input, arguments, true));
  }
  for (const host::ArgumentSpec &spec : host::outputSpecs(problem)) {
    HostTensor value =
        HostTensor::zeros(spec.dtype, host::concreteShape(spec, lengths));
    std::vector<tda_argument> arguments;
    TRY(add(value, arguments, false));
    outputs.push_back(buffers.back().get());
    for (std::vector<tda_argument> &copy : copies)
      copy.push_back(arguments[0]);
    if (outputs.size() == 1)
      first = std::move(value);
  }
  return TDA_OK;
}

tda_status Call::poison() {
  for (Buffer *output : outputs)
    if (output->data)
      TRY(tda_device_fill(output->data, 0xff, output->bytes));
  return TDA_OK;
}

tda_status Call::download(HostTensor &o) {
  if (o.dtype != first.dtype || o.shape != first.shape)
    o = first;
  if (!outputs[0]->data)
    return TDA_OK;
  return tda_device_download(o.data.data(), outputs[0]->data, o.data.size());
}

EventPair::~EventPair() {
  for (void *event : events)
    if (event)
      tda_event_destroy(event);
}

tda_status EventPair::start(void *stream) {
  for (void *&event : events)
    if (!event)
      TRY(tda_event_create(&event));
  return tda_event_record(events[0], stream);
}
tda_status EventPair::stop(void *stream) {
  return tda_event_record(events[1], stream);
}
tda_status EventPair::elapsed(float &milliseconds) {
  return tda_event_elapsed(events[0], events[1], &milliseconds);
}
