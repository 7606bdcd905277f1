//===- Canonicalize.h - Names of canonicalisations -------------*- C++ -*-===//
#ifndef TDA_CANONICALIZE_H
#define TDA_CANONICALIZE_H

#include "llvm/ADT/StringRef.h"

namespace tda {

/// Label of the pattern that drops q2 and k2 where lambda is 0. A pipeline that
/// must keep the signature of a function disables it.
constexpr llvm::StringLiteral kDropViewLabel = "tda-drop-inhibitory-view";

} // namespace tda

#endif // TDA_CANONICALIZE_H
