//===- Lookup.cpp - The schedule that is known to be best -----------------===//
#include "autotune/Lookup.h"

#include "tda/Schedule.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <mutex>

using namespace tda;
using namespace tda::tune;
using host::Lengths;

// autotune/db/nvidia-h100.json as it was when this was built (Embed.S).
extern "C" const char tdaTuningDatabase[];
extern "C" const char tdaTuningDatabaseEnd[];

const std::vector<Entry> &tune::database(std::vector<std::string> &warnings) {
  struct File {
    std::vector<Entry> entries;
    std::vector<std::string> warnings;
  };
  static std::mutex mutex;
  static std::map<std::string, File> files;
  const char *named = std::getenv("TDA_TUNING_DB");
  std::string path = named ? named : "";
  std::lock_guard<std::mutex> lock(mutex);
  auto [at, isNew] = files.try_emplace(path);
  File &file = at->second;
  if (isNew) {
    std::string error;
    std::string_view text(tdaTuningDatabase,
                          size_t(tdaTuningDatabaseEnd - tdaTuningDatabase));
    bool good = named ? readEntries(path, file.entries, file.warnings, error)
                      : parseEntries(text, file.entries, file.warnings, error);
    if (!good)
      file.warnings.push_back("the tuning database is left out: " + error);
  }
  warnings.insert(warnings.end(), file.warnings.begin(), file.warnings.end());
  return file.entries;
}

static double ratio(int64_t a, int64_t b) {
  return std::abs(std::log2(double(std::max<int64_t>(a, 1)) /
                            double(std::max<int64_t>(b, 1))));
}

std::optional<double> tune::fitOf(const Entry &entry, const Query &query,
                                  std::string &why) {
  const Key &key = entry.key;
  // A prediction is for tda-autotune to show; it never replaces the default.
  if (!entry.measured)
    return std::nullopt;
  if (key.problem != query.problem.str() || key.target != query.target->name)
    return std::nullopt;
  if (key.codegen != kCodegenClass || key.policy != kPolicyVersion)
    return std::nullopt;
  std::string density = query.density.value_or(Density()).name();
  if (key.density != density)
    return std::nullopt;
  const DeviceFacts &device = query.device;
  if (!device.name.empty() &&
      (key.device.name != device.name || key.device.sms != device.sms))
    return std::nullopt;
  Lengths theirs, wanted = bucketed(query.lengths.value_or(usualLengths()));
  std::string error;
  if (!parseShape(key.shape, theirs, error))
    return std::nullopt;
  // Lengths decide what is best, so they must be equal; heads only fill the
  // GPU, and the nearest number serves.
  if (theirs.Nq != wanted.Nq || theirs.Nk != wanted.Nk)
    return std::nullopt;
  double fit = 0;
  double heads = ratio(theirs.Hq, wanted.Hq);
  fit -= heads + ratio(theirs.Hq / theirs.Hkv, wanted.Hq / wanted.Hkv);
  why.clear();
  if (heads > 0)
    why += fmt::format(", the nearest to Hq={}", wanted.Hq);
  if (device.driver && key.device.driver &&
      device.driver != key.device.driver) {
    fit -= 20;
    why += fmt::format(", under driver {} instead of {}", key.device.driver,
                       device.driver);
  }
  return fit;
}

/// A query that timings may answer.
struct Serving {
  Query query;
  bool isSibling; ///< Of the problem that was asked for.
};

/// The best of a layer. `isOwn`: what the user measured.
static const Entry *choose(const std::vector<Entry> &entries,
                           const Serving &serving, bool isOwn, std::string &why,
                           std::vector<std::string> &warnings) {
  const auto &[query, isSibling] = serving;
  const Entry *best = nullptr;
  double bestFit = 0;
  for (const Entry &entry : entries) {
    // What is best for one kind of data may take five times as long on another
    // (bench/results): nobody gets that unasked.
    bool adapts =
        entry.winner.path != Path::Wgmma || entry.winner.skip == Skip::Adaptive;
    if (!isOwn && !query.density && !adapts)
      continue;
    if (isSibling && entry.winner.path != Path::Wgmma)
      continue;
    std::string differs;
    std::optional<double> fit = fitOf(entry, query, differs);
    if (!fit || (best && *fit <= bestFit))
      continue;
    // Rules of legality may have changed since.
    if (std::string illegal =
            whyIllegal(entry.winner, query.problem, *query.target);
        !illegal.empty()) {
      warnings.push_back(fmt::format("a tuned schedule is left out, it cannot "
                                     "work any more: {}: {}",
                                     entry.winner.str(), illegal));
      continue;
    }
    best = &entry;
    bestFit = *fit;
    why = differs;
  }
  return best;
}

