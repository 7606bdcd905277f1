//===- Inputs.cpp - The data that a workload is measured on ---------------===//
#include "autotune/gpu/Inputs.h"

#include "tda/Host/Npy.h"
#include "tda/Host/Random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <thread>

using namespace tda;
using namespace tda::tune;
using host::HostTensor;
using host::Lengths;

static constexpr uint64_t kSeed = 20261125;
static constexpr int64_t kDistinctHeads = 4;

/// Which heads an axis counts: 0 none, else Hq or Hkv of the lengths.
static int64_t headsOf(const host::ArgumentSpec &spec, const Lengths &lengths) {
  for (const std::string &axis : spec.shape) {
    if (axis == "Hq")
      return lengths.Hq;
    if (axis == "Hkv")
      return lengths.Hkv;
  }
  return 0;
}

/// A tensor of all heads out of tensors of one head each, in turn.
static HostTensor joinHeads(const host::ArgumentSpec &spec,
                            const Lengths &lengths,
                            const std::vector<const HostTensor *> &heads) {
  int64_t count = headsOf(spec, lengths);
  if (count == 0)
    return *heads[0];
  bool batched = spec.shape[0] == "B";
  HostTensor all =
      HostTensor::zeros(spec.dtype, host::concreteShape(spec, lengths));
  size_t bytes = heads[0]->data.size();
  for (int64_t i = 0; i < count * (batched ? lengths.B : 1); ++i)
    std::memcpy(all.data.data() + size_t(i) * bytes,
                heads[size_t(i % count) % heads.size()]->data.data(), bytes);
  return all;
}

static std::vector<HostTensor> randomHeads(const Workload &w,
                                           std::optional<double> beta) {
  int64_t distinct = std::min<int64_t>(kDistinctHeads, w.lengths.Hq);
  std::vector<std::vector<HostTensor>> heads{size_t(distinct)};
  std::vector<std::thread> threads;
  host::RandomOptions options;
  options.beta = beta;
  Lengths one{1, 1, 1, w.lengths.Nq, w.lengths.Nk};
  for (int64_t h = 0; h < distinct; ++h)
    threads.emplace_back([&, h] {
      heads[h] = host::randomInputs(w.problem, one, kSeed + h, options);
    });
  for (std::thread &thread : threads)
    thread.join();
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(w.problem);
  std::vector<HostTensor> inputs;
  for (size_t i = 0; i < specs.size(); ++i) {
    std::vector<const HostTensor *> parts;
    for (const std::vector<HostTensor> &head : heads)
      parts.push_back(&head[i]);
    inputs.push_back(joinHeads(specs[i], w.lengths, parts));
  }
  return inputs;
}

namespace {
/// Tensors of a trained model: [heads, tokens, columns].
class RealData {
public:
  bool read(const std::string &folder, std::string &error) {
    for (const char *name : {"q1", "k1", "q2", "k2", "v", "beta", "lambda"}) {
      HostTensor tensor;
      if (!host::readNpy(folder + "/" + name + ".npy", tensor, error)) {
        error = fmt::format("density real: {}; --real names the folder of "
                            "q1.npy and so on",
                            error);
        return false;
      }
      if (tensor.shape.size() == 4 && tensor.shape[0] == 1)
        tensor.shape.erase(tensor.shape.begin());
      tensors[name] = std::move(tensor);
    }
    const std::vector<int64_t> &shape = tensors["q1"].shape;
    if (shape.size() != 3 || tensors["beta"].shape.size() != 1) {
      error = fmt::format("density real: '{}/q1.npy' has shape {}; expected "
                          "[heads, tokens, columns]",
                          folder, host::shapeText(shape));
      return false;
    }
    for (const char *name : {"k1", "q2", "k2", "v"})
      if (tensors[name].shape != shape) {
        error = fmt::format("density real: {}.npy and q1.npy differ in shape",
                            name);
        return false;
      }
    heads = shape[0], tokens = shape[1], columns = shape[2];
    return true;
  }

  /// One head of `name` with so many rows and columns.
  HostTensor head(const char *name, int64_t h, int64_t rows, int64_t width,
                  bool unit, DType dtype) const {
    const HostTensor &from = tensors.at(name);
    HostTensor to = HostTensor::zeros(dtype, {1, 1, rows, width});
    std::vector<double> row(columns);
    bool plain = width % columns == 0;
    for (int64_t i = 0; i < rows; ++i) {
      from.readDoubles(((h % heads) * tokens + i % tokens) * columns, columns,
                       row.data());
      double scale = 1;
      if (unit && plain)
        scale = std::sqrt(double(columns) / double(width));
      if (unit && !plain) {
        double norm = 0;
        for (int64_t c = 0; c < width; ++c)
          norm += row[c % columns] * row[c % columns];
        scale = norm > 0 ? 1 / std::sqrt(norm) : 0;
      }
      for (int64_t c = 0; c < width; ++c)
        to.set(i * width + c, row[c % columns] * scale);
    }
    return to;
  }
  double scalar(const char *name, int64_t h) const {
    return tensors.at(name).at(h % heads);
  }

