//===- NVVMToPTX.cpp - Kernels in the LLVM dialect to PTX text ------------===//
//
// Translates to LLVM IR, marks inline PTX that synchronises, optimises for the
// chip and prints PTX.
//
//===----------------------------------------------------------------------===//
#include "lib/NVVMToPTX/MarkConvergent.h"
#include "tda/Emit.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir;
using namespace tda;

// Declared one by one: the NVPTX target alone, without the assembler.
extern "C" {
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

static const llvm::Target *nvptxTarget(const llvm::Triple &triple,
                                       std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  return llvm::TargetRegistry::lookupTarget(triple, error);
}

static void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  // Key loops are pipelined by hand; unrolling them again only costs registers.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

/// Whether LLVM may emit for `chip` where the target table says `target`.
static bool isChipOf(const Target &target, const std::string &chip,
                     std::string &error) {
  const std::string own = target.name, wgmma = target.wgmmaChip;
  if (chip == own || (!wgmma.empty() && chip == wgmma))
    return true;
  error = "a kernel for " + own + " cannot be emitted for '" + chip +
          "'; it can for " + own + (wgmma.empty() ? "" : " and " + wgmma);
  return false;
}

bool tda::translateToPtx(ModuleOp source, const Target &target,
                         const std::string &chip, std::string &llvmText,
                         std::string &ptx, std::string &error) {
  if (!isChipOf(target, chip, error))
    return false;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(source, context, "tda");
  if (!module) {
    error = "the kernel could not be translated to LLVM IR";
    return false;
  }
  markConvergent(*module);
  llvm::Triple triple("nvptx64-nvidia-cuda");
  const llvm::Target *backend = nvptxTarget(triple, error);
  if (!backend) {
    error = "this LLVM was built without the NVPTX target: " + error;
    return false;
  }
  std::unique_ptr<llvm::TargetMachine> machine(backend->createTargetMachine(
      triple, chip, target.ptxFeature, llvm::TargetOptions(), std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  module->setTargetTriple(triple);
  module->setDataLayout(machine->createDataLayout());
  optimise(*module, *machine);

  llvmText.clear();
  llvm::raw_string_ostream(llvmText) << *module;
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager codegen;
  if (machine->addPassesToEmitFile(codegen, stream, nullptr,
                                   llvm::CodeGenFileType::AssemblyFile)) {
    error = "LLVM's NVPTX target cannot print PTX";
    return false;
  }
  codegen.run(*module);
  ptx = text.str().str();
  return true;
}
