//===- ReferenceInputs.cpp - Operands as the reference reads them ---------===//

#include "ReferenceInputs.h"

#include "Parallel.h"
#include "tda/Host/HostFloat.h"

#include <cstring>
#include <fmt/format.h>

namespace tda::host {

void readRow(const Problem &problem, const HostTensor &tensor, int64_t index,
             double *row) {
  tensor.readDoubles(index * problem.d, problem.d, row);
  if (!problem.normalize)
    return;
  float norm = float(std::sqrt(dot(row, row, problem.d)));
  float divisor = std::max(norm, 1e-12f);
  for (int64_t c = 0; c < problem.d; ++c)
    row[c] = roundToType(float(row[c]) / divisor, tensor.dtype);
}

static PackedKeys packKeys(const Problem &problem, const HostTensor &k,
                           const Lengths &lengths, unsigned threads) {
  PackedKeys packed;
  int64_t heads = lengths.B * lengths.Hkv, d = problem.d;
  packed.d = d;
  packed.panels = ceilDiv(lengths.Nk, kPanel);
  packed.values.resize(heads * packed.panels * d * kPanel);
  packed.maxNorm.resize(heads);
  packed.maxAbs.resize(heads);
  parallelFor(heads, threads, [&] {
    return [&, row = std::vector<double>(d)](int64_t head) mutable {
      double *panels = packed.values.data() + head * packed.panels * d * kPanel;
      double maxSquare = 0, maxAbs = 0;
      for (int64_t j = 0; j < lengths.Nk; ++j) {
        readRow(problem, k, head * lengths.Nk + j, row.data());
        maxSquare = std::max(maxSquare, dot(row.data(), row.data(), d));
        maxAbs = std::max(maxAbs, maxAbsOf(row.data(), d));
        double *panel = panels + (j / kPanel) * d * kPanel + j % kPanel;
        for (int64_t c = 0; c < d; ++c)
          panel[c * kPanel] = row[c];
      }
      packed.maxNorm[head] = std::sqrt(maxSquare);
      packed.maxAbs[head] = maxAbs;
    };
  });
  return packed;
}

static std::vector<double> allDoubles(const HostTensor &tensor) {
  std::vector<double> values(tensor.numElements());
  tensor.readDoubles(0, values.size(), values.data());
  return values;
}

bool readInputs(const Problem &problem,
                const std::vector<const HostTensor *> &tensors,
                unsigned threads, ReferenceInputs &in, std::string &error) {
  if (!bindLengths(inputSpecs(problem), tensors, in.lengths, error))
    return false;
  auto next = tensors.begin();
  for (int view = 0; view < problem.views; ++view) {
    in.q[view] = *next++;
    in.k[view] = packKeys(problem, **next++, in.lengths, threads);
  }
  in.v = allDoubles(**next++);
  in.beta = allDoubles(**next++);
  if (problem.views == 2)
    in.lambda = allDoubles(**next++);
  in.kappa = problem.kappaOperand ? (*next++)->at(0) : problem.kappa;
  in.offset = in.lengths.Nk - in.lengths.Nq;
  if (problem.offsetOperand)
    std::memcpy(&in.offset, (*next++)->data.data(), sizeof(in.offset));
  if (problem.norm)
    in.gain = allDoubles(**next++);
  if (!(in.kappa > 0 && std::isfinite(in.kappa))) {
    error = fmt::format("argument 'kappa' is {}, but must be > 0 and finite",
                        in.kappa);
    return false;
  }
  return true;
}

} // namespace tda::host
