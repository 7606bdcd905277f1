//===- ProgramLoop.h - Divide programs among threads -----------*- C++ -*-===//
//
// Of code compiled for the CPU: a packed function takes its arguments, then the
// first program and the one after the last. Needs no LLVM.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_PROGRAMLOOP_H
#define TDA_PROGRAMLOOP_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace tda {

/// Calls `function` for all `programs`, on at most `threads` >= 1 threads.
inline void divideAmongThreads(void (*function)(void **),
                               const std::vector<void *> &arguments,
                               int64_t programs, int64_t threads) {
  // A call allocates its buffers, so short programs are better taken several
  // at a time; 32 calls a thread still balance.
  int64_t chunk = std::max<int64_t>(1, programs / (threads * 32));
  std::atomic<int64_t> next{0};
  auto work = [&] {
    int64_t first, last;
    std::vector<void *> own(arguments);
    own.push_back(&first);
    own.push_back(&last);
    while ((first = next.fetch_add(chunk)) < programs) {
      last = std::min(first + chunk, programs);
      function(own.data());
    }
  };
  int64_t calls = (programs + chunk - 1) / chunk;
  std::vector<std::thread> others;
  try {
    for (int64_t i = 1; i < std::min(threads, calls); ++i)
      others.emplace_back(work);
  } catch (const std::system_error &) {
    // No more threads to be had: those that there are do all of the work.
  }
  work();
  for (std::thread &thread : others)
    thread.join();
}

} // namespace tda

#endif // TDA_PROGRAMLOOP_H
