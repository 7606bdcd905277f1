//===- EmitLauncherHeader.cpp - NAME.h of a package -----------------------===//
#include "EmitText.h"
#include "tda/Package.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tda {

/// The struct's members, one an argument.
static std::string members(const Manifest &manifest) {
  std::string text;
  for (const ManifestArgument &argument : manifest.arguments)
    text += fmt::format(
        "  {} {}; /* {} */\n",
        argument.kind == ManifestArgument::Kind::Scalar ? "int64_t"
                                                        : "tda_view",
        argument.name,
        argument.kind == ManifestArgument::Kind::Scalar
            ? fmt::format("in [{}, {}]", argument.min, argument.max)
            : fmt::format("{} {} {}", argument.output ? "out" : "in",
                          dtypeName(argument.dtype),
                          shapeText(argument.shape)));
  return text;
}

static std::string variantsText(const Package &package) {
  if (package.variants.size() == 1 && package.variants[0].covers.empty())
    return "";
  std::string text = "\n/* A call takes the first kernel that covers its "
                     "lengths:\n";
  for (const PackageVariant &variant : package.variants)
    text += fmt::format("     {}: {}\n       ({})\n", variant.manifest.name,
                        coverText(variant.covers), variant.manifest.schedule);
  return text + "   Lengths that none covers are an error. */\n";
}

std::string emitLauncherHeader(const Package &package) {
  const Manifest &manifest = package.variants[0].manifest;
  std::vector<std::string> contracts;
  for (const PackageVariant &variant : package.variants)
    contracts.push_back(contractText(variant.manifest));
  std::string text = fmt::format(
      R"(/* Written by tda-compile --package; do not edit. The functions are in
   {name}.c, which needs libcuda (the NVIDIA driver) and nothing else. */
#ifndef {upper}_TDA_H
#define {upper}_TDA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{contracts}
{variants}
#ifndef TDA_VIEW_DEFINED
#define TDA_VIEW_DEFINED
/* A tensor in device memory. shape and strides are in elements, one entry an
   axis of the argument; `data` may be NULL where it has no element. */
typedef struct tda_view {{
  void *data;
  int64_t shape[6];
  int64_t strides[6];
}} tda_view;
#endif

/* The arguments of a call. Fill it with zeros first; outputs must not overlap
   other arguments. */
typedef struct {name}_call {{
{members}}} {name}_call;

/* The code, loaded on one device. */
typedef struct {name}_code {name}_code;

/* What the functions return. `message`, where it is not NULL, gets one sentence
   that names what is wrong, cut to `size` bytes; 512 are enough for most. */
enum {{
  {upper}_OK = 0,
  {upper}_BAD_ARGUMENT = 1,  /* an argument of the call does not fit */
  {upper}_NOT_COVERED = 2,   /* no kernel was compiled for these lengths */
  {upper}_BAD_WORKSPACE = 3, /* missing, small or not aligned to 256 bytes */
  {upper}_FILE = 4,          /* unreadable, or not the file of this launcher */
  {upper}_UNSUPPORTED = 5,   /* device or driver cannot run the code */
  {upper}_DRIVER = 6         /* a function of the CUDA driver failed */
}};

/* Loads the code on CUDA device `device` (0, 1, ...), in its primary context,
   which is that of the CUDA runtime. {where}
   Slow: once a device and process, not while a stream is captured. The
   thread's current context stays as it was. */
int {name}_open({name}_code **code, const char *folder, int device,
    char *message, size_t size);

/* Bytes of device memory that a call needs beside its arguments, for its
   lengths; looks at no data and needs no GPU. 0: none. */
int {name}_workspace(const {name}_call *call, size_t *bytes, char *message,
    size_t size);

/* Checks the call and launches it on `stream` (a CUstream or cudaStream_t of
   the device; NULL: the default stream). Neither waits nor allocates, so
   `stream` may be captured into a graph, and many threads may use one `code`.
   Two calls that may run at once need two workspaces. */
int {name}_launch(const {name}_code *code, const {name}_call *call,
    void *workspace, size_t workspace_bytes, void *stream, char *message,
    size_t size);

/* Unloads; launched work must have finished. NULL is allowed. */
void {name}_close({name}_code *code);

#ifdef __cplusplus
}} /* extern "C" */
#endif

#endif /* {upper}_TDA_H */
)",
      fmt::arg("name", package.name),
      fmt::arg("upper", upperCase(package.name)),
      fmt::arg("contracts", fmt::join(contracts, "\n\n")),
      fmt::arg("variants", variantsText(package)),
      fmt::arg("members", members(manifest)),
      fmt::arg("where", package.embed
                            ? "The code is in the launcher; `folder` does "
                              "not count."
                            : "`folder` holds the\n   PTX and cubin, whose "
                              "SHA-256 are checked."));
  return text;
}

} // namespace tda
