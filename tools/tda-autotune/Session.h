//===- Session.h - One run of tda-autotune over a plan ---------*- C++ -*-===//
#ifndef TDA_AUTOTUNE_SESSION_H
#define TDA_AUTOTUNE_SESSION_H

#include "Options.h"
#include "TuneProgress.h"
#include "autotune/Cache.h"
#include "autotune/compile/KernelCompiler.h"

namespace tda {

/// Each of the three gives what the process exits with.
class Session {
public:
  Session(const TuneToolOptions &options, std::vector<tune::Planned> plan)
      : options(options), plan(std::move(plan)), progress(options.quiet),
        cache(tune::defaultCacheRoot(),
              [](const std::string &text) { tuneWarning(text); }) {}

  int measureHere(); ///< Compiles and measures.
  int predictAll();  ///< Ranks by the cost model.
  int emit();        ///< Writes a bundle for tda-measure.

private:
  tune::Bundle bundleIn(const std::string &folder) const;
  tune::KernelCompiler::Options compileOptions();
  std::string realFolder() const;
  void keep(tune::Entry &entry);
  void show(const tune::Workload &workload, const tune::TuneResult &result);
  int finish(int code);

  const TuneToolOptions &options;
  std::vector<tune::Planned> plan;
  TuneProgress progress;
  tune::Cache cache;
  std::vector<tune::Entry> entries;
  bool warned = false;
};

/// The path of `relative` to this program's folder.
std::string besideThis(const std::string &relative);

} // namespace tda

#endif // TDA_AUTOTUNE_SESSION_H
