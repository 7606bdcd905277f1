//===- ManifestFuzz.cpp - Any bytes as a manifest -------------------------===//
//
// A libFuzzer target (dev/fuzz). Whatever the bytes are: no crash, no read out
// of bounds, and a message where they are refused. What is accepted prints and
// reads back the same, and a call of it is checked, explained and emitted as a
// launcher for lengths that the bytes choose.
//
//===----------------------------------------------------------------------===//
#include "tda/Package.h"
#include "tda/runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace tda;

static void require(bool condition, const char *what) {
  if (condition)
    return;
  std::fprintf(stderr, "ManifestFuzz: %s\n", what);
  std::abort();
}

/// Small numbers mostly, sometimes absurd ones.
static int64_t extentFrom(uint8_t byte) {
  static const int64_t values[] = {0, 1, 2, 7, 1024, INT32_MAX, INT64_MAX, -1};
  return byte < 200 ? byte : values[byte % 8];
}

static void call(const Manifest &manifest, const std::string &text,
                 const uint8_t *data, size_t size) {
  static const char ptx[] = ".version 8.0\n";
  Manifest opened = manifest;
  opened.hashes.ptx = hashText(ptx);
  std::string canonical = printManifest(opened);
  tda_program *program = nullptr;
  require(tda_open_memory(canonical.data(), canonical.size(), ptx,
                          sizeof(ptx) - 1, &program) == TDA_OK,
          "an accepted manifest does not open");
  LengthValues lengths;
  for (size_t i = 0; i < lengths.size(); ++i)
    lengths[i] = extentFrom(data[(size / 2 + i) % size]);
  std::vector<tda_argument> arguments;
  for (const ManifestArgument &argument : manifest.arguments) {
    if (argument.kind == ManifestArgument::Kind::Scalar) {
      arguments.push_back(tda_scalar(lengths[0]));
      continue;
    }
    int64_t shape[MaxRank] = {};
    for (size_t i = 0; i < argument.shape.size(); ++i)
      shape[i] = argument.shape[i].symbol
                     ? lengths[static_cast<size_t>(*argument.shape[i].symbol)]
                     : argument.shape[i].extent;
    arguments.push_back(tda_tensor(tda_dtype(TDA_F32 + int(argument.dtype)),
                                   nullptr, int(argument.shape.size()), shape));
  }
  static char buffer[1 << 16];
  tda_status status = tda_explain(program, arguments.data(), arguments.size(),
                                  buffer, sizeof(buffer));
  require(status == TDA_OK || tda_last_error()[0], "an error has no message");
  size_t bytes = 0;
  status =
      tda_workspace_bytes(program, arguments.data(), arguments.size(), &bytes);
  require(status == TDA_OK || tda_last_error()[0], "an error has no message");
  tda_close(program);

  Package package;
  package.name = manifest.name;
  package.variants.push_back({manifest, {}, "", ""});
  emitLauncherHeader(package);
  emitLauncher(package);
  emitTensorRt(package);
  (void)text;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  Manifest manifest;
  std::string error;
  if (!parseManifest(text, manifest, error)) {
    require(!error.empty(), "a refused manifest has no message");
    return 0;
  }
  std::string printed = printManifest(manifest);
  Manifest again;
  require(parseManifest(printed, again, error), "what was printed is refused");
  require(printManifest(again) == printed, "printing changes a manifest");
  call(manifest, text, data, size);
  return 0;
}
