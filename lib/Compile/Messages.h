//===- Messages.h - What MLIR reports, as text -----------------*- C++ -*-===//
#ifndef TDA_MESSAGES_H
#define TDA_MESSAGES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace tda {

/// While this lives, diagnostics are added to `text`, with the source line
/// where the file can be read.
class MessageScope {
public:
  MessageScope(mlir::MLIRContext *context, std::string &text)
      : stream(text), handler(sources, context, stream) {}

  llvm::SourceMgr sources;

private:
  llvm::raw_string_ostream stream;
  mlir::SourceMgrDiagnosticHandler handler;
};

/// Runs the passes that `build` adds; false where one failed.
inline bool runPasses(mlir::ModuleOp module, std::string &messages,
                      llvm::function_ref<void(mlir::OpPassManager &)> build) {
  MessageScope scope(module.getContext(), messages);
  mlir::PassManager pm(module.getContext(), module.getOperationName());
  build(pm);
  return mlir::succeeded(pm.run(module));
}

} // namespace tda

#endif // TDA_MESSAGES_H
