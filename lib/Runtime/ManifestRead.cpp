//===- ManifestRead.cpp - JSON to Manifest --------------------------------===//
//
// Types and keys are checked here, field by field; what ties fields together
// is checkManifest.
//
//===----------------------------------------------------------------------===//
#include "JsonValue.h"
#include "tda/Manifest.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace tda {

static constexpr size_t AnySize = SIZE_MAX;

static void readSchema(JsonValue root) {
  if (!root.json.is_object() || !root.has("schema") ||
      root["schema"].json != ManifestSchema)
    root.fail(fmt::format("this is not a manifest of tda-compile (no "
                          "\"schema\": \"{}\")",
                          ManifestSchema));
  if (!root.has("schema_version"))
    root.fail("the key 'schema_version' is missing");
  int64_t version = root["schema_version"].integer();
  if (version != ManifestSchemaVersion)
    root["schema_version"].fail(fmt::format(
        "the file has schema version {}, this build reads version {}; "
        "recompile the kernel with the tda-compile of this build",
        version, ManifestSchemaVersion));
}

static ManifestTarget readTarget(JsonValue value) {
  value.requireKeys({"arch", "ptx_isa", "min_driver"});
  ManifestTarget target;
  target.arch = value["arch"].string();
  target.ptxIsa = value["ptx_isa"].string();
  target.minDriver = value["min_driver"].integer(1000, 1000000);
  return target;
}

static DType readDType(JsonValue value) {
  DType type;
  if (!parseDType(value.string(), type))
    value.fail(fmt::format("unknown dtype '{}'; known are f32, bf16, f16, i32, "
                           "i64",
                           value.string()));
  return type;
}

static Extent readExtent(JsonValue value) {
  Extent extent;
  if (!parseExtent(value.string(), extent))
    value.fail(fmt::format("unknown extent '{}'; known are scalar, head, token",
                           value.string()));
  return extent;
}

static double readNumber(JsonValue value) {
  double number = value.number();
  if (!std::isfinite(number))
    value.fail("must be finite");
  return number;
}

static Problem readProblem(JsonValue value) {
  value.requireKeys({"shorthand", "views", "d", "dv", "dtype", "causal",
                     "window", "power", "normalize", "unit", "kappa",
                     "kappa_operand", "offset_operand", "beta", "lambda",
                     "norm", "eps", "stats"});
  Problem problem;
  problem.views = value["views"].integer(1, 2);
  problem.d = value["d"].integer(1);
  problem.dv = value["dv"].integer(1);
  problem.dtype = readDType(value["dtype"]);
  problem.causal = value["causal"].boolean();
  problem.window = value["window"].integer(0);
  problem.power = readNumber(value["power"]);
  problem.normalize = value["normalize"].boolean();
  problem.unit = value["unit"].boolean();
  problem.kappa = readNumber(value["kappa"]);
  problem.kappaOperand = value["kappa_operand"].boolean();
  problem.offsetOperand = value["offset_operand"].boolean();
  problem.beta = readExtent(value["beta"]);
  problem.lambda = readExtent(value["lambda"]);
  problem.norm = value["norm"].boolean();
  problem.eps = readNumber(value["eps"]);
  problem.stats = value["stats"].boolean();

  // The shorthand repeats the fields for people; it must not contradict them.
  JsonValue shorthand = value["shorthand"];
  Problem parsed;
  std::string error;
  if (!Problem::parse(shorthand.string(), parsed, error))
    shorthand.fail(error);
  if (parsed.str() != problem.str())
    shorthand.fail(fmt::format("'{}' contradicts the other fields, which say "
                               "'{}'",
                               shorthand.string(), problem.str()));
  return problem;
}

static Length readLength(JsonValue value) {
  Length length;
  if (!parseLength(value.string(), length))
    value.fail(fmt::format("unknown length '{}'; known are B, Hq, Hkv, Nq, Nk",
                           value.string()));
  return length;
}

static StrideRule readStrideRule(JsonValue value) {
  for (StrideRule rule : {StrideRule::AnyWithUnitLast, StrideRule::Contiguous})
    if (value.string() == strideRuleName(rule))
      return rule;
  value.fail(fmt::format("unknown rule '{}'; known are any-with-unit-last, "
                         "contiguous",
                         value.string()));
}

