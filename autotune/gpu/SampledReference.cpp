//===- SampledReference.cpp - Float64 rows to compare with ----------------===//
#include "autotune/gpu/SampledReference.h"

#include "tda/Host/Random.h"
#include "tda/Host/Reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <set>
#include <thread>

using namespace tda;
using namespace tda::tune;
using host::HostTensor;

/// Rows [row, row + rows) of [B, H, N, ...] at one batch and head.
static HostTensor cut(const HostTensor &from, int64_t batch, int64_t head,
                      int64_t row, int64_t rows) {
  HostTensor to;
  to.dtype = from.dtype;
  to.shape = from.shape;
  to.shape[0] = to.shape[1] = 1;
  to.shape[2] = rows;
  size_t rowBytes = dtypeSize(from.dtype);
  for (size_t i = 3; i < from.shape.size(); ++i)
    rowBytes *= size_t(from.shape[i]);
  size_t first =
      size_t((batch * from.shape[1] + head) * from.shape[2] + row) * rowBytes;
  to.data.assign(from.data.begin() + first,
                 from.data.begin() + first + size_t(rows) * rowBytes);
  return to;
}

void SampledReference::run(Slice &slice,
                           const std::vector<HostTensor> &inputs) const {
  Problem sliced = problem;
  sliced.offsetOperand = true;
  sliced.stats = false;
  int64_t group = lengths.Hq / lengths.Hkv;
  int64_t offset = lengths.Nk - lengths.Nq;
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(problem);
  std::map<std::string, HostTensor> parts;
  for (size_t i = 0; i < specs.size(); ++i) {
    const std::vector<std::string> &shape = specs[i].shape;
    HostTensor part = inputs[i];
    if (shape.size() >= 3)
      part =
          shape[2] == "Nq"
              ? cut(inputs[i], slice.batch, slice.head, slice.row, slice.rows)
              : cut(inputs[i], slice.batch, slice.head / group, 0, lengths.Nk);
    else if (shape.size() == 1 && shape[0] == "Hq")
      part = HostTensor::fromValues(specs[i].dtype, {1},
                                    {inputs[i].at(slice.head)});
    if (specs[i].name == "offset")
      offset = int64_t(inputs[i].at(0));
    parts[specs[i].name] = std::move(part);
  }
  parts["offset"] =
      HostTensor::fromValues(DType::I64, {}, {double(offset + slice.row)});
  std::vector<const HostTensor *> arguments;
  for (const host::ArgumentSpec &spec : host::inputSpecs(sliced))
    arguments.push_back(&parts[spec.name]);
  host::Reference reference;
  if (!host::evaluate(sliced, arguments, reference, slice.error, 1, {16, 64}))
    return;
  slice.o = std::move(reference.o);
  slice.dead = std::move(reference.dead);
  slice.survivors =
      (reference.survivorsPerRow[0] + reference.survivorsPerRow[1]) /
      problem.views;
  slice.liveTiles = reference.liveTiles;
}

bool SampledReference::evaluate(const Problem &newProblem,
                                const host::Lengths &newLengths,
                                const std::vector<HostTensor> &inputs,
                                std::string &error) {
  problem = newProblem;
  lengths = newLengths;
  slices.clear();
  int64_t rows = std::min<int64_t>(16, lengths.Nq);
  std::set<std::pair<int64_t, int64_t>> heads = {
      {0, 0}, {lengths.B - 1, lengths.Hq - 1}};
  std::set<int64_t> starts;
  for (int64_t part = 0; part <= 3; ++part)
    starts.insert((lengths.Nq - rows) * part / 3);
  for (auto [batch, head] : heads)
    for (int64_t start : starts)
      if (rows > 0)
        slices.push_back({batch, head, start, rows, {}, {}, 0, 0, ""});
  std::vector<std::thread> threads;
  for (Slice &slice : slices)
    threads.emplace_back([&] { run(slice, inputs); });
  for (std::thread &thread : threads)
    thread.join();
  for (const Slice &slice : slices)
    if (!slice.error.empty()) {
      error = "the reference failed: " + slice.error;
      return false;
    }
  return true;
}

std::string SampledReference::whyWrong(const HostTensor &o,
                                       double &relative) const {
  double difference = 0, norm = 0;
  int64_t width = problem.dv;
  std::vector<double> row(width);
  for (const Slice &slice : slices)
    for (int64_t i = 0; i < slice.rows; ++i) {
      int64_t at = ((slice.batch * lengths.Hq + slice.head) * lengths.Nq +
                    slice.row + i) *
                   width;
      o.readDoubles(at, width, row.data());
      for (int64_t c = 0; c < width; ++c) {
        double expected = slice.o[i * width + c];
        if (!std::isfinite(row[c]))
          return fmt::format("o[{}, {}, {}, {}] is {}: not finite, or not "
                             "written",
                             slice.batch, slice.head, slice.row + i, c, row[c]);
        if (slice.dead[i] && row[c] != 0)
          return fmt::format("o[{}, {}, {}, {}] is {}, but no key of its row "
                             "survives",
                             slice.batch, slice.head, slice.row + i, c, row[c]);
        difference += (row[c] - expected) * (row[c] - expected);
        norm += expected * expected;
      }
    }
  relative = std::sqrt(difference) / std::max(std::sqrt(norm), 1e-6);
  double limit = host::contract(problem.dtype);
  if (!(relative <= limit))
    return fmt::format("the relative error is {:.3g}, over {:g}", relative,
                       limit);
  return "";
}

void SampledReference::describe(Achieved &achieved) const {
  for (const Slice &slice : slices) {
    achieved.survivorsPerRow += slice.survivors / double(slices.size());
    achieved.liveTiles += slice.liveTiles / double(slices.size());
  }
}
