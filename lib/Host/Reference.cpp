//===- Reference.cpp - A float64 evaluation to compare with ---------------===//
//
// Work is cut into (batch and query head, tile of queries). For one tile of
// queries and one of keys the scores of both views are computed into a small
// buffer (keys packed in panels, so that the loop over the head dimension
// vectorises over keys), then each row's visible scores pass the gate and the
// few survivors add their rows of v.
//
//===----------------------------------------------------------------------===//

#include "tda/Host/Reference.h"

#include "Parallel.h"
#include "ReferenceInputs.h"
#include "tda/Host/Visibility.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <mutex>

namespace tda::host {

//===----------------------------------------------------------------------===//
// One tile
//===----------------------------------------------------------------------===//

/// The gate of a query that sees `count` > 0 keys.
static double gate(double beta, int64_t count, double kappa, int64_t d) {
  double log = std::max(0.0, std::log(double(count) / kappa));
  return std::max(0.0, beta) * std::sqrt(2.0 * log / double(d));
}

static double power(double x, double p) {
  if (p == 1.0)
    return x;
  if (p == 2.0)
    return x * x;
  return std::pow(x, p);
}

/// Two doubles in one register, on every machine; spelled out as compilers
/// differ much in how they vectorise the loop below.
using Pair = double __attribute__((vector_size(16)));

/// Scores of two queries against the eight keys of a panel.
static void scorePanel(const double *q0, const double *q1, const double *panel,
                       int64_t d, double *out0, double *out1) {
  constexpr int64_t pairs = kPanel / 2;
  Pair sum0[pairs] = {}, sum1[pairs] = {};
  for (int64_t c = 0; c < d; ++c) {
    Pair keys[pairs];
    std::memcpy(keys, panel + c * kPanel, sizeof(keys));
    for (int64_t j = 0; j < pairs; ++j) {
      sum0[j] += q0[c] * keys[j];
      sum1[j] += q1[c] * keys[j];
    }
  }
  std::memcpy(out0, sum0, sizeof(sum0));
  std::memcpy(out1, sum1, sizeof(sum1));
}

namespace {

struct Counts {
  int64_t visiblePairs = 0, nonZeroPairs = 0;
  int64_t survivors[2] = {0, 0}, consensus = 0;
  int64_t visibleTiles = 0, liveTiles = 0;

  void operator+=(const Counts &other) {
    visiblePairs += other.visiblePairs;
    nonZeroPairs += other.nonZeroPairs;
    survivors[0] += other.survivors[0];
    survivors[1] += other.survivors[1];
    consensus += other.consensus;
    visibleTiles += other.visibleTiles;
    liveTiles += other.liveTiles;
  }
};

/// What one query needs while its keys go by.
struct RowState {
  KeyRange keys;
  double tau = 0, lambda = 0;
  double *o = nullptr;
  int64_t survivors[2] = {0, 0};
  double maxScore[2] = {-HUGE_VAL, -HUGE_VAL};
};

/// Evaluates tiles of queries; one a thread, as it owns the buffers.
class TileWorker {
public:
  TileWorker(const Problem &problem, const ReferenceInputs &in, TileShape tile,
             Reference &out)
      : problem(problem), in(in), tile(tile), out(out), rows(tile.rows),
        scoreStride(tile.cols + 2 * kPanel) { // Panels may begin before it.
    int64_t evenRows = tile.rows + tile.rows % 2;
    for (int view = 0; view < problem.views; ++view) {
      q[view].resize(evenRows * problem.d);
      scores[view].resize(evenRows * scoreStride);
    }
  }

  /// Queries [firstRow, firstRow + tile.rows) of head `head` of B * Hq.
  Counts run(int64_t head, int64_t firstRow);

private:
  void startRows();
  void scoreKeys(KeyRange keys);
  bool aggregateRow(int64_t r, KeyRange keys);
  void finishRow(int64_t r);
  bool isSurelyDead(int64_t r) const;

  const Problem &problem;
  const ReferenceInputs &in;
  TileShape tile;
  Reference &out;

