//===- ManifestCheck.cpp - The rules that tie a manifest together ---------===//
//
// Each check returns an empty string, or what is wrong and where, as a JSON
// path.
//
//===----------------------------------------------------------------------===//
#include "tda/Manifest.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <set>

namespace tda {

static bool isAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// A C identifier; with `extra`, those characters count as letters too.
static bool isIdentifier(const std::string &text, const char *extra = "") {
  auto isLetter = [&](char c) {
    return isAlpha(c) || c == '_' ||
           std::string_view(extra).find(c) != std::string_view::npos;
  };
  return !text.empty() && isLetter(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return isLetter(c) || isDigit(c); });
}

/// `prefix`, then at least one digit, then possibly one of `suffixes`.
static bool isNumbered(std::string_view text, std::string_view prefix,
                       std::string_view suffixes) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  if (!text.empty() && suffixes.find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text.size() >= 2 && text.size() <= 4 &&
         std::all_of(text.begin(), text.end(), isDigit);
}

static bool isPtxVersion(const std::string &text) {
  size_t dot = text.find('.');
  return dot != std::string::npos && dot > 0 && dot + 1 < text.size() &&
         text.size() <= 5 &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return isDigit(c) || c == '.'; }) &&
         text.find('.', dot + 1) == std::string::npos;
}

static bool isHash(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  return text.size() == prefix.size() + 64 &&
         text.substr(0, prefix.size()) == prefix &&
         text.find_first_not_of("0123456789abcdef", prefix.size()) ==
             std::string_view::npos;
}

