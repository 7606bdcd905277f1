//===- Load.cpp - From what the options name to a program -----------------===//
#include "Program.h"
#include "tda/Compile.h"
#include "tda/Host/Npy.h"
#include "tda/Host/Reference.h"
#include "tda/device.h"

#include <chrono>
#include <fmt/format.h>

using namespace tda;
using host::HostTensor;

namespace {

class CpuProgram : public Program {
public:
  std::unique_ptr<CpuFunction> function;
  unsigned threads = 0;

  bool run(const Tensors &given, std::vector<HostTensor> &outputs,
           std::string &) override {
    function->run(given, outputs, threads);
    return true;
  }

  bool time(const Tensors &given, std::vector<HostTensor> &outputs,
            double &milliseconds, std::string &) override {
    auto start = std::chrono::steady_clock::now();
    function->run(given, outputs, threads);
    std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - start;
    milliseconds = spent.count();
    return true;
  }
};

/// Stages that are no attention: shapes come from a walk over the function.
class StageProgram : public CpuProgram {
public:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  bool makeOutputs(const Tensors &given, std::vector<HostTensor> &outputs,
                   std::string &error) override {
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!fits(inputs[i], *given[i])) {
        error = inputs[i].name + " has shape " +
                host::shapeText(given[i]->shape) + "; expected " +
                host::shapeText(inputs[i]);
        return false;
      }
    return inferResults(*module, given, outputs, error);
  }

private:
  static bool fits(const host::ArgumentSpec &spec, const HostTensor &tensor) {
    bool same = spec.shape.size() == tensor.shape.size();
    for (size_t axis = 0; same && axis < spec.shape.size(); ++axis)
      same = spec.shape[axis] == "?" ||
             spec.shape[axis] == std::to_string(tensor.shape[axis]);
    return same;
  }
};

} // namespace

static CompileOptions compileOptions(const Options &options) {
  CompileOptions compile;
  compile.schedule = options.schedule.value_or("");
  compile.noSkip = options.noSkip;
  return compile;
}

/// One function of the file, or the shorthand, as a module of its own.
static mlir::OwningOpRef<mlir::ModuleOp>
readDescription(mlir::MLIRContext &context, const Options &options,
                std::string &messages) {
  if (options.attention) {
    Problem problem;
    std::string error;
    if (Problem::parse(*options.attention, problem, error))
      return buildDescription(context, problem);
    messages += "error: " + error + "\n";
    return nullptr;
  }
  auto module = loadDescription(context, *options.file, messages);
  if (!module)
    return nullptr;
  return selectFunction(*module, options.function.value_or(""), messages);
}

/// Gives `program` the signature of the one attention that `fused` is.
static bool describe(FusedFunction &fused, const Options &options,
                     Program &program, std::string &messages) {
  Signature signature;
  if ((options.stats && !addSurvivors(fused, messages)) ||
      !describeFunction(fused, signature, messages))
    return false;
  program.contract = host::contract(signature.problem.dtype);
  program.inputs = signature.inputs;
  program.signature = std::move(signature);
  return true;
}

/// Stages as they are written; with --stats those of the attention that they
/// mean, which counts survivors. The program may keep context and module.
static std::unique_ptr<Program>
loadUnfused(std::unique_ptr<mlir::MLIRContext> &context,
            mlir::OwningOpRef<mlir::ModuleOp> &module, const Options &options,
            std::string &messages) {
  auto stages = std::make_unique<StageProgram>();
  std::vector<FusedFunction> functions;
  if (fuseDescription(*module, functions, stages->remarks)) {
    auto program = std::make_unique<CpuProgram>();
    if (!describe(functions[0], options, *program, messages))
      return nullptr;
    program->function = CpuFunction::compileUnfused(
        options.stats ? *functions[0].module : *module, messages);
    return program->function ? std::move(program) : nullptr;
  }
  std::string error;
  if (options.stats)
    error = "--stats needs stages that fuse into one attention";
  else
    inputsByType(*module, stages->inputs, error);
  if (!error.empty()) {
    messages += stages->remarks + "error: " + error + "\n";
    return nullptr;
  }
  stages->function = CpuFunction::compileUnfused(*module, messages);
  stages->module = std::move(module);
  stages->context = std::move(context);
  return stages->function ? std::move(stages) : nullptr;
}

