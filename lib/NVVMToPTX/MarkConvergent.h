//===- MarkConvergent.h - Inline PTX that threads run together -*- C++ -*-===//
//
// Inline PTX may synchronise (wgmma, bar.sync, predicated TMA), and LLVM must
// then neither duplicate it nor make it depend on more control flow: threads
// that came together at one instruction would wait for each other at two. What
// forbids that is the attribute `convergent` on the call. MLIR's
// llvm.inline_asm cannot carry it, nor can what lowers through it
// (nvvm.inline_ptx, nvvm.wgmma.*), so it is set on the LLVM IR, before any of
// LLVM's passes. Intrinsics that synchronise carry it by themselves.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_MARKCONVERGENT_H
#define TDA_MARKCONVERGENT_H

namespace llvm {
class Module;
}

namespace tda {

/// Marks every call of an inline asm with side effects `convergent`. So are all
/// functions with a body, because a call of one may reach such an asm; LLVM
/// takes that back where it sees that none is reached.
void markConvergent(llvm::Module &module);

} // namespace tda

#endif // TDA_MARKCONVERGENT_H
