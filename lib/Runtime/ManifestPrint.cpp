//===- ManifestPrint.cpp - Manifest to JSON -------------------------------===//
#include "JsonValue.h"
#include "tda/Manifest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tda {

KernelParam KernelParam::pointer(std::string argument) {
  KernelParam param;
  param.kind = Kind::Pointer;
  param.argument = std::move(argument);
  return param;
}
KernelParam KernelParam::length(tda::Length symbol) {
  KernelParam param;
  param.kind = Kind::Length;
  param.symbol = symbol;
  return param;
}
KernelParam KernelParam::stride(std::string argument, int axis) {
  KernelParam param;
  param.kind = Kind::Stride;
  param.argument = std::move(argument);
  param.axis = axis;
  return param;
}
KernelParam KernelParam::scalar(std::string argument) {
  KernelParam param;
  param.kind = Kind::Scalar;
  param.argument = std::move(argument);
  return param;
}
KernelParam KernelParam::workspace(std::string offset) {
  KernelParam param;
  param.kind = Kind::Workspace;
  param.offset = std::move(offset);
  return param;
}

KernelParam KernelParam::tensorMap(std::string map) {
  KernelParam param;
  param.kind = Kind::TensorMap;
  param.map = std::move(map);
  return param;
}

const char *strideRuleName(StrideRule rule) {
  return rule == StrideRule::Contiguous ? "contiguous" : "any-with-unit-last";
}

std::string shapeText(const std::vector<ManifestAxis> &shape) {
  std::vector<std::string> axes;
  for (const ManifestAxis &axis : shape)
    axes.push_back(axis.symbol ? lengthName(*axis.symbol)
                               : std::to_string(axis.extent));
  return fmt::format("[{}]", fmt::join(axes, ", "));
}

static Json orNull(const std::optional<std::string> &text) {
  return text ? Json(*text) : Json(nullptr);
}

static Json problemJson(const Problem &problem) {
  return {{"shorthand", problem.str()},
          {"views", problem.views},
          {"d", problem.d},
          {"dv", problem.dv},
          {"dtype", dtypeName(problem.dtype)},
          {"causal", problem.causal},
          {"window", problem.window},
          {"power", problem.power},
          {"normalize", problem.normalize},
          {"unit", problem.unit},
          {"kappa", problem.kappa},
          {"kappa_operand", problem.kappaOperand},
          {"offset_operand", problem.offsetOperand},
          {"beta", extentName(problem.beta)},
          {"lambda", extentName(problem.lambda)},
          {"norm", problem.norm},
          {"eps", problem.eps},
          {"stats", problem.stats}};
}

static Json argumentJson(const ManifestArgument &argument) {
  bool isTensor = argument.kind == ManifestArgument::Kind::Tensor;
  Json json = {{"name", argument.name},
               {"direction", argument.output ? "out" : "in"},
               {"kind", isTensor ? "tensor" : "scalar"},
               {"dtype", dtypeName(argument.dtype)}};
  if (!isTensor) {
    json["min"] = argument.min;
    json["max"] = argument.max;
    return json;
  }
  Json shape = Json::array();
  for (const ManifestAxis &axis : argument.shape)
    shape.push_back(axis.symbol ? Json(lengthName(*axis.symbol))
                                : Json(axis.extent));
  json["shape"] = shape;
  json["strides"] = strideRuleName(argument.strides);
  json["alignment"] = argument.alignment;
  json["stride_multiple"] = argument.strideMultiple;
  return json;
}

static Json paramJson(const KernelParam &param) {
  switch (param.kind) {
  case KernelParam::Kind::Pointer:
    return {{"type", "ptr"}, {"argument", param.argument}};
  case KernelParam::Kind::Length:
    return {{"type", "i32"}, {"length", lengthName(param.symbol)}};
  case KernelParam::Kind::Stride:
    return {{"type", "i64"},
            {"stride", {{"argument", param.argument}, {"axis", param.axis}}}};
  case KernelParam::Kind::Scalar:
    return {{"type", "i64"}, {"scalar", param.argument}};
  case KernelParam::Kind::Workspace:
    return {{"type", "ptr"}, {"workspace", param.offset}};
  case KernelParam::Kind::TensorMap:
    return {{"type", "tensor_map"}, {"map", param.map}};
  }
  return nullptr;
}

static Json kernelJson(const ManifestKernel &kernel) {
  Json params = Json::array();
  for (const KernelParam &param : kernel.params)
    params.push_back(paramJson(param));
  return {{"entry", kernel.entry},
          {"params", params},
          {"grid", kernel.grid},
          {"block", kernel.block},
          {"cluster", kernel.cluster},
          {"shared_bytes", kernel.sharedBytes},
          {"blocks_per_sm", kernel.blocksPerSm}};
}