  Counts counts;
  int64_t head = 0, kvHead = 0, firstRow = 0, numRows = 0;
  int64_t scoredBegin = 0; ///< The key of column 0 of `scores`.
  std::vector<RowState> rows;
  int64_t scoreStride;
  std::vector<double> q[2];      ///< [rows rounded up to even][d]
  std::vector<double> scores[2]; ///< [rows rounded up to even][scoreStride]
};

Counts TileWorker::run(int64_t newHead, int64_t newFirstRow) {
  const Lengths &lengths = in.lengths;
  counts = Counts();
  head = newHead;
  int64_t batch = head / lengths.Hq, headInBatch = head % lengths.Hq;
  kvHead = batch * lengths.Hkv + headInBatch / (lengths.Hq / lengths.Hkv);
  firstRow = newFirstRow;
  numRows = std::min(tile.rows, lengths.Nq - firstRow);
  startRows();

  // Both ends of the visible range grow with the query.
  int64_t begin = rows[0].keys.begin, end = rows[numRows - 1].keys.end;
  for (int64_t key = begin / tile.cols * tile.cols; key < end;
       key += tile.cols) {
    KeyRange keys{std::max(key, begin), std::min(key + tile.cols, end)};
    scoreKeys(keys);
    bool isVisible = false, isLive = false;
    for (int64_t r = 0; r < numRows; ++r) {
      KeyRange seen{std::max(keys.begin, rows[r].keys.begin),
                    std::min(keys.end, rows[r].keys.end)};
      if (seen.size() <= 0)
        continue;
      isVisible = true;
      isLive |= aggregateRow(r, seen);
    }
    counts.visibleTiles += isVisible;
    counts.liveTiles += isLive;
  }
  for (int64_t r = 0; r < numRows; ++r)
    finishRow(r);
  return counts;
}

void TileWorker::startRows() {
  const Lengths &lengths = in.lengths;
  for (int64_t r = 0; r < numRows; ++r) {
    int64_t i = firstRow + r, row = head * lengths.Nq + i;
    for (int view = 0; view < problem.views; ++view)
      readRow(problem, *in.q[view], row, &q[view][r * problem.d]);

    RowState &state = rows[r] = RowState();
    state.keys = visibleKeys(problem, i, in.offset, lengths.Nk);
    state.o = &out.o[row * problem.dv];
    int64_t headInBatch = head % lengths.Hq;
    double beta = in.beta[problem.beta == Extent::Head ? headInBatch : 0];
    if (state.keys.size() > 0)
      state.tau = gate(beta, state.keys.size(), in.kappa, problem.d);
    if (problem.views == 2)
      state.lambda = in.lambda[problem.lambda == Extent::Token  ? row
                               : problem.lambda == Extent::Head ? headInBatch
                                                                : 0];
    counts.visiblePairs += state.keys.size();
  }
}

/// Fills `scores` for all rows of the tile, from the panel of the first key.
void TileWorker::scoreKeys(KeyRange keys) {
  int64_t d = problem.d, firstPanel = keys.begin / kPanel;
  int64_t lastPanel = ceilDiv(keys.end, kPanel);
  scoredBegin = firstPanel * kPanel;
  for (int view = 0; view < problem.views; ++view) {
    for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
      const double *k = in.k[view].panel(kvHead, panel);
      double *column = &scores[view][(panel - firstPanel) * kPanel];
      for (int64_t r = 0; r < numRows; r += 2)
        scorePanel(&q[view][r * d], &q[view][(r + 1) * d], k, d,
                   column + r * scoreStride, column + (r + 1) * scoreStride);
    }
  }
}

/// Adds A(i,j) v(j) over the given keys, all of them visible. Returns whether
/// one survived in some view.
bool TileWorker::aggregateRow(int64_t r, KeyRange keys) {
  RowState &row = rows[r];
  int64_t before = row.survivors[0] + row.survivors[1];
  for (int64_t j = keys.begin; j < keys.end; ++j) {
    double a[2] = {0.0, 0.0};
    int views = 0; // In which key j survives.
    for (int view = 0; view < problem.views; ++view) {
      double score = scores[view][r * scoreStride + j - scoredBegin];
      row.maxScore[view] = std::max(row.maxScore[view], score);
      if (!(score > row.tau))
        continue;
      a[view] = power(score - row.tau, problem.power);
      ++row.survivors[view];
      ++views;
    }
    if (views == 0)
      continue;
    counts.consensus += views == 2;
    double weight = a[0] - row.lambda * a[1];
    if (weight == 0.0)
      continue;
    ++counts.nonZeroPairs;
    const double *v = &in.v[(kvHead * in.lengths.Nk + j) * problem.dv];
    for (int64_t c = 0; c < problem.dv; ++c)
      row.o[c] += weight * v[c];
  }
  return row.survivors[0] + row.survivors[1] > before;
}

/// Epilogue norm and statistics of one row.
void TileWorker::finishRow(int64_t r) {
  RowState &row = rows[r];
  int64_t index = head * in.lengths.Nq + firstRow + r;
  int64_t rowsOfAView = in.lengths.B * in.lengths.Hq * in.lengths.Nq;
  for (int view = 0; view < problem.views; ++view) {
    out.survivors[view * rowsOfAView + index] = int32_t(row.survivors[view]);
    counts.survivors[view] += row.survivors[view];
  }
  out.dead[index] = isSurelyDead(r);
  if (problem.norm && row.survivors[0] + row.survivors[1] > 0) {
    double mean = dot(row.o, row.o, problem.dv) / double(problem.dv);
    double scale = 1.0 / std::sqrt(mean + problem.eps);
    for (int64_t c = 0; c < problem.dv; ++c)
      row.o[c] *= scale * in.gain[c];
  }
}

/// No survivor here, and none for arithmetic in f32: the scores keep further
/// from the gate than f32 can be off in d additions (tensor cores cut where
/// IEEE rounds, hence the 4) and in the gate itself, and than a score moves
/// when one element of a normalised row rounds to its other neighbour.
bool TileWorker::isSurelyDead(int64_t r) const {
  const RowState &row = rows[r];
  constexpr double unit = 4 * 0x1p-24;
  double typeUnit = problem.dtype == DType::BF16  ? 0x1p-7
                    : problem.dtype == DType::F16 ? 0x1p-10
                                                  : 0x1p-23;
  for (int view = 0; view < problem.views; ++view) {
    if (row.survivors[view] > 0)
      return false;
    const double *x = &q[view][r * problem.d];
    const PackedKeys &k = in.k[view];
    double normOfX = std::sqrt(dot(x, x, problem.d));
    double slack = unit * double(problem.d) * normOfX * k.maxNorm[kvHead];
    if (problem.normalize)
      slack += typeUnit * maxAbsOf(x, problem.d) * k.maxAbs[kvHead];
    // No slack: q or all of k is zero, and so are the scores, exactly.
    if (slack > 0 && !(row.maxScore[view] + slack < row.tau * (1 - unit)))
      return false;
  }
  return true;
}

} // namespace

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

