//===- Signature.h - What a compiled function takes and gives --*- C++ -*-===//
//
// A function may order its arguments as it likes, use one for two operands, or
// hold an operand as a constant. The signature says which is which, so that a
// caller finds everything by name. No MLIR here.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_SIGNATURE_H
#define TDA_SIGNATURE_H

#include "tda/Host/Arguments.h"
#include "tda/Manifest.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tda {

/// Where an operand of the attention comes from.
struct OperandSource {
  int argument = -1; ///< Index of the function's argument; -1: none.
  /// The value where the function holds it as a constant.
  std::optional<host::HostTensor> constant;
};

struct Signature {
  Problem problem;
  /// Of the function, in its order; named after the first operand each is.
  std::vector<host::ArgumentSpec> inputs, outputs;
  /// Lengths that the function's types fix.
  std::map<Length, int64_t> fixed;
  /// One each of host::inputSpecs(problem).
  std::vector<OperandSource> operands;

  /// Checks the arguments (host::bindLengths) and the fixed lengths; `error`
  /// ends with the list of what is expected.
  bool bind(const std::vector<const host::HostTensor *> &arguments,
            host::Lengths &lengths, std::string &error) const;

  /// The operands in the order of host::inputSpecs(problem), as
  /// host::evaluate takes them. Fails where a constant is not known, which
  /// happens to a signature that was read from a manifest.
  bool operandsOf(const std::vector<const host::HostTensor *> &arguments,
                  std::vector<const host::HostTensor *> &result,
                  std::string &error) const;

  /// "q1: bf16 [B, Hq, Nq, 64]", a line each argument.
  std::string describeInputs() const;
};

/// Where in `lengths` the value of `length` stands.
int64_t &lengthOf(host::Lengths &lengths, Length length);

/// The signature of the function that `manifest` describes.
Signature signatureOf(const Manifest &manifest);

} // namespace tda

#endif // TDA_SIGNATURE_H