static ManifestArgument readArgument(JsonValue value) {
  // `kind` decides which keys there are, so it is read before them.
  if (!value.json.is_object() || !value.has("kind"))
    value.fail("must be an object with the key 'kind'");
  std::string kind = value["kind"].string();
  bool isTensor = kind == "tensor";
  if (isTensor)
    value.requireKeys({"name", "direction", "kind", "dtype", "shape", "strides",
                       "alignment", "stride_multiple"});
  else if (kind == "scalar")
    value.requireKeys({"name", "direction", "kind", "dtype", "min", "max"});
  else
    value["kind"].fail(
        fmt::format("unknown kind '{}'; known are tensor, scalar", kind));

  ManifestArgument argument;
  argument.name = value["name"].string();
  std::string direction = value["direction"].string();
  if (direction != "in" && direction != "out")
    value["direction"].fail(
        fmt::format("unknown direction '{}'; known are in, out", direction));
  argument.output = direction == "out";
  argument.kind = isTensor ? ManifestArgument::Kind::Tensor
                           : ManifestArgument::Kind::Scalar;
  argument.dtype = readDType(value["dtype"]);
  if (!isTensor) {
    argument.min = value["min"].integer();
    argument.max = value["max"].integer();
    return argument;
  }
  JsonValue shape = value["shape"];
  for (size_t i = 0, rank = shape.arraySize(0, MaxRank); i < rank; ++i) {
    if (shape.item(i).isString())
      argument.shape.emplace_back(readLength(shape.item(i)));
    else
      argument.shape.emplace_back(shape.item(i).integer(1));
  }
  argument.strides = readStrideRule(value["strides"]);
  argument.alignment = value["alignment"].integer(1, 256);
  argument.strideMultiple = value["stride_multiple"].integer(1, 1 << 20);
  return argument;
}

static std::map<Length, LengthRange> readLengths(JsonValue value) {
  value.requireKeys({}, {"B", "Hq", "Hkv", "Nq", "Nk"});
  std::map<Length, LengthRange> lengths;
  for (const auto &[key, unused] : value.json.items()) {
    JsonValue entry = value[key.c_str()];
    entry.requireKeys({"min", "max"}, {"equals"});
    LengthRange range;
    range.min = entry["min"].integer(0);
    range.max = entry["max"].integer(0);
    if (entry.has("equals"))
      range.equals = entry["equals"].integer(0);
    Length length;
    parseLength(key, length);
    lengths[length] = range;
  }
  return lengths;
}

static DividesRule readRule(JsonValue value) {
  value.requireKeys({"divides"});
  JsonValue pair = value["divides"];
  pair.arraySize(2, 2);
  return {readLength(pair.item(0)), readLength(pair.item(1))};
}

static KernelParam readParam(JsonValue value) {
  value.requireKeys(
      {"type"}, {"argument", "length", "stride", "scalar", "workspace", "map"});
  if (value.json.size() != 2)
    value.fail("must have 'type' and one of 'argument', 'length', 'stride', "
               "'scalar', 'workspace', 'map'");
  KernelParam param;
  const char *type = "ptr";
  if (value.has("argument")) {
    param = KernelParam::pointer(value["argument"].string());
  } else if (value.has("workspace")) {
    param = KernelParam::workspace(value["workspace"].string());
  } else if (value.has("map")) {
    param = KernelParam::tensorMap(value["map"].string());
    type = "tensor_map";
  } else if (value.has("length")) {
    param = KernelParam::length(readLength(value["length"]));
    type = "i32";
  } else if (value.has("scalar")) {
    param = KernelParam::scalar(value["scalar"].string());
    type = "i64";
  } else {
    JsonValue stride = value["stride"];
    stride.requireKeys({"argument", "axis"});
    param = KernelParam::stride(stride["argument"].string(),
                                stride["axis"].integer(0, MaxRank - 1));
    type = "i64";
  }
  if (value["type"].string() != type)
    value["type"].fail(fmt::format("is '{}', but such a parameter has type "
                                   "'{}'",
                                   value["type"].string(), type));
  return param;
}

static ManifestTensorMap readTensorMap(JsonValue value) {
  // Where the tensor lies decides which keys there are.
  if (!value.json.is_object())
    value.fail("must be an object");
  ManifestTensorMap map;
  if (value.has("workspace")) {
    value.requireKeys({"name", "workspace", "like", "box", "swizzle"});
    map.workspace = value["workspace"].string();
    map.argument = value["like"].string();
  } else {
    value.requireKeys({"name", "argument", "box", "swizzle"});
    map.argument = value["argument"].string();
  }
  map.name = value["name"].string();
  JsonValue box = value["box"];
  box.requireKeys({"rows", "columns"});
  map.boxRows = box["rows"].integer(1, INT32_MAX);
  map.boxColumns = box["columns"].integer(1, INT32_MAX);
  map.swizzle = value["swizzle"].integer(0, INT32_MAX);
  return map;
}

static std::array<int, 3> readDim3(JsonValue value, int max) {
  value.arraySize(3, 3);
  std::array<int, 3> dims;
  for (size_t i = 0; i < 3; ++i)
    dims[i] = value.item(i).integer(1, max);
  return dims;
}

