//===- CpuKernel.h - From a problem to numbers, in process -----*- C++ -*-===//
//
// Writes the function of a problem, compiles it for this machine and runs it on
// host tensors. For tests of the CPU path.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_TEST_UNIT_CPUKERNEL_H
#define TDA_TEST_UNIT_CPUKERNEL_H

#include "tda/Host/Arguments.h"
#include "tda/Jit.h"
#include "tda/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

#include <cstring>

namespace tda::test {

using host::HostTensor;

inline std::string typeText(const host::ArgumentSpec &spec) {
  if (spec.dtype == DType::I64)
    return "i64";
  std::string text = "tensor<";
  for (const std::string &extent : spec.shape)
    text += (std::isdigit(extent[0]) ? extent : "?") + "x";
  return text + dtypeName(spec.dtype) + ">";
}

/// `func.func @attention` with one tda.attention on all of its arguments.
inline std::string describe(const Problem &p) {
  std::string arguments, operands, types, results;
  for (const host::ArgumentSpec &spec : host::inputSpecs(p)) {
    std::string comma = types.empty() ? "" : ", ";
    types += comma + typeText(spec);
    arguments += comma + "%" + spec.name + ": " + typeText(spec);
  }
  for (const host::ArgumentSpec &spec : host::outputSpecs(p))
    results += (results.empty() ? "" : ", ") + typeText(spec);
  operands =
      p.views == 2 ? "excite(%q1, %k1) inhibit(%q2, %k2)" : "excite(%q, %k)";
  operands += " values(%v) beta(%beta)";
  operands += p.views == 2 ? " lambda(%lambda)" : "";
  operands += p.kappaOperand ? " kappa(%kappa)" : "";
  operands += p.offsetOperand ? " offset(%offset)" : "";
  operands += p.norm ? " gain(%gain)" : "";
  std::string attributes = "power = " + std::to_string(p.power) +
                           ", kappa = " + std::to_string(p.kappa);
  attributes += p.causal ? ", causal" : "";
  attributes += p.normalize ? ", normalize" : "";
  if (p.window)
    attributes += ", window = " + std::to_string(p.window) + " : i64";
  return "func.func @attention(" + arguments + ") -> (" + results + ") {\n" +
         (p.stats ? "  %r:2" : "  %r") + " = tda.attention " + operands + " {" +
         attributes + "} : (" + types + ") -> (" + results + ")\n  return " +
         (p.stats ? "%r#0, %r#1" : "%r") + " : " + results + "\n}\n";
}

class CpuKernel {
public:
  /// `schedule`: words of #tda.schedule. `vectorBits` = 0: this machine's.
  /// Null, with the diagnostics on stderr, where it does not compile.
  static std::unique_ptr<CpuKernel> compile(const Problem &problem,
                                            const std::string &schedule = "",
                                            bool noSkip = false,
                                            int64_t vectorBits = 0) {
    mlir::DialectRegistry registry;
    registry.insert<TdaDialect, mlir::func::FuncDialect>();
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    mlir::MLIRContext context(registry);
    auto module =
        mlir::parseSourceString<mlir::ModuleOp>(describe(problem), &context);
    if (!module)
      return nullptr;
    mlir::PassManager pm(&context);
    AssignScheduleOptions assign;
    assign.target = "cpu";
    assign.schedule = schedule;
    assign.noSkip = noSkip;
    assign.vectorBits = vectorBits ? vectorBits : hostVectorBits();
    pm.addNestedPass<mlir::func::FuncOp>(createAssignSchedule(assign));
    pm.addPass(createAttentionToTiles());
    pm.addPass(mlir::createCanonicalizerPass());
    pm.addPass(mlir::createCSEPass());
    pm.addNestedPass<mlir::func::FuncOp>(createTilesToCPU());
    buildCpuBackendPipeline(pm);
    std::unique_ptr<CpuKernel> kernel(new CpuKernel(problem));
    if (failed(pm.run(*module)))
      return nullptr;
    auto jit = Jit::create(*module);
    if (!jit) {
      llvm::errs() << toString(jit.takeError()) << '\n';
      return nullptr;
    }
    kernel->jit = std::move(*jit);
    auto function = kernel->jit->lookup("attention");
    if (!function) {
      llvm::errs() << toString(function.takeError()) << '\n';
      return nullptr;
    }
    kernel->function = *function;
    std::string error;
    Schedule chosen;
    defaultSchedule(problem, *findTarget("cpu", error), chosen, error);
    Schedule::parse(schedule, chosen, error);
    kernel->tileM = chosen.tileM;
    return kernel;
  }

