//===- BuildManifest.cpp - The manifest of a compiled program -------------===//
#include "lib/Compile/BuildManifest.h"

#include "tda/Host/Reference.h"
#include "tda/Version.h"
#include "llvm/Config/llvm-config.h"

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

/// TMA copies from addresses and with strides of 16 bytes. What it reads in the
/// workspace was copied there in pieces of 4.
static void setMapAccess(Manifest &manifest) {
  for (ManifestArgument &argument : manifest.arguments) {
    bool isCopied = false, isMapped = false;
    for (const ManifestTensorMap &map : manifest.tensorMaps)
      if (map.argument == argument.name)
        (map.workspace ? isCopied : isMapped) = true;
    if (isMapped) {
      argument.alignment = std::max<int64_t>(argument.alignment, 16);
      argument.strideMultiple = std::max<int64_t>(argument.strideMultiple, 8);
    } else if (isCopied) {
      argument.alignment = 4;
      argument.strideMultiple = 2;
    }
  }
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
                        const std::string &schedule, const LaunchFacts &launch,
                        std::string &error) {
  Manifest manifest;
  manifest.name = program.name;
  manifest.target = {launch.arch.value_or(target.name), target.ptxIsa,
                     target.minDriver};
  manifest.problem = program.signature.problem;
  for (const host::ArgumentSpec &spec : program.signature.inputs)
    manifest.arguments.push_back(argumentOf(spec, /*output=*/false));
  for (const host::ArgumentSpec &spec : program.signature.outputs)
    manifest.arguments.push_back(argumentOf(spec, /*output=*/true));
  setLengths(program.signature, manifest);
  manifest.kernels = launch.kernels;
  manifest.tensorMaps = launch.tensorMaps;
  manifest.workspace = launch.workspace.value_or("0");
  setMapAccess(manifest);
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
