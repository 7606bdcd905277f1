//===- PeakMemory.cpp - How far memory grew -------------------------------===//
//
// proc(5): VmRSS is what is resident now, VmHWM its peak, which a 5 in
// clear_refs resets.
//
//===----------------------------------------------------------------------===//
#include "PeakMemory.h"

#include <algorithm>
#include <fstream>
#include <malloc.h>
#include <string>

using namespace tda;

static int64_t readStatus(const std::string &key) {
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kibibytes;
  while (status >> word)
    if (word == key + ":" && status >> kibibytes)
      return kibibytes * 1024;
  return -1;
}

PeakMemory::PeakMemory() {
  // Memory that compiling left free would hide what the run takes.
  malloc_trim(0);
  std::ofstream reset("/proc/self/clear_refs");
  reset << "5" << std::flush;
  if (reset)
    before = readStatus("VmRSS");
}

int64_t PeakMemory::growth() const {
  int64_t peak = readStatus("VmHWM");
  return before < 0 || peak < 0 ? -1 : std::max<int64_t>(0, peak - before);
}
