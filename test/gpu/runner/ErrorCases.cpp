//===- ErrorCases.cpp - Calls that must be refused ------------------------===//
#include "Session.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

/// A call that fits, to be spoilt.
struct GoodCall {
  const Program &program;
  const Manifest &manifest = program.getManifest();
  DeviceCall call;
  std::vector<tda_argument> args;
  std::vector<HostTensor> poisoned;

  explicit GoodCall(const Program &program) : program(program) {}

  bool create(std::string &error) {
    host::Lengths lengths{2, 4, 2, 65, 65};
    std::vector<HostTensor> inputs =
        host::randomInputs(manifest.problem, lengths, 5);
    if (!call.create(manifest, lengths, inputs, 0, 512, error))
      return false;
    args = call.arguments();
    return call.collect(poisoned, error);
  }

  tda_argument &operator[](const std::string &name) {
    size_t i = 0;
    while (i + 1 < args.size() && manifest.arguments[i].name != name)
      ++i;
    return args[i];
  }

  void setLength(Length length, int64_t value) {
    for (size_t i = 0; i < args.size(); ++i)
      for (size_t axis = 0; axis < manifest.arguments[i].shape.size(); ++axis)
        if (manifest.arguments[i].shape[axis].symbol == length)
          args[i].shape[axis] = value;
  }
};

/// Checks status and message of a call that failed.
static std::string whyOther(tda_status status, tda_status expected,
                            const std::string &part) {
  if (status != expected)
    return fmt::format("gave {} instead of {}: {}", tda_status_name(status),
                       tda_status_name(expected),
                       status == TDA_OK ? "" : tda_last_error());
  if (std::string(tda_last_error()).find(part) == std::string::npos)
    return fmt::format("the message lacks \"{}\": {}", part, tda_last_error());
  return "";
}

/// Launches after `spoil`; nothing may have been written.
template <typename Fn>
static void expectRefusal(const Program &program, const std::string &part,
                          CaseResult &result, Fn spoil) {
  GoodCall good(program);
  std::string error;
  if (!good.create(error))
    return result.fail(error);
  spoil(good);
  tda_status status = tda_launch(program.get(), good.args.data(),
                                 good.args.size(), nullptr, 0, nullptr);
  std::string why = whyOther(status, TDA_ERROR_ARGUMENT, part);
  if (!why.empty())
    return result.fail(why);
  std::vector<HostTensor> outputs;
  if (!good.call.collect(outputs, error))
    return result.fail(error);
  if (why = whyDifferent(outputs, good.poisoned); !why.empty())
    result.fail("refused, but something ran: " + why);
}

/// Memory that only the host has; some systems let the GPU read it.
static void runHostPointer(const Program &program, CaseResult &result) {
  GoodCall good(program);
  std::string error;
  if (!good.create(error))
    return result.fail(error);
  tda_argument &v = good["v"];
  std::vector<uint8_t> memory(v.shape[1] * v.strides[1] * v.shape[0] * 2 + 16);
  uintptr_t address = reinterpret_cast<uintptr_t>(memory.data());
  v.data = reinterpret_cast<void *>((address + 15) / 16 * 16);
  tda_status status = tda_launch(program.get(), good.args.data(),
                                 good.args.size(), nullptr, 0, nullptr);
  if (status == TDA_OK) {
    tda_device_synchronize();
    return result.skip("this GPU reads host memory");
  }
  std::string why = whyOther(status, TDA_ERROR_ARGUMENT,
                             "is not memory that the GPU can use");
  if (!why.empty())
    result.fail(why);
}

static void runNotLoaded(const Session &session, const Program &program,
                         CaseResult &result) {
  GoodCall good(program);
  std::string error, path = session.kernels + "/demo.json";
  tda_program *other = nullptr;
  if (!good.create(error))
    return result.fail(error);
  if (tda_open(path.c_str(), &other) != TDA_OK)
    return result.fail(tda_last_error());
  std::string why = whyOther(tda_launch(other, good.args.data(),
                                        good.args.size(), nullptr, 0, nullptr),
                             TDA_ERROR_NOT_LOADED, "call tda_load first");
  tda_close(other);
  if (!why.empty())
    result.fail(why);
}

