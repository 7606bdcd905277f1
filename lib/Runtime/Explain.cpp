//===- Explain.cpp - What a launch would do, as text ----------------------===//
#include "Program.h"

#include <cstring>
#include <fmt/ranges.h>

using namespace tda;

static std::string paramText(const tda_program &program, const ParamPlan &plan,
                             const KernelParam &param, uint64_t value) {
  switch (plan.kind) {
  case KernelParam::Kind::Pointer:
    return fmt::format("ptr {} = {:#x}", param.argument, value);
  case KernelParam::Kind::Length:
    return fmt::format("i32 {} = {}", lengthName(param.symbol), value);
  case KernelParam::Kind::Stride: {
    const ManifestAxis &axis =
        program.manifest.arguments[plan.argument].shape[param.axis];
    return fmt::format(
        "i64 stride of {} axis {}{} = {}", param.argument, param.axis,
        axis.symbol ? fmt::format(" ({})", lengthName(*axis.symbol)) : "",
        static_cast<int64_t>(value));
  }
  case KernelParam::Kind::Scalar:
    return fmt::format("i64 {} = {}", param.argument,
                       static_cast<int64_t>(value));
  case KernelParam::Kind::Workspace:
    return fmt::format("ptr workspace + {} = {}", param.offset, value);
  case KernelParam::Kind::TensorMap:
    return fmt::format("tensor_map {}, {} bytes", param.map, TensorMapBytes);
  }
  return "";
}

/// Where the tensor lies, then what cuTensorMapEncodeTiled is told of it.
static std::string tensorMapText(const tda_program &program, size_t index,
                                 const MappedTensor &tensor) {
  const ManifestTensorMap &map = program.manifest.tensorMaps[index];
  const TensorMapPlan &plan = program.tensorMaps[index];
  std::string text = fmt::format("tensor map {}: ", map.name);
  if (map.workspace)
    text +=
        fmt::format("workspace + {}{}, like ", *map.workspace,
                    tensor.isEmpty ? "" : fmt::format(" = {}", tensor.offset));
  text +=
      fmt::format("{}, {}\n", map.argument,
                  dtypeName(program.manifest.arguments[plan.argument].dtype));
  if (tensor.isEmpty)
    return text + fmt::format("  no element: {} zero bytes\n", TensorMapBytes);
  return text + fmt::format("  dimensions ({}), strides ({}) bytes\n"
                            "  box ({}, {}, 1, 1), swizzle {} bytes\n",
                            fmt::join(tensor.dims, ", "),
                            fmt::join(tensor.strides, ", "), map.boxColumns,
                            map.boxRows, map.swizzle);
}

/// ", at most 1 block an SM along x"; "" without a cap.
static std::string capText(const ManifestKernel &kernel) {
  if (kernel.blocksPerSm == 0)
    return "";
  return fmt::format(", at most {} block{} an SM along x", kernel.blocksPerSm,
                     kernel.blocksPerSm == 1 ? "" : "s");
}

static tda_status explain(const tda_program &program, const Call &call,
                          const tda_argument *args, std::string &text) {
  const Manifest &manifest = program.manifest;
  text =
      fmt::format("{} for {}\nlengths:", manifest.name, manifest.target.arch);
  for (const auto &[length, range] : manifest.lengths)
    text += fmt::format(" {}={}", lengthName(length),
                        call.lengths[static_cast<size_t>(length)]);
  text += fmt::format("\nworkspace: {} bytes\n", call.workspaceBytes);
  for (size_t i = 0; i < manifest.tensorMaps.size(); ++i)
    text += tensorMapText(program, i, call.mapped[i]);
  for (size_t i = 0; i < manifest.kernels.size(); ++i) {
    const ManifestKernel &kernel = manifest.kernels[i];
    const auto &grid = call.grids[i];
    bool isEmpty = grid[0] == 0 || grid[1] == 0 || grid[2] == 0;
    text += fmt::format("kernel {}{}\n"
                        "  grid ({}) = ({}){}\n"
                        "  block ({}), cluster ({})\n"
                        "  dynamic shared memory {} bytes\n"
                        "  parameters {} bytes\n",
                        kernel.entry, isEmpty ? ": empty, not launched" : "",
                        fmt::join(kernel.grid, ", "), fmt::join(grid, ", "),
                        capText(kernel), fmt::join(kernel.block, ", "),
                        fmt::join(kernel.cluster, ", "), kernel.sharedBytes,
                        paramBytes(kernel));
    const KernelPlan &plan = program.kernels[i];
    for (size_t j = 0; j < plan.params.size(); ++j) {
      uint64_t value = 0;
      TDA_TRY(paramValue(plan.params[j], call, args, nullptr, value));
      text += fmt::format(
          "  param {}: {}\n", j,
          paramText(program, plan.params[j], kernel.params[j], value));
    }
  }
  return TDA_OK;
}

tda_status tda_explain(const tda_program *program, const tda_argument *args,
                       size_t nargs, char *buffer, size_t size) {
  return guarded([&]() -> tda_status {
    if (!buffer || size == 0)
      return fail(TDA_ERROR_USE, "tda_explain: the buffer is NULL or empty");
    buffer[0] = '\0';
    Call call;
    TDA_TRY(checkCall(program, args, nargs, DataCheck::Ignored, call));
    std::string text;
    TDA_TRY(explain(*program, call, args, text));
    size_t copied = std::min(text.size(), size - 1);
    std::memcpy(buffer, text.data(), copied);
    buffer[copied] = '\0';
    if (copied < text.size())
      return fail(TDA_ERROR_BUFFER,
                  "tda_explain: the buffer has {} bytes; the text needs {}",
                  size, text.size() + 1);
    return TDA_OK;
  });
}
