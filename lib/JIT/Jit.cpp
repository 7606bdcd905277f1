//===- Jit.cpp - Compile a module for the host CPU ------------------------===//
//
// LLVM dialect -> LLVM IR -> O3 with the host's features -> LLJIT. Each
// function with a C interface gets a wrapper that takes its arguments as one
// array.
//
//===----------------------------------------------------------------------===//
#include "tda/Jit.h"
#include "lib/JIT/HostModule.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;
using namespace tda;

static constexpr StringRef kInterface = "_mlir_ciface_";

int64_t tda::hostVectorBits() {
  StringMap<bool> features = sys::getHostCPUFeatures();
  if (features.lookup("avx512f"))
    return 512;
  return features.lookup("avx2") && features.lookup("fma") ? 256 : 128;
}

/// `void packed(ptr args)`: loads the scalars and calls `target`, whose memrefs
/// are pointers to descriptors.
static Error addPackedWrapper(Function &target) {
  StringRef name = target.getName().substr(kInterface.size());
  if (!target.getReturnType()->isVoidTy())
    return createStringError("function '" + name +
                             "' returns a value; results must be arguments");
  IRBuilder<> b(target.getContext());
  auto *type = FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
  Function *packed = Function::Create(type, Function::ExternalLinkage,
                                      kPacked + name, target.getParent());
  b.SetInsertPoint(BasicBlock::Create(target.getContext(), "", packed));
  SmallVector<Value *> arguments;
  for (Argument &argument : target.args()) {
    Value *slot = b.CreateConstGEP1_64(b.getPtrTy(), packed->getArg(0),
                                       argument.getArgNo());
    Value *value = b.CreateLoad(b.getPtrTy(), slot);
    if (!argument.getType()->isPointerTy())
      value = b.CreateLoad(argument.getType(), value);
    arguments.push_back(value);
  }
  b.CreateCall(&target, arguments);
  b.CreateRetVoid();
  return Error::success();
}

static void optimize(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder passes(&machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(components);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, components, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O3)
      .run(module, modules);
}

Expected<std::unique_ptr<Module>> tda::makeHostModule(mlir::ModuleOp source,
                                                      LLVMContext &context,
                                                      TargetMachine &machine) {
  std::unique_ptr<Module> module =
      mlir::translateModuleToLLVMIR(source, context);
  if (!module)
    return createStringError("the module is not in the LLVM dialect");
  module->setDataLayout(machine.createDataLayout());
  module->setTargetTriple(machine.getTargetTriple());
  SmallVector<Function *> interfaces;
  for (Function &function : *module)
    if (!function.isDeclaration() && function.getName().starts_with(kInterface))
      interfaces.push_back(&function);
  for (Function *function : interfaces)
    if (Error error = addPackedWrapper(*function))
      return error;
  optimize(*module, machine);
  return module;
}

Expected<std::unique_ptr<Jit>> Jit::create(mlir::ModuleOp source) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  auto host = orc::JITTargetMachineBuilder::detectHost();
  if (!host)
    return host.takeError();
  host->setCodeGenOptLevel(CodeGenOptLevel::Aggressive);
  auto machine = host->createTargetMachine();
  if (!machine)
    return machine.takeError();

  auto context = std::make_unique<LLVMContext>();
  auto module = makeHostModule(source, *context, **machine);
  if (!module)
    return module.takeError();

  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(*host).create();
  if (!jit)
    return jit.takeError();
  orc::ThreadSafeModule owned(std::move(*module), std::move(context));
  if (Error error = (*jit)->addIRModule(std::move(owned)))
    return error;
  return std::unique_ptr<Jit>(new Jit(std::move(*jit)));
}

Expected<PackedFn> Jit::lookup(StringRef name) {
  auto address = jit->lookup((kPacked + name).str());
  if (!address)
    return address.takeError();
  return address->toPtr<PackedFn>();
}

Jit::Jit(std::unique_ptr<orc::LLJIT> jit) : jit(std::move(jit)) {}
Jit::~Jit() = default;
