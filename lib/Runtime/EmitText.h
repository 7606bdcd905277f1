//===- EmitText.h - What emitted C says of a manifest ----------*- C++ -*-===//
#ifndef TDA_LIB_RUNTIME_EMITTEXT_H
#define TDA_LIB_RUNTIME_EMITTEXT_H

#include "tda/Manifest.h"

namespace tda {

std::string upperCase(std::string text);

/// "in  q1: bf16 [B, Hq, Nq, 64], 16-byte aligned, unit last stride".
std::string argumentText(const ManifestArgument &argument);

/// A C comment with arguments, lengths, launches and workspace.
std::string contractText(const Manifest &manifest);

} // namespace tda

#endif // TDA_LIB_RUNTIME_EMITTEXT_H
