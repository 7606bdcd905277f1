//===- PeakMemory.h - How far memory grew ----------------------*- C++ -*-===//
#ifndef TDA_RUN_PEAKMEMORY_H
#define TDA_RUN_PEAKMEMORY_H

#include <cstdint>

namespace tda {

/// The growth of this process's resident memory since this was made, at its
/// peak. Linux only.
class PeakMemory {
public:
  PeakMemory();
  /// Bytes; -1 where the kernel does not say.
  int64_t growth() const;

private:
  int64_t before = -1;
};

} // namespace tda

#endif // TDA_RUN_PEAKMEMORY_H
