//===- Jit.h - Run a module on this machine's CPU --------------*- C++ -*-===//
//
//   auto jit = Jit::create(module);          // a module of the LLVM dialect
//   auto kernel = (*jit)->lookup("attention");
//   MemRef q(data, {1, 2, 1024, 64}), ...;   // one a memref argument
//   void *args[] = {q.get(), k.get(), ..., &offset};
//   runPrograms(*kernel, args, programCount(Nq, tileM, Hq, B), threads);
//
//===----------------------------------------------------------------------===//
#ifndef TDA_JIT_H
#define TDA_JIT_H

#include "tda/Backends.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace tda {

/// A compiled function. The argument array holds one pointer an argument: to
/// the descriptor of a memref (MemRef::get) or to the value of a scalar.
using PackedFn = void (*)(void **arguments);

/// The descriptor of a memref with its strides in elements.
class MemRef {
public:
  MemRef(void *data, const std::vector<int64_t> &shape,
         const std::vector<int64_t> &strides);
  /// Contiguous, row-major.
  MemRef(void *data, const std::vector<int64_t> &shape);

  void *get() { return words.data(); }

private:
  std::vector<int64_t> words; ///< base, data, offset, sizes, strides
};

/// Functions compiled for the host CPU with all of its features.
class Jit {
public:
  /// Compiles every function of `module`, which must be in the LLVM dialect
  /// with C interfaces (buildCpuBackendPipeline), and whose context must know
  /// the translations to LLVM IR (registerDialects). Functions must return
  /// nothing. Fails with LLVM's message.
  static llvm::Expected<std::unique_ptr<Jit>> create(mlir::ModuleOp module);
  ~Jit();

  /// The function called `name`. It lives as long as this.
  llvm::Expected<PackedFn> lookup(llvm::StringRef name);

private:
  explicit Jit(std::unique_ptr<llvm::orc::LLJIT> jit);
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// Compiles the one function `name` of `module`, which is as for Jit::create,
/// to a relocatable object for `cpu`: "x86-64-v3", say; "" is what every CPU of
/// this architecture has. The object defines `symbol`, a PackedFn, and the
/// int64_t `symbol`_tile_m, and needs the C library and libm.
llvm::Expected<std::string> emitObject(mlir::ModuleOp module,
                                       llvm::StringRef name,
                                       llvm::StringRef cpu,
                                       llvm::StringRef symbol, int64_t tileM);

/// The number of programs of a function that tda-tiles-to-cpu lowered: one for
/// each batch, query head and `tileM` queries.
inline int64_t programCount(int64_t queries, int64_t tileM, int64_t heads,
                            int64_t batches) {
  return (queries + tileM - 1) / tileM * heads * batches;
}

/// Runs all programs of a function that tda-tiles-to-cpu lowered, over
/// `threads` threads (0: all of the machine), whoever is free taking the next.
/// `arguments` are those of the function without `first` and `last`. The result
/// does not depend on the number of threads.
void runPrograms(PackedFn function, std::vector<void *> arguments,
                 int64_t programs, unsigned threads = 0);

} // namespace tda

#endif // TDA_JIT_H