static std::string sourceOf(const Entry &entry, const Query &query,
                            const std::string &why, const char *layer) {
  std::string assumed;
  if (!query.lengths)
    assumed += " lengths";
  if (!query.density)
    assumed += assumed.empty() ? " data" : " and data";
  return fmt::format("{}, measured on {} for {}, {}{}{}", layer,
                     entry.key.device.name, entry.key.shape, entry.key.density,
                     why, assumed.empty() ? "" : ", assumed" + assumed);
}

/// The problem whose timings of the wgmma path serve as well: there `normalize`
/// is a kernel before the attention of unit rows, whatever the schedule is.
/// Elsewhere it is part of the attention.
static std::optional<Problem> siblingOf(const Query &query) {
  if (!query.problem.normalize || !query.target->wgmma)
    return std::nullopt;
  Problem sibling = query.problem;
  sibling.normalize = false;
  sibling.unit = true;
  return sibling;
}

static bool ask(const Query &query, Answer &answer, std::string &error) {
  std::vector<Serving> servings{{query, false}};
  if (std::optional<Problem> sibling = siblingOf(query)) {
    servings.push_back({query, true});
    servings.back().query.problem = *sibling;
  }
  Cache cache(defaultCacheRoot(), [&](const std::string &text) {
    answer.warnings.push_back(text);
  });
  std::string density = query.density.value_or(Density()).name();
  for (Layer layer : {Layer::UserCache, Layer::Database}) {
    bool isOwn = layer == Layer::UserCache;
    const std::vector<Entry> *shipped =
        isOwn ? nullptr : &database(answer.warnings);
    for (const Serving &serving : servings) {
      std::vector<Entry> own;
      if (isOwn)
        own = cache.ofProblem(serving.query.problem.str(), query.target->name,
                              density);
      std::string why;
      const Entry *entry =
          choose(isOwn ? own : *shipped, serving, isOwn, why, answer.warnings);
      if (!entry)
        continue;
      if (serving.isSibling)
        why += ", for unit rows";
      answer.schedule = entry->winner;
      answer.layer = layer;
      answer.source = sourceOf(*entry, serving.query, why,
                               isOwn ? "user cache" : "shipped database");
      return true;
    }
  }
  answer.source = fmt::format("default for {}", query.target->name);
  return defaultSchedule(query.problem, *query.target, answer.schedule, error);
}

/// Changes where a file in the folder of this problem comes or goes.
static int64_t stampOf(const std::string &folder) {
  std::error_code code;
  auto time = std::filesystem::last_write_time(folder, code);
  return code ? 0 : int64_t(time.time_since_epoch().count());
}

bool tune::lookup(const Query &query, Answer &answer, std::string &error) {
  answer = Answer();
  if (query.target->path == Path::Vector) {
    answer.source = "default of the CPU";
    return defaultSchedule(query.problem, *query.target, answer.schedule,
                           error);
  }
  struct Kept {
    std::pair<int64_t, int64_t> stamp;
    Answer answer;
  };
  static std::mutex mutex;
  static std::map<std::string, Kept> memory;
  const char *named = std::getenv("TDA_TUNING_DB");
  std::string root = defaultCacheRoot();
  std::string text = fmt::format(
      "{}|{}|{}|{}|{}|{}|{}|{}|{}", query.problem.str(), query.target->name,
      query.lengths ? shapeText(bucketed(*query.lengths)) : "",
      query.density ? query.density->name() : "", query.device.name,
      query.device.sms, query.device.driver, root, named ? named : "");
  std::pair<int64_t, int64_t> stamp = {
      stampOf(Cache(root).folderOf(query.problem.str(), query.target->name)),
      0};
  if (std::optional<Problem> sibling = siblingOf(query))
    stamp.second =
        stampOf(Cache(root).folderOf(sibling->str(), query.target->name));
  std::lock_guard<std::mutex> lock(mutex);
  if (auto at = memory.find(text);
      at != memory.end() && at->second.stamp == stamp) {
    answer = at->second.answer;
    return true;
  }
  if (!ask(query, answer, error))
    return false;
  memory[text] = {stamp, answer};
  return true;
}
