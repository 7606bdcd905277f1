//===- Compile.h - From a description to what runs it ----------*- C++ -*-===//
//
//   auto context = makeContext();
//   std::string messages;
//   auto module = loadDescription(*context, "attention.mlir", messages);
//   std::vector<FusedFunction> functions;
//   GpuProgram program;
//   CompileOptions options;
//   options.target = "sm_90";
//   if (!module || !fuseDescription(*module, functions, messages) ||
//       !compileGpu(functions[0], options, program, messages))
//     ...
//
// Functions return false, or null, on failure. To `messages` they add what was
// said: errors, and warnings and remarks on success too, each with its place in
// the source.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_COMPILE_H
#define TDA_COMPILE_H

#include "tda/Pipeline.h"
#include "tda/PtxasReport.h"
#include "tda/Signature.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>
#include <vector>

namespace tda {

class Jit;

/// A context that knows all that a description may use.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// A function `name` with one tda.attention, all lengths dynamic; it takes
/// host::inputSpecs(problem) and returns host::outputSpecs(problem). The
/// problem must be legal.
mlir::OwningOpRef<mlir::ModuleOp>
buildDescription(mlir::MLIRContext &context, const Problem &problem,
                 llvm::StringRef name = "attention");

/// Parses and verifies a file; "-" is the standard input.
mlir::OwningOpRef<mlir::ModuleOp> loadDescription(mlir::MLIRContext &context,
                                                  llvm::StringRef path,
                                                  std::string &messages);

/// A module of the function called `name` alone, or where that is empty of the
/// only function with a body.
mlir::OwningOpRef<mlir::ModuleOp> selectFunction(mlir::ModuleOp module,
                                                 llvm::StringRef name,
                                                 std::string &messages);

/// A module of one function that holds a tda.attention.
struct FusedFunction {
  std::string name;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// The `func.func`, ready to be read again.
  std::string text() const;
};

/// Fuses stages and takes every function with a tda.attention apart; `module`
/// itself stays as it is. Fails where stages are left, or where no function
/// has an attention.
bool fuseDescription(mlir::ModuleOp module,
                     std::vector<FusedFunction> &functions,
                     std::string &messages);

/// What the function takes and gives; fails where it is more than one
/// attention on its arguments and constants.
bool describeFunction(const FusedFunction &function, Signature &signature,
                      std::string &messages);

/// The same function under another name, which must be a C identifier.
FusedFunction renamed(const FusedFunction &function, llvm::StringRef name);

/// Lets the attention of `function` return its survivors too, if it does not.
bool addSurvivors(FusedFunction &function, std::string &messages);

/// A compiled attention.
struct GpuProgram {
  std::string name;
  std::string mlir; ///< The fused function.
  std::string llvm; ///< LLVM IR after optimisation.
  std::string ptx;
  std::string cubin;          ///< Empty until addCubin.
  bool scheduleGiven = false; ///< By the description itself.
  /// With schedule = "auto": which layer of the tuner knew it, and from where.
  std::string scheduleSource;
  Signature signature;
  Manifest manifest;
};

/// Compiles for `options.target`, a GPU of the target table.
bool compileGpu(const FusedFunction &function, const CompileOptions &options,
                GpuProgram &program, std::string &messages);

/// NVIDIA's assembler.
struct Ptxas {
  std::string path;
  std::string version; ///< "13.0.88"
};

/// Looks on PATH, in $CUDA_HOME/bin and in /usr/local/cuda/bin.
std::optional<Ptxas> findPtxas();

/// Assembles the PTX for its own architecture and notes that in the manifest.
/// What `report` complains of is added to `messages` as warnings.
bool addCubin(const Ptxas &ptxas, GpuProgram &program, PtxasReport &report,
              std::string &messages);

/// A function compiled for this machine.
class CpuFunction {
public:
  /// Fused: the loop over tiles.
  static std::unique_ptr<CpuFunction> compile(const FusedFunction &function,
                                              const CompileOptions &options,
                                              std::string &messages);
  /// Stage by stage; `module` is one of selectFunction. Attentions in it are
  /// taken apart into stages.
  static std::unique_ptr<CpuFunction> compileUnfused(mlir::ModuleOp module,
                                                     std::string &messages);
  ~CpuFunction();

  /// Computes `outputs`, which have their shapes already. The tensors must fit
  /// the function's types. `threads` = 0: all of the machine; a function that
  /// was compiled unfused runs on one.
  void run(const std::vector<const host::HostTensor *> &inputs,
           std::vector<host::HostTensor> &outputs, unsigned threads = 0) const;

  /// The compiled code and the queries of one of its programs, for a caller
  /// that lays out arguments itself (tda/Jit.h); both live as long as this.
  void (*packed() const)(void **) { return function; }
  int64_t queriesOfProgram() const { return tileM; }

private:
  CpuFunction();
  bool load(mlir::ModuleOp lowered, llvm::StringRef name,
            std::string &messages);

  std::unique_ptr<Jit> jit;
  void (*function)(void **) = nullptr;
  std::vector<bool> isTensor; ///< One an input.
  int64_t tileM = 0;          ///< 0: unfused.
};

/// An object file with `symbol` and `symbol`_tile_m (emitObject) for any x86-64
/// CPU with AVX2 and FMA, or any CPU of another architecture.
bool compileCpuObject(const FusedFunction &function,
                      const CompileOptions &options, llvm::StringRef symbol,
                      std::string &object, std::string &messages);

/// What a function of any ops takes, by its types: arguments are called
/// "argument 0", dynamic extents "?". `module` is one of selectFunction.
bool inputsByType(mlir::ModuleOp module,
                  std::vector<host::ArgumentSpec> &inputs, std::string &error);

/// Tensors for what a function of stage ops returns, by the shapes of its
/// arguments, which must fit its types. Checks that the shapes of all operands
/// agree, which compiled code cannot. `module` is one of selectFunction.
bool inferResults(mlir::ModuleOp module,
                  const std::vector<const host::HostTensor *> &inputs,
                  std::vector<host::HostTensor> &results, std::string &error);

} // namespace tda

#endif // TDA_COMPILE_H
