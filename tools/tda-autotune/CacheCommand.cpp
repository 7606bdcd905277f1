//===- CacheCommand.cpp - tda-autotune cache ... --------------------------===//
#include "Options.h"
#include "autotune/Cache.h"
#include "autotune/compile/KernelCompiler.h"
#include "tda/Host/AtomicFile.h"
#include "tda/Pipeline.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

using namespace tda;
using tune::Cache;
using tune::Entry;

static constexpr const char *kOverview =
    R"(usage: tda-autotune cache list [--json]
       tda-autotune cache show KEY
       tda-autotune cache export FILE
       tda-autotune cache import FILE
       tda-autotune cache prune [--predicted|--all]
       tda-autotune cache verify [--quick]

The user's cache of tuned schedules, in $TDA_CACHE_DIR, else
$XDG_CACHE_HOME/tda, else ~/.cache/tda. KEY is the hash that 'list' shows, or
the start of it. FILE holds many entries ('-': standard output). prune removes
entries that cannot be read or used any more. verify also compiles each measured
winner, and fails where its PTX is not the one that was measured.
)";

namespace {
struct CacheOptions {
  std::optional<std::string> word; ///< KEY or FILE
  bool json = false, predicted = false, all = false, quick = false;
};
} // namespace

/// Why an entry is of no use any more; empty where it is.
static std::string whyUseless(const Cache::File &file) {
  if (!file.error.empty())
    return file.error;
  const Entry &entry = file.entry;
  if (entry.key.codegen != tune::kCodegenClass)
    return "it is of other code (" + entry.key.codegen + ")";
  if (entry.key.policy != tune::kPolicyVersion)
    return "it was measured in another way";
  std::string error;
  const Target *target = findTarget(entry.key.target, error);
  Problem problem;
  if (!target || !Problem::parse(entry.key.problem, problem, error))
    return error;
  return whyIllegal(entry.winner, problem, *target);
}

static int list(const Cache &cache, const CacheOptions &options) {
  std::vector<Entry> entries;
  for (const Cache::File &file : cache.list()) {
    if (!file.error.empty()) {
      tuneWarning(fmt::format("'{}': {}", file.path, file.error));
      continue;
    }
    entries.push_back(file.entry);
    if (options.json)
      continue;
    const Entry &e = file.entry;
    const tune::Sample *best = e.find(e.winner);
    fmt::print(
        "{}  {} {} {} {}\n              {}{}\n              {}\n", e.key.hash(),
        e.key.target, e.key.problem, e.key.shape, e.key.density,
        e.measured ? "measured on " + e.key.device.name : "predicted",
        best && best->measured() ? fmt::format(", {:.1f} us", best->median)
                                 : "",
        e.winner.str());
  }
  if (options.json)
    fmt::print("{}", tune::printEntries(entries));
  else
    fmt::print("{} entries in {}\n", entries.size(), cache.root());
  return 0;
}

static int show(const Cache &cache, const std::string &key) {
  const Cache::File *found = nullptr;
  std::vector<Cache::File> files = cache.list();
  for (const Cache::File &file : files)
    if (file.error.empty() &&
        file.entry.key.hash().compare(0, key.size(), key) == 0) {
      if (found)
        return tuneError(fmt::format("several keys start with '{}'", key));
      found = &file;
    }
  if (!found)
    return tuneError(fmt::format(
        "no entry has the key '{}'; 'tda-autotune cache list' shows all", key));
  fmt::print("{}", tune::printEntry(found->entry));
  return 0;
}

static int exportTo(const Cache &cache, const std::string &path) {
  std::vector<Entry> entries;
  for (Cache::File &file : cache.list())
    if (file.error.empty())
      entries.push_back(std::move(file.entry));
    else
      tuneWarning(fmt::format("'{}' is left out: {}", file.path, file.error));
  std::string text = tune::printEntries(entries), error;
  if (path == "-")
    fmt::print("{}", text);
  else if (!host::writeFileAtomically(path, {text}, error))
    return tuneError(error);
  else
    fmt::print("{} entries written to {}\n", entries.size(), path);
  return 0;
}

