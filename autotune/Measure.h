//===- Measure.h - How long a schedule does take ---------------*- C++ -*-===//
//
// The interface to whatever takes timings, and those that need no GPU: from
// recorded tables, and from a function for tests. autotune/gpu has the one that
// runs kernels.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_MEASURE_H
#define TDA_AUTOTUNE_MEASURE_H

#include "autotune/Record.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tda::tune {

class Measure {
public:
  virtual ~Measure() = default;

  /// The machine; name and SMs empty where there is none.
  virtual DeviceFacts device() = 0;
  /// Makes inputs for `workload` and says what they are. What follows is
  /// measured on it. False and `error` where that cannot be; fatal.
  virtual bool begin(const Workload &workload, Achieved &achieved,
                     std::string &error) = 0;
  /// Verifies and times one candidate. What is wrong with it is said in the
  /// sample, as Failed with its reason: the search goes on. False and `error`
  /// only where no candidate can be measured any more.
  virtual bool measure(const Schedule &schedule, Sample &sample,
                       std::string &error) = 0;
};

/// Timings from recorded tables.
class ReplayMeasure : public Measure {
public:
  explicit ReplayMeasure(std::vector<Entry> tables);

  DeviceFacts device() override;
  bool begin(const Workload &workload, Achieved &achieved,
             std::string &error) override;
  /// A candidate that the table does not have is Failed.
  bool measure(const Schedule &schedule, Sample &sample,
               std::string &error) override;

  /// The table that `begin` found.
  const Entry *table() const { return current; }

private:
  std::vector<Entry> tables;
  const Entry *current = nullptr;
};

/// Timings from a function: for tests.
class FakeMeasure : public Measure {
public:
  using Function = std::function<Sample(const Workload &, const Schedule &)>;

  explicit FakeMeasure(Function function,
                       DeviceFacts facts = {"Fake GPU", 132, 13000})
      : function(std::move(function)), facts(std::move(facts)) {}

  DeviceFacts device() override { return facts; }
  bool begin(const Workload &workload, Achieved &achieved,
             std::string &error) override;
  bool measure(const Schedule &schedule, Sample &sample,
               std::string &error) override;

  std::vector<Schedule> calls; ///< In order.
  /// Names of devices for the calls to come, instead of `facts`.
  Function function;
  DeviceFacts facts;

private:
  Workload workload;
};

/// Watches the clock: measures a fixed candidate again after every few others,
/// and where it takes another time than at first, measures those since again.
/// A device that is another one than at first ends the run.
class SteadyMeasure {
public:
  struct Options {
    int every = 8;         ///< Candidates between two looks.
    double allowed = 0.03; ///< Change of the fixed candidate that is none.
    int attempts = 2;      ///< Repetitions of a disturbed run.
    int settling = 6;      ///< First measurements, until two agree.
  };
  SteadyMeasure(Measure &inner, Options options);
  explicit SteadyMeasure(Measure &inner) : SteadyMeasure(inner, Options()) {}

  /// Measures the fixed candidate for the first time.
  bool begin(const Schedule &fixed, Sample &sample, std::string &error);
  /// Measures one more.
  bool measure(const Schedule &schedule, Sample &sample, std::string &error);
  /// Looks at the clock if anything was measured since the last look.
  /// `repeated` gets the samples that were measured again.
  bool settle(std::vector<Sample> &repeated, std::string &error);
  /// Whether it is time for `settle`.
  bool isDue() const { return int(since.size()) >= options.every; }

  bool disturbed() const { return wasDisturbed; }
  /// The last time of the fixed candidate over the first.
  double drift() const { return lastDrift; }

private:
  bool lookAt(double &ratio, std::string &error);
  bool sameDevice(std::string &error);

  Measure &inner;
  Options options;
  DeviceFacts facts;
  Schedule fixed;
  Sample first;
  std::vector<Schedule> since;
  double lastDrift = 1;
  bool wasDisturbed = false;
};

} // namespace tda::tune

#endif // TDA_AUTOTUNE_MEASURE_H
