//===- Check.cpp - The arguments of a call, without a GPU -----------------===//
#include "Program.h"

using namespace tda;

namespace {

/// Lengths as the shapes of a call give them, with who gave each first.
struct Binding {
  LengthValues values{};
  std::array<int, NumLengths> argument; ///< -1: not given yet.
  std::array<int, NumLengths> axis;

  Binding() { argument.fill(-1); }
};

} // namespace

static tda_status bindLengths(const Manifest &manifest, int index,
                              const tda_argument &given, Binding &binding) {
  const ManifestArgument &wanted = manifest.arguments[index];
  for (int i = 0; i < given.rank; ++i) {
    if (!wanted.shape[i].symbol)
      continue;
    auto symbol = static_cast<size_t>(*wanted.shape[i].symbol);
    if (binding.argument[symbol] < 0) {
      binding.values[symbol] = given.shape[i];
      binding.argument[symbol] = index;
      binding.axis[symbol] = i;
    } else if (binding.values[symbol] != given.shape[i]) {
      return fail(TDA_ERROR_ARGUMENT,
                  "argument '{}': axis {} ({}) has {} elements; it must have "
                  "{}, as axis {} of '{}'",
                  wanted.name, i, lengthName(*wanted.shape[i].symbol),
                  given.shape[i], binding.values[symbol], binding.axis[symbol],
                  manifest.arguments[binding.argument[symbol]].name);
    }
  }
  return TDA_OK;
}

static tda_status checkLengths(const Manifest &manifest,
                               const Binding &binding) {
  auto source = [&](Length length) {
    auto i = static_cast<size_t>(length);
    return fmt::format("{} = {} (axis {} of '{}')", lengthName(length),
                       binding.values[i], binding.axis[i],
                       manifest.arguments[binding.argument[i]].name);
  };
  for (const auto &[length, range] : manifest.lengths) {
    int64_t value = binding.values[static_cast<size_t>(length)];
    if (range.equals && value != *range.equals)
      return fail(TDA_ERROR_ARGUMENT, "{}: the kernel was compiled for {} = {}",
                  source(length), lengthName(length), *range.equals);
    if (value < range.min || value > range.max)
      return fail(TDA_ERROR_ARGUMENT, "{}: it must be in [{}, {}]",
                  source(length), range.min, range.max);
  }
  for (const DividesRule &rule : manifest.rules) {
    int64_t divisor = binding.values[static_cast<size_t>(rule.divisor)];
    int64_t dividend = binding.values[static_cast<size_t>(rule.dividend)];
    bool divides = divisor == 0 ? dividend == 0 : dividend % divisor == 0;
    if (!divides)
      return fail(TDA_ERROR_ARGUMENT, "{} does not divide {}",
                  source(rule.divisor), source(rule.dividend));
  }
  return TDA_OK;
}

/// Most blocks along x, y, z: CUDA C++ Programming Guide, "Technical
/// Specifications per Compute Capability".
static constexpr int64_t MaxGrid[3] = {2147483647, 65535, 65535};

static tda_status checkGrid(const ManifestKernel &kernel,
                            const KernelPlan &plan, const LengthValues &lengths,
                            std::array<int64_t, 3> &grid) {
  for (size_t i = 0; i < 3; ++i) {
    std::string error;
    if (!plan.grid[i].evaluate(lengths, grid[i], error))
      return fail(TDA_ERROR_ARGUMENT, "kernel '{}': grid {} = {}: {}",
                  kernel.entry, "xyz"[i], kernel.grid[i], error);
    if (grid[i] < 0 || grid[i] > MaxGrid[i])
      return fail(TDA_ERROR_ARGUMENT,
                  "kernel '{}': grid {} = {} is {} blocks; a device takes 0 to "
                  "{}",
                  kernel.entry, "xyz"[i], kernel.grid[i], grid[i], MaxGrid[i]);
    if (grid[i] % kernel.cluster[i] != 0)
      return fail(TDA_ERROR_ARGUMENT,
                  "kernel '{}': grid {} = {} is {} blocks, no multiple of the "
                  "cluster's {}",
                  kernel.entry, "xyz"[i], kernel.grid[i], grid[i],
                  kernel.cluster[i]);
  }
  return TDA_OK;
}

static tda_status checkScalar(const ManifestArgument &wanted,
                              const tda_argument &given) {
  if (given.dtype != TDA_I64)
    return fail(TDA_ERROR_ARGUMENT, "argument '{}': a scalar has dtype i64",
                wanted.name);
  if (given.scalar < wanted.min || given.scalar > wanted.max)
    return fail(TDA_ERROR_ARGUMENT, "argument '{}': {} is not in [{}, {}]",
                wanted.name, given.scalar, wanted.min, wanted.max);
  return TDA_OK;
}

tda_status tda::checkCall(const tda_program *program, const tda_argument *args,
                          size_t nargs, DataCheck dataCheck, Call &call) {
  if (!program)
    return fail(TDA_ERROR_USE, "the program is NULL");
  const Manifest &manifest = program->manifest;
  if (nargs != manifest.arguments.size())
    return fail(TDA_ERROR_ARGUMENT, "{} arguments were given; '{}' takes {}",
                nargs, manifest.name, manifest.arguments.size());
  if (!args)
    return fail(TDA_ERROR_USE, "the array of arguments is NULL");

  Binding binding;
  for (size_t i = 0; i < nargs; ++i) {
    const ManifestArgument &wanted = manifest.arguments[i];
    bool isTensor = wanted.kind == ManifestArgument::Kind::Tensor;
    if (args[i].kind != (isTensor ? TDA_TENSOR : TDA_SCALAR))
      return fail(TDA_ERROR_ARGUMENT, "argument '{}': must be a {}",
                  wanted.name, isTensor ? "tensor" : "scalar");
    if (!isTensor) {
      TDA_TRY(checkScalar(wanted, args[i]));
      continue;
    }
    TDA_TRY(checkTensor(wanted, args[i], dataCheck, program->readByTma[i]));
    TDA_TRY(bindLengths(manifest, i, args[i], binding));
  }
  TDA_TRY(checkLengths(manifest, binding));
  call.lengths = binding.values;

  for (size_t i = 0; i < manifest.kernels.size(); ++i)
    TDA_TRY(checkGrid(manifest.kernels[i], program->kernels[i], call.lengths,
                      call.grids[i]));
  std::string error;
  if (!program->workspace.evaluate(call.lengths, call.workspaceBytes, error))
    return fail(TDA_ERROR_ARGUMENT, "workspace = {}: {}", manifest.workspace,
                error);
  if (call.workspaceBytes < 0)
    return fail(TDA_ERROR_ARGUMENT, "workspace = {} is {} bytes",
                manifest.workspace, call.workspaceBytes);
  return describeTensorMaps(*program, args, call);
}

tda_status tda_check(const tda_program *program, const tda_argument *args,
                     size_t nargs) {
  return guarded([&] {
    Call call;
    return checkCall(program, args, nargs, DataCheck::Required, call);
  });
}

tda_status tda_workspace_bytes(const tda_program *program,
                               const tda_argument *args, size_t nargs,
                               size_t *bytes) {
  return guarded([&]() -> tda_status {
    if (!bytes)
      return fail(TDA_ERROR_USE, "tda_workspace_bytes: `bytes` is NULL");
    Call call;
    TDA_TRY(checkCall(program, args, nargs, DataCheck::Ignored, call));
    *bytes = call.workspaceBytes;
    return TDA_OK;
  });
}
