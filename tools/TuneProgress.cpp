//===- TuneProgress.cpp - What a tuning tool shows as it runs -------------===//
#include "TuneProgress.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

using namespace tda;

static volatile std::sig_atomic_t interrupted = 0;

static void onInterrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

void tda::catchInterrupts() {
  std::signal(SIGINT, onInterrupt);
  std::signal(SIGTERM, onInterrupt);
}
bool tda::wasInterrupted() { return interrupted; }

TuneProgress::TuneProgress(bool quiet)
    : quiet(quiet), terminal(::isatty(STDERR_FILENO)) {}

void TuneProgress::begin(const tune::Workload &workload, size_t index,
                         size_t count) {
  bestUs = 0;
  if (quiet)
    return;
  end();
  fmt::print(stderr, "[{}/{}] {}\n", index + 1, count, workload.str());
  std::fflush(stderr);
}

void TuneProgress::update(const tune::Progress &p) {
  if (quiet)
    return;
  if (terminal) {
    constexpr int width = 20;
    int full =
        p.budget > 0 ? std::min(width, width * p.measured / p.budget) : 0;
    fmt::print(stderr, "\r\033[K[{}{}] {}/{} best {:.1f} us, {:.0f} s left",
               std::string(full, '#'), std::string(width - full, '.'),
               p.measured, p.budget, p.bestUs, p.secondsLeft);
    open = true;
  } else if (p.bestUs > 0 && (bestUs == 0 || p.bestUs < bestUs)) {
    fmt::print(stderr, "  {}/{} after {:.1f} s: {:.1f} us with {}\n",
               p.measured, p.budget, p.seconds, p.bestUs, p.best.str());
  }
  bestUs = p.bestUs;
  std::fflush(stderr);
}

void TuneProgress::end() {
  if (open)
    fmt::print(stderr, "\n");
  open = false;
}
