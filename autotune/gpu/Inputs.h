//===- Inputs.h - The data that a workload is measured on ------*- C++ -*-===//
#ifndef TDA_AUTOTUNE_GPU_INPUTS_H
#define TDA_AUTOTUNE_GPU_INPUTS_H

#include "autotune/Workload.h"
#include "tda/Host/HostTensor.h"

#include <string>
#include <vector>

namespace tda::tune {

/// The arguments of a call, in the order of host::inputSpecs.
///
/// null, dense: random unit rows from a seed, beta 1 or 0; at most four heads
/// are drawn, the others repeat them. real: tensors q1, k1, q2, k2, v, beta and
/// lambda of `realFolder`, heads and tokens repeated or cut; columns repeated
/// with 1/sqrt of it as factor, and beta with its inverse, so that scores and
/// thresholds stand to each other as in the original. files: as they are.
///
/// `source` says what was done. False and `error` where files do not fit.
bool makeInputs(const Workload &workload, const std::string &realFolder,
                std::vector<host::HostTensor> &inputs, std::string &source,
                std::string &error);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_GPU_INPUTS_H
