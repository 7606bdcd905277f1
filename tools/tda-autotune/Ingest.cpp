//===- Ingest.cpp - The results of a bundle into the cache ----------------===//
#include "Options.h"
#include "autotune/Cache.h"
#include "autotune/gpu/Bundle.h"
#include "tda/Host/AtomicFile.h"
#include "tda/Pipeline.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

using namespace tda;
using tune::Cache;
using tune::Entry;

static constexpr size_t kPredictionsKept = 4;

bool tda::addToDatabase(const std::string &path,
                        const std::vector<Entry> &entries, size_t &added,
                        std::string &error) {
  std::vector<Entry> all;
  std::vector<std::string> warnings;
  if (std::filesystem::exists(path) &&
      !tune::readEntries(path, all, warnings, error))
    return false;
  if (!warnings.empty()) {
    error = warnings[0]; // a database is not to lose entries in silence
    return false;
  }
  added = 0;
  for (Entry entry : entries) {
    // Predictions cost nothing to make again: the first few will do.
    if (!entry.measured && entry.samples.size() > kPredictionsKept)
      entry.samples.resize(kPredictionsKept);
    auto same = [&](const Entry &other) {
      return other.key.problem == entry.key.problem &&
             other.key.shape == entry.key.shape &&
             other.key.density == entry.key.density &&
             other.key.target == entry.key.target &&
             (!other.measured || !entry.measured ||
              other.key.text() == entry.key.text());
    };
    auto at = std::find_if(all.begin(), all.end(), same);
    if (at == all.end())
      all.push_back(entry);
    else if (entry.measured || !at->measured)
      *at = entry;
    else
      continue;
    ++added;
  }
  std::sort(all.begin(), all.end(), [](const Entry &a, const Entry &b) {
    return a.key.text() < b.key.text();
  });
  return host::writeFileAtomically(path, {tune::printEntries(all)}, error);
}

/// Leaves out timings of kernels that are not those of the bundle.
static size_t dropForeign(Entry &entry, const tune::Bundle &bundle) {
  Problem problem;
  std::string error;
  if (!Problem::parse(entry.key.problem, problem, error))
    return entry.samples.size();
  auto isForeign = [&](const tune::Sample &sample) {
    const tune::BundleKernel *kernel = bundle.find(problem, sample.schedule);
    return sample.measured() && (!kernel || kernel->built.ptx != sample.ptx);
  };
  size_t before = entry.samples.size();
  entry.samples.erase(
      std::remove_if(entry.samples.begin(), entry.samples.end(), isForeign),
      entry.samples.end());
  if (const tune::Sample *best = tune::chooseMeasured(entry.samples))
    entry.winner = best->schedule;
  else
    entry.measured = false;
  return before - entry.samples.size();
}

int tda::runIngest(const TuneToolOptions &options) {
  tune::Bundle bundle;
  std::string error;
  if (!tune::Bundle::read(*options.ingest, bundle, error))
    return tuneError(error);
  if (bundle.compiler != versionText())
    tuneWarning(fmt::format("the bundle was compiled by {}, this is {}",
                            bundle.compiler, versionText()));
  Cache results(*options.ingest + "/results",
                [](const std::string &text) { tuneWarning(text); });
  std::vector<Entry> entries;
  for (Cache::File &file : results.list()) {
    if (!file.error.empty()) {
      tuneWarning(fmt::format("'{}' is left out: {}", file.path, file.error));
      continue;
    }
    if (size_t dropped = dropForeign(file.entry, bundle))
      tuneWarning(fmt::format("'{}': {} timings are left out, they are not of "
                              "kernels of this bundle",
                              file.path, dropped));
    if (file.entry.measured)
      entries.push_back(std::move(file.entry));
  }
  if (entries.empty())
    return tuneError(fmt::format("'{}/results' has nothing that was measured; "
                                 "run 'tda-measure {}' where the GPU is",
                                 *options.ingest, *options.ingest));
  Cache cache(tune::defaultCacheRoot(),
              [](const std::string &text) { tuneWarning(text); });
  for (Entry &entry : entries)
    if (!cache.store(entry, error))
      tuneWarning("not kept in the cache: " + error);
  size_t added = 0;
  if (options.db && !addToDatabase(*options.db, entries, added, error))
    return tuneError(error);
  if (options.json) {
    fmt::print("{}", tune::printEntries(entries));
    return 0;
  }
  for (const Entry &entry : entries)
    fmt::print("{} {} {}: {:.1f} us measured on {} with {}\n",
               entry.key.problem, entry.key.shape, entry.key.density,
               entry.find(entry.winner)->median, entry.key.device.name,
               entry.winner.str());
  fmt::print("{} entries taken into {}\n", entries.size(), cache.root());
  if (options.db)
    fmt::print("{} entries written to {}\n", added, *options.db);
  return 0;
}