/// The code lies beside its manifest, so that a folder can be moved as one.
static bool isFileName(const std::string &text) {
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

static std::string checkNames(const Manifest &manifest) {
  const ManifestTarget &target = manifest.target;
  if (!isIdentifier(manifest.name))
    return fmt::format("$.name: '{}' is not a C identifier", manifest.name);
  if (!isNumbered(target.arch, "sm_", "af"))
    return fmt::format("$.target.arch: '{}' is not an architecture such as "
                       "sm_80 or sm_90a",
                       target.arch);
  if (!isPtxVersion(target.ptxIsa))
    return fmt::format("$.target.ptx_isa: '{}' is not a version such as 8.0",
                       target.ptxIsa);
  if (!isFileName(manifest.files.ptx))
    return fmt::format("$.files.ptx: '{}' is not a plain file name",
                       manifest.files.ptx);
  if (manifest.files.cubin && !isFileName(*manifest.files.cubin))
    return fmt::format("$.files.cubin: '{}' is not a plain file name",
                       *manifest.files.cubin);
  constexpr const char *hashForm =
      "is not 'sha256:' and 64 lower-case hex digits";
  if (!isHash(manifest.hashes.ir))
    return fmt::format("$.hashes.ir: '{}' {}", manifest.hashes.ir, hashForm);
  if (!isHash(manifest.hashes.ptx))
    return fmt::format("$.hashes.ptx: '{}' {}", manifest.hashes.ptx, hashForm);
  if (manifest.hashes.cubin.has_value() != manifest.files.cubin.has_value())
    return "$.hashes.cubin: must be null exactly where files.cubin is null";
  if (manifest.hashes.cubin && !isHash(*manifest.hashes.cubin))
    return fmt::format("$.hashes.cubin: '{}' {}", *manifest.hashes.cubin,
                       hashForm);
  if (!(manifest.numerics.relativeError > 0))
    return "$.numerics.relative_error: must be greater than 0";
  return "";
}

static std::string checkLengths(const Manifest &manifest) {
  for (const auto &[length, range] : manifest.lengths) {
    std::string path = fmt::format("$.lengths.{}", lengthName(length));
    if (range.min < 0 || range.min > range.max)
      return fmt::format("{}: needs 0 <= min <= max, but min = {}, max = {}",
                         path, range.min, range.max);
    if (range.equals &&
        (*range.equals < range.min || *range.equals > range.max))
      return fmt::format("{}.equals: {} is not in [{}, {}]", path,
                         *range.equals, range.min, range.max);
    // A call gives a length by the shape of some argument.
    bool bound = std::any_of(
        manifest.arguments.begin(), manifest.arguments.end(),
        [length = length](const ManifestArgument &argument) {
          return std::any_of(
              argument.shape.begin(), argument.shape.end(),
              [&](const ManifestAxis &axis) { return axis.symbol == length; });
        });
    if (!bound)
      return fmt::format("{}: is in the shape of no argument", path);
  }
  for (size_t i = 0; i < manifest.rules.size(); ++i)
    for (Length length :
         {manifest.rules[i].divisor, manifest.rules[i].dividend})
      if (!manifest.lengths.count(length))
        return fmt::format("$.rules[{}].divides: {} is not in $.lengths", i,
                           lengthName(length));
  return "";
}

static std::string checkArgument(const Manifest &manifest,
                                 const ManifestArgument &argument) {
  if (!isIdentifier(argument.name))
    return fmt::format("name: '{}' is not a C identifier", argument.name);
  if (argument.kind == ManifestArgument::Kind::Scalar) {
    if (argument.output)
      return "direction: a scalar cannot be an output";
    if (argument.dtype != DType::I64)
      return fmt::format("dtype: a scalar is i64, not {}",
                         dtypeName(argument.dtype));
    if (argument.min > argument.max)
      return fmt::format("min: {} is greater than max = {}", argument.min,
                         argument.max);
    return "";
  }
  if (argument.shape.size() > MaxRank)
    return fmt::format("shape: rank {} is greater than {}",
                       argument.shape.size(), MaxRank);
  for (size_t i = 0; i < argument.shape.size(); ++i) {
    const ManifestAxis &axis = argument.shape[i];
    if (axis.symbol && !manifest.lengths.count(*axis.symbol))
      return fmt::format("shape[{}]: {} is not in $.lengths", i,
                         lengthName(*axis.symbol));
    if (!axis.symbol && axis.extent < 1)
      return fmt::format("shape[{}]: {} is not positive", i, axis.extent);
  }
  int64_t alignment = argument.alignment;
  if (alignment < 1 || alignment > 256 || (alignment & (alignment - 1)) != 0)
    return fmt::format("alignment: {} is not a power of 2 up to 256 bytes",
                       alignment);
  if (argument.strideMultiple < 1)
    return fmt::format("stride_multiple: {} is not positive",
                       argument.strideMultiple);
  return "";
}

static std::string checkArguments(const Manifest &manifest) {
  if (manifest.arguments.empty() || manifest.arguments.size() > MaxArguments)
    return fmt::format("$.arguments: must have 1 to {} elements, but has {}",
                       MaxArguments, manifest.arguments.size());
  std::set<std::string> names;
  for (size_t i = 0; i < manifest.arguments.size(); ++i) {
    const ManifestArgument &argument = manifest.arguments[i];
    std::string problem = checkArgument(manifest, argument);
    if (problem.empty() && !names.insert(argument.name).second)
      problem = fmt::format("name: '{}' is used twice", argument.name);
    if (problem.empty() && i > 0 && !argument.output &&
        manifest.arguments[i - 1].output)
      problem = "direction: inputs come before outputs";
    if (!problem.empty())
      return fmt::format("$.arguments[{}].{}", i, problem);
  }
  return "";
}

/// The formula must parse, and use declared lengths alone.
static std::string checkExpression(const Manifest &manifest,
                                   const std::string &text) {
  GridExpression expression;
  std::string error;
  if (!GridExpression::parse(text, expression, error))
    return error;
  for (int i = 0; i < NumLengths; ++i) {
    auto length = static_cast<Length>(i);
    if (expression.uses(length) && !manifest.lengths.count(length))
      return fmt::format("expression '{}': {} is not in $.lengths", text,
                         lengthName(length));
  }
  return "";
}

/// The one of `all` that is called `name`, or the end.
template <typename T>
static auto findName(const std::vector<T> &all, const std::string &name) {
  return std::find_if(all.begin(), all.end(),
                      [&](const T &each) { return each.name == name; });
}

/// What a tensor map needs of the tensor that it reads: CUDA Driver API
/// Reference, cuTensorMapEncodeTiled.
static std::string checkMappedTensor(const ManifestTensorMap &map,
                                     const ManifestArgument &tensor) {
  const char *key = map.workspace ? "like" : "argument";
  if (tensor.shape.size() != 4)
    return fmt::format("{}: '{}' has shape {}; TMA reads tensors of rank 4 "
                       "here",
                       key, tensor.name, shapeText(tensor.shape));
  if (tensor.dtype != DType::BF16 && tensor.dtype != DType::F16)
    return fmt::format("{}: '{}' has dtype {}; TMA reads bf16 and f16 here",
                       key, tensor.name, dtypeName(tensor.dtype));
  const ManifestAxis &columns = tensor.shape.back();
  if (map.workspace && (columns.symbol || columns.extent % 8 != 0))
    return fmt::format("like: '{}' has shape {}; in the workspace the last "
                       "axis must be a multiple of 8 elements, as TMA needs "
                       "strides of 16 bytes",
                       tensor.name, shapeText(tensor.shape));
  if (!map.workspace && tensor.alignment < 16)
    return fmt::format("argument: '{}' has alignment {}; TMA reads it and "
                       "needs at least 16",
                       tensor.name, tensor.alignment);
  if (!map.workspace && tensor.strideMultiple % 8 != 0)
    return fmt::format("argument: '{}' has stride_multiple {}; TMA reads it "
                       "and needs a multiple of 8",
                       tensor.name, tensor.strideMultiple);
  return "";
}

static std::string checkTensorMap(const Manifest &manifest,
                                  const ManifestTensorMap &map) {
  if (!isIdentifier(map.name))
    return fmt::format("name: '{}' is not a C identifier", map.name);
  auto tensor = findName(manifest.arguments, map.argument);
  if (tensor == manifest.arguments.end() ||
      tensor->kind != ManifestArgument::Kind::Tensor)
    return fmt::format("{}: '{}' is no tensor argument",
                       map.workspace ? "like" : "argument", map.argument);
  std::string problem = checkMappedTensor(map, *tensor);
  if (!problem.empty())
    return problem;
  if (map.workspace)
    problem = checkExpression(manifest, *map.workspace);
  if (!problem.empty())
    return "workspace: " + problem;
  if (map.swizzle != TensorMapSwizzle)
    return fmt::format("swizzle: {} is not known; known is {}", map.swizzle,
                       TensorMapSwizzle);
  if (map.boxRows < 1 || map.boxRows > 256)
    return fmt::format("box.rows: {} is not in [1, 256]", map.boxRows);
  int most = map.swizzle / dtypeSize(tensor->dtype);
  if (map.boxColumns < 8 || map.boxColumns > most || map.boxColumns % 8 != 0)
    return fmt::format("box.columns: {} is not a multiple of 8 (16 bytes) up "
                       "to {}, the {} bytes of the swizzle",
                       map.boxColumns, most, map.swizzle);
  return "";
}

static std::string checkTensorMaps(const Manifest &manifest) {
  if (manifest.tensorMaps.size() > MaxTensorMaps)
    return fmt::format("$.tensor_maps: must have 0 to {} elements, but has {}",
                       MaxTensorMaps, manifest.tensorMaps.size());
  std::set<std::string> names;
  for (size_t i = 0; i < manifest.tensorMaps.size(); ++i) {
    const ManifestTensorMap &map = manifest.tensorMaps[i];
    std::string problem = checkTensorMap(manifest, map);
    if (problem.empty() && !names.insert(map.name).second)
      problem = fmt::format("name: '{}' is used twice", map.name);
    if (!problem.empty())
      return fmt::format("$.tensor_maps[{}].{}", i, problem);
  }
  return "";
}

static std::string checkParam(const Manifest &manifest,
                              const KernelParam &param) {
  auto found = findName(manifest.arguments, param.argument);
  bool exists = found != manifest.arguments.end();
  bool isTensor = exists && found->kind == ManifestArgument::Kind::Tensor;
  switch (param.kind) {
  case KernelParam::Kind::Pointer:
    return isTensor ? ""
                    : fmt::format("argument: '{}' is no tensor argument",
                                  param.argument);
  case KernelParam::Kind::Stride:
    if (!isTensor)
      return fmt::format("stride.argument: '{}' is no tensor argument",
                         param.argument);
    if (param.axis < 0 || param.axis >= static_cast<int>(found->shape.size()))
      return fmt::format("stride.axis: {} is outside the shape {} of '{}'",
                         param.axis, shapeText(found->shape), param.argument);
    return "";
  case KernelParam::Kind::Scalar:
    return exists && !isTensor
               ? ""
               : fmt::format("scalar: '{}' is no scalar argument",
                             param.argument);
  case KernelParam::Kind::Length: {
    auto range = manifest.lengths.find(param.symbol);
    if (range == manifest.lengths.end())
      return fmt::format("length: {} is not in $.lengths",
                         lengthName(param.symbol));
    if (range->second.max > std::numeric_limits<int32_t>::max())
      return fmt::format("length: max = {} of {} does not fit an i32 parameter",
                         range->second.max, lengthName(param.symbol));
    return "";
  }
  case KernelParam::Kind::Workspace: {
    std::string problem = checkExpression(manifest, param.offset);
    return problem.empty() ? "" : "workspace: " + problem;
  }
  case KernelParam::Kind::TensorMap:
    if (findName(manifest.tensorMaps, param.map) == manifest.tensorMaps.end())
      return fmt::format("map: '{}' is not in $.tensor_maps", param.map);
    return "";
  }
  return "";
}

int paramBytes(const ManifestKernel &kernel) {
  int end = 0;
  for (const KernelParam &param : kernel.params) {
    bool isMap = param.kind == KernelParam::Kind::TensorMap;
    int bytes = isMap                                     ? TensorMapBytes
                : param.kind == KernelParam::Kind::Length ? 4
                                                          : 8;
    int alignment = isMap ? TensorMapAlignment : bytes;
    end = (end + alignment - 1) / alignment * alignment + bytes;
  }
  return end;
}

static std::string checkKernel(const Manifest &manifest,
                               const ManifestKernel &kernel) {
  if (!isIdentifier(kernel.entry, "$%"))
    return fmt::format("entry: '{}' is not a PTX identifier", kernel.entry);
  if (kernel.params.size() > MaxParams)
    return fmt::format("params: {} are more than {}", kernel.params.size(),
                       MaxParams);
  for (size_t i = 0; i < kernel.params.size(); ++i) {
    std::string problem = checkParam(manifest, kernel.params[i]);
    if (!problem.empty())
      return fmt::format("params[{}].{}", i, problem);
  }
  if (int bytes = paramBytes(kernel); bytes > MaxParamBytes)
    return fmt::format("params: {} bytes are more than the {} that a kernel "
                       "takes",
                       bytes, MaxParamBytes);
  for (size_t i = 0; i < 3; ++i) {
    std::string problem = checkExpression(manifest, kernel.grid[i]);
    if (!problem.empty())
      return fmt::format("grid[{}]: {}", i, problem);
  }
  // Limits of the supported architectures: CUDA C++ Programming Guide,
  // "Technical Specifications per Compute Capability".
  const auto &[x, y, z] = kernel.block;
  if (x < 1 || y < 1 || z < 1 || x > 1024 || y > 1024 || z > 64 ||
      int64_t{x} * y * z > 1024)
    return fmt::format("block: [{}, {}, {}] is not a block of 1 to 1024 "
                       "threads with at most 64 along z",
                       x, y, z);
  const auto &[cx, cy, cz] = kernel.cluster;
  if (cx < 1 || cy < 1 || cz < 1 || int64_t{cx} * cy * cz > 16)
    return fmt::format("cluster: [{}, {}, {}] is not a cluster of 1 to 16 "
                       "blocks",
                       cx, cy, cz);
  if (kernel.sharedBytes < 0)
    return fmt::format("shared_bytes: {} is negative", kernel.sharedBytes);
  if (kernel.blocksPerSm < 0 || kernel.blocksPerSm > 32)
    return fmt::format("blocks_per_sm: {} is not in [0, 32]; an SM holds at "
                       "most 32 blocks, and 0 is no cap",
                       kernel.blocksPerSm);
  return "";
}

static std::string checkKernels(const Manifest &manifest) {
  if (manifest.kernels.empty() || manifest.kernels.size() > MaxKernels)
    return fmt::format("$.kernels: must have 1 to {} elements, but has {}",
                       MaxKernels, manifest.kernels.size());
  for (size_t i = 0; i < manifest.kernels.size(); ++i) {
    std::string problem = checkKernel(manifest, manifest.kernels[i]);
    if (!problem.empty())
      return fmt::format("$.kernels[{}].{}", i, problem);
  }
  std::string problem = checkExpression(manifest, manifest.workspace);
  return problem.empty() ? "" : "$.workspace: " + problem;
}

bool checkManifest(const Manifest &manifest, std::string &error) {
  error = checkNames(manifest);
  if (error.empty()) {
    error = manifest.problem.check();
    if (!error.empty())
      error = "$.problem: " + error;
  }
  for (auto check :
       {checkArguments, checkLengths, checkTensorMaps, checkKernels})
    if (error.empty())
      error = check(manifest);
  return error.empty();
}

} // namespace tda
