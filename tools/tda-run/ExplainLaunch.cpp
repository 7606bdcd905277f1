//===- ExplainLaunch.cpp - What a call would launch, without a GPU --------===//
#include "Program.h"
#include "tda/Manifest.h"
#include "tda/runtime.h"

#include <cstdio>
#include <fmt/format.h>
#include <memory>

using namespace tda;

/// The value of `length`: from --shape, or the one that the kernel fixes.
static bool findLength(const Manifest &manifest, const Options &options,
                       Length length, int64_t &value) {
  auto given = options.shape.find(length);
  if (given != options.shape.end()) {
    value = given->second;
    return true;
  }
  auto range = manifest.lengths.find(length);
  if (range == manifest.lengths.end() || !range->second.equals)
    return false;
  value = *range->second.equals;
  return true;
}

/// Contiguous tensors without data; the offset that semantics.md gives where
/// --offset does not.
static bool makeArguments(const Manifest &manifest, const Options &options,
                          std::vector<tda_argument> &arguments,
                          std::string &error) {
  auto find = [&](Length length, int64_t &value) {
    if (findLength(manifest, options, length, value))
      return true;
    error = fmt::format("--explain-launch needs the length {}: --shape "
                        "B=..,H=..,N=.. gives all of them",
                        lengthName(length));
    return false;
  };
  for (const ManifestArgument &argument : manifest.arguments) {
    if (argument.kind == ManifestArgument::Kind::Scalar) {
      int64_t queries = 0, keys = 0;
      if (!options.random.offset &&
          (!find(Length::Nq, queries) || !find(Length::Nk, keys)))
        return false;
      arguments.push_back(
          tda_scalar(options.random.offset.value_or(keys - queries)));
      continue;
    }
    int64_t shape[MaxRank] = {};
    for (size_t i = 0; i < argument.shape.size(); ++i) {
      const ManifestAxis &axis = argument.shape[i];
      shape[i] = axis.extent;
      if (axis.symbol && !find(*axis.symbol, shape[i]))
        return false;
    }
    arguments.push_back(
        tda_tensor(tda_dtype(TDA_F32 + int(argument.dtype)), nullptr,
                   static_cast<int>(argument.shape.size()), shape));
  }
  return true;
}

int tda::explainLaunch(const Options &options) {
  tda_program *opened = nullptr;
  if (tda_open(options.file->c_str(), &opened) != TDA_OK)
    return reportError(tda_last_error());
  std::unique_ptr<tda_program, void (*)(tda_program *)> program(opened,
                                                                tda_close);
  Manifest manifest;
  std::string error;
  std::vector<tda_argument> arguments;
  if (!parseManifest(tda_manifest(opened), manifest, error) ||
      !makeArguments(manifest, options, arguments, error))
    return reportError(error);

  std::string text(1 << 12, '\0');
  tda_status status;
  while ((status = tda_explain(opened, arguments.data(), arguments.size(),
                               text.data(), text.size())) == TDA_ERROR_BUFFER)
    text.resize(2 * text.size());
  if (status != TDA_OK)
    return reportError(tda_last_error());
  std::fputs(text.c_str(), stdout);
  return 0;
}
