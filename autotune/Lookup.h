//===- Lookup.h - The schedule that is known to be best --------*- C++ -*-===//
//
// Three layers: what the user's cache has measured, what the shipped database
// has, the default schedule. A prediction is never an answer: the default was
// measured. Warm, a lookup takes microseconds:
// answers are kept, and asked for again only when the folder of the cache has
// changed.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_LOOKUP_H
#define TDA_AUTOTUNE_LOOKUP_H

#include "autotune/Cache.h"

#include <optional>
#include <string>
#include <vector>

namespace tda::tune {

/// What is asked for. Where lengths or density are not known the usual ones
/// are assumed, and the answer says so.
struct Query {
  Problem problem;
  const Target *target = nullptr;
  std::optional<host::Lengths> lengths;
  std::optional<Density> density;
  /// The GPU, where there is one: only timings of its kind count then; those
  /// under another driver count less, and the answer says so.
  DeviceFacts device;
};

enum class Layer { UserCache, Database, Default };

struct Answer {
  Schedule schedule;
  Layer layer = Layer::Default;
  /// "measured on NVIDIA H100 80GB HBM3 for B=1,... real (user cache)".
  std::string source;
  std::vector<std::string> warnings; ///< Of entries that were left out.
};

/// False and `error` where nothing fits the problem on the target. On the CPU
/// the answer is always the default schedule.
bool lookup(const Query &query, Answer &answer, std::string &error);

/// The shipped entries: of the file that $TDA_TUNING_DB names, else those built
/// into this program from autotune/db. Read once a process and file.
const std::vector<Entry> &database(std::vector<std::string> &warnings);

/// How well `entry` fits: nothing where it does not, or was not measured. More
/// is better; near numbers of heads before far ones, the device's own driver
/// before others. `why` names what differs from the query.
std::optional<double> fitOf(const Entry &entry, const Query &query,
                            std::string &why);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_LOOKUP_H
