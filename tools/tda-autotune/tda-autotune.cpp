//===- tda-autotune.cpp - Find the best schedule of an attention ----------===//
#include "Options.h"

#include <string_view>

using namespace tda;

int main(int argc, char **argv) {
  if (argc > 1 && std::string_view(argv[1]) == "cache")
    return runCacheCommand(argc, argv);
  TuneToolOptions options;
  int exitCode;
  if (!parseTuneOptions(options, argc, argv, exitCode))
    return exitCode;
  return options.ingest ? runIngest(options) : runTune(options);
}
