//===- GridCase.cpp - The runs of one kernel ------------------------------===//
#include "GridCase.h"

#include "DeviceCall.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <random>

using namespace tda;
using namespace tda::gputest;
using host::HostTensor;

std::string GridCase::str() const {
  std::string text = lengths.Nq == lengths.Nk
                         ? fmt::format("N={}", lengths.Nq)
                         : fmt::format("Nq={} Nk={}", lengths.Nq, lengths.Nk);
  text += fmt::format(" B={} Hq={}/{}", lengths.B, lengths.Hq, lengths.Hkv);
  if (random.offset)
    text += fmt::format(" offset={}", *random.offset);
  if (random.beta)
    text += fmt::format(" beta={}", *random.beta);
  if (random.kappa)
    text += fmt::format(" kappa={}", *random.kappa);
  if (random.planted > 0)
    text += fmt::format(" planted={}", random.planted);
  if (random.dead > 0)
    text += fmt::format(" dead={}", random.dead);
  return text +
         (oneHot   ? " one-hot "
          : bursts ? " bursts "
          : huge   ? " huge "
                   : " ") +
         callLayoutName(layout);
}

int64_t GridCase::longest() const { return std::max(lengths.Nq, lengths.Nk); }

std::vector<HostTensor>
tda::gputest::plantedInputs(const Problem &problem,
                            const host::Lengths &lengths, uint64_t seed) {
  host::RandomOptions options;
  options.planted = 0.3;
  return host::randomInputs(problem, lengths, seed, options);
}

/// Rows of q and k with one element set, of norm 2 where they get normalised.
/// Both views have both survivors and scores of exactly 0.
static void makeOneHot(const Problem &problem, uint64_t seed,
                       const std::string &name, HostTensor &tensor) {
  int64_t d = problem.d, rows = tensor.numElements() / d;
  std::fill(tensor.data.begin(), tensor.data.end(), 0);
  std::mt19937_64 random(seed + name[0] * 2 + (name.back() == '2'));
  for (int64_t row = 0; row < rows; ++row)
    tensor.set(row * d + int64_t(random() % 16) * (d / 16),
               problem.normalize ? 2.0 : 1.0);
}

/// Whether each of `count` keys is in a run.
static std::vector<bool> drawRuns(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<bool> isIn;
  for (bool in = random() % 2; int64_t(isIn.size()) < count; in = !in)
    isIn.insert(isIn.end(), 16 + random() % 385, in);
  isIn.resize(count);
  return isIn;
}

/// Adds `direction` to row `index` and gives it the norm that it had.
static void drawRow(HostTensor &tensor, int64_t index, int64_t d,
                    uint64_t direction) {
  std::vector<double> row(d);
  tensor.readDoubles(index * d, d, row.data());
  double before = 0, after = 0;
  for (double value : row)
    before += value * value;
  double step = std::sqrt(before / double(d));
  for (int64_t i = 0; i < d; ++i) {
    // A direction is a sign in each dimension.
    row[i] += (direction >> (i % 61)) % 2 ? step : -step;
    after += row[i] * row[i];
  }
  if (after == 0) // A dead row.
    return;
  for (int64_t i = 0; i < d; ++i)
    tensor.set(index * d + i, row[i] * std::sqrt(before / after));
}

void tda::gputest::makeBursts(const Problem &problem, uint64_t seed,
                              std::vector<HostTensor> &inputs) {
  int64_t d = problem.d;
  for (int view = 0; view < problem.views; ++view) {
    uint64_t direction = std::mt19937_64(seed + view)();
    HostTensor &q = inputs[2 * view], &k = inputs[2 * view + 1];
    int64_t queries = q.numElements() / d, length = k.shape[2];
    for (int64_t row = 0; row < queries; ++row)
      drawRow(q, row, d, direction);
    for (int64_t head = 0; head < k.shape[0] * k.shape[1]; ++head) {
      // Every second head has the same runs in both views.
      std::vector<bool> isIn =
          drawRuns(length, seed + 2 * head + (head % 2 ? view : 0));
      for (int64_t j = 0; j < length; ++j)
        if (isIn[j])
          drawRow(k, head * length + j, d, direction);
    }
  }
}

void tda::gputest::makeHuge(const Problem &problem,
                            std::vector<HostTensor> &inputs) {
  bool isF16 = problem.dtype == DType::F16;
  double largest = isF16                          ? 65504
                   : problem.dtype == DType::BF16 ? 0x1.fep127
                                                  : 0x1.fffffep127;
  double scale = isF16 ? 0x1p13 : 0x1p60; // of rows with norms up to 4
  HostTensor &v = inputs[2 * problem.views];
  int64_t length = v.shape[2];
  auto fillRow = [](HostTensor &tensor, int64_t index, auto value) {
    int64_t columns = tensor.shape[3];
    for (int64_t c = index * columns; c < (index + 1) * columns; ++c)
      tensor.set(c, value(tensor.at(c)));
  };
  auto isDead = [&](int64_t row) {
    int64_t j = row % length;
    return j % 5 == 2 || j / 48 % 3 == 1;
  };
  for (int i = 0; i <= 2 * problem.views; ++i) {
    bool isQuery = i < 2 * problem.views && i % 2 == 0;
    int64_t rows = inputs[i].numElements() / inputs[i].shape[3];
    for (int64_t row = 0; row < rows; ++row) {
      if (&inputs[i] == &v && isDead(row))
        fillRow(v, row, [&](double x) { return x < 0 ? -largest : largest; });
      else if (&inputs[i] != &v && !isQuery && isDead(row))
        fillRow(inputs[i], row, [](double) { return 0.0; });
      else if (&inputs[i] != &v && problem.normalize)
        fillRow(inputs[i], row, [&](double x) { return x * scale; });
    }
  }
}

