//===- TuneProgress.h - What a tuning tool shows as it runs ----*- C++ -*-===//
#ifndef TDA_TUNEPROGRESS_H
#define TDA_TUNEPROGRESS_H

#include "autotune/Tuner.h"

#include <string>

namespace tda {

/// On the standard error: on a terminal a bar that is drawn over, elsewhere a
/// line for each candidate that is the best so far.
class TuneProgress {
public:
  explicit TuneProgress(bool quiet);
  /// A workload begins, number `index` of `count`.
  void begin(const tune::Workload &workload, size_t index, size_t count);
  void update(const tune::Progress &progress);
  /// Ends the bar, so that other text may follow.
  void end();

private:
  bool quiet, terminal, open = false;
  double bestUs = 0;
};

/// From now on the first Ctrl-C (or SIGTERM) only sets what `wasInterrupted`
/// says; a second ends the process.
void catchInterrupts();
bool wasInterrupted();

} // namespace tda

#endif // TDA_TUNEPROGRESS_H
