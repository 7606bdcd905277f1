//===- Tuner.h - Find the best schedule of a workload ----------*- C++ -*-===//
//
// Generate, reject, rank, build, measure, remember. Everything it uses is given
// to it: what compiles, what measures, what stores. Without a measure it ranks
// by the cost model, and the entry says `predicted`.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_TUNER_H
#define TDA_AUTOTUNE_TUNER_H

#include "autotune/Constraints.h"
#include "autotune/CostModel.h"
#include "autotune/Measure.h"
#include "autotune/SearchSpace.h"

#include <functional>
#include <optional>

namespace tda::tune {

/// What compiling a candidate gave.
struct Built {
  bool good = false;
  std::string reason; ///< Not good: what the compiler or ptxas said, or that
                      ///< it spills.
  int registers = 0;  ///< A thread; 0: not known.
  std::string ptx;    ///< Hash of the code.
};

/// Compiles candidates, several at once.
class Builder {
public:
  virtual ~Builder() = default;
  /// One result a schedule, in order. What was built already costs nothing.
  virtual std::vector<Built> build(const Problem &problem,
                                   const std::vector<Schedule> &schedules) = 0;
};

/// A candidate in the order of the cost model.
struct Ranked {
  Schedule schedule;
  Prediction prediction;
};
/// The fastest first.
std::vector<Ranked> rank(const std::vector<Schedule> &legal,
                         const Workload &workload, const Target &target,
                         const DeviceModel &device);

/// How far a search is.
struct Progress {
  int measured = 0, budget = 0;
  double seconds = 0; ///< Since the start.
  double secondsLeft = 0;
  double bestUs = 0; ///< 0: nothing is measured.
  Schedule best;
};

struct TuneOptions {
  SpaceSize space = SpaceSize::Bounded;
  int candidates = 16;     ///< Measurements, the default schedule included.
  double seconds = 60;     ///< No measurement starts later.
  bool exhaustive = false; ///< Measure all legal candidates.
  SteadyMeasure::Options steady;
  std::string ptxas;                            ///< Version, for the key.
  std::string compiler;                         ///< For people.
  std::function<bool()> stopped;                ///< Asked between candidates.
  std::function<void(const Progress &)> report; ///< After each of them.
  /// Called with all that is known after each measurement.
  std::function<void(Entry &)> save;
};

struct TuneResult {
  Entry entry;
  Constrained space;
  std::vector<Ranked> ranking;
  bool interrupted = false; ///< `stopped` said so, or the time was up.
  std::string note;         ///< Why the search ended early, if it did.
};

/// The schedule that a prediction alone gives: the default, unless the model
/// promises more than it errs. `ranking` must not be empty.
Schedule choosePredicted(const std::vector<Ranked> &ranking,
                         const Schedule &byDefault);

/// The fastest of the measured samples; of those that noise does not tell from
/// it, the one that takes least shared memory, then fewest threads. Null where
/// nothing is measured.
const Sample *chooseMeasured(const std::vector<Sample> &samples);

/// Tunes one workload. `known`: timings of the same conditions, which are not
/// taken again where the code is the same. False and `error` where no candidate
/// fits (the error says which limits they failed), where all failed, or where
/// nothing can be measured; what was found until then is in `result`.
bool tune(const Workload &workload, const Target &target,
          const TuneOptions &options, Measure *measure, Builder *builder,
          const Entry *known, TuneResult &result, std::string &error);

/// Why the winner wins: model against measurement, and beside the default.
std::string explain(const TuneResult &result, const Workload &workload,
                    const Target &target);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_TUNER_H
