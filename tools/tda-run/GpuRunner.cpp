//===- GpuRunner.cpp - Run a compiled kernel through libtda_runtime -------===//
#include "Program.h"
#include "tda/device.h"

#include <fmt/format.h>
#include <utility>

using namespace tda;
using host::HostTensor;

namespace {

/// Device memory that is freed with this.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept : data(std::exchange(other.data, nullptr)) {}
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(data, other.data);
    return *this;
  }
  ~Buffer() {
    if (data)
      tda_device_free(data);
  }
  void *data = nullptr;
};

class GpuRunner : public Program {
public:
  ~GpuRunner() override {
    for (void *event : {start, stop})
      if (event)
        tda_event_destroy(event);
    if (stream)
      tda_stream_destroy(stream);
    buffers.clear();
    tda_close(program);
  }

  bool open(tda_program *opened, int device, std::string &messages);
  bool run(const Tensors &given, std::vector<HostTensor> &outputs,
           std::string &error) override;
  bool time(const Tensors &given, std::vector<HostTensor> &outputs,
            double &milliseconds, std::string &error) override;

private:
  tda_status upload(const HostTensor &tensor);
  tda_status runOnce(const Tensors &given, std::vector<HostTensor> &outputs);
  tda_status launch() {
    return tda_launch(program, arguments.data(), arguments.size(),
                      workspace.data, workspaceBytes, stream);
  }

  tda_program *program = nullptr;
  void *stream = nullptr, *start = nullptr, *stop = nullptr;
  std::vector<tda_argument> arguments;
  std::vector<Buffer> buffers;
  Buffer workspace;
  size_t workspaceBytes = 0;
};

} // namespace

/// Returns from a function of tda_status at the first failure.
#define TRY(call)                                                              \
  if (tda_status status = (call); status != TDA_OK)                            \
  return status

bool GpuRunner::open(tda_program *opened, int device, std::string &messages) {
  program = opened;
  auto prepare = [&]() -> tda_status {
    TRY(tda_device_use(device));
    TRY(tda_load(program, device));
    TRY(tda_stream_create(&stream));
    TRY(tda_event_create(&start));
    return tda_event_create(&stop);
  };
  if (prepare() != TDA_OK) {
    messages += fmt::format("error: --target gpu: {}\n", tda_last_error());
    return false;
  }
  Manifest manifest;
  std::string error;
  if (!parseManifest(tda_manifest(program), manifest, error)) {
    messages += "error: " + error + "\n";
    return false;
  }
  signature = signatureOf(manifest);
  inputs = signature->inputs;
  contract = manifest.numerics.relativeError;
  return true;
}

tda_status GpuRunner::upload(const HostTensor &tensor) {
  if (tensor.dtype == DType::I64) {
    arguments.push_back(tda_scalar(int64_t(tensor.at(0))));
    return TDA_OK;
  }
  Buffer &buffer = buffers.emplace_back();
  TRY(tda_device_alloc(tensor.data.size(), &buffer.data));
  if (buffer.data)
    TRY(tda_device_upload(buffer.data, tensor.data.data(), tensor.data.size()));
  auto dtype = tda_dtype(TDA_F32 + int(tensor.dtype));
  arguments.push_back(
      tda_tensor(dtype, buffer.data, tensor.shape.size(), tensor.shape.data()));
  return TDA_OK;
}

tda_status GpuRunner::runOnce(const Tensors &given,
                              std::vector<HostTensor> &outputs) {
  arguments.clear();
  buffers.clear();
  for (const HostTensor *input : given)
    TRY(upload(*input));
  size_t firstOutput = arguments.size();
  for (const HostTensor &output : outputs) // With what poisons them.
    TRY(upload(output));
  TRY(tda_workspace_bytes(program, arguments.data(), arguments.size(),
                          &workspaceBytes));
  workspace = Buffer();
  TRY(tda_device_alloc(workspaceBytes, &workspace.data));
  TRY(launch());
  TRY(tda_stream_synchronize(stream));
  for (size_t i = 0; i < outputs.size(); ++i)
    if (void *data = arguments[firstOutput + i].data)
      TRY(tda_device_download(outputs[i].data.data(), data,
                              outputs[i].data.size()));
  return TDA_OK;
}

bool GpuRunner::run(const Tensors &given, std::vector<HostTensor> &outputs,
                    std::string &error) {
  if (runOnce(given, outputs) == TDA_OK)
    return true;
  error = tda_last_error();
  return false;
}

bool GpuRunner::time(const Tensors &, std::vector<HostTensor> &,
                     double &milliseconds, std::string &error) {
  float elapsed = 0;
  auto measure = [&]() -> tda_status {
    TRY(tda_event_record(start, stream));
    TRY(launch());
    TRY(tda_event_record(stop, stream));
    return tda_event_elapsed(start, stop, &elapsed);
  };
  if (measure() != TDA_OK) {
    error = tda_last_error();
    return false;
  }
  milliseconds = elapsed;
  return true;
}

/// `status` is of the call that opened `opened`.
static std::unique_ptr<Program> makeRunner(tda_status status,
                                           tda_program *opened, int device,
                                           std::string &messages) {
  if (status != TDA_OK) {
    messages += fmt::format("error: {}\n", tda_last_error());
    return nullptr;
  }
  auto runner = std::make_unique<GpuRunner>();
  return runner->open(opened, device, messages) ? std::move(runner) : nullptr;
}

std::unique_ptr<Program> tda::openFile(const std::string &path, int device,
                                       std::string &messages) {
  tda_program *opened = nullptr;
  tda_status status = tda_open(path.c_str(), &opened);
  return makeRunner(status, opened, device, messages);
}

std::unique_ptr<Program> tda::openMemory(const Manifest &manifest,
                                         const std::string &ptx, int device,
                                         std::string &messages) {
  tda_program *opened = nullptr;
  std::string text = printManifest(manifest);
  tda_status status = tda_open_memory(text.data(), text.size(), ptx.data(),
                                      ptx.size(), &opened);
  return makeRunner(status, opened, device, messages);
}
