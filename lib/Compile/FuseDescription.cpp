//===- FuseDescription.cpp - One module for every attention ---------------===//
#include "lib/Compile/Messages.h"
#include "tda/Compile.h"

#include "dialects/tda/Dialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tda;

std::string FusedFunction::text() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (Operation &op : *module.get().getBody()) {
    op.print(stream);
    stream << '\n';
  }
  return text;
}

FusedFunction tda::renamed(const FusedFunction &function, StringRef name) {
  FusedFunction result;
  result.name = name.str();
  result.module = function.module.get().clone();
  (*result.module->getOps<func::FuncOp>().begin()).setName(name);
  return result;
}

/// Files, PTX entries and C identifiers are named after a function.
static bool isIdentifier(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

static bool takeApart(func::FuncOp func,
                      std::vector<FusedFunction> &functions) {
  if (func.getOps<AttentionOp>().empty()) {
    func.emitWarning("holds no tda.attention and is left out");
    return true;
  }
  if (!isIdentifier(func.getName())) {
    func.emitError("the name '")
        << func.getName()
        << "' is no C identifier; files, the PTX entry and the C header are "
           "named after the function";
    return false;
  }
  FusedFunction fused;
  fused.name = func.getName().str();
  fused.module = ModuleOp::create(func.getLoc());
  fused.module->push_back(func.clone());
  functions.push_back(std::move(fused));
  return true;
}

bool tda::fuseDescription(ModuleOp module,
                          std::vector<FusedFunction> &functions,
                          std::string &messages) {
  OwningOpRef<ModuleOp> copy = module.clone();
  if (!runPasses(*copy, messages, buildFusePipeline))
    return false;
  MessageScope scope(module.getContext(), messages);
  for (auto func : copy->getOps<func::FuncOp>())
    if (!func.isExternal() && !takeApart(func, functions))
      return false;
  if (!functions.empty())
    return true;
  module.emitError("no function holds a tda.attention, or stages that fuse "
                   "into one");
  return false;
}
