//===- RunPrograms.cpp - Divide the programs among threads ----------------===//
#include "tda/Jit.h"
#include "tda/ProgramLoop.h"

#include "llvm/Support/Threading.h"

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
  divideAmongThreads(function, arguments, programs, threads);
}
