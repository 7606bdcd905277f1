//===- PtxasReport.h - What ptxas -v says of the kernels -------*- C++ -*-===//
//
// Two things that ptxas does in silence, or says in passing, make a kernel
// several times slower and leave it right: registers that spill to memory, and
// wgmma that it runs one by one because of how accumulators are used. They are
// read from its report, so that a test or a person can refuse them.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_PTXASREPORT_H
#define TDA_PTXASREPORT_H

#include <string>
#include <vector>

namespace tda {

/// What one function takes, per thread: a kernel, or one that kernels call.
struct FunctionResources {
  std::string name;
  int registers = 0; ///< Of a kernel; with those of what it calls.
  int stackBytes = 0;
  int spillStores = 0; ///< Bytes.
  int spillLoads = 0;  ///< Bytes.

  bool spills() const { return spillStores > 0 || spillLoads > 0; }
};

struct PtxasReport {
  std::vector<FunctionResources> functions;
  /// Lines with a code C75xx (wgmma serialised or waited for, setmaxnreg
  /// ignored) and ptxas' own warnings, without "ptxas info    : " before them.
  std::vector<std::string> warnings;
  std::string text; ///< All of it.

  /// A line for each function that spills, then the warnings; empty for a
  /// kernel as it should be.
  std::vector<std::string> complaints() const;
};

/// Reads the output of `ptxas -v`. Lines that it does not know are passed over.
PtxasReport parsePtxasReport(const std::string &text);

} // namespace tda

#endif // TDA_PTXASREPORT_H
