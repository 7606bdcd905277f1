//===- cpu_peak.cpp - The f32 multiply-add rate of this machine -----------===//
//
//   cpu_peak [THREADS]      prints GFLOP/s over THREADS threads (default: all)
//
// Independent chains of fused multiply-adds in registers, at the widest vectors
// that the CPU has: what "percent of peak" is measured against. The median of
// several runs, as clocks change with load. Compile with -O2
// -ffp-contract=fast.
//
//===----------------------------------------------------------------------===//
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr int kChains = 12; ///< Covers latency x issue rate; fits 16 registers.

#define TDA_CHAINS(BYTES)                                                      \
  typedef float Vector __attribute__((vector_size(BYTES)));                    \
  Vector acc[kChains], x, y;                                                   \
  for (int lane = 0; lane < BYTES / 4; ++lane) {                               \
    x[lane] = seed + 0.999f;                                                   \
    y[lane] = 1e-6f;                                                           \
  }                                                                            \
  for (int i = 0; i < kChains; ++i)                                            \
    acc[i] = y;                                                                \
  for (long turn = 0; turn < turns; ++turn)                                    \
    _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) acc[i] =        \
        acc[i] * x + y;                                                        \
  float sum = 0;                                                               \
  for (int i = 0; i < kChains; ++i)                                            \
    sum += acc[i][0];                                                          \
  return sum;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float chains512(long turns, float seed) {
  TDA_CHAINS(64)
}
__attribute__((target("avx2,fma"))) float chains256(long turns, float seed) {
  TDA_CHAINS(32)
}
#endif
float chains128(long turns, float seed) { TDA_CHAINS(16) }

struct Kernel {
  float (*run)(long, float);
  int lanes;
};

Kernel widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return {chains512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {chains256, 8};
#endif
  return {chains128, 4};
}

/// GFLOP/s of all threads together.
double measure(Kernel kernel, unsigned threads) {
  constexpr long turns = 20'000'000;
  std::atomic<float> sink{0};
  auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  auto work = [&] { sink = kernel.run(turns, 0.0f); };
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  return 2e-9 * double(turns) * kChains * kernel.lanes * threads / time.count();
}

} // namespace

int main(int argc, char **argv) {
  long threads =
      argc > 1 ? std::atol(argv[1]) : long(std::thread::hardware_concurrency());
  if (argc > 2 || threads < 1 || threads > 4096) {
    std::fprintf(stderr, "usage: cpu_peak [THREADS], from 1 to 4096\n");
    return 1;
  }
  Kernel kernel = widest();
  std::vector<double> rates;
  for (int i = 0; i < 7; ++i)
    rates.push_back(measure(kernel, unsigned(threads)));
  std::sort(rates.begin(), rates.end());
  std::printf("%.1f GFLOP/s f32 multiply-add, %ld threads, %d-bit vectors\n",
              rates[3], threads, 32 * kernel.lanes);
  return 0;
}
