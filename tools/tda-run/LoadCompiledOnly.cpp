//===- LoadCompiledOnly.cpp - tda-run without the compiler ----------------===//
//
// In tda-run-compiled, for machines without LLVM: NAME.json is all that it
// takes.
//
//===----------------------------------------------------------------------===//
#include "Program.h"
#include "tda/runtime.h"

using namespace tda;

std::string tda::versionText() {
  return std::string("tda ") + tda_runtime_version() + ", without the compiler";
}

std::unique_ptr<Program> tda::loadProgram(const Options &options,
                                          std::string &messages) {
  if (options.file && isManifest(*options.file))
    return loadManifest(options, messages);
  messages += "error: this is tda-run without the compiler, which takes "
              "NAME.json alone\n";
  return nullptr;
}
