//===- Parallel.h - A loop over several threads ----------------*- C++ -*-===//
#ifndef TDA_LIB_HOST_PARALLEL_H
#define TDA_LIB_HOST_PARALLEL_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace tda::host {

/// The number of threads to run `count` pieces of work on; `wanted` = 0 means
/// all that the machine has. At least 1.
inline unsigned threadCount(int64_t count, unsigned wanted) {
  if (wanted == 0)
    wanted = std::max(1u, std::thread::hardware_concurrency());
  return unsigned(std::clamp<int64_t>(count, 1, wanted));
}

/// Calls `makeWorker()` on each thread and the worker it gives with every
/// index in [0, count), each exactly once, whoever is free taking the next.
template <typename MakeWorker>
void parallelFor(int64_t count, unsigned threads, MakeWorker makeWorker) {
  std::atomic<int64_t> next{0};
  auto run = [&] {
    auto worker = makeWorker();
    for (int64_t i = next++; i < count; i = next++)
      worker(i);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threadCount(count, threads); ++i)
    others.emplace_back(run);
  run();
  for (std::thread &thread : others)
    thread.join();
}

} // namespace tda::host

#endif // TDA_LIB_HOST_PARALLEL_H