static ManifestKernel readKernel(JsonValue value) {
  value.requireKeys({"entry", "params", "grid", "block", "cluster",
                     "shared_bytes", "blocks_per_sm"});
  ManifestKernel kernel;
  kernel.entry = value["entry"].string();
  JsonValue params = value["params"];
  for (size_t i = 0, n = params.arraySize(0, MaxParams); i < n; ++i)
    kernel.params.push_back(readParam(params.item(i)));
  value["grid"].arraySize(3, 3);
  for (size_t i = 0; i < 3; ++i)
    kernel.grid[i] = value["grid"].item(i).string();
  kernel.block = readDim3(value["block"], 1024);
  kernel.cluster = readDim3(value["cluster"], 16);
  kernel.sharedBytes = value["shared_bytes"].integer(0, 1 << 20);
  kernel.blocksPerSm = value["blocks_per_sm"].integer(0, INT32_MAX);
  return kernel;
}

static ManifestNumerics readNumerics(JsonValue value) {
  value.requireKeys(
      {"relative_error", "deterministic", "accumulate", "reference"});
  ManifestNumerics numerics;
  numerics.relativeError = readNumber(value["relative_error"]);
  numerics.deterministic = value["deterministic"].boolean();
  numerics.accumulate = value["accumulate"].string();
  numerics.reference = value["reference"].string();
  return numerics;
}

static void readFilesAndHashes(JsonValue root, Manifest &manifest) {
  JsonValue hashes = root["hashes"], files = root["files"];
  hashes.requireKeys({"ir", "ptx", "cubin"});
  files.requireKeys({"ptx", "cubin"});
  manifest.hashes.ir = hashes["ir"].string();
  manifest.hashes.ptx = hashes["ptx"].string();
  manifest.hashes.cubin = hashes["cubin"].stringOrNull();
  manifest.files.ptx = files["ptx"].string();
  manifest.files.cubin = files["cubin"].stringOrNull();
}

static ManifestCompiler readCompiler(JsonValue value) {
  value.requireKeys({"version", "git", "llvm", "ptxas"});
  ManifestCompiler compiler;
  compiler.version = value["version"].string();
  compiler.git = value["git"].string();
  compiler.llvm = value["llvm"].string();
  compiler.ptxas = value["ptxas"].stringOrNull();
  return compiler;
}

static Manifest readRoot(JsonValue root) {
  readSchema(root);
  root.requireKeys({"schema", "schema_version", "name", "target", "problem",
                    "arguments", "lengths", "rules", "kernels", "workspace",
                    "tensor_maps", "numerics", "hashes", "files", "compiler",
                    "schedule"});
  Manifest manifest;
  manifest.name = root["name"].string();
  manifest.target = readTarget(root["target"]);
  manifest.problem = readProblem(root["problem"]);
  JsonValue arguments = root["arguments"], rules = root["rules"];
  JsonValue kernels = root["kernels"], tensorMaps = root["tensor_maps"];
  for (size_t i = 0, n = arguments.arraySize(1, MaxArguments); i < n; ++i)
    manifest.arguments.push_back(readArgument(arguments.item(i)));
  manifest.lengths = readLengths(root["lengths"]);
  for (size_t i = 0, n = rules.arraySize(0, AnySize); i < n; ++i)
    manifest.rules.push_back(readRule(rules.item(i)));
  for (size_t i = 0, n = kernels.arraySize(1, MaxKernels); i < n; ++i)
    manifest.kernels.push_back(readKernel(kernels.item(i)));
  manifest.workspace = root["workspace"].string();
  for (size_t i = 0, n = tensorMaps.arraySize(0, MaxTensorMaps); i < n; ++i)
    manifest.tensorMaps.push_back(readTensorMap(tensorMaps.item(i)));
  manifest.numerics = readNumerics(root["numerics"]);
  readFilesAndHashes(root, manifest);
  manifest.compiler = readCompiler(root["compiler"]);
  manifest.schedule = root["schedule"].string();
  return manifest;
}

bool parseManifest(std::string_view text, Manifest &manifest,
                   std::string &error) {
  try {
    Json json = parseJson(text);
    Manifest parsed = readRoot(JsonValue(json, "$"));
    if (!checkManifest(parsed, error))
      return false;
    manifest = std::move(parsed);
    return true;
  } catch (const JsonError &jsonError) {
    error = jsonError.message;
    return false;
  }
}

bool readManifest(const std::string &path, Manifest &manifest,
                  std::string &error) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file)
    text << file.rdbuf();
  if (!file || !text) {
    error = fmt::format("{}: the manifest cannot be read: {}", path,
                        std::strerror(errno));
    return false;
  }
  if (parseManifest(text.str(), manifest, error))
    return true;
  error = path + ": " + error;
  return false;
}

} // namespace tda
