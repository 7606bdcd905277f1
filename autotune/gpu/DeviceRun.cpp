//===- DeviceRun.cpp - Verify and time kernels on this GPU ----------------===//
#include "autotune/gpu/DeviceRun.h"

#include "autotune/gpu/DeviceCall.h"
#include "autotune/gpu/Inputs.h"
#include "tda/Host/Random.h"
#include "tda/Host/Reference.h"
#include "tda/Manifest.h"
#include "tda/device.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

using namespace tda;
using namespace tda::tune;
using host::HostTensor;

DeviceRun::DeviceRun(int device, MeasurePolicy policy)
    : device(device), policy(policy) {}
DeviceRun::~DeviceRun() {
  if (stream)
    tda_stream_destroy(stream);
}

bool DeviceRun::good(tda_status status, std::string &error) {
  if (status == TDA_OK)
    return true;
  error = fmt::format("{}: {}", tda_status_name(status), tda_last_error());
  // A fault leaves a context in which every later call fails.
  lost |= status == TDA_ERROR_DRIVER;
  return false;
}

bool DeviceRun::open(DeviceFacts &facts, std::string &error) {
  tda_device_info info{};
  if (!good(tda_device_query(device, &info), error) ||
      !good(tda_device_use(device), error) ||
      !good(tda_stream_create(&stream), error))
    return false;
  facts = {info.name, info.multiprocessors, info.driver_version};
  return true;
}

tda_program *DeviceRun::open(const std::string &manifest, std::string &error) {
  tda_program *program = nullptr;
  if (!good(tda_open(manifest.c_str(), &program), error))
    return nullptr;
  if (good(tda_load(program, device), error)) {
    tda_set_pointer_checks(program, 0);
    return program;
  }
  tda_close(program);
  return nullptr;
}

bool DeviceRun::begin(const Workload &newWorkload,
                      const std::string &realFolder, Achieved &achieved,
                      std::string &error) {
  workload = newWorkload;
  skipOffHashes.clear();
  call.reset(); // frees before the next allocates
  std::vector<HostTensor> inputs;
  if (!makeInputs(workload, realFolder, inputs, achieved.source, error) ||
      !reference.evaluate(workload.problem, workload.lengths, inputs, error))
    return false;
  reference.describe(achieved);
  call = std::make_unique<Call>();
  if (!good(call->create(workload.problem, workload.lengths, inputs,
                         policy.coldBytes),
            error))
    return false;

  // A short call with ragged tiles, dead rows and survivors.
  if (shortCall && shortProblem == workload.problem.str())
    return true;
  shortProblem = workload.problem.str();
  host::Lengths few{1, 2, 2, 333, 333};
  host::RandomOptions random;
  random.planted = 0.5;
  random.dead = 0.1;
  inputs = host::randomInputs(workload.problem, few, 1, random);
  shortCall = std::make_unique<Call>();
  shortReference = std::make_unique<SampledReference>();
  return shortReference->evaluate(workload.problem, few, inputs, error) &&
         good(shortCall->create(workload.problem, few, inputs, 0), error);
}

bool DeviceRun::launch(tda_program *program, Call &target, size_t copy,
                       std::string &error) {
  std::vector<tda_argument> &args = target.copies[copy];
  size_t bytes = 0;
  if (!good(tda_workspace_bytes(program, args.data(), args.size(), &bytes),
            error))
    return false;
  if (bytes > (workspace ? workspace->bytes : 0)) {
    workspace = std::make_unique<Buffer>();
    if (!good(workspace->create(bytes), error))
      return false;
  }
  return good(tda_launch(program, args.data(), args.size(),
                         bytes ? workspace->data : nullptr,
                         bytes ? workspace->bytes : 0, stream),
              error);
}

namespace {
struct Digest {
  uint64_t hash = 0xcbf29ce484222325;
  bool poisoned = false; ///< Some 16 bits are 0xffff, a NaN of bf16 and f16.
};
} // namespace

/// FNV-1a over words: quick, and enough to tell that bits are the same.
static Digest digestOf(const std::vector<uint8_t> &bytes) {
  constexpr uint64_t ones = 0x0001000100010001, tops = 0x8000800080008000;
  Digest digest;
  auto add = [&](uint64_t word) {
    // A 16-bit lane of ~word that is zero.
    uint64_t inverse = ~word;
    digest.poisoned |= ((inverse - ones) & word & tops) != 0;
    digest.hash = (digest.hash ^ word) * 0x100000001b3;
    digest.hash ^= digest.hash >> 29;
  };
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    add(word);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, bytes.data() + i, bytes.size() - i);
  add(rest);
  return digest;
}

bool DeviceRun::runOnce(tda_program *program, Call &target, HostTensor &o,
                        uint64_t &hash, std::string &error) {
  if (!good(target.poison(), error) ||
      (workspace &&
       !good(tda_device_fill(workspace->data, 0xff, workspace->bytes),
             error)) ||
      !launch(program, target, 0, error) ||
      !good(tda_stream_synchronize(stream), error) ||
      !good(target.download(o), error))
    return false;
  Digest digest = digestOf(o.data);
  hash = digest.hash;
  if (!digest.poisoned)
    return true;
  error = "part of the output was not written";
  return false;
}

