//===- CompileCase.h - One kernel of the grid into a folder ----*- C++ -*-===//
#ifndef TDA_TOOLS_COMPILECASE_H
#define TDA_TOOLS_COMPILECASE_H

#include "CaseGrid.h"

namespace tda {

/// Compiles `kernel` for `arch` and writes NAME.ptx, then NAME.json, into
/// `folder`, which exists. May be called from many threads at once. On failure
/// `error` holds the compiler's messages, or names the file.
bool compileCase(const GridKernel &kernel, const std::string &arch,
                 const std::string &folder, std::string &error);

} // namespace tda

#endif // TDA_TOOLS_COMPILECASE_H
