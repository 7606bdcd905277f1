//===- GridCase.cpp - The runs of one kernel ------------------------------===//
#include "GridCase.h"

#include "DeviceCall.h"

#include <algorithm>
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
  return text + (oneHot ? " one-hot " : " ") + callLayoutName(layout);
}

int64_t GridCase::longest() const { return std::max(lengths.Nq, lengths.Nk); }

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

std::vector<HostTensor> GridCase::inputs(const Problem &problem) const {
  std::vector<HostTensor> tensors =
      host::randomInputs(problem, lengths, seed, random);
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
    for (int64_t n : {1, 2, 63, 64, 65, 127, 129, 1000, 4096})
      addLength(n);
    addOneHot();
    addDead();
    addUnequal();
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

  const Problem &problem;
  int64_t kernel;
  std::vector<GridCase> cases;
};

} // namespace

std::vector<GridCase> tda::gputest::casesOf(const Problem &problem,
                                            size_t kernel) {
  return Chooser(problem, kernel).choose();
}
