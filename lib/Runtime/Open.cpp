//===- Open.cpp - From files to a program ---------------------------------===//
#include "Program.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

using namespace tda;

static tda_status readFile(const std::string &path, const char *what,
                           std::string &text) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file)
    content << file.rdbuf();
  if (!file || !content)
    return fail(TDA_ERROR_FILE, "{}: the {} cannot be read: {}", path, what,
                errno ? std::strerror(errno) : "it is empty");
  text = content.str();
  return TDA_OK;
}

static tda_status checkHash(const std::string &name, const std::string &text,
                            const std::string &wanted) {
  std::string found = hashText(text);
  if (found == wanted)
    return TDA_OK;
  return fail(TDA_ERROR_HASH,
              "{} is not the file that the manifest describes: its hash is "
              "{}, the manifest says {}; compile again to write both",
              name, found, wanted);
}

/// Index of the one of `all` that is called `name`; 0 where there is none.
template <typename T>
static int findName(const std::vector<T> &all, const std::string &name) {
  auto found = std::find_if(all.begin(), all.end(),
                            [&](const T &each) { return each.name == name; });
  return found == all.end() ? 0 : found - all.begin();
}

/// The manifest was checked: names resolve, expressions parse.
static void plan(tda_program &program) {
  const Manifest &manifest = program.manifest;
  std::string unused;
  for (const ManifestKernel &kernel : manifest.kernels) {
    KernelPlan kernelPlan;
    for (size_t i = 0; i < 3; ++i)
      GridExpression::parse(kernel.grid[i], kernelPlan.grid[i], unused);
    for (const KernelParam &param : kernel.params) {
      ParamPlan paramPlan;
      paramPlan.kind = param.kind;
      paramPlan.axis = param.axis;
      paramPlan.symbol = param.symbol;
      paramPlan.argument = findName(manifest.arguments, param.argument);
      paramPlan.map = findName(manifest.tensorMaps, param.map);
      if (param.kind == KernelParam::Kind::Workspace)
        GridExpression::parse(param.offset, paramPlan.offset, unused);
      kernelPlan.params.push_back(paramPlan);
    }
    program.kernels.push_back(kernelPlan);
  }
  for (const ManifestTensorMap &map : manifest.tensorMaps) {
    TensorMapPlan mapPlan;
    mapPlan.argument = findName(manifest.arguments, map.argument);
    if (map.workspace)
      GridExpression::parse(*map.workspace, mapPlan.offset, unused);
    else
      program.readByTma[mapPlan.argument] = true;
    program.tensorMaps.push_back(mapPlan);
  }
  GridExpression::parse(manifest.workspace, program.workspace, unused);
  program.manifestText = printManifest(manifest);
}

tda_status tda_open(const char *manifest_path, tda_program **program) {
  return guarded([&]() -> tda_status {
    if (!manifest_path || !program)
      return fail(TDA_ERROR_USE, "tda_open: a parameter is NULL");
    *program = nullptr;
    std::string path = manifest_path, text, error;
    TDA_TRY(readFile(path, "manifest", text));
    auto opened = std::make_unique<tda_program>();
    if (!parseManifest(text, opened->manifest, error))
      return fail(TDA_ERROR_MANIFEST, "{}: {}", path, error);

    const Manifest &manifest = opened->manifest;
    std::string folder = path.substr(0, path.rfind('/') + 1);
    std::string ptxPath = folder + manifest.files.ptx;
    TDA_TRY(readFile(ptxPath, "PTX", opened->ptx));
    TDA_TRY(checkHash(ptxPath, opened->ptx, manifest.hashes.ptx));
    if (manifest.files.cubin) {
      std::string cubinPath = folder + *manifest.files.cubin;
      TDA_TRY(readFile(cubinPath, "cubin", opened->cubin));
      TDA_TRY(checkHash(cubinPath, opened->cubin, *manifest.hashes.cubin));
    }
    plan(*opened);
    *program = opened.release();
    return TDA_OK;
  });
}

tda_status tda_open_memory(const char *manifest, size_t manifest_size,
                           const char *ptx, size_t ptx_size,
                           tda_program **program) {
  return guarded([&]() -> tda_status {
    if (!manifest || !ptx || !program)
      return fail(TDA_ERROR_USE, "tda_open_memory: a parameter is NULL");
    *program = nullptr;
    auto opened = std::make_unique<tda_program>();
    std::string error;
    if (!parseManifest({manifest, manifest_size}, opened->manifest, error))
      return fail(TDA_ERROR_MANIFEST, "manifest in memory: {}", error);
    opened->ptx.assign(ptx, ptx_size);
    TDA_TRY(checkHash("the PTX in memory", opened->ptx,
                      opened->manifest.hashes.ptx));
    plan(*opened);
    *program = opened.release();
    return TDA_OK;
  });
}

void tda_close(tda_program *program) {
  if (!program)
    return;
  unload(*program);
  delete program;
}

const char *tda_manifest(const tda_program *program) {
  return program ? program->manifestText.c_str() : "";
}

size_t tda_argument_count(const tda_program *program) {
  return program ? program->manifest.arguments.size() : 0;
}

const char *tda_argument_name(const tda_program *program, size_t index) {
  if (index >= tda_argument_count(program))
    return nullptr;
  return program->manifest.arguments[index].name.c_str();
}

void tda_set_pointer_checks(tda_program *program, int enabled) {
  if (program)
    program->checkPointers = enabled != 0;
}

void tda_set_launch_graphs(tda_program *program, int enabled) {
  if (program)
    program->keepGraphs.store(enabled != 0, std::memory_order_relaxed);
}
