//===- LaunchFacts.cpp - The attribute tda.launch of all kernels ----------===//
#include "lib/Compile/LaunchFacts.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>

using namespace mlir;
using namespace tda;

static bool parseParam(StringRef text, KernelParam &param) {
  if (text.consume_front("ws ")) {
    param = KernelParam::workspace(text.str());
    return true;
  }
  SmallVector<StringRef> words;
  text.split(words, ' ');
  if (words.size() == 2 && words[0] == "ptr") {
    param = KernelParam::pointer(words[1].str());
    return true;
  }
  if (words.size() == 2 && words[0] == "map") {
    param = KernelParam::tensorMap(words[1].str());
    return true;
  }
  Length length;
  if (words.size() == 2 && words[0] == "i32" &&
      parseLength(words[1].str(), length)) {
    param = KernelParam::length(length);
    return true;
  }
  if (words[0] != "i64")
    return false;
  int axis;
  if (words.size() == 3 && llvm::to_integer(words[2], axis)) {
    param = KernelParam::stride(words[1].str(), axis);
    return true;
  }
  param = KernelParam::scalar(words.back().str());
  return words.size() == 2;
}

static bool parseMap(StringRef text, ManifestTensorMap &map) {
  auto [fixed, offset] = text.split(" offset ");
  SmallVector<StringRef> words;
  fixed.split(words, ' ');
  if (words.size() != 7 || words[3] != "rows" || words[5] != "columns" ||
      !llvm::to_integer(words[4], map.boxRows) ||
      !llvm::to_integer(words[6], map.boxColumns))
    return false;
  map.name = words[0].str();
  map.argument = words[2].str();
  if (!offset.empty())
    map.workspace = offset.str();
  return words[1] == (map.workspace ? "workspace" : "argument");
}

static bool isSame(const ManifestTensorMap &a, const ManifestTensorMap &b) {
  return a.argument == b.argument && a.workspace == b.workspace &&
         a.boxRows == b.boxRows && a.boxColumns == b.boxColumns;
}

/// Sets `fact` to the string `key` of `launch`, where it has one.
static bool agree(DictionaryAttr launch, StringRef key,
                  std::optional<std::string> &fact, std::string &error) {
  auto attr = launch.getAs<StringAttr>(key);
  if (!attr)
    return true;
  if (fact && *fact != attr.getValue()) {
    error = (key + " '" + attr.getValue() + "', which contradicts '" + *fact +
             "' of another kernel")
                .str();
    return false;
  }
  fact = attr.str();
  return true;
}

static bool addMaps(ArrayAttr maps, std::vector<ManifestTensorMap> &all,
                    std::string &error) {
  for (Attribute attr : maps) {
    auto text = dyn_cast<StringAttr>(attr);
    ManifestTensorMap map;
    if (!text || !parseMap(text, map)) {
      error = "an unknown tensor map '" + (text ? text.str() : "") + "'";
      return false;
    }
    auto found = std::find_if(
        all.begin(), all.end(),
        [&](const ManifestTensorMap &each) { return each.name == map.name; });
    if (found == all.end()) {
      all.push_back(std::move(map));
    } else if (!isSame(*found, map)) {
      error = "tensor map '" + text.str() + "', which contradicts that of " +
              "another kernel";
      return false;
    }
  }
  return true;
}

static bool readKernel(DictionaryAttr launch, ManifestKernel &kernel,
                       std::string &error) {
  auto params = launch.getAs<ArrayAttr>("params");
  auto grid = launch.getAs<StringAttr>("grid");
  auto block = launch.getAs<IntegerAttr>("block");
  auto shared = launch.getAs<IntegerAttr>("shared_bytes");
  if (!params || !grid || !block || !shared) {
    error = "no params, grid, block or shared_bytes";
    return false;
  }
  kernel.grid[0] = grid.str();
  kernel.block[0] = block.getInt();
  kernel.sharedBytes = shared.getInt();
  if (auto cap = launch.getAs<IntegerAttr>("blocks_per_sm"))
    kernel.blocksPerSm = cap.getInt();
  for (Attribute attr : params) {
    auto text = dyn_cast<StringAttr>(attr);
    KernelParam param;
    if (!text || !parseParam(text, param)) {
      error = "an unknown parameter '" + (text ? text.str() : "") + "'";
      return false;
    }
    kernel.params.push_back(std::move(param));
  }
  return true;
}

bool LaunchFacts::add(StringRef name, DictionaryAttr launch,
                      std::string &error) {
  ManifestKernel kernel;
  kernel.entry = name.str();
  auto maps = launch.getAs<ArrayAttr>("maps");
  if (readKernel(launch, kernel, error) &&
      (!maps || addMaps(maps, tensorMaps, error)) &&
      agree(launch, "workspace", workspace, error) &&
      agree(launch, "arch", arch, error)) {
    kernels.push_back(std::move(kernel));
    return true;
  }
  error = "tda.launch of kernel '" + name.str() + "' has " + error;
  return false;
}
