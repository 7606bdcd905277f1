//===- Compiler.cpp - The compiler behind a C interface -------------------===//
#include "tda/compiler.h"
#include "tda/Compile.h"

using namespace tda;

struct tda_compiled {
  std::string manifest, ptx;
  std::unique_ptr<CpuFunction> cpu;
};

static thread_local std::string lastError;

const char *tda_compiler_error(void) { return lastError.c_str(); }

static bool compile(const char *attention, const CompileOptions &options,
                    tda_compiled &compiled, std::string &messages) {
  Problem problem;
  if (!Problem::parse(attention, problem, messages))
    return false;
  auto context = makeContext();
  auto module = buildDescription(*context, problem);
  std::vector<FusedFunction> functions;
  if (!module || !fuseDescription(*module, functions, messages))
    return false;
  if (options.target == "cpu") {
    compiled.cpu = CpuFunction::compile(functions[0], options, messages);
    return compiled.cpu != nullptr;
  }
  GpuProgram program;
  if (!compileGpu(functions[0], options, program, messages))
    return false;
  compiled.ptx = std::move(program.ptx);
  compiled.manifest = printManifest(program.manifest);
  return true;
}

int tda_compile(const char *attention, const char *arch, const char *schedule,
                tda_compiled **compiled) {
  if (!attention || !arch || !compiled) {
    lastError = "tda_compile: a parameter is NULL";
    return 1;
  }
  *compiled = nullptr;
  CompileOptions options;
  options.target = arch;
  options.schedule = schedule ? schedule : "";
  auto result = std::make_unique<tda_compiled>();
  std::string messages;
  if (!compile(attention, options, *result, messages)) {
    lastError = std::move(messages);
    return 1;
  }
  *compiled = result.release();
  return 0;
}

void tda_compiled_free(tda_compiled *compiled) { delete compiled; }

const char *tda_compiled_manifest(const tda_compiled *compiled, size_t *size) {
  if (size)
    *size = compiled->manifest.size();
  return compiled->manifest.c_str();
}

const char *tda_compiled_ptx(const tda_compiled *compiled, size_t *size) {
  if (size)
    *size = compiled->ptx.size();
  return compiled->ptx.c_str();
}

tda_cpu_code tda_compiled_cpu(const tda_compiled *compiled, int64_t *queries) {
  if (queries)
    *queries = compiled->cpu ? compiled->cpu->queriesOfProgram() : 0;
  return compiled->cpu ? compiled->cpu->packed() : nullptr;
}