static double ratio(int64_t part, int64_t whole, double ifNone) {
  return whole == 0 ? ifNone : double(part) / double(whole);
}

bool evaluate(const Problem &problem,
              const std::vector<const HostTensor *> &inputs, Reference &out,
              std::string &error, unsigned threads, TileShape tile) {
  error = problem.check();
  if (error.empty() && (tile.rows < 1 || tile.cols < 1))
    error = fmt::format("tile {}x{} must have at least one row and column",
                        tile.rows, tile.cols);
  ReferenceInputs in;
  if (!error.empty() || !readInputs(problem, inputs, threads, in, error))
    return false;

  const Lengths &lengths = in.lengths;
  int64_t heads = lengths.B * lengths.Hq, rows = heads * lengths.Nq;
  out = Reference();
  out.lengths = lengths;
  out.o.assign(rows * problem.dv, 0.0);
  out.survivors.assign(problem.views * rows, 0);
  out.dead.assign(rows, 0);
  if (rows == 0)
    return true;

  // The last tiles of a head first: under a causal mask they cost the most.
  int64_t tilesOfAHead = ceilDiv(lengths.Nq, tile.rows);
  Counts total;
  std::mutex mutex;
  parallelFor(heads * tilesOfAHead, threads, [&] {
    return [&, worker = TileWorker(problem, in, tile, out)](int64_t u) mutable {
      int64_t tileOfHead = tilesOfAHead - 1 - u / heads;
      Counts counts = worker.run(u % heads, tileOfHead * tile.rows);
      std::lock_guard<std::mutex> lock(mutex);
      total += counts;
    };
  });

  out.exactZeros = 1.0 - ratio(total.nonZeroPairs, total.visiblePairs, 0.0);
  for (int view = 0; view < problem.views; ++view)
    out.survivorsPerRow[view] = ratio(total.survivors[view], rows, 0.0);
  out.consensusPerRow = ratio(total.consensus, rows, 0.0);
  out.liveTiles = ratio(total.liveTiles, total.visibleTiles, 0.0);
  return true;
}

} // namespace tda::host
