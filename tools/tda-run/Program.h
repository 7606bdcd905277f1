//===- Program.h - What tda-run runs ---------------------------*- C++ -*-===//
#ifndef TDA_RUN_PROGRAM_H
#define TDA_RUN_PROGRAM_H

#include "Options.h"
#include "tda/Signature.h"

#include <memory>

namespace tda {

using Tensors = std::vector<const host::HostTensor *>;

/// A function, compiled and loaded.
class Program {
public:
  virtual ~Program() = default;

  std::vector<host::ArgumentSpec> inputs; ///< In the function's order.
  /// Unset for stages that are no attention; `remarks` then say why.
  std::optional<Signature> signature;
  std::string remarks;
  double contract = 0; ///< Largest relative error of the first result.

  /// Checks the inputs and makes outputs of the shapes that follow.
  virtual bool makeOutputs(const Tensors &inputs,
                           std::vector<host::HostTensor> &outputs,
                           std::string &error);
  virtual bool run(const Tensors &inputs,
                   std::vector<host::HostTensor> &outputs,
                   std::string &error) = 0;
  /// The time of one more run on what `run` ran on, without transfers.
  virtual bool time(const Tensors &inputs,
                    std::vector<host::HostTensor> &outputs,
                    double &milliseconds, std::string &error) = 0;
};

/// Compiles or opens what the options name; null with `messages`, which get
/// remarks too.
std::unique_ptr<Program> loadProgram(const Options &options,
                                     std::string &messages);

/// "NAME.json".
bool isManifest(const std::string &path);

/// loadProgram of NAME.json.
std::unique_ptr<Program> loadManifest(const Options &options,
                                      std::string &messages);

/// Opens NAME.json and its PTX for a GPU.
std::unique_ptr<Program> openFile(const std::string &path, int device,
                                  std::string &messages);

/// The same from memory.
std::unique_ptr<Program> openMemory(const Manifest &manifest,
                                    const std::string &ptx, int device,
                                    std::string &messages);

/// The last row of the target table that the GPU can run.
bool targetOfDevice(int device, std::string &target, std::string &messages);

/// Prints one line a GPU, or "none".
int listDevices();

/// Prints what a call of NAME.json with the given lengths launches, and needs
/// no GPU for it. Returns the exit code.
int explainLaunch(const Options &options);

/// The arguments: from files, or random.
bool readInputs(const Program &program, const Options &options,
                std::vector<host::HostTensor> &inputs, std::string &error);

/// Compares with float64 and prints what it finds; false beyond the contract.
/// `error` where it could not compare.
bool checkOutputs(const Program &program, const Options &options,
                  const Tensors &inputs,
                  const std::vector<host::HostTensor> &outputs,
                  std::string &error);

/// Prints the median of repeated runs.
bool reportTime(Program &program, const Tensors &inputs,
                std::vector<host::HostTensor> &outputs, std::string &error);

} // namespace tda

#endif // TDA_RUN_PROGRAM_H
