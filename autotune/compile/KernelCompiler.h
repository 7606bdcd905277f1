//===- KernelCompiler.h - Candidates to kernels of a bundle ----*- C++ -*-===//
#ifndef TDA_AUTOTUNE_COMPILE_KERNELCOMPILER_H
#define TDA_AUTOTUNE_COMPILE_KERNELCOMPILER_H

#include "autotune/gpu/Bundle.h"

#include <functional>
#include <memory>
#include <optional>

namespace tda {
struct Ptxas;
}

namespace tda::tune {

/// Compiles candidates into the folder of a bundle, several at once, each in a
/// context of its own. One that ptxas says spills registers is not good, unless
/// it is the default schedule; where ptxas is not installed the driver
/// assembles, and nobody says.
class KernelCompiler : public Builder {
public:
  struct Options {
    unsigned jobs = 0; ///< Threads; 0: one a CPU.
    std::function<void(size_t done, size_t of)> report;
    std::function<bool()> stopped;
  };
  KernelCompiler(Bundle &bundle, Options options);
  ~KernelCompiler() override;

  std::vector<Built> build(const Problem &problem,
                           const std::vector<Schedule> &schedules) override;

  /// Version of ptxas; "" where it is not installed.
  static std::string ptxasVersion();

private:
  Built compile(const Problem &problem, const Schedule &schedule) const;

  Bundle &bundle;
  Options options;
  std::unique_ptr<Ptxas> ptxas;
};

/// The hash of the PTX that `schedule` gives, as in Sample::ptx; empty and
/// `error` where it does not compile.
std::string ptxHash(const Problem &problem, const Schedule &schedule,
                    const std::string &target, std::string &error);

} // namespace tda::tune

#endif // TDA_AUTOTUNE_COMPILE_KERNELCOMPILER_H
