//===- EmitHeader.cpp - The C header of a compiled kernel -----------------===//
//
// NAME.h: for C and C++ programs, one inline function over tda_launch whose
// parameters are the arguments by name.
//
//===----------------------------------------------------------------------===//
#include "EmitText.h"

#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tda {

std::string upperCase(std::string text) {
  for (char &c : text)
    c = std::toupper(static_cast<unsigned char>(c));
  return text;
}

static bool isScalar(const ManifestArgument &argument) {
  return argument.kind == ManifestArgument::Kind::Scalar;
}

std::string argumentText(const ManifestArgument &argument) {
  std::string text =
      fmt::format("{} {}: ", argument.output ? "out" : "in ", argument.name);
  if (isScalar(argument))
    return text + fmt::format("i64 in [{}, {}]", argument.min, argument.max);
  text += fmt::format("{} {}, {}-byte aligned", dtypeName(argument.dtype),
                      shapeText(argument.shape), argument.alignment);
  if (argument.strides == StrideRule::Contiguous)
    return text + ", contiguous";
  text += ", unit last stride";
  if (argument.strideMultiple > 1)
    text += fmt::format(", other strides multiples of {} elements",
                        argument.strideMultiple);
  return text;
}

std::string contractText(const Manifest &manifest) {
  std::string text =
      fmt::format("/* {}: {}, for {}.\n\n   Arguments:\n", manifest.name,
                  manifest.problem.str(), manifest.target.arch);
  for (const ManifestArgument &argument : manifest.arguments)
    text += "     " + argumentText(argument) + "\n";
  text += "\n   Lengths:\n";
  for (const auto &[length, range] : manifest.lengths)
    text +=
        range.equals
            ? fmt::format("     {} = {}\n", lengthName(length), *range.equals)
            : fmt::format("     {} in [{}, {}]\n", lengthName(length),
                          range.min, range.max);
  for (const DividesRule &rule : manifest.rules)
    text += fmt::format("     {} divides {}\n", lengthName(rule.divisor),
                        lengthName(rule.dividend));
  text += "\n   Launches:\n";
  for (const ManifestKernel &kernel : manifest.kernels)
    text +=
        fmt::format("     {}: grid ({}){}, block ({}), {} bytes of dynamic "
                    "shared memory\n",
                    kernel.entry, fmt::join(kernel.grid, ", "),
                    kernel.blocksPerSm ? fmt::format(" with x up to {} an SM",
                                                     kernel.blocksPerSm)
                                       : "",
                    fmt::join(kernel.block, ", "), kernel.sharedBytes);
  if (manifest.workspace != "0")
    text += fmt::format("\n   Workspace: {} bytes, aligned to 256.\n",
                        manifest.workspace);
  return text + "*/";
}

std::string emitHeader(const Manifest &manifest) {
  std::string guard = upperCase(manifest.name) + "_TDA_H";
  bool hasWorkspace = manifest.workspace != "0";

  std::vector<std::string> params = {"const tda_program *program"};
  std::string assignments;
  size_t count = 0;
  for (const ManifestArgument &argument : manifest.arguments) {
    // The prefix keeps the names apart from `program`, C's keywords, ...
    std::string name = "arg_" + argument.name;
    params.push_back((isScalar(argument) ? "int64_t " : "tda_argument ") +
                     name);
    assignments +=
        fmt::format(isScalar(argument) ? "  args[{}] = tda_scalar({});\n"
                                       : "  args[{}] = {};\n",
                    count++, name);
  }
  if (hasWorkspace) {
    params.push_back("void *workspace");
    params.push_back("size_t workspace_bytes");
  }
  params.push_back("void *stream");

  return fmt::format(
      R"(/* Written by tda-compile; do not edit. */
#ifndef {guard}
#define {guard}

#include "tda/runtime.h"

/* SHA-256 of the manifest and of the PTX that this header was written with. */
#define {upper}_MANIFEST_SHA256 \
  "{manifestHash}"
#define {upper}_PTX_SHA256 \
  "{ptxHash}"

{documentation}
static inline tda_status {name}_launch(
    {params}) {{
  tda_argument args[{count}];
{assignments}  return tda_launch(program, args, {count}, {workspace}, stream);
}}

#endif /* {guard} */
)",
      fmt::arg("guard", guard), fmt::arg("upper", upperCase(manifest.name)),
      fmt::arg("manifestHash", sha256Hex(printManifest(manifest))),
      fmt::arg("ptxHash", manifest.hashes.ptx.substr(7)),
      fmt::arg("documentation", contractText(manifest)),
      fmt::arg("name", manifest.name),
      fmt::arg("params", fmt::join(params, ",\n    ")),
      fmt::arg("count", count), fmt::arg("assignments", assignments),
      fmt::arg("workspace",
               hasWorkspace ? "workspace, workspace_bytes" : "(void *)0, 0"));
}

} // namespace tda