std::vector<HostTensor> GridCase::inputs(const Problem &problem) const {
  std::vector<HostTensor> tensors =
      host::randomInputs(problem, lengths, seed, random);
  if (bursts)
    makeBursts(problem, seed, tensors);
  if (huge)
    makeHuge(problem, tensors);
  if (!oneHot)
    return tensors;
  std::vector<host::ArgumentSpec> specs = host::inputSpecs(problem);
  for (int i = 0; i < 2 * problem.views; ++i) // q and k come first.
    makeOneHot(problem, seed, specs[i].name, tensors[i]);
  return tensors;
}

namespace {

/// Chooses the runs of one kernel. Every choice cycles with the case and at
/// another pace with the kernel.
class Chooser {
public:
  Chooser(const Problem &problem, size_t kernel)
      : problem(problem), kernel(int64_t(kernel)) {}

  std::vector<GridCase> choose() {
    // The longest takes the reference longest: for every third kernel.
    for (int64_t n :
         {1, 2, 63, 64, 65, 127, 129, 1000, kernel % 3 ? 641 : 4096})
      addLength(n);
    addOneHot();
    addDead();
    addUnequal();
    addBursts();
    addHuge();
    return std::move(cases);
  }

private:
  int64_t index() const { return int64_t(cases.size()); }

  GridCase start(int64_t nq, int64_t nk) {
    GridCase c;
    c.seed = uint64_t(kernel) * 64 + index() + 1;
    c.layout = (index() + kernel / 5) % NumCallLayouts;
    bool isLong = std::max(nq, nk) > 1000;
    int64_t ratio = (index() + kernel) % 2 ? 4 : 1;
    int64_t hkv = std::max(nq, nk) >= 1000 ? 1 : 1 + (kernel + index() / 2) % 2;
    c.lengths = {isLong ? 1 : 1 + (index() + kernel / 3) % 3, ratio * hkv, hkv,
                 nq, nk};
    if (problem.kappaOperand)
      c.random.kappa = std::array{1.0, 0.5, 3.0}[(index() + kernel) % 3];
    if (problem.offsetOperand)
      c.random.offset = offset(c);
    return c;
  }

  /// From hiding every key to showing all of them to every query.
  int64_t offset(const GridCase &c) const {
    int64_t nq = c.lengths.Nq, nk = c.lengths.Nk;
    std::mt19937_64 random(c.seed);
    switch ((index() + kernel) % 6) {
    case 0:
      return nk - nq;
    case 1:
      return int64_t(random() % uint64_t(nq + nk + 1)) - nq;
    case 2:
      return nk + int64_t(random() % 1000000);
    case 3:
      return 0;
    case 4:
      return int64_t(random() % uint64_t(nq + 1)) - nq;
    default: // A third of the time nothing is visible at all.
      return kernel % 3 ? nk / 2 : -nq - int64_t(random() % 1000000);
    }
  }

  /// Densities from every second key to hardly any.
  void setDensity(GridCase &c) const {
    c.random.planted = 0.3;
    switch ((index() + kernel / 2) % 6) {
    case 0: // Drawn from 0.6 to 1.
      break;
    case 1:
      c.random.beta = 0.0;
      break;
    case 2: // Random vectors: the null.
      c.random.beta = 1.0;
      c.random.planted = 0.0;
      break;
    case 3:
      c.random.beta = 0.4;
      break;
    case 4: // As 0.
      c.random.beta = -0.5;
      break;
    case 5:
      c.random.dead = 0.2;
      break;
    }
  }

  void addLength(int64_t n) {
    int64_t other = n;
    if (!problem.causal || problem.offsetOperand)
      other =
          std::array{n + 37, n / 2 + 1 + (n <= 2), n - n / 4 + 5}[index() % 3];
    bool swap = kernel % 2;
    GridCase c = start(swap ? other : n, swap ? n : other);
    setDensity(c);
    cases.push_back(std::move(c));
  }

  /// s == tau == 0 is no survivor.
  void addOneHot() {
    GridCase c = start(65, 65);
    c.oneHot = true;
    c.random.beta = 0.0;
    cases.push_back(std::move(c));
  }

  /// Every second row is dead.
  void addDead() {
    GridCase c = start(129, problem.causal ? 129 : 100);
    c.random.beta = 1.0;
    c.random.planted = 0.3;
    c.random.dead = 0.5;
    cases.push_back(std::move(c));
  }

  /// Few queries on many keys, or the other way round.
  void addUnequal() {
    GridCase c = kernel % 2 ? start(1000, 129) : start(129, 1000);
    setDensity(c);
    cases.push_back(std::move(c));
  }

  /// Dense and empty tiles in turn.
  void addBursts() {
    GridCase c = start(kernel % 3 ? 700 : 300, 1500);
    c.bursts = true;
    c.random.beta = 0.9;
    c.random.dead = kernel % 2 ? 0.1 : 0.0;
    cases.push_back(std::move(c));
  }

  /// What is not kept may be as large as it likes.
  void addHuge() {
    GridCase c = start(193, problem.causal ? 193 : 450);
    c.huge = true;
    setDensity(c);
    cases.push_back(std::move(c));
  }

  const Problem &problem;
  int64_t kernel;
  std::vector<GridCase> cases;
};

} // namespace

std::vector<GridCase> tda::gputest::casesOf(const Problem &problem,
                                            size_t kernel) {
  return Chooser(problem, kernel).choose();
}
