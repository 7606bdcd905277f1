//===- Options.h - What tda-run was asked for ------------------*- C++ -*-===//
#ifndef TDA_RUN_OPTIONS_H
#define TDA_RUN_OPTIONS_H

#include "tda/GridExpression.h"
#include "tda/Host/Random.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tda {

struct Options {
  // What to run.
  std::optional<std::string> file, attention, function, schedule;
  bool noSkip = false, unfused = false, verbose = false;
  // Where.
  bool gpu = false, listDevices = false, explainLaunch = false;
  int device = 0;
  unsigned threads = 0; ///< 0: all of the machine.
  // On what.
  std::vector<std::string> args;
  std::optional<uint64_t> seed; ///< Set: random arguments of these lengths.
  std::map<Length, int64_t> shape;
  host::RandomOptions random;
  // What for.
  std::vector<std::string> results;
  std::optional<std::string> stats;
  bool check = false, time = false, peakMemory = false;
};

/// False where the tool ends at once, with `exitCode`; an error is printed.
bool parseOptions(int argc, char **argv, Options &options, int &exitCode);

/// What --version prints.
std::string versionText();

/// Prints "tda-run: error: text" and returns 1.
int reportError(const std::string &text);

} // namespace tda

#endif // TDA_RUN_OPTIONS_H
