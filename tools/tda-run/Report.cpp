//===- Report.cpp - Beside float64, and the time --------------------------===//
#include "Program.h"
#include "tda/Host/Reference.h"

#include <algorithm>
#include <fmt/format.h>

using namespace tda;
using host::HostTensor;

/// Counts may differ where f32 and float64 see a score on two sides of the
/// gate; more than one row in a hundred is an error.
static bool checkSurvivors(const HostTensor &counts,
                           const host::Reference &reference, int views) {
  int64_t size = counts.numElements(), wrong = 0;
  if (size != int64_t(reference.survivors.size())) {
    fmt::print("survivor counts: {} of them, float64 has {}\n", size,
               reference.survivors.size());
    return false;
  }
  for (int64_t i = 0; i < size; ++i)
    wrong += counts.at(i) != reference.survivors[i];
  fmt::print("survivor counts: {} of {} differ from float64\n", wrong, size);
  return wrong <= std::max<int64_t>(views, size / 100);
}

bool tda::checkOutputs(const Program &program, const Options &options,
                       const Tensors &inputs,
                       const std::vector<HostTensor> &outputs,
                       std::string &error) {
  if (!program.signature) {
    error = "--check needs one attention, or stages that fuse into one\n" +
            program.remarks;
    return false;
  }
  const Signature &signature = *program.signature;
  Tensors operands;
  host::Reference reference;
  if (!signature.operandsOf(inputs, operands, error) ||
      !host::evaluate(signature.problem, operands, reference, error,
                      options.threads))
    return false;

  double relative = host::relativeError(outputs[0], reference);
  int64_t notZero = host::countDeadRowViolations(outputs[0], reference);
  fmt::print("relative error: {:.1e} (contract {:.1e})\n", relative,
             program.contract);
  fmt::print("exact zeros: {:.2f} %\n", 100 * reference.exactZeros);
  fmt::print("survivors a row: {:.2f}\n",
             reference.survivorsPerRow[0] + reference.survivorsPerRow[1]);
  fmt::print("live tiles (64x64): {:.1f} %\n", 100 * reference.liveTiles);
  bool good = relative <= program.contract && notZero == 0;
  if (notZero)
    fmt::print("rows without survivors that are not exactly 0: {}\n", notZero);
  if (signature.problem.stats)
    good &= checkSurvivors(outputs[1], reference, signature.problem.views);
  if (!good)
    error = "the result is beyond the contract";
  return good;
}

bool tda::reportTime(Program &program, const Tensors &inputs,
                     std::vector<HostTensor> &outputs, std::string &error) {
  // 21 runs, fewer where one takes long; the first is a warm-up.
  constexpr int most = 21, least = 3;
  constexpr double budget = 20000;
  double first;
  if (!program.time(inputs, outputs, first, error))
    return false;
  int count = std::clamp(int(budget / std::max(first, 1e-3)), least, most);
  std::vector<double> times(count);
  for (double &milliseconds : times)
    if (!program.time(inputs, outputs, milliseconds, error))
      return false;
  std::nth_element(times.begin(), times.begin() + count / 2, times.end());
  fmt::print("time: {:.3f} ms (median of {})\n", times[count / 2], count);
  return true;
}
