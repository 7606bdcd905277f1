//===- MarkConvergent.cpp - Inline PTX that threads run together ----------===//
#include "lib/NVVMToPTX/MarkConvergent.h"

#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

void tda::markConvergent(llvm::Module &module) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.setConvergent();
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *call = llvm::dyn_cast<llvm::CallBase>(&instruction);
      if (!call || !call->isInlineAsm())
        continue;
      auto *code = llvm::cast<llvm::InlineAsm>(call->getCalledOperand());
      if (code->hasSideEffects())
        call->setConvergent();
    }
  }
}