/// The same kernel, said to be for another GPU.
static void runOtherArch(const Session &session, const Program &program,
                         const std::string &arch, const std::string &part,
                         CaseResult &result) {
  Manifest manifest = program.getManifest();
  manifest.target.arch = arch;
  manifest.files.cubin.reset();
  manifest.hashes.cubin.reset();
  std::ifstream file(session.kernels + "/" + manifest.files.ptx,
                     std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  std::string json = printManifest(manifest), ptx = text.str();
  tda_program *other = nullptr;
  if (tda_open_memory(json.data(), json.size(), ptx.data(), ptx.size(),
                      &other) != TDA_OK)
    return result.fail(tda_last_error());
  std::string why =
      whyOther(tda_load(other, session.device), TDA_ERROR_UNSUPPORTED, part);
  tda_close(other);
  if (!why.empty())
    result.fail(why);
}

void tda::gputest::runErrorCases(const Session &session,
                                 const KernelFamily &demo, Report &report) {
  const Program &program = demo.kernel;
  auto refused = [&](const std::string &name, const std::string &part,
                     auto spoil) {
    runSpecial(session, report, name, [&](CaseResult &result) {
      expectRefusal(program, part, result, spoil);
    });
  };
  refused("error: misaligned pointer", "must be aligned to 16 bytes",
          [](GoodCall &call) {
            auto &data = call["k1"].data;
            data = static_cast<char *>(data) + 8;
          });
  refused("error: NULL pointer", "data is NULL",
          [](GoodCall &call) { call["v"].data = nullptr; });
  refused("error: dtype", "dtype is f16; it must be bf16",
          [](GoodCall &call) { call["q2"].dtype = TDA_F16; });
  refused("error: rank", "rank is 3; it must be 4",
          [](GoodCall &call) { call["q1"].rank = 3; });
  refused("error: head dimension", "axis 3 has 32 elements; it must have 64",
          [](GoodCall &call) { call["v"].shape[3] = 32; });
  refused("error: lengths that differ", "axis 2 (Nk) has 66 elements",
          [](GoodCall &call) { call["k2"].shape[2] = 66; });
  refused("error: heads that do not divide", "does not divide",
          [](GoodCall &call) { call.setLength(Length::Hq, 3); });
  refused("error: row stride", "must be a multiple of 8",
          [](GoodCall &call) { call["k1"].strides[2] = 65; });
  refused("error: last stride", "the last axis is contiguous",
          [](GoodCall &call) { call["q1"].strides[3] = 2; });
  refused("error: output on itself", "elements of this output overlap",
          [](GoodCall &call) { call["o"].strides[1] = 0; });
  refused("error: too few arguments", "arguments were given",
          [](GoodCall &call) { call.args.pop_back(); });
  // What TMA cannot read, of every argument that it reads.
  for (const ManifestTensorMap &map : program.getManifest().tensorMaps) {
    if (map.workspace)
      continue;
    const std::string &name = map.argument;
    std::string subject = "argument '" + name + "': ";
    for (int axis = 0; axis < 3; ++axis)
      refused(fmt::format("error: TMA, {}, stride of axis {}", name, axis),
              subject, [&](GoodCall &call) { call[name].strides[axis] += 4; });
    refused(fmt::format("error: TMA, {}, stride of 2^40 bytes", name), subject,
            [&](GoodCall &call) { call[name].strides[1] = int64_t{1} << 39; });
    refused(fmt::format("error: TMA, {}, address", name), subject,
            [&](GoodCall &call) {
              auto &data = call[name].data;
              data = static_cast<char *>(data) + 8;
            });
  }
  runSpecial(session, report, "error: host pointer",
             [&](CaseResult &result) { runHostPointer(program, result); });
  runSpecial(session, report, "error: not loaded", [&](CaseResult &result) {
    runNotLoaded(session, program, result);
  });
  int capability = 10 * session.info.major + session.info.minor;
  std::string later = fmt::format("sm_{}", capability + 1);
  runSpecial(session, report, "error: later GPU", [&](CaseResult &result) {
    runOtherArch(session, program, later, "was compiled for " + later, result);
  });
  // Code for an earlier one would run, but not code for that one alone.
  std::string alone = capability > 80 ? "sm_80a" : later + "a";
  runSpecial(session, report, "error: another GPU alone",
             [&](CaseResult &result) {
               runOtherArch(session, program, alone, "alone, not on", result);
             });
}
