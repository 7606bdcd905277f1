//===- tda-compile.cpp - A description to PTX, manifest and C header ------===//
#include "CommandLine.h"
#include "OutputSet.h"
#include "tda/Compile.h"
#include "tda/Host/AtomicFile.h"
#include "tda/Package.h"
#include "tda/TargetTable.h"

#include <cstdio>
#include <fmt/format.h>

using namespace tda;

namespace {

constexpr const char *kOverview =
    R"(usage: tda-compile FILE.mlir --arch sm_NN -o DIR
       tda-compile --attention "WORDS" --arch sm_NN -o DIR
       tda-compile FILE.mlir --emit=FORM [--arch sm_NN] -o FILE

Compiles Threshold Differential Attention for a GPU. FILE.mlir ('-': standard
input) holds functions of tda.attention, or of stage ops that fuse into one.
For each function NAME, DIR gets NAME.ptx, the code; NAME.json, its manifest,
with which any program can launch it; NAME.h, a C header over libtda_runtime;
and NAME.cubin where ptxas is installed. DIR is created. With --package NAME.h
and NAME.c are a launcher in C99 that needs only libcuda.

WORDS describe an attention without MLIR: views=1|2 and d=N are required, then
as needed dv=N dtype=bf16|f16|f32 causal window=W power=P normalize unit
kappa=X|arg offset=arg beta=scalar|head lambda=scalar|head|token norm eps=X
stats. The function is called 'attention' and takes q1,k1,q2,k2,v,beta,lambda
(views=1: q,k,v,beta), then kappa, offset and gain where asked for.
)";

constexpr const char *kExamples = R"(examples:
  tda-compile --attention "views=2 d=128 causal normalize" --arch sm_90 -o out
  tda-compile attention.mlir --arch sm_80 -o out -v
  tda-compile attention.mlir --emit=mlir -o -
  tda-compile attention.mlir --emit=ptx --arch sm_90 -o - | less
  tda-compile attention.mlir --arch sm_90 --schedule "tile_n = 32" -o out
  tda-compile attention.mlir --arch sm_90 --package --embed -o out

Then: tda-run out/attention.json --target gpu --help
)";

struct Options {
  std::optional<std::string> file, attention, arch, output, emit, schedule,
      schedules, function, name, shape, density;
  bool noSkip = false, noCubin = false, verbose = false;
  bool package = false, embed = false, tvmFfi = false, tensorRt = false;
};

class Compiler {
public:
  Compiler(const CommandLine &commandLine, const Options &options)
      : commandLine(commandLine), options(options), context(makeContext()) {}

  int run();

private:
  /// Prints the messages that piled up; returns 1.
  int fail() {
    flushMessages();
    return 1;
  }
  void flushMessages() {
    std::fputs(messages.c_str(), stderr);
    messages.clear();
  }
  int load();
  int compile(const FusedFunction &function, const std::string &schedule,
              GpuProgram &program, bool wantCubin);
  int addPackage(const FusedFunction &function, OutputSet &outputs);
  int emitOne(const std::string &form);
  int emitAll();
  int writeText(const std::string &text);

  const CommandLine &commandLine;
  const Options &options;
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> source;
  std::vector<FusedFunction> functions;
  std::string messages;
};

/// Reads the description and fuses it.
int Compiler::load() {
  if (options.attention) {
    Problem problem;
    std::string error;
    if (!Problem::parse(*options.attention, problem, error))
      return commandLine.error(error);
    source =
        buildDescription(*context, problem, options.name.value_or("attention"));
  } else {
    source = loadDescription(*context, *options.file, messages);
  }
  if (source && options.function)
    source = selectFunction(*source, *options.function, messages);
  if (!source || !fuseDescription(*source, functions, messages))
    return fail();
  return 0;
}

int Compiler::compile(const FusedFunction &function,
                      const std::string &schedule, GpuProgram &program,
                      bool wantCubin) {
  CompileOptions compile;
  compile.target = *options.arch;
  // Without words: what tuning found.
  compile.schedule = schedule.empty() ? "auto" : schedule;
  compile.tunedShape = options.shape.value_or("");
  compile.tunedDensity = options.density.value_or("");
  compile.noSkip = options.noSkip;
  if (!compileGpu(function, compile, program, messages))
    return fail();
  if (options.verbose)
    fmt::print(
        stderr, "{}: schedule {} (from {}{})\n", program.name,
        program.manifest.schedule,
        !schedule.empty() && schedule != "auto" ? "--schedule over " : "",
        program.scheduleGiven            ? "the description"
        : program.scheduleSource.empty() ? "the default for " + *options.arch
                                         : "the " + program.scheduleSource);
  if (!wantCubin)
    return 0;
  std::optional<Ptxas> ptxas = findPtxas();
  if (!ptxas && options.emit)
    return commandLine.error("--emit=cubin needs ptxas of the CUDA Toolkit on "
                             "PATH or in $CUDA_HOME/bin");
  if (!ptxas && options.verbose)
    fmt::print(stderr, "{}: ptxas is not installed, so there is no cubin\n",
               program.name);
  PtxasReport report;
  if (ptxas && !addCubin(*ptxas, program, report, messages))
    return fail();
  if (options.verbose)
    std::fputs(report.text.c_str(), stderr);
  return 0;
}

