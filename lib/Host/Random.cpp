//===- Random.cpp - Repeatable inputs for a problem -----------------------===//
//
// Counter based: every number is a function of (seed, tensor, row, column), so
// a longer sequence begins with the shorter one's values. Only integer
// arithmetic, + - * / and sqrt are used, which IEEE 754 rounds the same
// everywhere (the library functions log and cos are not).
//
//===----------------------------------------------------------------------===//

#include "tda/Host/Random.h"

#include "tda/Host/Visibility.h"

#include <cmath>
#include <cstring>

namespace tda::host {

namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection
/// that mixes all 64 bits.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// A stream of numbers named by a key.
class Stream {
public:
  explicit Stream(uint64_t key) : key(key) {}

  Stream at(uint64_t index) const { return Stream(mix(key ^ mix(index))); }

  uint64_t bits() { return mix(key + counter++); }

  /// In [0, 1), a multiple of 2^-53.
  double uniform() { return double(bits() >> 11) * 0x1p-53; }

  double uniform(double low, double high) {
    return low + (high - low) * uniform();
  }

  /// In [0, bound), bound >= 1.
  int64_t below(int64_t bound) { return int64_t(bits() % uint64_t(bound)); }

  /// Mean 0 and variance 1: the sum of twelve 16-bit uniforms.
  double normal() {
    int64_t sum = 0;
    for (int word = 0; word < 3; ++word)
      for (uint64_t b = bits(), part = 0; part < 4; ++part, b >>= 16)
        sum += int64_t(b & 0xffff);
    return (double(sum) - 12 * 32767.5) * 0x1p-16;
  }

private:
  uint64_t key;
  uint64_t counter = 0;
};

using Row = std::vector<double>;

Row gaussianRow(Stream stream, int64_t size) {
  Row row(size);
  for (double &value : row)
    value = stream.normal();
  return row;
}

void scaleToNorm(Row &row, double norm) {
  double sum = 0;
  for (double value : row)
    sum += value * value;
  double factor = sum > 0 ? norm / std::sqrt(sum) : 0.0;
  for (double &value : row)
    value *= factor;
}

Row unitRow(Stream stream, int64_t size) {
  Row row = gaussianRow(stream, size);
  scaleToNorm(row, 1.0);
  return row;
}

/// A unit row near `target`: their dot product is about `cosine`.
Row rowNear(const Row &target, double cosine, Stream noise) {
  Row row = unitRow(noise, target.size());
  double sine = std::sqrt(1 - cosine * cosine);
  for (size_t i = 0; i < row.size(); ++i)
    row[i] = cosine * target[i] + sine * row[i];
  scaleToNorm(row, 1.0);
  return row;
}

/// Makes the tensors of one problem.
class Maker {
public:
  Maker(const Problem &problem, const Lengths &lengths, uint64_t seed,
        const RandomOptions &options)
      : problem(problem), lengths(lengths), options(options), root(mix(seed)) {}

  HostTensor make(const ArgumentSpec &spec) const;

private:
  /// Streams; the two views have their own q and k.
  enum Name { Keys = 1, Queries = 3, Values = 5, Beta, Lambda, Gain, Aim };

  Stream stream(int name, int64_t index) const {
    return root.at(name).at(index);
  }

  int64_t offset() const {
    return options.offset.value_or(lengths.Nk - lengths.Nq);
  }

  Row keyRow(int view, int64_t kvHead, int64_t j) const;
  Row queryRow(int view, int64_t head, int64_t i) const;
  void fillRows(HostTensor &tensor, int64_t heads, int64_t rows, int name,
                int view) const;
  void storeRow(HostTensor &tensor, int64_t index, Row row, Stream norms) const;

