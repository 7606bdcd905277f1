//===- TargetTable.cpp - What each target can do --------------------------===//
//
// Sources: CUDA C++ Programming Guide, "Technical Specifications per Compute
// Capability" (shared memory, registers, warps); PTX ISA, "Release Notes" (the
// ISA version that introduced a target and the driver that reads it). mma.sync
// on bf16 and cp.async need sm_80, so the table starts there.
//
//===----------------------------------------------------------------------===//
#include "tda/TargetTable.h"

using namespace tda;

namespace {
constexpr int64_t KiB = 1024;
}

const std::vector<Target> &tda::targetTable() {
  // name, path, cc, shared/block, shared/SM, regs/SM, regs/thread, warps/SM,
  // wgmma, its chip, LLVM feature, PTX ISA, driver
  static const std::vector<Target> table = {
      {"cpu", Path::Vector, 0, 0, 0, 0, 0, 0, false, "", "", "", 0},
      {"sm_80", Path::MmaSync, 80, 163 * KiB, 164 * KiB, 65536, 255, 64, false,
       "", "+ptx70", "7.0", 11000},
      {"sm_86", Path::MmaSync, 86, 99 * KiB, 100 * KiB, 65536, 255, 48, false,
       "", "+ptx71", "7.1", 11010},
      {"sm_89", Path::MmaSync, 89, 99 * KiB, 100 * KiB, 65536, 255, 48, false,
       "", "+ptx78", "7.8", 11080},
      {"sm_90", Path::MmaSync, 90, 227 * KiB, 228 * KiB, 65536, 255, 64, true,
       "sm_90a", "+ptx80", "8.0", 12000},
  };
  return table;
}

const char *tda::pathName(Path path) {
  switch (path) {
  case Path::Vector:
    return "vector";
  case Path::MmaSync:
    return "mma_sync";
  case Path::Wgmma:
    return "wgmma";
  }
  return "";
}

const Target *tda::findTarget(const std::string &name, std::string &error) {
  std::string known;
  for (const Target &target : targetTable()) {
    if (name == target.name)
      return &target;
    known += (known.empty() ? "" : ", ") + std::string(target.name);
  }
  error = "unknown target '" + name + "'; known targets: " + known;
  return nullptr;
}
