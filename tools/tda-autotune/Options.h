//===- Options.h - What tda-autotune was asked for -------------*- C++ -*-===//
#ifndef TDA_AUTOTUNE_OPTIONS_H
#define TDA_AUTOTUNE_OPTIONS_H

#include "CommandLine.h"
#include "autotune/gpu/Bundle.h"

namespace tda {

struct TuneToolOptions {
  std::optional<std::string> file, attention, function, real, emitBundle,
      ingest, db, plan;
  const Target *target = nullptr;
  std::vector<host::Lengths> shapes; ///< Bucketed; empty: the usual ones.
  std::vector<tune::Density> densities;
  tune::SpaceSize space = tune::SpaceSize::Bounded;
  int candidates = 16;
  double seconds = 60; ///< For each workload.
  double timeout = 20; ///< For one candidate.
  unsigned jobs = 0;   ///< 0: one a CPU.
  int device = 0;
  bool exhaustive = false, dryRun = false, explain = false, json = false,
       quiet = false, noGpu = false;
};

/// False where the tool ends at once, with `exitCode`; an error is printed.
bool parseTuneOptions(TuneToolOptions &options, int argc, char **argv,
                      int &exitCode);

/// `tda-autotune cache ...`: `words` are those after `cache`.
int runCacheCommand(int argc, char **argv);

/// Prints "tda-autotune: error: text" and returns 1.
int tuneError(const std::string &text);
void tuneWarning(const std::string &text);

/// Reads a plan, a list of attentions with shapes and densities, see
/// autotune/plans.
bool readPlanFile(const std::string &path, std::vector<tune::Planned> &plan,
                  std::string &error);

/// Tunes, or ranks, or emits a bundle.
int runTune(const TuneToolOptions &options);
/// Takes the results of a bundle into the cache.
int runIngest(const TuneToolOptions &options);

/// Adds entries to a database file; measured ones replace predicted ones.
bool addToDatabase(const std::string &path,
                   const std::vector<tune::Entry> &entries, size_t &added,
                   std::string &error);

} // namespace tda

#endif // TDA_AUTOTUNE_OPTIONS_H