  const Problem &problem;
  const Lengths &lengths;
  const RandomOptions &options;
  Stream root;
};

/// Unit key row `j` of `kvHead`, counted over the batch. Where planted, it is
/// drawn toward the first key of its group of eight: clusters.
Row Maker::keyRow(int view, int64_t kvHead, int64_t j) const {
  auto own = [&](int64_t key) { return stream(Keys + view, kvHead).at(key); };
  Stream choice = stream(Aim, -1 - kvHead).at(j);
  if (j % 8 == 0 || choice.uniform() >= options.planted)
    return unitRow(own(j), problem.d);
  return rowNear(unitRow(own(j - j % 8), problem.d), 0.8, own(j));
}

/// Unit query row `i` of `head`, counted over the batch.
Row Maker::queryRow(int view, int64_t head, int64_t i) const {
  Stream own = stream(Queries + view, head).at(i);
  Stream aim = stream(Aim, head).at(i);
  if (aim.uniform() < options.dead)
    return Row(problem.d, 0.0);
  KeyRange keys = visibleKeys(problem, i, offset(), lengths.Nk);
  if (aim.uniform() >= options.planted || keys.size() == 0)
    return unitRow(own, problem.d);
  // Both views draw the same numbers here, so they agree on the key where
  // they should.
  bool sharesKey = aim.bits() & 1;
  int64_t key[2] = {keys.begin + aim.below(keys.size()),
                    keys.begin + aim.below(keys.size())};
  double cosine[2] = {aim.uniform(0.6, 0.98), aim.uniform(0.6, 0.98)};
  int64_t kvHead = head / (lengths.Hq / lengths.Hkv);
  Row target = keyRow(view, kvHead, key[sharesKey ? 0 : view]);
  return rowNear(target, cosine[view], own);
}

/// Unit rows as they are; rows that will be normalised get a norm of their
/// own.
void Maker::storeRow(HostTensor &tensor, int64_t index, Row row,
                     Stream norms) const {
  double norm = problem.normalize ? norms.uniform(0.25, 4.0) : 1.0;
  for (size_t c = 0; c < row.size(); ++c)
    tensor.set(index * row.size() + c, norm * row[c]);
}

void Maker::fillRows(HostTensor &tensor, int64_t heads, int64_t rows, int name,
                     int view) const {
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t row = 0; row < rows; ++row) {
      Stream norms = stream(name + view, head).at(-1 - row);
      storeRow(tensor, head * rows + row,
               name == Keys ? keyRow(view, head, row)
                            : queryRow(view, head, row),
               norms);
    }
  }
}

HostTensor Maker::make(const ArgumentSpec &spec) const {
  HostTensor tensor =
      HostTensor::zeros(spec.dtype, concreteShape(spec, lengths));
  int64_t count = tensor.numElements();
  if (count == 0)
    return tensor;
  auto fill = [&](auto value) {
    for (int64_t i = 0; i < count; ++i)
      tensor.set(i, value(i));
  };
  int64_t offsetValue = offset(); // A double would lose its low bits.
  int view = spec.name.back() == '2';
  if (spec.name[0] == 'q')
    fillRows(tensor, lengths.B * lengths.Hq, lengths.Nq, Queries, view);
  else if (spec.name[0] == 'k' && spec.name != "kappa")
    fillRows(tensor, lengths.B * lengths.Hkv, lengths.Nk, Keys, view);
  else if (spec.name == "v")
    fill([&](int64_t i) { return stream(Values, i).normal(); });
  else if (spec.name == "beta")
    fill([&](int64_t i) {
      return options.beta.value_or(stream(Beta, i).uniform(0.6, 1.0));
    });
  else if (spec.name == "lambda")
    fill([&](int64_t i) {
      return options.lambda.value_or(stream(Lambda, i).uniform(0.2, 0.8));
    });
  else if (spec.name == "kappa")
    fill([&](int64_t) { return options.kappa.value_or(1.0); });
  else if (spec.name == "offset")
    std::memcpy(tensor.data.data(), &offsetValue, sizeof(offsetValue));
  else if (spec.name == "gain")
    fill([&](int64_t i) { return stream(Gain, i).uniform(0.5, 1.5); });
  return tensor;
}

} // namespace

std::vector<HostTensor> randomInputs(const Problem &problem,
                                     const Lengths &lengths, uint64_t seed,
                                     const RandomOptions &options) {
  Maker maker(problem, lengths, seed, options);
  std::vector<HostTensor> tensors;
  for (const ArgumentSpec &spec : inputSpecs(problem))
    tensors.push_back(maker.make(spec));
  return tensors;
}

std::vector<const HostTensor *>
pointersTo(const std::vector<HostTensor> &tensors) {
  std::vector<const HostTensor *> pointers;
  for (const HostTensor &tensor : tensors)
    pointers.push_back(&tensor);
  return pointers;
}

} // namespace tda::host
