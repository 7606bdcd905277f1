//===- Package.h - A launcher in C that needs only libcuda -----*- C++ -*-===//
//
// `tda-compile --package` writes, beside PTX and manifests, NAME.h and NAME.c:
// a C99 launcher over the CUDA driver API with every check, grid and tensor
// map of the manifest written out. Several schedules of one problem become
// variants of one package, of which a call takes the first that covers its
// lengths. docs/embedding.md is the reference.
//
// No LLVM here.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_PACKAGE_H
#define TDA_PACKAGE_H

#include "tda/Manifest.h"

namespace tda {

/// The lengths that a variant is for, both ends included; a length that is not
/// named is not restricted.
using LengthCover = std::map<Length, LengthRange>;

/// One schedule of a package.
struct PackageVariant {
  Manifest manifest;
  LengthCover covers;
  std::string ptx;   ///< Embedded where the package says so.
  std::string cubin; ///< Empty where there is none.
};

struct Package {
  std::string name; ///< A C identifier; prefix of all names in NAME.h.
  /// At least one, in the order of choice; all of the same problem.
  std::vector<PackageVariant> variants;
  bool embed = false; ///< Put the code into NAME.c instead of files.
};

/// A schedule and the lengths that it is for.
struct ScheduleRange {
  LengthCover covers;
  std::string schedule; ///< Words of --schedule; may be empty.
};

/// Parses "Nk <= 2048: tile_m = 64; Nk >= 2049, Nq >= 64: ; : tile_n = 32":
/// entries between ';', each conditions between ',', then ':' and the words of
/// a schedule. No condition covers everything. False and `error` where the text
/// is malformed or an entry can cover nothing.
bool parseScheduleRanges(const std::string &text,
                         std::vector<ScheduleRange> &ranges,
                         std::string &error);

/// "Nq in [1, 64], Nk <= 2048"; "all lengths" without a restriction.
std::string coverText(const LengthCover &covers);

/// NAME.h: the struct of a call and the functions of NAME.c; C99 and C++.
std::string emitLauncherHeader(const Package &package);

/// NAME.c: the launcher, one file, strict C99, no header but the C library's.
std::string emitLauncher(const Package &package);

/// NAME_tvm_ffi.cc: TVM-FFI symbols over NAME.h, C++17, for a package with
/// embedded code. They take DLPack tensors in the order of the arguments.
std::string emitTvmFfi(const Package &package);

/// NAME_tensorrt.json: inputs, scalars and outputs in order, grids as
/// expressions of the inputs' shapes, and whether TensorRT's ahead-of-time
/// plugins can launch the kernels as they are, with what stands against it.
std::string emitTensorRt(const Package &package);

} // namespace tda

#endif // TDA_PACKAGE_H
