//===- EmitTensorRt.cpp - What a TensorRT plugin must know ----------------===//
//
// TensorRT's ahead-of-time plugins launch one kernel whose parameters are the
// addresses of the inputs, then 32-bit integers, then the addresses of the
// outputs, on contiguous tensors, with a grid that is an expression of the
// inputs' shapes (TensorRT documentation, "Python-Based Plugins", aot_impl).
// The description names all of these; where a kernel asks for more, it says so.
//
//===----------------------------------------------------------------------===//
#include "tda/Package.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tda {

using Json = nlohmann::ordered_json;

/// Where each length can be read: "inputs[1].shape_expr[2]".
static std::array<std::string, NumLengths>
lengthSources(const Manifest &manifest) {
  std::array<std::string, NumLengths> sources;
  int tensors = 0;
  for (const ManifestArgument &argument : manifest.arguments) {
    if (argument.output || argument.kind == ManifestArgument::Kind::Scalar)
      continue;
    for (size_t axis = 0; axis < argument.shape.size(); ++axis)
      if (auto symbol = argument.shape[axis].symbol)
        if (std::string &source = sources[static_cast<size_t>(*symbol)];
            source.empty())
          source = fmt::format("inputs[{}].shape_expr[{}]", tensors, axis);
    ++tensors;
  }
  return sources;
}

/// An expression of the manifest with the lengths' sources for its symbols and
/// trtp.cdiv for ceildiv.
static std::string translate(const std::string &expression,
                             const std::array<std::string, NumLengths> &from) {
  std::string text;
  auto isWord = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  for (size_t i = 0; i < expression.size();) {
    size_t end = i;
    while (end < expression.size() && isWord(expression[end]))
      ++end;
    std::string word = expression.substr(i, end - i);
    Length length;
    if (word.empty()) {
      text += expression[i] == '/' ? "//" : std::string(1, expression[i]);
      ++i;
    } else
      text += parseLength(word, length) ? from[static_cast<size_t>(length)]
              : word == "ceildiv"       ? "trtp.cdiv"
                                        : word;
    i = std::max(i, end);
  }
  return text;
}

static Json tensorOf(const ManifestArgument &argument,
                     const std::array<std::string, NumLengths> &sources) {
  Json shape = Json::array();
  for (const ManifestAxis &axis : argument.shape)
    shape.push_back(axis.symbol ? sources[static_cast<size_t>(*axis.symbol)]
                                : std::to_string(axis.extent));
  return {{"name", argument.name},
          {"dtype", dtypeName(argument.dtype)},
          {"format", "LINEAR"},
          {"alignment", argument.alignment},
          {"shape", shape}};
}

static Json paramOf(const KernelParam &param) {
  switch (param.kind) {
  case KernelParam::Kind::Pointer:
    return {{"pointer", param.argument}};
  case KernelParam::Kind::Length:
    return {{"i32", lengthName(param.symbol)}};
  case KernelParam::Kind::Stride:
    return {{"i64_stride", {param.argument, param.axis}}};
  case KernelParam::Kind::Scalar:
    return {{"i64", param.argument}};
  case KernelParam::Kind::Workspace:
    return {{"workspace", param.offset}};
  case KernelParam::Kind::TensorMap:
    return {{"tensor_map", param.map}};
  }
  return {};
}

/// Why the kernels are not what an ahead-of-time plugin launches.
static Json obstacles(const Manifest &manifest) {
  Json reasons = Json::array();
  if (manifest.kernels.size() > 1)
    reasons.push_back(fmt::format("{} kernels are launched; a plugin has one",
                                  manifest.kernels.size()));
  if (manifest.workspace != "0")
    reasons.push_back("the kernels need a workspace");
  if (!manifest.tensorMaps.empty())
    reasons.push_back("parameters are tensor maps, by value");
  bool wide = false, blockCap = false;
  for (const ManifestKernel &kernel : manifest.kernels) {
    blockCap |= kernel.blocksPerSm != 0;
    for (const KernelParam &param : kernel.params)
      wide |= param.kind == KernelParam::Kind::Stride ||
              param.kind == KernelParam::Kind::Scalar;
  }
  if (wide)
    reasons.push_back("parameters are 64-bit strides and scalars between the "
                      "addresses; a plugin passes the addresses of inputs, "
                      "then 32-bit integers, then the addresses of outputs");
  if (blockCap)
    reasons.push_back(
        "the grid is capped by the multiprocessors of the device");
  return reasons;
}

std::string emitTensorRt(const Package &package) {
  Json root = {{"schema", "tda.tensorrt"}, {"schema_version", 1}};
  Json variants = Json::array();
  for (const PackageVariant &variant : package.variants) {
    const Manifest &manifest = variant.manifest;
    auto sources = lengthSources(manifest);
    Json inputs = Json::array(), scalars = Json::array(),
         outputs = Json::array(), kernels = Json::array();
    for (const ManifestArgument &argument : manifest.arguments) {
      if (argument.kind == ManifestArgument::Kind::Scalar)
        scalars.push_back({{"name", argument.name},
                           {"min", argument.min},
                           {"max", argument.max}});
      else
        (argument.output ? outputs : inputs)
            .push_back(tensorOf(argument, sources));
    }
    for (const ManifestKernel &kernel : manifest.kernels) {
      Json grid = Json::array(), params = Json::array();
      for (const std::string &expression : kernel.grid)
        grid.push_back(translate(expression, sources));
      for (const KernelParam &param : kernel.params)
        params.push_back(paramOf(param));
      kernels.push_back({{"entry", kernel.entry},
                         {"grid", grid},
                         {"block", kernel.block},
                         {"cluster", kernel.cluster},
                         {"shared_mem", kernel.sharedBytes},
                         {"params", params}});
    }
    Json reasons = obstacles(manifest);
    variants.push_back(
        {{"plugin", "tda::" + manifest.name},
         {"covers", coverText(variant.covers)},
         {"inputs", inputs},
         {"scalars", scalars},
         {"outputs", outputs},
         {"kernels", kernels},
         {"workspace", translate(manifest.workspace, sources)},
         {"ptx", manifest.files.ptx},
         {"aot", {{"fits", reasons.empty()}, {"obstacles", reasons}}}});
  }
  root["enqueue"] =
      fmt::format("{}_launch of {}.h", package.name, package.name);
  root["variants"] = variants;
  return root.dump(2) + "\n";
}

} // namespace tda
