//===- BuildManifest.cpp - The manifest of a compiled kernel --------------===//
#include "lib/Compile/BuildManifest.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "tda/Host/Reference.h"
#include "tda/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;
using namespace tda;

// Lengths are i32 in the kernel, and sums of two of them must be too.
static constexpr int64_t kMaxLength = (int64_t(1) << 30) - 1;
static constexpr int64_t kMaxHeads = int64_t(1) << 20;

/// Kernels copy keys and values in pieces of 16 bytes, and read and write
/// queries and outputs in pieces of 4.
static void setAccess(ManifestArgument &argument) {
  bool isPair = dtypeSize(argument.dtype) == 2;
  bool isPanel = isPair && (argument.name[0] == 'k' || argument.name == "v");
  argument.alignment = isPanel ? 16 : 4;
  argument.strideMultiple = isPanel ? 8 : isPair ? 2 : 1;
}

static ManifestArgument argumentOf(const host::ArgumentSpec &spec,
                                   bool output) {
  ManifestArgument argument;
  argument.name = spec.name;
  argument.output = output;
  argument.dtype = spec.dtype;
  if (spec.dtype == DType::I64) {
    argument.kind = ManifestArgument::Kind::Scalar;
    argument.min = -kMaxLength;
    argument.max = kMaxLength;
    return argument;
  }
  for (const std::string &extent : spec.shape) {
    Length length;
    if (parseLength(extent, length))
      argument.shape.push_back(length);
    else
      argument.shape.push_back(int64_t(std::stoll(extent)));
  }
  setAccess(argument);
  return argument;
}

/// "ptr q1", "i32 Nq", "i64 q1 0" (a stride) or "i64 offset" (a scalar).
static bool parseParam(StringRef text, KernelParam &param) {
  SmallVector<StringRef> words;
  text.split(words, ' ');
  if (words.size() == 2 && words[0] == "ptr") {
    param = KernelParam::pointer(words[1].str());
    return true;
  }
  Length length;
  if (words.size() == 2 && words[0] == "i32" &&
      parseLength(words[1].str(), length)) {
    param = KernelParam::length(length);
    return true;
  }
  if (words.empty() || words[0] != "i64")
    return false;
  int axis;
  if (words.size() == 3 && llvm::to_integer(words[2], axis)) {
    param = KernelParam::stride(words[1].str(), axis);
    return true;
  }
  param = KernelParam::scalar(words.back().str());
  return words.size() == 2;
}

static bool buildKernel(StringRef name, DictionaryAttr launch,
                        ManifestKernel &kernel, std::string &error) {
  auto params = launch.getAs<ArrayAttr>("params");
  auto grid = launch.getAs<StringAttr>("grid");
  auto block = launch.getAs<IntegerAttr>("block");
  auto shared = launch.getAs<IntegerAttr>("shared_bytes");
  if (!params || !grid || !block || !shared) {
    error = "tda.launch lacks params, grid, block or shared_bytes";
    return false;
  }
  kernel.entry = name.str();
  kernel.grid[0] = grid.str();
  kernel.block[0] = block.getInt();
  kernel.sharedBytes = shared.getInt();
  for (Attribute attr : params) {
    KernelParam param;
    if (!parseParam(cast<StringAttr>(attr), param)) {
      error = "tda.launch has an unknown parameter '" +
              cast<StringAttr>(attr).str() + "'";
      return false;
    }
    kernel.params.push_back(std::move(param));
  }
  return true;
}

static void setLengths(const Signature &signature, Manifest &manifest) {
  for (int i = 0; i < NumLengths; ++i) {
    auto length = Length(i);
    bool heads = length == Length::Hq || length == Length::Hkv;
    LengthRange &range = manifest.lengths[length];
    range.max = heads ? kMaxHeads : kMaxLength;
    auto fixed = signature.fixed.find(length);
    if (fixed != signature.fixed.end())
      range.equals = fixed->second;
  }
  manifest.rules = {{Length::Hkv, Length::Hq}};
}

bool tda::buildManifest(GpuProgram &program, const Target &target,
                        const std::string &schedule, DictionaryAttr launch,
                        std::string &error) {
  Manifest manifest;
  manifest.name = program.name;
  manifest.target = {target.name, target.ptxIsa, target.minDriver};
  manifest.problem = program.signature.problem;
  for (const host::ArgumentSpec &spec : program.signature.inputs)
    manifest.arguments.push_back(argumentOf(spec, /*output=*/false));
  for (const host::ArgumentSpec &spec : program.signature.outputs)
    manifest.arguments.push_back(argumentOf(spec, /*output=*/true));
  setLengths(program.signature, manifest);
  manifest.kernels.resize(1);
  if (!buildKernel(program.name, launch, manifest.kernels[0], error))
    return false;
  manifest.numerics.relativeError = host::contract(manifest.problem.dtype);
  manifest.hashes.ir = hashText(program.mlir);
  manifest.hashes.ptx = hashText(program.ptx);
  manifest.files.ptx = program.name + ".ptx";
  manifest.compiler = {TDA_VERSION, TDA_GIT_REVISION, LLVM_VERSION_STRING,
                       std::nullopt};
  manifest.schedule = schedule;
  if (!checkManifest(manifest, error))
    return false;
  program.manifest = std::move(manifest);
  return true;
}
