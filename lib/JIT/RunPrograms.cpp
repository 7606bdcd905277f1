//===- RunPrograms.cpp - Divide the programs among threads ----------------===//
#include "tda/Jit.h"

#include "llvm/Support/Threading.h"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace tda;

MemRef::MemRef(void *data, const std::vector<int64_t> &shape,
               const std::vector<int64_t> &strides) {
  int64_t address = int64_t(reinterpret_cast<intptr_t>(data));
  words = {address, address, 0};
  words.insert(words.end(), shape.begin(), shape.end());
  words.insert(words.end(), strides.begin(), strides.end());
}

static std::vector<int64_t> denseStrides(const std::vector<int64_t> &shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

MemRef::MemRef(void *data, const std::vector<int64_t> &shape)
    : MemRef(data, shape, denseStrides(shape)) {}

void tda::runPrograms(PackedFn function, std::vector<void *> arguments,
                      int64_t programs, unsigned threads) {
  if (threads == 0)
    threads = llvm::hardware_concurrency().compute_thread_count();
  // A call allocates its buffers, so short programs are better taken several
  // at a time; 32 calls a thread still balance.
  int64_t chunk = std::max<int64_t>(1, programs / (int64_t(threads) * 32));
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
  for (int64_t i = 1; i < std::min<int64_t>(threads, calls); ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
}
