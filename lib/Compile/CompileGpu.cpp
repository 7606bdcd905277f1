//===- CompileGpu.cpp - A fused function to PTX and its manifest ----------===//
#include "lib/AssignSchedule/TunedSchedule.h"
#include "lib/Compile/BuildManifest.h"
#include "lib/Compile/Messages.h"
#include "lib/TilesToNVVM/KernelSignature.h"
#include "tda/Emit.h"

using namespace mlir;
using namespace tda;

/// The launch facts of the kernels in `module`, which are launched in the order
/// in which they stand there.
static bool findLaunches(ModuleOp module, LaunchFacts &facts,
                         std::string &error) {
  for (Operation &op : *module.getBody()) {
    auto launch = op.getAttrOfType<DictionaryAttr>(kLaunchAttr);
    auto name = op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
    if (launch && name && !facts.add(name, launch, error))
      return false;
  }
  if (facts.kernels.empty())
    error = "no kernel says anything of its launch (tda.launch)";
  return !facts.kernels.empty();
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

/// Resolves "auto" here, so that where a schedule came from can be told apart
/// from what the passes say.
static bool assignTuned(ModuleOp module, const Target &target,
                        CompileOptions &options, GpuProgram &program,
                        std::string &messages, std::string &error) {
  if (!takeAuto(options.schedule) || program.scheduleGiven)
    return true;
  bool good = true;
  module.walk([&](AttentionOp op) {
    // What no schedule can run is for the passes to say, with its place.
    if (!whyUnsupported(op.getProblem(), target).empty())
      return;
    tune::Answer answer;
    good = good && tunedSchedule(op, target, options, answer, error);
    if (!good)
      return;
    for (const std::string &warning : answer.warnings)
      messages += "warning: " + warning + "\n";
    program.scheduleSource = answer.source;
    op.setTargetAttr(TargetAttr::get(op.getContext(), target.name, 0));
    op.setScheduleAttr(ScheduleAttr::get(op.getContext(), answer.schedule));
  });
  return good;
}

bool tda::compileGpu(const FusedFunction &function, const CompileOptions &given,
                     GpuProgram &program, std::string &messages) {
  std::string error;
  auto fail = [&] {
    messages += "error: " + error + "\n";
    return false;
  };
  const Target *target = findGpu(given.target, error);
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
  CompileOptions options = given;
  if (!assignTuned(*module, *target, options, program, messages, error))
    return fail();
  if (!runPasses(*module, messages,
                 [&](OpPassManager &pm) { buildFrontPipeline(pm, options); }))
    return false;
  std::string schedule;
  module->walk(
      [&](AttentionOp op) { schedule = op.getSchedule()->toSchedule().str(); });
  if (!runPasses(*module, messages, buildGpuLoweringPipeline))
    return false;
  MessageScope scope(module->getContext(), messages);
  LaunchFacts launch;
  if (!findLaunches(*module, launch, error) ||
      !translateToPtx(*module, *target, launch.arch.value_or(target->name),
                      program.llvm, program.ptx, error) ||
      !buildManifest(program, *target, schedule, launch, error))
    return fail();
  return true;
}