/// To the file that -o names, or to stdout.
int Compiler::writeText(const std::string &text) {
  flushMessages();
  if (*options.output != "-") {
    std::string error;
    if (!host::writeFileAtomically(*options.output, {text}, error))
      return commandLine.error(error);
    return 0;
  }
  bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) != 0 || !written)
    return commandLine.error("cannot write to the standard output");
  return 0;
}

int Compiler::emitOne(const std::string &form) {
  if (form == "mlir") {
    std::string text;
    for (const FusedFunction &function : functions)
      text += function.text();
    return writeText(text);
  }
  if (functions.size() > 1) {
    std::string names;
    for (const FusedFunction &function : functions)
      names += " " + function.name;
    return commandLine.error(
        fmt::format("--emit={} writes one function, and there are {}; choose "
                    "with --function:{}",
                    form, functions.size(), names));
  }
  if (form == "object") {
    CompileOptions compile;
    compile.schedule = options.schedule.value_or("");
    compile.noSkip = options.noSkip;
    std::string object;
    if (!compileCpuObject(functions[0], compile, functions[0].name, object,
                          messages))
      return fail();
    return writeText(object);
  }
  GpuProgram program;
  if (int code = compile(functions[0], options.schedule.value_or(""), program,
                         form == "cubin"))
    return code;
  return writeText(form == "llvm"  ? program.llvm
                   : form == "ptx" ? program.ptx
                                   : program.cubin);
}

/// Code and manifest.
static void addProgram(const GpuProgram &program, OutputSet &outputs) {
  outputs.add(program.name + ".ptx", program.ptx);
  if (!program.cubin.empty())
    outputs.add(program.name + ".cubin", program.cubin);
  outputs.add(program.name + ".json", printManifest(program.manifest));
}

/// One program a schedule, and the launcher of all of them.
int Compiler::addPackage(const FusedFunction &function, OutputSet &outputs) {
  std::vector<ScheduleRange> ranges = {{{}, options.schedule.value_or("")}};
  std::string error;
  if (options.schedules &&
      !parseScheduleRanges(*options.schedules, ranges, error))
    return commandLine.error("--schedules: " + error);
  Package package;
  package.name = function.name;
  package.embed = options.embed || options.tvmFfi;
  for (size_t i = 0; i < ranges.size(); ++i) {
    FusedFunction variant = renamed(
        function, options.schedules ? fmt::format("{}_{}", function.name, i)
                                    : function.name);
    GpuProgram program;
    if (int code =
            compile(variant, ranges[i].schedule, program, !options.noCubin))
      return code;
    addProgram(program, outputs);
    package.variants.push_back(
        {program.manifest, ranges[i].covers, program.ptx, program.cubin});
  }
  outputs.add(function.name + ".h", emitLauncherHeader(package));
  outputs.add(function.name + ".c", emitLauncher(package));
  if (options.tvmFfi)
    outputs.add(function.name + "_tvm_ffi.cc", emitTvmFfi(package));
  if (options.tensorRt)
    outputs.add(function.name + "_tensorrt.json", emitTensorRt(package));
  return 0;
}

int Compiler::emitAll() {
  OutputSet outputs;
  for (const FusedFunction &function : functions) {
    if (options.package) {
      if (int code = addPackage(function, outputs))
        return code;
      continue;
    }
    GpuProgram program;
    if (int code = compile(function, options.schedule.value_or(""), program,
                           !options.noCubin))
      return code;
    addProgram(program, outputs);
    outputs.add(program.name + ".h", emitHeader(program.manifest));
  }
  flushMessages();
  std::string error;
  if (!outputs.write(*options.output, error))
    return commandLine.error(error);
  return 0;
}

int Compiler::run() {
  if (int code = load())
    return code;
  return options.emit ? emitOne(*options.emit) : emitAll();
}

