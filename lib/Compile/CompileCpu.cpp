//===- CompileCpu.cpp - A function for this machine -----------------------===//
#include "lib/Compile/Messages.h"
#include "tda/Compile.h"

#include "dialects/tda/Dialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tda/Jit.h"

using namespace mlir;
using namespace tda;

CpuFunction::CpuFunction() = default;
CpuFunction::~CpuFunction() = default;

static std::vector<bool> tensorInputs(func::FuncOp func) {
  std::vector<bool> isTensor;
  for (Type type : func.getArgumentTypes())
    isTensor.push_back(isa<RankedTensorType>(type));
  return isTensor;
}

/// The symbol of the one function of a module, apart from any in the C library
/// that generated code may call (a function called log, say).
constexpr StringLiteral kEntry = "tda_cpu_entry";

static func::FuncOp renameEntry(ModuleOp module) {
  func::FuncOp func = *module.getOps<func::FuncOp>().begin();
  func.setName(kEntry);
  return func;
}

/// Compiles the LLVM dialect and finds the function in it.
bool CpuFunction::load(ModuleOp lowered, StringRef name,
                       std::string &messages) {
  MessageScope scope(lowered.getContext(), messages);
  auto created = Jit::create(lowered);
  if (!created) {
    messages += "error: " + llvm::toString(created.takeError()) + "\n";
    return false;
  }
  jit = std::move(*created);
  auto found = jit->lookup(name);
  if (!found) {
    messages += "error: " + llvm::toString(found.takeError()) + "\n";
    return false;
  }
  function = *found;
  return true;
}

/// The passes of the fused path; `tileM` as the schedule has it.
static bool lower(ModuleOp module, CompileOptions options, int64_t &tileM,
                  std::string &messages) {
  options.target = "cpu";
  if (!runPasses(module, messages,
                 [&](OpPassManager &pm) { buildFrontPipeline(pm, options); }))
    return false;
  module.walk(
      [&](AttentionOp op) { tileM = op.getSchedule()->toSchedule().tileM; });
  return runPasses(module, messages, buildCpuLoweringPipeline);
}

std::unique_ptr<CpuFunction> CpuFunction::compile(const FusedFunction &function,
                                                  const CompileOptions &options,
                                                  std::string &messages) {
  OwningOpRef<ModuleOp> module = function.module.get().clone();
  std::unique_ptr<CpuFunction> result(new CpuFunction());
  result->isTensor = tensorInputs(renameEntry(*module));
  if (!lower(*module, options, result->tileM, messages) ||
      !result->load(*module, kEntry, messages))
    return nullptr;
  return result;
}

bool tda::compileCpuObject(const FusedFunction &function,
                           const CompileOptions &options, StringRef symbol,
                           std::string &object, std::string &messages) {
#if defined(__x86_64__)
  constexpr StringLiteral cpu = "x86-64-v3";
  constexpr int64_t vectorBits = 256;
#else
  constexpr StringLiteral cpu = "";
  constexpr int64_t vectorBits = 128;
#endif
  OwningOpRef<ModuleOp> module = function.module.get().clone();
  renameEntry(*module);
  CompileOptions fixed = options;
  fixed.vectorBits = vectorBits;
  int64_t tileM = 0;
  if (!lower(*module, fixed, tileM, messages))
    return false;
  auto emitted = emitObject(*module, kEntry, cpu, symbol, tileM);
  if (!emitted) {
    messages += "error: " + llvm::toString(emitted.takeError()) + "\n";
    return false;
  }
  object = std::move(*emitted);
  return true;
}

std::unique_ptr<CpuFunction>
CpuFunction::compileUnfused(ModuleOp module, std::string &messages) {
  OwningOpRef<ModuleOp> copy = module.clone();
  func::FuncOp func = renameEntry(*copy);
  std::unique_ptr<CpuFunction> result(new CpuFunction());
  result->isTensor = tensorInputs(func);
  if (!runPasses(*copy, messages, buildUnfusedCpuPipeline) ||
      !result->load(*copy, kEntry, messages))
    return nullptr;
  return result;
}

void CpuFunction::run(const std::vector<const host::HostTensor *> &inputs,
                      std::vector<host::HostTensor> &outputs,
                      unsigned threads) const {
  std::vector<MemRef> descriptors;
  std::vector<void *> arguments;
  descriptors.reserve(inputs.size() + outputs.size());
  auto add = [&](const host::HostTensor &tensor, bool asTensor) {
    // The function reads its inputs only.
    void *data = const_cast<uint8_t *>(tensor.data.data());
    if (!asTensor)
      return arguments.push_back(data);
    descriptors.emplace_back(data, tensor.shape);
    arguments.push_back(descriptors.back().get());
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    add(*inputs[i], isTensor[i]);
  for (const host::HostTensor &output : outputs)
    add(output, true);
  if (tileM == 0)
    return function(arguments.data());
  const std::vector<int64_t> &o = outputs.front().shape;
  runPrograms(function, arguments, programCount(o[2], tileM, o[1], o[0]),
              threads);
}
