//===- Record.h - What was found out about one key -------------*- C++ -*-===//
//
// The one file format of the tuner: entries of the cache, of the shipped
// database, of recorded tables, and what tda-measure brings back. Readable
// JSON with a schema version. Times are microseconds.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_RECORD_H
#define TDA_AUTOTUNE_RECORD_H

#include "autotune/Workload.h"
#include "tda/Schedule.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tda::tune {

constexpr const char *kRecordSchema = "tda.tuning";
constexpr int kRecordVersion = 1;

/// Increased by whoever changes the speed of generated code: older timings are
/// then of another key. Timings of single kernels are also tied to the hash of
/// their PTX, so a change of one path does not cost those of the other.
constexpr const char *kCodegenClass = "6";

/// Increased when timings are taken in another way (MeasurePolicy).
constexpr int kPolicyVersion = 1;

/// The machine that a timing is of. Empty: not known, as on a machine without
/// a GPU.
struct DeviceFacts {
  std::string name; ///< "NVIDIA H100 80GB HBM3".
  int sms = 0;
  int driver = 0; ///< As cuDriverGetVersion gives it: 13000 is CUDA 13.0.
};

/// All that a timing depends on besides the schedule.
struct Key {
  std::string problem; ///< Problem::str.
  std::string shape;   ///< shapeText of bucketed lengths.
  std::string density; ///< Density::name.
  std::string target;  ///< "sm_90".
  DeviceFacts device;
  std::string codegen = kCodegenClass;
  std::string ptxas; ///< Version; "" where the driver compiled.
  std::string space; ///< SearchSpace::hash.
  int policy = kPolicyVersion;

  /// One line a field; equal keys have equal text.
  std::string text() const;
  /// What names the entry: 12 hex digits of the hash of `text`.
  std::string hash() const;
  /// Whether timings under `other` are timings under this: all is equal but
  /// the space that was searched.
  bool sameConditions(const Key &other) const;
};

Key makeKey(const Workload &workload, const Target &target,
            const DeviceFacts &device, const std::string &ptxas,
            const std::string &space);

/// What is known of one candidate.
struct Sample {
  enum class Status {
    Measured,  ///< Verified and timed on a GPU.
    Predicted, ///< The cost model's word alone.
    Failed,    ///< Wrong, did not compile, hung, spilled: `reason` says which.
  };
  Schedule schedule;
  Status status = Status::Predicted;
  double median = 0;    ///< Measured: of `repetitions` runs.
  double low = 0;       ///< Measured: first quartile.
  double high = 0;      ///< Measured: third quartile.
  int repetitions = 0;  ///< Measured.
  double predicted = 0; ///< Of the cost model; 0: not asked.
  double error = 0;     ///< Measured: relative, against float64.
  int order = -1;       ///< Which measurement of its search it was, from 0.
  int registers = 0;    ///< A thread, by ptxas; 0: not known.
  int64_t sharedBytes = 0;
  std::string ptx; ///< "sha256:..." of the code that ran.
  std::string reason;

  bool measured() const { return status == Status::Measured; }
  /// What may be noise of `median`: half of the quartiles' distance, at least
  /// half a percent.
  double noise() const;
};
const char *statusName(Sample::Status status);

/// What the data of a workload was, as evaluated.
struct Achieved {
  std::string source;         ///< "seed 1", "test/data/real, repeated 8 times".
  double survivorsPerRow = 0; ///< Of a view, over sampled rows.
  double liveTiles = 0;       ///< Share of sampled 16x64 tiles with survivors.
};

/// One entry: everything found out under a key.
struct Entry {
  Key key;
  bool measured = false; ///< False: `winner` is the cost model's, `predicted`.
  Schedule winner;
  Schedule byDefault; ///< The default schedule of that revision.
  Achieved achieved;
  std::string created;  ///< "2026-11-25T23:00:00Z".
  std::string compiler; ///< Version and git revision, to be read by people.
  double tuningSeconds = 0;
  bool disturbed = false; ///< The clock drifted and repeating did not help.
  std::vector<Sample> samples;

  const Sample *find(const Schedule &schedule) const;
  Sample *find(const Schedule &schedule);
  /// Adds the samples of `other`, which must be under the same conditions;
  /// measured ones replace others.
  void merge(const Entry &other);
};

/// An entry as a JSON object, and back. `error` says what is wrong, with the
/// field; of another schema version, both versions.
std::string printEntry(const Entry &entry);
bool parseEntry(std::string_view text, Entry &entry, std::string &error);

/// Many entries in one file, as the database and exports are. Entries that
/// cannot be read are left out and named in `warnings`; false where the file
/// as a whole is none.
std::string printEntries(const std::vector<Entry> &entries);
bool parseEntries(std::string_view text, std::vector<Entry> &entries,
                  std::vector<std::string> &warnings, std::string &error);
bool readEntries(const std::string &path, std::vector<Entry> &entries,
                 std::vector<std::string> &warnings, std::string &error);

/// The time now, as in Entry::created.
std::string timeText();

} // namespace tda::tune

#endif // TDA_AUTOTUNE_RECORD_H
