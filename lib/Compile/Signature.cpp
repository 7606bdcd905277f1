//===- Signature.cpp - Arguments of a call by name ------------------------===//
#include "tda/Signature.h"

using namespace tda;
using host::HostTensor;

int64_t &tda::lengthOf(host::Lengths &lengths, Length length) {
  switch (length) {
  case Length::B:
    return lengths.B;
  case Length::Hq:
    return lengths.Hq;
  case Length::Hkv:
    return lengths.Hkv;
  case Length::Nq:
    return lengths.Nq;
  case Length::Nk:
    return lengths.Nk;
  }
  return lengths.B;
}

std::string Signature::describeInputs() const {
  std::string text;
  for (const host::ArgumentSpec &spec : inputs)
    text += "  " + spec.name + ": " + dtypeName(spec.dtype) + " " +
            host::shapeText(spec) + "\n";
  return text;
}

bool Signature::bind(const std::vector<const HostTensor *> &arguments,
                     host::Lengths &lengths, std::string &error) const {
  bool fits = host::bindLengths(inputs, arguments, lengths, error);
  for (auto [length, value] : fixed) {
    if (!fits || lengthOf(lengths, length) == value)
      continue;
    error = std::string(lengthName(length)) + " = " +
            std::to_string(lengthOf(lengths, length)) +
            ", but the function's types fix it to " + std::to_string(value);
    fits = false;
  }
  if (!fits)
    error += "\nthe arguments are, in order:\n" + describeInputs();
  return fits;
}

bool Signature::operandsOf(const std::vector<const HostTensor *> &arguments,
                           std::vector<const HostTensor *> &result,
                           std::string &error) const {
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(problem);
  result.clear();
  for (size_t i = 0; i < operands.size(); ++i) {
    const OperandSource &source = operands[i];
    if (source.argument >= 0) {
      result.push_back(arguments[source.argument]);
    } else if (source.constant) {
      result.push_back(&*source.constant);
    } else {
      error = "'" + specs[i].name +
              "' is a constant inside the compiled function, and its manifest "
              "does not say which; pass the .mlir instead";
      return false;
    }
  }
  return true;
}

static host::ArgumentSpec specOf(const ManifestArgument &argument) {
  host::ArgumentSpec spec{argument.name, argument.dtype, {}};
  for (const ManifestAxis &axis : argument.shape)
    spec.shape.push_back(axis.symbol ? lengthName(*axis.symbol)
                                     : std::to_string(axis.extent));
  return spec;
}

Signature tda::signatureOf(const Manifest &manifest) {
  Signature signature;
  signature.problem = manifest.problem;
  for (const ManifestArgument &argument : manifest.arguments)
    (argument.output ? signature.outputs : signature.inputs)
        .push_back(specOf(argument));
  for (const auto &[length, range] : manifest.lengths)
    if (range.equals)
      signature.fixed[length] = *range.equals;
  for (const host::ArgumentSpec &spec : host::inputSpecs(manifest.problem)) {
    OperandSource source;
    for (size_t i = 0; i < signature.inputs.size(); ++i)
      if (signature.inputs[i].name == spec.name)
        source.argument = i;
    signature.operands.push_back(source);
  }
  return signature;
}
