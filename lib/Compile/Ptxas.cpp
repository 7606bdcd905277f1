//===- Ptxas.cpp - Assemble PTX where the CUDA Toolkit is installed -------===//
#include "tda/Compile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace tda;

namespace {

/// A file that disappears with this.
struct TemporaryFile {
  llvm::SmallString<64> path;
  std::error_code code;

  explicit TemporaryFile(llvm::StringRef suffix) {
    code = llvm::sys::fs::createTemporaryFile("tda", suffix, path);
  }
  ~TemporaryFile() {
    if (!code)
      llvm::sys::fs::remove(path);
  }

  std::string read() const {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : std::string();
  }
};

} // namespace

/// Runs ptxas; `output` is all that it said.
static bool execute(llvm::StringRef program,
                    llvm::ArrayRef<llvm::StringRef> words,
                    std::string &output) {
  TemporaryFile log("log");
  if (log.code) {
    output = "cannot make a temporary file: " + log.code.message();
    return false;
  }
  llvm::SmallVector<llvm::StringRef> arguments{program};
  arguments.append(words.begin(), words.end());
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""),
                                                log.path.str(), log.path.str()};
  std::string error;
  int code = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt,
                                       redirects, /*SecondsToWait=*/0,
                                       /*MemoryLimit=*/0, &error);
  output = log.read() + error;
  return code == 0;
}

std::optional<Ptxas> tda::findPtxas() {
  std::vector<std::string> folders;
  if (const char *home = std::getenv("CUDA_HOME"))
    folders.push_back(std::string(home) + "/bin");
  folders.push_back("/usr/local/cuda/bin");
  auto found = llvm::sys::findProgramByName("ptxas");
  if (!found)
    found = llvm::sys::findProgramByName(
        "ptxas",
        llvm::SmallVector<llvm::StringRef>(folders.begin(), folders.end()));
  if (!found)
    return std::nullopt;
  Ptxas ptxas{*found, "unknown"};
  // "Cuda compilation tools, release 13.0, V13.0.88"
  std::string text;
  if (execute(ptxas.path, {"--version"}, text))
    if (size_t at = text.rfind(", V"); at != std::string::npos)
      ptxas.version = llvm::StringRef(text)
                          .drop_front(at + 3)
                          .take_while([](char c) { return !isspace(c); })
                          .str();
  return ptxas;
}

bool tda::addCubin(const Ptxas &ptxas, GpuProgram &program, PtxasReport &report,
                   std::string &messages) {
  TemporaryFile ptx("ptx"), cubin("cubin");
  std::error_code code = ptx.code ? ptx.code : cubin.code;
  if (!code) {
    llvm::raw_fd_ostream stream(ptx.path, code);
    stream << program.ptx;
    stream.close();
    if (stream.has_error())
      code = stream.error();
    stream.clear_error();
  }
  if (code) {
    messages +=
        "error: cannot write a temporary file: " + code.message() + "\n";
    return false;
  }
  std::string arch = "-arch=" + program.manifest.target.arch;
  std::string output;
  if (!execute(ptxas.path, {"-v", arch, ptx.path, "-o", cubin.path}, output)) {
    messages += "error: " + ptxas.path + " refuses the PTX of '" +
                program.name + "':\n" + output;
    return false;
  }
  report = parsePtxasReport(output);
  for (const std::string &complaint : report.complaints())
    messages += "warning: '" + program.name + "': " + complaint + "\n";
  program.cubin = cubin.read();
  program.manifest.files.cubin = program.name + ".cubin";
  program.manifest.hashes.cubin = hashText(program.cubin);
  program.manifest.compiler.ptxas = ptxas.version;
  return true;
}