  int64_t heads = 0, tokens = 0, columns = 0;

private:
  std::map<std::string, HostTensor> tensors;
};
} // namespace

static bool realInputs(const Workload &w, const std::string &folder,
                       std::vector<HostTensor> &inputs, std::string &source,
                       std::string &error) {
  RealData data;
  if (!data.read(folder, error))
    return false;
  const Problem &p = w.problem;
  inputs = randomHeads(w, 1.0); // for the operands that the data lacks
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(p);
  double betaScale = std::sqrt(double(p.d) / double(data.columns));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < specs.size(); ++i) {
    std::string name = specs[i].name;
    if (p.views == 1 && (name == "q" || name == "k"))
      name += "1";
    bool isKey = name[0] == 'k' && name != "kappa", isValue = name == "v";
    bool isRow = isKey || isValue || name[0] == 'q';
    if (name == "beta" || name == "lambda") {
      int64_t each = inputs[i].numElements() /
                     std::max<int64_t>(1, headsOf(specs[i], w.lengths));
      for (int64_t e = 0; e < inputs[i].numElements(); ++e)
        inputs[i].set(
            e, data.scalar(name.c_str(), e / std::max<int64_t>(each, 1)) *
                   (name == "beta" ? betaScale : 1));
      continue;
    }
    if (!isRow)
      continue;
    threads.emplace_back([&, i, name, isKey, isValue] {
      int64_t rows = isKey || isValue ? w.lengths.Nk : w.lengths.Nq;
      std::vector<HostTensor> heads;
      for (int64_t h = 0; h < std::min(data.heads, w.lengths.Hq); ++h)
        heads.push_back(data.head(name.c_str(), h, rows, isValue ? p.dv : p.d,
                                  !isValue, specs[i].dtype));
      std::vector<const HostTensor *> parts;
      for (const HostTensor &head : heads)
        parts.push_back(&head);
      inputs[i] = joinHeads(specs[i], w.lengths, parts);
    });
  }
  for (std::thread &thread : threads)
    thread.join();
  source = fmt::format("{} heads of a trained model", data.heads);
  if (w.lengths.Nk > data.tokens)
    source += fmt::format(", its {} tokens repeated", data.tokens);
  else
    source += fmt::format(", {} tokens", w.lengths.Nk);
  if (p.d != data.columns)
    source += fmt::format(", {} columns repeated to {}, beta times {:.3f}",
                          data.columns, p.d, betaScale);
  return true;
}

bool tune::makeInputs(const Workload &w, const std::string &realFolder,
                      std::vector<HostTensor> &inputs, std::string &source,
                      std::string &error) {
  inputs.clear();
  switch (w.density.kind) {
  case Density::Kind::Real:
    return realInputs(w, realFolder, inputs, source, error);
  case Density::Kind::Null:
  case Density::Kind::Dense: {
    bool isNull = w.density.kind == Density::Kind::Null;
    inputs = randomHeads(w, isNull ? 1.0 : 0.0);
    source = fmt::format("random unit rows, seed {}, beta {}", kSeed,
                         isNull ? 1 : 0);
    return true;
  }
  case Density::Kind::Files:
    break;
  }
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(w.problem);
  if (specs.size() != w.density.files.size()) {
    error = fmt::format("density: {} files, but the problem takes {} arguments",
                        w.density.files.size(), specs.size());
    return false;
  }
  for (size_t i = 0; i < specs.size(); ++i)
    if (!host::readNpy(w.density.files[i], inputs.emplace_back(), error,
                       specs[i].dtype)) {
      error = fmt::format("density: argument '{}': {}", specs[i].name, error);
      return false;
    }
  Lengths lengths;
  if (!host::bindLengths(specs, host::pointersTo(inputs), lengths, error))
    return false;
  if (shapeText(bucketed(lengths)) != shapeText(bucketed(w.lengths))) {
    error = fmt::format("density: the files have the lengths {}, which are not "
                        "in the bucket {}",
                        shapeText(lengths), shapeText(bucketed(w.lengths)));
    return false;
  }
  source = fmt::format("{} and {} more files", w.density.files[0],
                       w.density.files.size() - 1);
  return true;
}
