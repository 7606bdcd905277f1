//===- DeviceCall.cpp - A kernel and the arguments of a call --------------===//
#include "DeviceCall.h"

#include "tda/device.h"

#include <cstring>
#include <fmt/format.h>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

static bool good(tda_status status, std::string &error) {
  if (status == TDA_OK)
    return true;
  error = fmt::format("{}: {}", tda_status_name(status), tda_last_error());
  return false;
}

bool Program::open(const std::string &path, int device, std::string &error) {
  tda_program *opened = nullptr;
  if (!good(tda_open(path.c_str(), &opened), error))
    return false;
  program.reset(opened);
  return parseManifest(tda_manifest(opened), manifest, error) &&
         good(tda_load(opened, device), error);
}

Stream::~Stream() {
  if (stream)
    tda_stream_destroy(stream);
}
bool Stream::create(std::string &error) {
  return good(tda_stream_create(&stream), error);
}
bool Stream::synchronize(std::string &error) {
  return good(tda_stream_synchronize(stream), error);
}

const char *tda::gputest::callLayoutName(int layout) {
  static const char *const names[] = {"BHND", "BNHD", "padded", "mixed"};
  return names[layout];
}

bool DeviceCall::create(const Manifest &newManifest,
                        const host::Lengths &lengths,
                        const std::vector<HostTensor> &inputs, int layout,
                        size_t guardBytes, std::string &error) {
  manifest = &newManifest;
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(manifest->problem);
  for (host::ArgumentSpec &spec : host::outputSpecs(manifest->problem))
    specs.push_back(std::move(spec));
  for (size_t i = 0; i < manifest->arguments.size(); ++i) {
    const ManifestArgument &wanted = manifest->arguments[i];
    if (i >= specs.size() || specs[i].name != wanted.name) {
      error =
          fmt::format("argument {} of '{}' is '{}', not that of its problem", i,
                      manifest->name, wanted.name);
      return false;
    }
    tensors.emplace_back();
    scalars.push_back(0);
    if (wanted.kind == ManifestArgument::Kind::Scalar) {
      std::memcpy(&scalars[i], inputs[i].data.data(), sizeof(int64_t));
      continue;
    }
    HostTensor value =
        wanted.output
            ? HostTensor::zeros(specs[i].dtype,
                                host::concreteShape(specs[i], lengths))
            : inputs[i];
    auto own =
        static_cast<Layout>(layout < NumLayouts ? layout : int(i % NumLayouts));
    if (!tensors[i].create(wanted, value, own, guardBytes, error))
      return false;
  }
  return true;
}

std::vector<tda_argument> DeviceCall::arguments() const {
  std::vector<tda_argument> arguments;
  for (size_t i = 0; i < tensors.size(); ++i)
    arguments.push_back(manifest->arguments[i].kind ==
                                ManifestArgument::Kind::Scalar
                            ? tda_scalar(scalars[i])
                            : tensors[i].argument());
  return arguments;
}

bool DeviceCall::poison(std::string &error) {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (manifest->arguments[i].output && !tensors[i].restore(error))
      return false;
  return workspace.poison(error);
}

bool DeviceCall::assign(size_t index, const HostTensor &value,
                        std::string &error) {
  return tensors[index].assign(value, error);
}

bool DeviceCall::launch(const Program &program, void *stream,
                        std::string &error) {
  std::vector<tda_argument> args = arguments();
  size_t bytes = 0;
  if (!good(
          tda_workspace_bytes(program.get(), args.data(), args.size(), &bytes),
          error))
    return false;
  // Enough for all launches so far: that of a twin may need more.
  return workspace.reserve(bytes, error) &&
         good(tda_launch(program.get(), args.data(), args.size(),
                         bytes ? workspace.data() : nullptr, bytes, stream),
              error);
}

bool DeviceCall::collect(std::vector<HostTensor> &outputs, std::string &error) {
  if (!good(tda_device_synchronize(), error) || !workspace.check(error))
    return false;
  outputs.clear();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (manifest->arguments[i].kind == ManifestArgument::Kind::Scalar)
      continue;
    HostTensor value;
    if (!tensors[i].collect(value, error))
      return false;
    if (manifest->arguments[i].output)
      outputs.push_back(std::move(value));
  }
  return true;
}

bool DeviceCall::takeBytes(std::vector<std::vector<uint8_t>> &outputs,
                           std::string &error) {
  if (!good(tda_device_synchronize(), error))
    return false;
  outputs.clear();
  for (size_t i = 0; i < tensors.size(); ++i)
    if (manifest->arguments[i].output) {
      outputs.emplace_back();
      if (!tensors[i].download(outputs.back(), error))
        return false;
    }
  return true;
}

bool DeviceCall::run(const Program &program, void *stream,
                     std::vector<HostTensor> &outputs, std::string &error) {
  return poison(error) && launch(program, stream, error) &&
         collect(outputs, error);
}
