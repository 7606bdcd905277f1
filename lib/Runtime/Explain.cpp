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
  }
  return "";
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
  for (size_t i = 0; i < manifest.kernels.size(); ++i) {
    const ManifestKernel &kernel = manifest.kernels[i];
    const auto &grid = call.grids[i];
    bool isEmpty = grid[0] == 0 || grid[1] == 0 || grid[2] == 0;
    text += fmt::format("kernel {}{}\n"
                        "  grid ({}) = ({})\n"
                        "  block ({}), cluster ({})\n"
                        "  dynamic shared memory {} bytes\n",
                        kernel.entry, isEmpty ? ": empty, not launched" : "",
                        fmt::join(kernel.grid, ", "), fmt::join(grid, ", "),
                        fmt::join(kernel.block, ", "),
                        fmt::join(kernel.cluster, ", "), kernel.sharedBytes);
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
