//===- Inputs.cpp - Arguments from files, or from a seed ------------------===//
#include "Program.h"
#include "tda/Host/Npy.h"

#include <fmt/format.h>

using namespace tda;
using host::HostTensor;

static std::string listOf(const std::vector<host::ArgumentSpec> &specs) {
  std::string text = "the arguments are, in order:\n";
  for (const host::ArgumentSpec &spec : specs)
    text += fmt::format("  {}: {} {}\n", spec.name, dtypeName(spec.dtype),
                        host::shapeText(spec));
  return text;
}

static bool readFiles(const Program &program,
                      const std::vector<std::string> &paths,
                      std::vector<HostTensor> &inputs, std::string &error) {
  if (paths.size() != program.inputs.size()) {
    error = fmt::format("--args names {} files, but the function takes {}; {}",
                        paths.size(), program.inputs.size(),
                        listOf(program.inputs));
    return false;
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    inputs.emplace_back();
    const host::ArgumentSpec &spec = program.inputs[i];
    if (!host::readNpy(paths[i], inputs.back(), error, spec.dtype)) {
      error = fmt::format("argument '{}': {}", spec.name, error);
      return false;
    }
  }
  return true;
}

/// The lengths from --shape, or as the function's types fix them.
static bool findLengths(const Signature &signature, const Options &options,
                        host::Lengths &lengths, std::string &error) {
  for (int i = 0; i < NumLengths; ++i) {
    auto length = Length(i);
    auto given = options.shape.find(length);
    auto fixed = signature.fixed.find(length);
    if (given == options.shape.end() && fixed == signature.fixed.end()) {
      error = fmt::format("--random needs the length {}: --shape "
                          "B=..,H=..,N=.. gives all of them",
                          lengthName(length));
      return false;
    }
    lengthOf(lengths, length) =
        given != options.shape.end() ? given->second : fixed->second;
  }
  error = host::checkLengths(lengths);
  return error.empty();
}

/// Tensors of more elements than this would not be made by intent.
static constexpr int64_t kMaxElements = int64_t(1) << 34;

static bool makeRandom(const Program &program, const Options &options,
                       std::vector<HostTensor> &inputs, std::string &error) {
  if (!program.signature) {
    error = "--random needs one attention, or stages that fuse into one; "
            "pass --args\n" +
            program.remarks;
    return false;
  }
  const Signature &signature = *program.signature;
  host::Lengths lengths;
  if (!findLengths(signature, options, lengths, error))
    return false;
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(signature.problem);
  for (const host::ArgumentSpec &spec : specs) {
    int64_t count;
    if (!host::checkedNumElements(concreteShape(spec, lengths),
                                  dtypeSize(spec.dtype), count) ||
        count > kMaxElements) {
      error = fmt::format("--shape makes '{}' too large", spec.name);
      return false;
    }
  }
  const Problem &problem = signature.problem;
  const char *unused = options.random.kappa && !problem.kappaOperand ? "kappa"
                       : options.random.offset && !problem.offsetOperand
                           ? "offset"
                       : options.random.lambda && problem.views == 1 ? "lambda"
                                                                     : nullptr;
  if (unused) {
    error = fmt::format("--{}: the function has no operand {}", unused, unused);
    return false;
  }
  std::vector<HostTensor> operands = host::randomInputs(
      signature.problem, lengths, *options.seed, options.random);
  inputs.resize(program.inputs.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    int argument = signature.operands[i].argument;
    if (argument >= 0 && inputs[argument].data.empty())
      inputs[argument] = std::move(operands[i]);
  }
  return true;
}

bool tda::readInputs(const Program &program, const Options &options,
                     std::vector<HostTensor> &inputs, std::string &error) {
  return options.seed ? makeRandom(program, options, inputs, error)
                      : readFiles(program, options.args, inputs, error);
}