static std::unique_ptr<Program>
loadCpu(FusedFunction &fused, const Options &options, std::string &messages) {
  auto program = std::make_unique<CpuProgram>();
  program->threads = options.threads;
  if (!describe(fused, options, *program, messages))
    return nullptr;
  program->function =
      CpuFunction::compile(fused, compileOptions(options), messages);
  return program->function ? std::move(program) : nullptr;
}

/// The lengths of the call, for the tuner: of --shape, else of the first two
/// files, q1 and k1. Empty where they do not say, which reading them will.
static std::string callShape(const Options &options) {
  int64_t lengths[NumLengths] = {};
  for (auto [length, value] : options.shape)
    lengths[int(length)] = value;
  if (options.args.size() >= 2) {
    HostTensor q, k;
    std::string ignored;
    if (!host::readNpy(options.args[0], q, ignored) ||
        !host::readNpy(options.args[1], k, ignored) || q.shape.size() != 4 ||
        k.shape.size() != 4)
      return "";
    lengths[int(Length::B)] = q.shape[0];
    lengths[int(Length::Hq)] = q.shape[1];
    lengths[int(Length::Hkv)] = k.shape[1];
    lengths[int(Length::Nq)] = q.shape[2];
    lengths[int(Length::Nk)] = k.shape[2];
  }
  for (int64_t length : lengths)
    if (length < 1)
      return "";
  return fmt::format("B={},Hq={},Hkv={},Nq={},Nk={}", lengths[int(Length::B)],
                     lengths[int(Length::Hq)], lengths[int(Length::Hkv)],
                     lengths[int(Length::Nq)], lengths[int(Length::Nk)]);
}

/// What the tuner's layers are asked for, where no schedule is given.
static CompileOptions gpuOptions(const Options &options) {
  CompileOptions compile = compileOptions(options);
  if (options.schedule && *options.schedule != "auto")
    return compile;
  compile.schedule = "auto";
  compile.tunedShape = callShape(options);
  tda_device_info info{};
  if (tda_device_query(options.device, &info) == TDA_OK) {
    compile.deviceName = info.name;
    compile.deviceSms = info.multiprocessors;
    compile.deviceDriver = info.driver_version;
  }
  return compile;
}

static std::unique_ptr<Program>
loadGpu(FusedFunction &fused, const Options &options, std::string &messages) {
  CompileOptions compile = gpuOptions(options);
  GpuProgram compiled;
  if (!targetOfDevice(options.device, compile.target, messages) ||
      (options.stats && !addSurvivors(fused, messages)) ||
      !compileGpu(fused, compile, compiled, messages))
    return nullptr;
  if (options.verbose)
    fmt::print(stderr, "{}: schedule {} (from {})\n", compiled.name,
               compiled.manifest.schedule,
               compiled.scheduleGiven ? "the description"
               : compiled.scheduleSource.empty()
                   ? "--schedule"
                   : "the " + compiled.scheduleSource);
  auto program =
      openMemory(compiled.manifest, compiled.ptx, options.device, messages);
  if (program)
    program->signature = compiled.signature; // It knows constants, too.
  return program;
}

std::unique_ptr<Program> tda::loadProgram(const Options &options,
                                          std::string &messages) {
  if (options.file && isManifest(*options.file))
    return loadManifest(options, messages);
  auto context = makeContext();
  auto module = readDescription(*context, options, messages);
  if (!module)
    return nullptr;
  if (options.unfused)
    return loadUnfused(context, module, options, messages);
  std::vector<FusedFunction> functions;
  if (!fuseDescription(*module, functions, messages))
    return nullptr;
  return options.gpu ? loadGpu(functions[0], options, messages)
                     : loadCpu(functions[0], options, messages);
}
