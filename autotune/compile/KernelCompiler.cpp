//===- KernelCompiler.cpp - Candidates to kernels of a bundle -------------===//
#include "autotune/compile/KernelCompiler.h"

#include "dialects/tda/Dialect.h"
#include "tda/Compile.h"
#include "tda/Host/AtomicFile.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fmt/format.h>
#include <mutex>
#include <thread>

using namespace tda;
using namespace tda::tune;

/// Compiles the problem with exactly this schedule.
static bool compileOne(const Problem &problem, const Schedule &schedule,
                       const std::string &target, GpuProgram &program,
                       std::string &messages) {
  auto context = makeContext();
  auto module = buildDescription(*context, problem);
  std::vector<FusedFunction> functions;
  if (!fuseDescription(*module, functions, messages))
    return false;
  // On the op, not as words, so that nothing is left to a default.
  functions[0].module->walk([&](AttentionOp op) {
    op.setTargetAttr(TargetAttr::get(context.get(), target, 0));
    op.setScheduleAttr(ScheduleAttr::get(context.get(), schedule));
  });
  CompileOptions options;
  options.target = target;
  return compileGpu(functions[0], options, program, messages);
}

KernelCompiler::KernelCompiler(Bundle &bundle, Options given)
    : bundle(bundle), options(std::move(given)) {
  if (options.jobs == 0)
    options.jobs = std::max(1u, std::thread::hardware_concurrency());
  if (std::optional<Ptxas> found = findPtxas())
    ptxas = std::make_unique<Ptxas>(*found);
}
KernelCompiler::~KernelCompiler() = default;

std::string KernelCompiler::ptxasVersion() {
  std::optional<Ptxas> found = findPtxas();
  return found ? found->version : "";
}

std::string tune::ptxHash(const Problem &problem, const Schedule &schedule,
                          const std::string &target, std::string &error) {
  GpuProgram program;
  if (!compileOne(problem, schedule, target, program, error))
    return "";
  return program.manifest.hashes.ptx;
}

/// "" where nothing spills.
static std::string whySpills(const PtxasReport &report) {
  int bytes = 0;
  for (const FunctionResources &function : report.functions)
    bytes += function.spillStores + function.spillLoads;
  return bytes == 0
             ? ""
             : fmt::format("spills {} bytes of registers, says ptxas", bytes);
}

Built KernelCompiler::compile(const Problem &problem,
                              const Schedule &schedule) const {
  Built built;
  GpuProgram program;
  std::string messages, error;
  PtxasReport report;
  if (!compileOne(problem, schedule, bundle.target, program, messages) ||
      (ptxas && !addCubin(*ptxas, program, report, messages))) {
    built.reason = "does not compile: " + messages;
    return built;
  }
  for (const FunctionResources &function : report.functions)
    built.registers = std::max(built.registers, function.registers);
  std::string folder =
      bundle.folder + "/" + Bundle::kernelFolder(problem, schedule);
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  const ManifestFiles &files = program.manifest.files;
  bool written =
      host::writeFileAtomically(folder + "/" + files.ptx, {program.ptx},
                                error) &&
      (!files.cubin || host::writeFileAtomically(folder + "/" + *files.cubin,
                                                 {program.cubin}, error)) &&
      host::writeFileAtomically(folder + "/attention.json",
                                {printManifest(program.manifest)}, error);
  if (!written) {
    built.reason = error;
    return built;
  }
  built.ptx = program.manifest.hashes.ptx;
  built.reason = whySpills(report);
  Schedule byDefault;
  std::string ignored;
  const Target *target = findTarget(bundle.target, ignored);
  built.good = built.reason.empty() ||
               (defaultSchedule(problem, *target, byDefault, ignored) &&
                byDefault == schedule);
  return built;
}

std::vector<Built>
KernelCompiler::build(const Problem &problem,
                      const std::vector<Schedule> &schedules) {
  std::vector<Built> results(schedules.size());
  std::vector<size_t> open;
  for (size_t i = 0; i < schedules.size(); ++i)
    if (const BundleKernel *kernel = bundle.find(problem, schedules[i]))
      results[i] = kernel->built;
    else
      open.push_back(i);
  std::atomic<size_t> next{0};
  std::mutex mutex;
  size_t done = 0;
  auto work = [&] {
    for (size_t k = next++; k < open.size(); k = next++) {
      size_t i = open[k];
      if (options.stopped && options.stopped()) {
        results[i].reason = "was not compiled: stopped";
        continue;
      }
      results[i] = compile(problem, schedules[i]);
      std::lock_guard<std::mutex> lock(mutex);
      bundle.kernels.push_back({problem.str(), schedules[i].str(), results[i]});
      if (options.report)
        options.report(++done, open.size());
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < std::min<size_t>(options.jobs, open.size()); ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  return results;
}