static Json tensorMapJson(const ManifestTensorMap &map) {
  Json json = {{"name", map.name}};
  if (map.workspace)
    json["workspace"] = *map.workspace;
  json[map.workspace ? "like" : "argument"] = map.argument;
  json["box"] = {{"rows", map.boxRows}, {"columns", map.boxColumns}};
  json["swizzle"] = map.swizzle;
  return json;
}

static Json lengthsJson(const std::map<Length, LengthRange> &lengths) {
  Json json = Json::object();
  for (const auto &[length, range] : lengths) {
    Json entry = {{"min", range.min}, {"max", range.max}};
    if (range.equals)
      entry["equals"] = *range.equals;
    json[lengthName(length)] = entry;
  }
  return json;
}

static Json manifestJson(const Manifest &manifest) {
  Json arguments = Json::array(), rules = Json::array();
  Json kernels = Json::array(), tensorMaps = Json::array();
  for (const ManifestArgument &argument : manifest.arguments)
    arguments.push_back(argumentJson(argument));
  for (const DividesRule &rule : manifest.rules)
    rules.push_back({{"divides", Json::array({lengthName(rule.divisor),
                                              lengthName(rule.dividend)})}});
  for (const ManifestKernel &kernel : manifest.kernels)
    kernels.push_back(kernelJson(kernel));
  for (const ManifestTensorMap &map : manifest.tensorMaps)
    tensorMaps.push_back(tensorMapJson(map));

  const ManifestTarget &target = manifest.target;
  const ManifestNumerics &numerics = manifest.numerics;
  const ManifestCompiler &compiler = manifest.compiler;
  Json json;
  json["schema"] = ManifestSchema;
  json["schema_version"] = ManifestSchemaVersion;
  json["name"] = manifest.name;
  json["target"] = {{"arch", target.arch},
                    {"ptx_isa", target.ptxIsa},
                    {"min_driver", target.minDriver}};
  json["problem"] = problemJson(manifest.problem);
  json["arguments"] = arguments;
  json["lengths"] = lengthsJson(manifest.lengths);
  json["rules"] = rules;
  json["kernels"] = kernels;
  json["workspace"] = manifest.workspace;
  json["tensor_maps"] = tensorMaps;
  json["numerics"] = {{"relative_error", numerics.relativeError},
                      {"deterministic", numerics.deterministic},
                      {"accumulate", numerics.accumulate},
                      {"reference", numerics.reference}};
  json["hashes"] = {{"ir", manifest.hashes.ir},
                    {"ptx", manifest.hashes.ptx},
                    {"cubin", orNull(manifest.hashes.cubin)}};
  json["files"] = {{"ptx", manifest.files.ptx},
                   {"cubin", orNull(manifest.files.cubin)}};
  json["compiler"] = {{"version", compiler.version},
                      {"git", compiler.git},
                      {"llvm", compiler.llvm},
                      {"ptxas", orNull(compiler.ptxas)}};
  json["schedule"] = manifest.schedule;
  return json;
}

/// A scalar as JSON text; bytes that are not UTF-8 become U+FFFD.
static std::string scalarText(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The value on one line, with blanks after ',' and ':'.
static std::string lineText(const Json &json) {
  if (!json.is_structured())
    return scalarText(json);
  std::vector<std::string> parts;
  for (const auto &[key, value] : json.items())
    parts.push_back(json.is_object()
                        ? scalarText(Json(key)) + ": " + lineText(value)
                        : lineText(value));
  return fmt::format(json.is_object() ? "{{{}}}" : "[{}]",
                     fmt::join(parts, ", "));
}

/// Objects and arrays that fit stay on one line, so that a parameter or an
/// argument's shape reads as one thing. `column` is where the value starts.
static void printPretty(const Json &json, size_t indent, size_t column,
                        std::string &out) {
  std::string line = lineText(json);
  bool isRoot = indent == 0;
  if (!json.is_structured() || (!isRoot && column + line.size() < 79)) {
    out += line;
    return;
  }
  out += json.is_object() ? '{' : '[';
  std::string blanks(indent + 2, ' ');
  const char *separator = "\n";
  for (const auto &[key, value] : json.items()) {
    std::string label =
        json.is_object() ? scalarText(Json(key)) + ": " : std::string();
    out += separator + blanks + label;
    printPretty(value, blanks.size(), blanks.size() + label.size(), out);
    separator = ",\n";
  }
  out += '\n' + std::string(indent, ' ');
  out += json.is_object() ? '}' : ']';
}

std::string printManifest(const Manifest &manifest) {
  std::string text;
  printPretty(manifestJson(manifest), 0, 0, text);
  return text + '\n';
}

} // namespace tda