/// What is wrong with the options together; empty when nothing is.
std::string checkOptions(const Options &options) {
  if (options.file.has_value() == options.attention.has_value())
    return options.file ? "give FILE.mlir or --attention, not both"
                        : "give FILE.mlir ('-' for the standard input) or "
                          "--attention; see 'tda-compile --help'";
  if (options.emit) {
    const std::string &form = *options.emit;
    if (form != "mlir" && form != "llvm" && form != "ptx" && form != "cubin" &&
        form != "object")
      return fmt::format("unknown form --emit={}; known: mlir, llvm, ptx, "
                         "cubin, object",
                         form);
    if (form == "object" && options.arch != "cpu")
      return "--emit=object is code for CPUs: --arch cpu";
  }
  if (options.name && !options.attention)
    return "--name is the function's of --attention; one in a file has its own";
  if (options.attention && options.function)
    return "--function chooses from a file; --attention is one function";
  if (options.emit == "mlir" && (options.schedule || options.noSkip))
    return "--schedule and --no-skip change nothing in --emit=mlir";
  if (options.emit == "mlir" && (options.shape || options.density))
    return "--tuned-shape and --tuned-density change nothing in --emit=mlir";
  if (!options.output)
    return options.emit ? "say where to: -o FILE, or -o - for the standard "
                          "output"
                        : "say where to: -o DIR";
  if (!options.emit && *options.output == "-")
    return "-o - needs --emit: a set of files goes into a folder, -o DIR";
  if (options.output->empty())
    return "-o is empty";
  if (options.package && options.emit)
    return "--package writes a set of files, --emit one; choose";
  if (!options.package && (options.embed || options.schedules ||
                           options.tvmFfi || options.tensorRt))
    return "--embed, --schedules, --tvm-ffi and --tensorrt belong to --package";
  if (options.schedule && options.schedules)
    return "give --schedule or --schedules, not both";
  // Nothing is compiled for it, so nothing else would look.
  if (std::string error; options.emit == "mlir" && options.arch &&
                         !findTarget(*options.arch, error))
    return error;
  if (!options.arch && options.emit != "mlir")
    return "say for which architecture: --arch sm_80, sm_86, sm_89 or sm_90";
  return "";
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CommandLine commandLine("tda-compile", kOverview, kExamples);
  commandLine.positional("FILE.mlir", options.file);
  commandLine.value("attention", "\"WORDS\"", options.attention,
                    "Compile this attention instead of a file");
  commandLine.value("name", "NAME", options.name,
                    "With --attention: what the function is called, and the\n"
                    "files and C names after it (default: attention)");
  commandLine.value("arch", "sm_NN", options.arch,
                    "GPU to compile for: sm_80, sm_86, sm_89 or sm_90");
  commandLine.value("o", "DIR|FILE", options.output,
                    "Folder for the files; with --emit the file, '-': stdout");
  commandLine.value("emit", "FORM", options.emit,
                    "Write one form only: mlir (the fused function, which\n"
                    "tda-run takes), llvm, ptx, cubin, or with --arch cpu\n"
                    "object (code for CPUs with AVX2)");
  commandLine.value("function", "NAME", options.function,
                    "Compile this function of the file only");
  commandLine.value("schedule", "\"WORDS\"", options.schedule,
                    "Override the default schedule: tile_m, tile_n, stages,\n"
                    "warps, skip, group, as \"tile_m = 64, warps = 4\"; auto:\n"
                    "what tuning found, as without this option");
  commandLine.value("tuned-shape", "\"B=..,H=..,N=..\"", options.shape,
                    "Take the schedule tuned for these lengths, where types\n"
                    "do not fix them (default: B=1,H=16,N=8192)");
  commandLine.value("tuned-density", "D", options.density,
                    "and for this data: null, real, dense (default: real)");
  commandLine.flag("package", options.package,
                   "Write NAME.c and a NAME.h of its own instead of that over\n"
                   "libtda_runtime: a C99 launcher that needs only libcuda");
  commandLine.flag("embed", options.embed,
                   "With --package: put the code into NAME.c");
  commandLine.flag("tvm-ffi", options.tvmFfi,
                   "With --package: NAME_tvm_ffi.cc too, symbols that take\n"
                   "DLPack tensors; implies --embed");
  commandLine.flag("tensorrt", options.tensorRt,
                   "With --package: NAME_tensorrt.json too, what a plugin of\n"
                   "TensorRT must know");
  commandLine.value(
      "schedules", "\"RANGES\"", options.schedules,
      "With --package: several schedules by run-time lengths, as\n"
      "\"Nk <= 2048: tile_m = 64; Nk >= 2049: \"");
  commandLine.flag("no-skip", options.noSkip,
                   "Empty tiles take the arithmetic of live ones (debug)");
  commandLine.flag("no-cubin", options.noCubin,
                   "Do not assemble, even where ptxas is installed");
  commandLine.flag("v", options.verbose,
                   "Say which schedule was taken, and what ptxas reports");
  int exitCode;
  if (!commandLine.parse(argc, argv, versionText(), exitCode))
    return exitCode;
  std::string wrong = checkOptions(options);
  if (!wrong.empty())
    return commandLine.error(wrong);
  return Compiler(commandLine, options).run();
}
