//===- tda-opt.cpp - Run passes and pipelines on a file -------------------===//
#include "tda/Pipeline.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  tda::registerPassesAndPipelines();
  mlir::DialectRegistry registry;
  tda::registerDialects(registry);
  tda::addVersionPrinter();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv,
      "tda-opt: run passes on Threshold Differential Attention IR\n\n"
      "  tda-opt --tda-fuse-attention in.mlir\n"
      "  tda-opt --tda-to-ptx=\"target=sm_90\" in.mlir\n"
      "  tda-opt --tda-to-cpu --mlir-print-ir-after-all in.mlir\n",
      registry));
}