static int importFrom(const Cache &cache, const std::string &path) {
  std::vector<Entry> entries;
  std::vector<std::string> warnings;
  std::string error;
  if (!tune::readEntries(path, entries, warnings, error))
    return tuneError(error);
  for (const std::string &warning : warnings)
    tuneWarning(warning);
  for (Entry &entry : entries)
    if (!cache.store(entry, error))
      return tuneError(error);
  fmt::print("{} entries taken into {}\n", entries.size(), cache.root());
  return warnings.empty() ? 0 : 1;
}

static int prune(const Cache &cache, const CacheOptions &options) {
  size_t removed = 0;
  for (const Cache::File &file : cache.list()) {
    std::string why = whyUseless(file), error;
    if (why.empty() && options.predicted && !file.entry.measured)
      why = "it is predicted only";
    if (why.empty() && options.all)
      why = "all are";
    if (why.empty())
      continue;
    if (!cache.remove(file.path, error))
      return tuneError(error);
    fmt::print("removed {}: {}\n", file.path, why);
    ++removed;
  }
  fmt::print("{} entries removed\n", removed);
  return 0;
}

/// Empty where the winner still compiles to the code that was measured.
static std::string whyOtherCode(const Entry &entry) {
  const tune::Sample *best = entry.find(entry.winner);
  if (!entry.measured || !best || best->ptx.empty())
    return "";
  Problem problem;
  std::string error;
  if (!Problem::parse(entry.key.problem, problem, error))
    return error;
  std::string hash =
      tune::ptxHash(problem, entry.winner, entry.key.target, error);
  if (hash.empty())
    return "its winner does not compile any more: " + error;
  return hash == best->ptx ? ""
                           : "the PTX of its winner is not what was measured; "
                             "tune again";
}

static int verify(const Cache &cache, const CacheOptions &options) {
  size_t bad = 0, all = 0;
  for (const Cache::File &file : cache.list()) {
    ++all;
    std::string why = whyUseless(file);
    if (why.empty() && !options.quick)
      why = whyOtherCode(file.entry);
    if (why.empty())
      continue;
    ++bad;
    tuneError(fmt::format("'{}': {}", file.path, why));
  }
  fmt::print("{} of {} entries are good\n", all - bad, all);
  return bad ? 1 : 0;
}

int tda::runCacheCommand(int argc, char **argv) {
  std::string verb = argc > 2 ? argv[2] : "";
  bool takesWord = verb == "show" || verb == "export" || verb == "import";
  CacheOptions options;
  CommandLine line("tda-autotune", kOverview, "");
  if (takesWord)
    line.positional(verb == "show" ? "KEY" : "FILE", options.word);
  if (verb == "list")
    line.flag("json", options.json, "Print all of every entry");
  if (verb == "prune") {
    line.flag("predicted", options.predicted, "Predicted entries too");
    line.flag("all", options.all, "Every entry");
  }
  if (verb == "verify")
    line.flag("quick", options.quick, "Compile nothing");
  bool known = takesWord || verb == "list" || verb == "prune" ||
               verb == "verify" || verb == "--help" || verb == "-h";
  if (!known)
    return tuneError(fmt::format(
        "cache {}: {}; known: list, show, export, import, prune, verify", verb,
        verb.empty() ? "what of it" : "unknown word"));
  int exitCode;
  int skipped = verb[0] == '-' ? 1 : 2;
  if (!line.parse(argc - skipped, argv + skipped, versionText(), exitCode))
    return exitCode;
  if (takesWord && !options.word)
    return tuneError(fmt::format("cache {}: give {}", verb,
                                 verb == "show" ? "a KEY" : "a FILE"));
  Cache cache(tune::defaultCacheRoot(),
              [](const std::string &text) { tuneWarning(text); });
  if (verb == "list")
    return list(cache, options);
  if (verb == "show")
    return show(cache, *options.word);
  if (verb == "export")
    return exportTo(cache, *options.word);
  if (verb == "import")
    return importFrom(cache, *options.word);
  return verb == "prune" ? prune(cache, options) : verify(cache, options);
}
