//===- Arguments.cpp - What a problem's function takes and gives ----------===//

#include "tda/Host/Arguments.h"

#include <charconv>
#include <fmt/format.h>
#include <map>

namespace tda::host {

static std::vector<std::string> extentShape(Extent extent) {
  switch (extent) {
  case Extent::Scalar:
    return {};
  case Extent::Head:
    return {"Hq"};
  case Extent::Token:
    return {"B", "Hq", "Nq"};
  }
  return {};
}

std::vector<ArgumentSpec> inputSpecs(const Problem &problem) {
  std::string d = std::to_string(problem.d), dv = std::to_string(problem.dv);
  std::vector<ArgumentSpec> specs;
  for (int view = 1; view <= problem.views; ++view) {
    std::string suffix = problem.views == 1 ? "" : std::to_string(view);
    specs.push_back({"q" + suffix, problem.dtype, {"B", "Hq", "Nq", d}});
    specs.push_back({"k" + suffix, problem.dtype, {"B", "Hkv", "Nk", d}});
  }
  specs.push_back({"v", problem.dtype, {"B", "Hkv", "Nk", dv}});
  specs.push_back({"beta", DType::F32, extentShape(problem.beta)});
  if (problem.views == 2)
    specs.push_back({"lambda", DType::F32, extentShape(problem.lambda)});
  if (problem.kappaOperand)
    specs.push_back({"kappa", DType::F32, {}});
  if (problem.offsetOperand)
    specs.push_back({"offset", DType::I64, {}});
  if (problem.norm)
    specs.push_back({"gain", DType::F32, {dv}});
  return specs;
}

std::vector<ArgumentSpec> outputSpecs(const Problem &problem) {
  std::vector<ArgumentSpec> specs = {
      {"o", problem.dtype, {"B", "Hq", "Nq", std::to_string(problem.dv)}}};
  if (problem.stats)
    specs.push_back({"survivors",
                     DType::I32,
                     {std::to_string(problem.views), "B", "Hq", "Nq"}});
  return specs;
}

std::string shapeText(const ArgumentSpec &spec) {
  return fmt::format("[{}]", fmt::join(spec.shape, ", "));
}

/// The length that a symbol names; null for a number.
static int64_t *findLength(Lengths &lengths, const std::string &symbol) {
  if (symbol == "B")
    return &lengths.B;
  if (symbol == "Hq")
    return &lengths.Hq;
  if (symbol == "Hkv")
    return &lengths.Hkv;
  if (symbol == "Nq")
    return &lengths.Nq;
  if (symbol == "Nk")
    return &lengths.Nk;
  return nullptr;
}

static int64_t numberOf(const std::string &text) {
  int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<int64_t> concreteShape(const ArgumentSpec &spec,
                                   const Lengths &lengths) {
  Lengths copy = lengths;
  std::vector<int64_t> shape;
  for (const std::string &extent : spec.shape) {
    const int64_t *length = findLength(copy, extent);
    shape.push_back(length ? *length : numberOf(extent));
  }
  return shape;
}

std::string checkLengths(const Lengths &lengths) {
  if (lengths.B < 0 || lengths.Nq < 0 || lengths.Nk < 0)
    return fmt::format("B = {}, Nq = {} and Nk = {} must not be negative",
                       lengths.B, lengths.Nq, lengths.Nk);
  if (lengths.Hq < 1 || lengths.Hkv < 1)
    return fmt::format("Hq = {} and Hkv = {} must be at least 1", lengths.Hq,
                       lengths.Hkv);
  if (lengths.Hq % lengths.Hkv != 0)
    return fmt::format("Hkv = {} does not divide Hq = {}: every key head "
                       "serves the same number of query heads",
                       lengths.Hkv, lengths.Hq);
  return "";
}

/// Binds the symbols of one argument; `boundBy` says which one gave a symbol
/// its value.
static bool bindOne(const ArgumentSpec &spec, const HostTensor &tensor,
                    Lengths &lengths,
                    std::map<std::string, std::string> &boundBy,
                    std::string &error) {
  std::string found = shapeText(tensor.shape);
  if (tensor.dtype != spec.dtype) {
    error = fmt::format("argument '{}' is {}; expected {}", spec.name,
                        dtypeName(tensor.dtype), dtypeName(spec.dtype));
    return false;
  }
  if (tensor.shape.size() != spec.shape.size()) {
    error = fmt::format(
        "argument '{}' has shape {} of rank {}; expected {} of rank {}",
        spec.name, found, tensor.shape.size(), shapeText(spec),
        spec.shape.size());
    return false;
  }
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    const std::string &symbol = spec.shape[i];
    int64_t extent = tensor.shape[i];
    int64_t *length = findLength(lengths, symbol);
    if (!length) {
      if (extent == numberOf(symbol))
        continue;
      error = fmt::format("argument '{}' has shape {}, but dimension {} must "
                          "be {}: expected {}",
                          spec.name, found, i, symbol, shapeText(spec));
      return false;
    }
    auto [source, isNew] = boundBy.try_emplace(symbol, spec.name);
    if (isNew)
      *length = extent;
    if (*length != extent) {
      error = fmt::format("argument '{}' has shape {}, but {} is {} from "
                          "'{}': expected {}",
                          spec.name, found, symbol, *length, source->second,
                          shapeText(spec));
      return false;
    }
  }
  int64_t count = 0;
  size_t size = dtypeSize(spec.dtype);
  if (!checkedNumElements(tensor.shape, size, count) ||
      tensor.data.size() != uint64_t(count) * size) {
    error = fmt::format("argument '{}' of shape {} does not have {} bytes",
                        spec.name, found, tensor.data.size());
    return false;
  }
  return true;
}

bool bindLengths(const std::vector<ArgumentSpec> &specs,
                 const std::vector<const HostTensor *> &tensors,
                 Lengths &lengths, std::string &error) {
  if (tensors.size() != specs.size()) {
    std::vector<std::string> names;
    for (const ArgumentSpec &spec : specs)
      names.push_back(spec.name);
    error = fmt::format("{} arguments were given; expected {}: {}",
                        tensors.size(), specs.size(), fmt::join(names, ", "));
    return false;
  }
  Lengths result;
  std::map<std::string, std::string> boundBy;
  for (size_t i = 0; i < specs.size(); ++i)
    if (!bindOne(specs[i], *tensors[i], result, boundBy, error))
      return false;
  error = checkLengths(result);
  if (!error.empty())
    return false;
  lengths = result;
  return true;
}

} // namespace tda::host