std::string DeviceRun::whyWrongShort(const std::string &manifest,
                                     tda_program *program) {
  auto [at, isNew] = shortVerdicts.try_emplace(manifest);
  if (isNew) {
    HostTensor o;
    uint64_t hash = 0;
    double relative = 0;
    if (runOnce(program, *shortCall, o, hash, at->second))
      at->second = shortReference->whyWrong(o, relative);
    if (!at->second.empty())
      at->second = "with 333 tokens: " + at->second;
  }
  return at->second;
}

std::string DeviceRun::whyWrong(const std::string &manifest,
                                tda_program *program,
                                const std::string &skipOff, double &relative,
                                uint64_t &hash) {
  if (std::string why = whyWrongShort(manifest, program); !why.empty())
    return why;
  HostTensor &o = output;
  std::string error;
  if (!runOnce(program, *call, o, hash, error))
    return error;
  if (std::string why = reference.whyWrong(o, relative); !why.empty())
    return why;
  if (skipOff == manifest)
    skipOffHashes[manifest] = hash;
  if (skipOff.empty() || skipOff == manifest)
    return "";
  auto [at, isNew] = skipOffHashes.try_emplace(skipOff);
  if (isNew) {
    std::unique_ptr<tda_program, decltype(&tda_close)> other(
        open(skipOff, error), tda_close);
    if (!other || !runOnce(other.get(), *call, o, at->second, error)) {
      skipOffHashes.erase(at);
      return "its form that skips nothing cannot run: " + error;
    }
  }
  return at->second == hash
             ? ""
             : "its bits differ from those of its form that skips nothing";
}

bool DeviceRun::time(tda_program *program, double bestUs, Sample &sample,
                     std::string &error) {
  size_t turn = 0;
  auto next = [&] { return turn++ % call->copies.size(); };
  EventPair probe;
  float ms = 0;
  if (!launch(program, *call, next(), error) ||
      !good(probe.start(stream), error) ||
      !launch(program, *call, next(), error) ||
      !good(probe.stop(stream), error) || !good(probe.elapsed(ms), error))
    return false;
  double each = std::max<double>(ms, 1e-3);
  bool isHopeless = bestUs > 0 && each * 1e3 > 2.5 * bestUs;
  int batch = each < policy.batchBelowMs
                  ? std::clamp(int(policy.batchMs / each), 2, 32)
                  : 1;
  Graph graph;
  if (batch > 1) {
    if (!good(tda_graph_begin(stream), error))
      return false;
    bool launched = true;
    for (int i = 0; i < batch && launched; ++i)
      launched = launch(program, *call, next(), error);
    // The capture ends also after a launch that failed.
    std::string ignored;
    if (!good(tda_graph_end(stream, &graph.graph),
              launched ? error : ignored) ||
        !launched)
      return false;
  }
  auto runBatch = [&] {
    return graph.graph ? good(tda_graph_launch(graph.graph, stream), error)
                       : launch(program, *call, next(), error);
  };
  double run = each * batch;
  int runs = isHopeless ? policy.hopeless
                        : std::clamp(int(policy.timedMs / run), policy.fewest,
                                     policy.most);
  int warm = isHopeless ? 0 : std::min(200, int(policy.warmMs / run) + 2);
  std::vector<EventPair> events(runs);
  for (int i = 0; i < warm; ++i)
    if (!runBatch())
      return false;
  for (EventPair &pair : events)
    if (!good(pair.start(stream), error) || !runBatch() ||
        !good(pair.stop(stream), error))
      return false;
  std::vector<double> us;
  for (EventPair &pair : events) {
    if (!good(pair.elapsed(ms), error))
      return false;
    us.push_back(double(ms) * 1e3 / batch);
  }
  std::sort(us.begin(), us.end());
  sample.median = us[us.size() / 2];
  sample.low = us[us.size() / 4];
  sample.high = us[us.size() * 3 / 4];
  sample.repetitions = runs * batch;
  return true;
}

void DeviceRun::measure(const std::string &manifest, const std::string &skipOff,
                        double bestUs, Sample &sample) {
  sample.status = Sample::Status::Failed;
  std::string error;
  std::unique_ptr<tda_program, decltype(&tda_close)> program(
      open(manifest, error), tda_close);
  if (!program) {
    sample.reason = error;
    return;
  }
  uint64_t hash = 0, after = 0;
  sample.reason =
      whyWrong(manifest, program.get(), skipOff, sample.error, hash);
  if (!sample.reason.empty())
    return;
  if (!time(program.get(), bestUs, sample, sample.reason) ||
      !good(call->download(output), sample.reason))
    return;
  after = digestOf(output.data).hash;
  if (after != hash)
    sample.reason = "its bits changed from one run to another";
  else if (!(sample.median > 0))
    sample.reason = "it took no time";
  else
    sample.status = Sample::Status::Measured;
}
