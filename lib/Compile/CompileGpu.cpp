//===- CompileGpu.cpp - A fused function to PTX and its manifest ----------===//
#include "lib/Compile/BuildManifest.h"
#include "lib/Compile/Messages.h"
#include "lib/TilesToNVVM/KernelSignature.h"
#include "tda/Emit.h"

using namespace mlir;
using namespace tda;

/// The launch facts of the one kernel in `module`.
static DictionaryAttr findLaunch(ModuleOp module) {
  for (Operation &op : *module.getBody())
    if (auto launch = op.getAttrOfType<DictionaryAttr>(kLaunchAttr))
      return launch;
  return nullptr;
}

static const Target *findGpu(const std::string &name, std::string &error) {
  const Target *target = findTarget(name, error);
  if (target && target->path != Path::Vector)
    return target;
  error = "unknown architecture '" + name + "'; known:";
  for (const Target &row : targetTable())
    if (row.path != Path::Vector)
      error += std::string(error.back() == ':' ? " " : ", ") + row.name;
  if (target)
    error += "; PTX is for GPUs, 'tda-run --target cpu' runs on the CPU";
  return nullptr;
}

bool tda::compileGpu(const FusedFunction &function,
                     const CompileOptions &options, GpuProgram &program,
                     std::string &messages) {
  std::string error;
  auto fail = [&] {
    messages += "error: " + error + "\n";
    return false;
  };
  const Target *target = findGpu(options.target, error);
  if (!target)
    return fail();
  program = GpuProgram();
  program.name = function.name;
  program.mlir = function.text();
  if (!describeFunction(function, program.signature, messages))
    return false;

  OwningOpRef<ModuleOp> module = function.module.get().clone();
  module->walk([&](AttentionOp op) {
    program.scheduleGiven = op.getSchedule().has_value();
  });
  if (!runPasses(*module, messages,
                 [&](OpPassManager &pm) { buildFrontPipeline(pm, options); }))
    return false;
  std::string schedule;
  module->walk(
      [&](AttentionOp op) { schedule = op.getSchedule()->toSchedule().str(); });
  if (!runPasses(*module, messages, buildGpuLoweringPipeline))
    return false;
  MessageScope scope(module->getContext(), messages);
  if (!translateToPtx(*module, *target, program.llvm, program.ptx, error))
    return fail();
  DictionaryAttr launch = findLaunch(*module);
  if (!launch)
    error = "the kernel says nothing of its launch (tda.launch)";
  if (!launch || !buildManifest(program, *target, schedule, launch, error))
    return fail();
  return true;
}