  /// The results, poisoned with NaN (counts: -1) before the run. `tokenMajor`
  /// lays the tensors of rank 4 out as [B, N, H, D] for the run.
  std::vector<HostTensor> run(const std::vector<HostTensor> &inputs,
                              const host::Lengths &lengths,
                              unsigned threads = 0, bool tokenMajor = false) {
    Call call(*this, inputs, lengths, tokenMajor);
    call.invoke(threads);
    return call.results();
  }

  /// Arguments in place, for one run or several.
  class Call {
  public:
    Call(const CpuKernel &kernel, const std::vector<HostTensor> &inputs,
         const host::Lengths &lengths, bool tokenMajor = false)
        : kernel(kernel), tensors(inputs), numInputs(inputs.size()),
          programs(
              programCount(lengths.Nq, kernel.tileM, lengths.Hq, lengths.B)),
          tokenMajor(tokenMajor) {
      for (const host::ArgumentSpec &spec : host::outputSpecs(kernel.problem)) {
        HostTensor &output = tensors.emplace_back(
            HostTensor::zeros(spec.dtype, concreteShape(spec, lengths)));
        std::memset(output.data.data(), 0xff, output.data.size());
      }
      descriptors.reserve(tensors.size());
      for (HostTensor &tensor : tensors) {
        if (tensor.dtype == DType::I64) {
          arguments.push_back(tensor.data.data());
          continue;
        }
        if (tokenMajor && tensor.shape.size() == 4) {
          tensor = swapHeadsAndTokens(tensor);
          descriptors.emplace_back(tensor.data.data(), headMajorShape(tensor),
                                   headMajorStrides(tensor));
        } else {
          descriptors.emplace_back(tensor.data.data(), tensor.shape);
        }
        arguments.push_back(descriptors.back().get());
      }
    }

    void invoke(unsigned threads = 0) {
      runPrograms(kernel.function, arguments, programs, threads);
    }

    std::vector<HostTensor> results() const {
      std::vector<HostTensor> results(tensors.begin() + numInputs,
                                      tensors.end());
      for (HostTensor &result : results)
        if (tokenMajor && result.shape.size() == 4)
          result = swapHeadsAndTokens(result);
      return results;
    }

  private:
    const CpuKernel &kernel;
    std::vector<HostTensor> tensors; ///< inputs, then outputs
    size_t numInputs;
    int64_t programs;
    bool tokenMajor;
    std::vector<MemRef> descriptors;
    std::vector<void *> arguments;
  };

  Jit &getJit() { return *jit; }

private:
  // Of a tensor in the shape [B, N, H, D], seen as [B, H, N, D].
  static std::vector<int64_t> headMajorShape(const HostTensor &t) {
    return {t.shape[0], t.shape[2], t.shape[1], t.shape[3]};
  }
  static std::vector<int64_t> headMajorStrides(const HostTensor &t) {
    int64_t row = t.shape[3];
    return {t.shape[1] * t.shape[2] * row, row, t.shape[2] * row, 1};
  }
  static HostTensor swapHeadsAndTokens(const HostTensor &t) {
    HostTensor result = HostTensor::zeros(t.dtype, headMajorShape(t));
    size_t row = t.shape[3] * dtypeSize(t.dtype);
    for (int64_t b = 0; b < t.shape[0]; ++b)
      for (int64_t x = 0; x < t.shape[1]; ++x)
        for (int64_t y = 0; y < t.shape[2]; ++y)
          std::memcpy(
              &result.data[((b * t.shape[2] + y) * t.shape[1] + x) * row],
              &t.data[((b * t.shape[1] + x) * t.shape[2] + y) * row], row);
    return result;
  }

  explicit CpuKernel(const Problem &problem) : problem(problem) {}

  Problem problem;
  std::unique_ptr<Jit> jit;
  PackedFn function = nullptr;
  int64_t tileM = 0;
};

} // namespace tda::test

#endif // TDA_TEST_UNIT_CPUKERNEL_H
