//===- EmitLauncher.cpp - NAME.c of a package -----------------------------===//
//
// Tables of the manifests, between the texts of Launcher/, which are the same
// for every package: types, then the tables, then checks, loading, launching.
//
//===----------------------------------------------------------------------===//
#include "EmitText.h"
#include "tda/Package.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tda {

static const char TypesText[] =
#include "Launcher/Types.inc"
    ;
static const char CheckText[] =
#include "Launcher/Check.inc"
    ;
static const char LoadText[] =
#include "Launcher/Load.inc"
    ;
static const char LaunchText[] =
#include "Launcher/Launch.inc"
    ;

static std::string replaceAll(std::string text, const std::string &from,
                              const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

namespace {

/// Writes the tables of one variant; names end in its number.
class VariantTables {
public:
  VariantTables(const Package &package, size_t index)
      : package(package), manifest(package.variants[index].manifest),
        index(index) {}

  std::string run();
  /// Its row of the table of variants.
  std::string row() const;

private:
  std::string formula(const std::string &expression);
  void arguments();
  void maps();
  std::string param(const KernelParam &param);
  void kernels();
  void image(const char *kind, const std::string &bytes);
  std::string imageRow(const char *kind, const std::optional<std::string> &file,
                       const std::optional<std::string> &hash) const;

  template <typename T>
  static int find(const std::vector<T> &all, const std::string &name) {
    return std::find_if(all.begin(), all.end(),
                        [&](const T &each) { return each.name == name; }) -
           all.begin();
  }

  const Package &package;
  const Manifest &manifest;
  size_t index;
  size_t formulas = 0;
  std::string text;
};

} // namespace

/// Defines a function of the expression; returns its name.
std::string VariantTables::formula(const std::string &expression) {
  GridExpression parsed;
  std::string error;
  GridExpression::parse(expression, parsed, error); // Was checked.
  std::string body = parsed.asCalls();
  std::string name = fmt::format("formula_{}_{}", index, formulas++);
  std::string unused;
  if (body.find("n[") == std::string::npos)
    unused += "  (void)n;\n";
  if (body.find("calc(") == std::string::npos)
    unused += "  (void)bad;\n";
  text += fmt::format("/* {} */\nstatic int64_t {}(const int64_t *n, const "
                      "char **bad) {{\n{}  return {};\n}}\n",
                      expression, name, unused, body);
  return name;
}

void VariantTables::arguments() {
  std::string rows;
  for (const ManifestArgument &argument : manifest.arguments) {
    bool isScalar = argument.kind == ManifestArgument::Kind::Scalar;
    std::vector<std::string> extents;
    for (const ManifestAxis &axis : argument.shape)
      extents.push_back(
          axis.symbol ? fmt::format("LENGTH({})", lengthName(*axis.symbol))
                      : std::to_string(axis.extent));
    if (extents.empty())
      extents.push_back("0");
    bool tma =
        std::any_of(manifest.tensorMaps.begin(), manifest.tensorMaps.end(),
                    [&](const auto &map) {
                      return !map.workspace && map.argument == argument.name;
                    });
    // CU_TENSOR_MAP_DATA_TYPE_FLOAT16 and BFLOAT16.
    int type = argument.dtype == DType::BF16 ? 9 : 6;
    rows += fmt::format(
        "    {{\"{0}\", offsetof({1}_call, {0}), {2}, {3}, {4}, {{{5}}}, {6}, "
        "{7}, {8}, {9}, {10}}},\n",
        argument.name, package.name,
        isScalar ? "SCALAR" : std::to_string(argument.shape.size()),
        dtypeSize(argument.dtype), type, fmt::join(extents, ", "),
        int(argument.strides == StrideRule::Contiguous), int(argument.output),
        int(tma),
        fmt::format("INT64_C({})",
                    isScalar ? argument.min : argument.alignment),
        fmt::format("INT64_C({})",
                    isScalar ? argument.max : argument.strideMultiple));
  }
  text += fmt::format(
      "static const struct argument arguments_{}[] = {{\n{}}};\n", index, rows);
}

void VariantTables::maps() {
  std::string rows;
  for (const ManifestTensorMap &map : manifest.tensorMaps)
    rows += fmt::format("    {{\"{}\", {}, {}, {}, {}}},\n", map.name,
                        find(manifest.arguments, map.argument),
                        map.workspace ? formula(*map.workspace) : "NULL",
                        map.boxRows, map.boxColumns);
  if (!rows.empty())
    text += fmt::format("static const struct map maps_{}[] = {{\n{}}};\n",
                        index, rows);
}

std::string VariantTables::param(const KernelParam &param) {
  int argument = find(manifest.arguments, param.argument);
  switch (param.kind) {
  case KernelParam::Kind::Pointer:
    return fmt::format("{{POINTER, {}, 0, NULL}}, /* {} */", argument,
                       param.argument);
  case KernelParam::Kind::Stride:
    return fmt::format("{{STRIDE, {}, {}, NULL}}, /* of {} */", argument,
                       param.axis, param.argument);
  case KernelParam::Kind::Length:
    return fmt::format("{{I32, {}, 0, NULL}},", lengthName(param.symbol));
  case KernelParam::Kind::Scalar:
    return fmt::format("{{I64, {}, 0, NULL}}, /* {} */", argument,
                       param.argument);
  case KernelParam::Kind::Workspace:
    return fmt::format("{{WORKSPACE, 0, 0, {}}},", formula(param.offset));
  case KernelParam::Kind::TensorMap:
    return fmt::format("{{MAP, {}, 0, NULL}}, /* {} */",
                       find(manifest.tensorMaps, param.map), param.map);
  }
  return "";
}

void VariantTables::kernels() {
  std::string rows;
  for (size_t i = 0; i < manifest.kernels.size(); ++i) {
    const ManifestKernel &kernel = manifest.kernels[i];
    std::string params;
    for (const KernelParam &each : kernel.params)
      params += "    " + param(each) + "\n";
    if (!params.empty())
      text +=
          fmt::format("static const struct param params_{}_{}[] = {{\n{}}};\n",
                      index, i, params);
    std::vector<std::string> grid;
    for (const std::string &expression : kernel.grid)
      grid.push_back(formula(expression));
    rows += fmt::format(
        "    {{\"{}\", {}, {}, {{{}}}, {{{}}}, {{{}}}, {}, "
        "{}}},\n",
        kernel.entry,
        params.empty() ? "NULL" : fmt::format("params_{}_{}", index, i),
        kernel.params.size(), fmt::join(grid, ", "),
        fmt::join(kernel.block, ", "), fmt::join(kernel.cluster, ", "),
        kernel.sharedBytes, kernel.blocksPerSm);
  }
  text += fmt::format("static const struct kernel kernels_{}[] = {{\n{}}};\n",
                      index, rows);
}

/// The bytes of an image, with a NUL at the end, which PTX needs.
void VariantTables::image(const char *kind, const std::string &bytes) {
  if (!package.embed || bytes.empty())
    return;
  text += fmt::format("static const unsigned char {}_{}[] = {{", kind, index);
  size_t column = 80;
  for (unsigned char byte : bytes + '\0') {
    std::string number = std::to_string(int(byte)) + ",";
    column += number.size();
    if (column > 78) {
      text += "\n";
      column = number.size();
    }
    text += number;
  }
  text += "};\n";
}

std::string
VariantTables::imageRow(const char *kind,
                        const std::optional<std::string> &file,
                        const std::optional<std::string> &hash) const {
  if (!file)
    return "{NULL, NULL, NULL}";
  return fmt::format("{{\"{}\",\n     \"{}\", {}}}", *file, hash->substr(7),
                     package.embed ? fmt::format("{}_{}", kind, index)
                                   : "NULL");
}

std::string VariantTables::run() {
  text = fmt::format("\n/* {}: {} */\n", manifest.name, manifest.schedule);
  image("ptx", package.variants[index].ptx);
  image("cubin", package.variants[index].cubin);
  arguments();
  maps();
  kernels();
  if (!manifest.rules.empty()) {
    std::string rows;
    for (const DividesRule &rule : manifest.rules)
      rows += fmt::format("{{{}, {}}}, ", lengthName(rule.divisor),
                          lengthName(rule.dividend));
    text += fmt::format("static const struct rule rules_{}[] = {{{}}};\n",
                        index, rows);
  }
  std::string workspace = formula(manifest.workspace);
  text += fmt::format("#define workspace_{} {}\n", index, workspace);
  return text;
}

/// A row of ranges; a length that is not named may be anything.
template <typename Ranges> static std::string boundsText(const Ranges &ranges) {
  std::vector<std::string> rows;
  for (int i = 0; i < NumLengths; ++i) {
    auto found = ranges.find(static_cast<Length>(i));
    LengthRange range{0, INT64_MAX, {}};
    if (found != ranges.end())
      range = found->second;
    rows.push_back(fmt::format("{{INT64_C({}), INT64_C({})}}",
                               range.equals.value_or(range.min),
                               range.equals.value_or(range.max)));
  }
  return fmt::format("{{{}}}", fmt::join(rows, ", "));
}

std::string VariantTables::row() const {
  const std::string &arch = manifest.target.arch;
  char suffix = arch.back() == 'a' || arch.back() == 'f' ? arch.back() : '\0';
  auto table = [&](const char *name, size_t count) {
    return count ? fmt::format("{}_{}", name, index) : std::string("NULL");
  };
  return fmt::format(
      "    {{\"{}\", {}, {}, {},\n     {},\n     {},\n     {},\n     {},\n"
      "     arguments_{}, {}, {}, kernels_{}, {}, {}, {}, workspace_{}}},\n",
      manifest.name, std::stoi(arch.substr(3)),
      suffix ? fmt::format("'{}'", suffix) : "0", manifest.target.minDriver,
      imageRow("ptx", manifest.files.ptx, manifest.hashes.ptx),
      imageRow("cubin", manifest.files.cubin, manifest.hashes.cubin),
      boundsText(package.variants[index].covers), boundsText(manifest.lengths),
      index, table("rules", manifest.rules.size()), manifest.rules.size(),
      index, manifest.kernels.size(), table("maps", manifest.tensorMaps.size()),
      manifest.tensorMaps.size(), index);
}

/// What the fixed texts ask for by name.
static std::string constants(const Package &package) {
  size_t kernels = 0, maps = 0;
  bool clusters = false;
  std::vector<std::string> covered;
  for (const PackageVariant &variant : package.variants) {
    kernels = std::max(kernels, variant.manifest.kernels.size());
    maps = std::max(maps, variant.manifest.tensorMaps.size());
    for (const ManifestKernel &kernel : variant.manifest.kernels)
      clusters |= kernel.cluster[0] * kernel.cluster[1] * kernel.cluster[2] > 1;
    covered.push_back(coverText(variant.covers));
  }
  return fmt::format(
      "#define EMBEDDED {}\n#define HAS_CLUSTERS {}\n#define HAS_MAPS {}\n"
      "#define COVERED \"{}\"\n"
      "enum {{ VARIANTS = {}, ARGUMENTS = {}, KERNELS = {}, MAPS = {} }};\n",
      int(package.embed), int(clusters), int(maps > 0),
      fmt::join(covered, "; "), package.variants.size(),
      package.variants[0].manifest.arguments.size(), kernels, maps);
}

std::string emitLauncher(const Package &package) {
  std::string text = "/* Written by tda-compile --package; do not edit.\n\n"
                     "   Launches '@NAME@' through the CUDA driver API. Build "
                     "it with any C99\n   compiler and link libcuda. */\n"
                     "#include \"@NAME@.h\"\n\n";
  text += constants(package) + TypesText;
  std::string rows;
  for (size_t i = 0; i < package.variants.size(); ++i) {
    VariantTables tables(package, i);
    text += tables.run();
    rows += tables.row();
  }
  text +=
      "\nstatic const struct variant variants[VARIANTS] = {\n" + rows + "};\n";
  text += std::string(CheckText) + LoadText + LaunchText;
  text = replaceAll(std::move(text), "@NAME@", package.name);
  return replaceAll(std::move(text), "@UPPER@", upperCase(package.name));
}

} // namespace tda
