//===- Object.cpp - A function for CPUs, ahead of time --------------------===//
#include "lib/JIT/HostModule.h"
#include "tda/Jit.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

static Expected<std::unique_ptr<TargetMachine>> makeMachine(StringRef cpu) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  Triple triple(sys::getDefaultTargetTriple());
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, cpu, /*Features=*/"", TargetOptions(), Reloc::PIC_, std::nullopt,
      CodeGenOptLevel::Aggressive));
}

/// Leaves `keep` alone visible, so that objects can be linked together.
static void hideOthers(Module &module, const Function *keep) {
  for (Function &function : module)
    if (!function.isDeclaration() && &function != keep)
      function.setLinkage(GlobalValue::InternalLinkage);
  for (GlobalVariable &global : module.globals())
    if (!global.isDeclaration())
      global.setLinkage(GlobalValue::InternalLinkage);
}

Expected<std::string> tda::emitObject(mlir::ModuleOp source, StringRef name,
                                      StringRef cpu, StringRef symbol,
                                      int64_t tileM) {
  auto machine = makeMachine(cpu);
  if (!machine)
    return machine.takeError();
  LLVMContext context;
  auto module = makeHostModule(source, context, **machine);
  if (!module)
    return module.takeError();
  Function *packed = (*module)->getFunction((kPacked + name).str());
  if (!packed)
    return createStringError("the module has no function '" + name + "'");
  hideOthers(**module, packed);
  packed->setName(symbol);
  auto *type = Type::getInt64Ty(context);
  new GlobalVariable(**module, type, /*isConstant=*/true,
                     GlobalValue::ExternalLinkage,
                     ConstantInt::get(type, tileM), symbol + "_tile_m");

  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      CodeGenFileType::ObjectFile))
    return createStringError("LLVM cannot write objects for this CPU");
  passes.run(**module);
  return std::string(bytes.begin(), bytes.end());
}
