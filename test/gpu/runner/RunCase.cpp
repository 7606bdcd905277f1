//===- RunCase.cpp - One run of a kernel against float64 ------------------===//
#include "RunCase.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;
using host::Reference;

/// "[b, h, i, c]" of the element with this row-major index.
static std::string indexText(const HostTensor &tensor, int64_t index) {
  std::vector<int64_t> indices(tensor.shape.size());
  for (size_t i = indices.size(); i-- > 0; index /= tensor.shape[i])
    indices[i] = index % tensor.shape[i];
  return fmt::format("[{}]", fmt::join(indices, ", "));
}

/// NaN is the poison: such an element may also never have been written.
static std::string whyNotFinite(const HostTensor &o) {
  int64_t count = 0, first = -1;
  for (int64_t i = 0; i < o.numElements(); ++i) {
    if (std::isfinite(o.at(i)))
      continue;
    if (count++ == 0)
      first = i;
  }
  if (count == 0)
    return "";
  return fmt::format("o{} is {}: not finite or not written ({} of {} elements)",
                     indexText(o, first), o.at(first), count, o.numElements());
}

/// A score within rounding of its gate may fall to either side.
static std::string whyMiscounted(const HostTensor &counts,
                                 const Reference &reference, bool exact,
                                 CaseResult &result) {
  int64_t worst = -1, worstDifference = 0;
  for (int64_t i = 0; i < counts.numElements(); ++i) {
    int64_t expected = reference.survivors[i];
    int64_t difference = std::abs(int64_t(counts.at(i)) - expected);
    result.survivors += expected;
    result.survivorDifference += difference;
    if (difference > worstDifference)
      worst = i, worstDifference = difference;
  }
  double allowed = exact ? 0 : std::max(2.0, 0.002 * double(result.survivors));
  if (double(result.survivorDifference) <= allowed)
    return "";
  return fmt::format("survivors differ by {} of {} in all, most at {}: {} "
                     "instead of {}",
                     result.survivorDifference, result.survivors,
                     indexText(counts, worst), counts.at(worst),
                     reference.survivors[worst]);
}

std::string tda::gputest::whyWrong(const Problem &problem,
                                   const std::vector<HostTensor> &outputs,
                                   const Reference &reference, bool exactCounts,
                                   CaseResult &result) {
  const HostTensor &o = outputs[0];
  result.error = host::relativeError(o, reference);
  result.limit = host::contract(problem.dtype);
  if (std::string why = whyNotFinite(o); !why.empty())
    return why;
  if (!(result.error <= result.limit))
    return fmt::format("relative error {:.3g} exceeds {:g}", result.error,
                       result.limit);
  if (int64_t rows = host::countDeadRowViolations(o, reference); rows > 0)
    return fmt::format("{} dead rows of o are not exactly zero", rows);
  if (problem.stats)
    return whyMiscounted(outputs[1], reference, exactCounts, result);
  return "";
}

std::string
tda::gputest::whyDifferent(const std::vector<HostTensor> &outputs,
                           const std::vector<HostTensor> &expected) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const HostTensor &a = outputs[i], &b = expected[i];
    auto at = std::mismatch(a.data.begin(), a.data.end(), b.data.begin());
    if (at.first == a.data.end())
      continue;
    int64_t element = (at.first - a.data.begin()) / dtypeSize(a.dtype);
    return fmt::format("{}{} is {} instead of {}", i ? "survivors" : "o",
                       indexText(a, element), a.at(element), b.at(element));
  }
  return "";
}

bool KernelFamily::open(const std::string &folder, const std::string &name,
                        int device, std::string &error) {
  if (!kernel.open(folder + "/" + name + ".json", device, error))
    return false;
  std::vector<std::string> names;
  if (!listKernels(folder, names, error))
    return false;
  std::string prefix = name + TwinMark;
  for (const std::string &other : names) {
    if (other.compare(0, prefix.size(), prefix) != 0)
      continue;
    twins.push_back({other.substr(prefix.size()), {}});
    if (!twins.back().program.open(folder + "/" + other + ".json", device,
                                   error)) {
      error = other + ": " + error;
      return false;
    }
  }
  return true;
}

void tda::gputest::runChecked(const KernelFamily &family,
                              const RunInputs &inputs,
                              const RunSettings &settings, CaseResult &result) {
  const Manifest &manifest = family.kernel.getManifest();
  std::string error;
  Reference reference;
  if (!host::evaluate(manifest.problem, host::pointersTo(inputs.tensors),
                      reference, error, settings.threads))
    return result.fail("the reference failed: " + error);
  DeviceCall call;
  std::vector<HostTensor> outputs, again;
  if (!call.create(manifest, inputs.lengths, inputs.tensors, inputs.layout,
                   settings.guardBytes, error) ||
      !call.run(family.kernel, settings.stream, outputs, error))
    return result.fail(error);
  if (std::string why = whyWrong(manifest.problem, outputs, reference,
                                 inputs.exactCounts, result);
      !why.empty())
    return result.fail(why);

  if (!call.run(family.kernel, settings.stream, again, error))
    return result.fail("second launch: " + error);
  if (std::string why = whyDifferent(again, outputs); !why.empty())
    return result.fail("second launch: " + why);
  for (const KernelFamily::Twin &twin : family.twins) {
    if (!call.run(twin.program, settings.stream, again, error))
      return result.fail("as " + twin.what + ": " + error);
    if (std::string why = whyDifferent(again, outputs); !why.empty())
      return result.fail("as " + twin.what + ": " + why);
  }
}

CaseResult tda::gputest::runCase(const KernelFamily &family,
                                 const GridCase &gridCase,
                                 const RunSettings &settings) {
  const Manifest &manifest = family.kernel.getManifest();
  CaseResult result;
  result.name = manifest.name + " " + gridCase.str();
  result.problem = manifest.problem.str();
  result.schedule = manifest.schedule;
  result.seed = gridCase.seed;
  RunInputs inputs{gridCase.lengths, gridCase.inputs(manifest.problem),
                   gridCase.layout, gridCase.oneHot};
  runChecked(family, inputs, settings, result);
  return result;
}
