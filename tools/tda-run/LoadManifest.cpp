//===- LoadManifest.cpp - A compiled kernel to a program ------------------===//
#include "Program.h"
#include "tda/Host/Reference.h"

#include <string_view>

using namespace tda;
using host::HostTensor;

bool Program::makeOutputs(const Tensors &given,
                          std::vector<HostTensor> &outputs,
                          std::string &error) {
  host::Lengths lengths;
  if (!signature->bind(given, lengths, error))
    return false;
  for (const host::ArgumentSpec &spec : signature->outputs) {
    std::vector<int64_t> shape = concreteShape(spec, lengths);
    int64_t count;
    if (!host::checkedNumElements(shape, dtypeSize(spec.dtype), count)) {
      error = "result '" + spec.name + "' of shape " + host::shapeText(shape) +
              " is too large";
      return false;
    }
    outputs.push_back(HostTensor::zeros(spec.dtype, shape));
  }
  return true;
}

bool tda::isManifest(const std::string &path) {
  constexpr std::string_view suffix = ".json";
  return path.size() >= suffix.size() &&
         path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::unique_ptr<Program> tda::loadManifest(const Options &options,
                                           std::string &messages) {
  if (!options.gpu)
    messages += "error: '" + *options.file +
                "' is a kernel for a GPU; for "
                "--target cpu pass the .mlir that it was compiled from\n";
  else if (options.schedule || options.noSkip || options.function)
    messages += "error: --schedule, --no-skip and --function choose what is "
                "compiled; '" +
                *options.file + "' is compiled already\n";
  else
    return openFile(*options.file, options.device, messages);
  return nullptr;
}
