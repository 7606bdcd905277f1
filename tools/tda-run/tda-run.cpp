//===- tda-run.cpp - Run an attention on NumPy files ----------------------===//
#include "PeakMemory.h"
#include "Program.h"
#include "tda/Host/Npy.h"

#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <new>

using namespace tda;
using host::HostTensor;

/// NaN in every float type, -1 in the integers.
static void poison(std::vector<HostTensor> &outputs) {
  for (HostTensor &output : outputs)
    std::fill(output.data.begin(), output.data.end(), 0xff);
}

/// The results that have a place to go; checked before anything runs.
static std::string checkPlaces(const Program &program, const Options &options,
                               size_t results) {
  if (options.results.size() > results)
    return fmt::format("--results names {} files, but the function has {} "
                       "results",
                       options.results.size(), results);
  if (options.stats && !(program.signature && program.signature->problem.stats))
    return "--stats: this kernel was compiled without 'stats'; compile it with "
           "that word, or pass the .mlir";
  return "";
}

static bool writeResults(const Options &options,
                         const std::vector<HostTensor> &outputs,
                         std::string &error) {
  for (size_t i = 0; i < options.results.size(); ++i)
    if (!host::writeNpy(options.results[i], outputs[i], error))
      return false;
  return !options.stats || host::writeNpy(*options.stats, outputs[1], error);
}

static int run(Program &program, const Options &options) {
  std::string error;
  std::vector<HostTensor> inputs, outputs;
  if (!readInputs(program, options, inputs, error))
    return reportError(error);
  Tensors given = host::pointersTo(inputs);
  if (!program.makeOutputs(given, outputs, error))
    return reportError(error);
  std::string wrong = checkPlaces(program, options, outputs.size());
  if (!wrong.empty())
    return reportError(wrong);

  poison(outputs);
  PeakMemory memory;
  if (!program.run(given, outputs, error))
    return reportError(error);
  int64_t growth = memory.growth();
  if (!writeResults(options, outputs, error))
    return reportError(error);
  if (options.check && !checkOutputs(program, options, given, outputs, error))
    return reportError(error);
  if (options.peakMemory && growth < 0)
    return reportError("--peak-memory: /proc/self does not tell here");
  if (options.peakMemory)
    fmt::print("peak memory: {:.1f} MiB beside the tensors\n",
               double(growth) / (1 << 20));
  if (options.time && !reportTime(program, given, outputs, error))
    return reportError(error);
  return 0;
}

static int runMain(int argc, char **argv) {
  Options options;
  int exitCode;
  if (!parseOptions(argc, argv, options, exitCode))
    return exitCode;
  if (options.listDevices)
    return listDevices();
  if (options.explainLaunch)
    return explainLaunch(options);
  std::string messages;
  std::unique_ptr<Program> program = loadProgram(options, messages);
  std::fputs(messages.c_str(), stderr);
  return program ? run(*program, options) : 1;
}

int main(int argc, char **argv) {
  try {
    return runMain(argc, argv);
  } catch (const std::bad_alloc &) {
    return reportError("out of memory");
  } catch (const std::exception &exception) {
    return reportError(exception.what());
  }
}
