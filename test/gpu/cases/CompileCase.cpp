//===- CompileCase.cpp - One kernel of the grid into a folder -------------===//
#include "CompileCase.h"

#include "tda/Compile.h"
#include "tda/Host/AtomicFile.h"

using namespace tda;

bool tda::compileCase(const GridKernel &kernel, const std::string &arch,
                      const std::string &folder, std::string &error) {
  // A context of its own makes the calls independent.
  auto context = makeContext();
  auto module = buildDescription(*context, kernel.problem, kernel.name);
  CompileOptions options;
  options.target = arch;
  // Every word, so that nothing is left to the target's default.
  options.schedule = kernel.schedule.str();
  if (kernel.schedule.path == Path::MmaSync)
    options.schedule += ", path = mma_sync";
  std::vector<FusedFunction> functions;
  GpuProgram program;
  if (!fuseDescription(*module, functions, error) ||
      !compileGpu(functions.front(), options, program, error))
    return false;

  std::string json = printManifest(program.manifest);
  return host::writeFileAtomically(folder + "/" + program.manifest.files.ptx,
                                   {program.ptx}, error) &&
         host::writeFileAtomically(folder + "/" + kernel.name + ".json", {json},
                                   error);
}
