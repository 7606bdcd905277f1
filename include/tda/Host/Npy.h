//===- Npy.h - NumPy .npy files ---------------------------------*- C++ -*-===//
//
// The format is numpy.lib.format, versions 1.0 to 3.0: little endian, C order.
// bf16 has no NumPy type of its own: it is read from '<u2' and from the '<V2'
// (or '|V2') that ml_dtypes leaves, and written as '<u2'.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_HOST_NPY_H
#define TDA_HOST_NPY_H

#include "tda/Host/HostTensor.h"

#include <optional>
#include <string>

namespace tda::host {

/// Reads a whole file. '<f4' is f32, '<f2' f16, '<u2' '<V2' '|V2' bf16,
/// '<i4' i32, '<i8' i64. Anything else (another type, byte order or element
/// order, a malformed header, too few or too many bytes, a type that is not
/// `expected`) leaves `tensor` alone and fills `error`, which names the file,
/// what was found and what was expected.
bool readNpy(const std::string &path, HostTensor &tensor, std::string &error,
             std::optional<DType> expected = std::nullopt);

/// Writes version 1.0 (2.0 for a header beyond 64 KiB), header padded to a
/// multiple of 64 bytes; all or nothing, see AtomicFile.h.
bool writeNpy(const std::string &path, const HostTensor &tensor,
              std::string &error);

} // namespace tda::host

#endif // TDA_HOST_NPY_H
