//===- StagesToBuffers.h - The unfused form by name ------------*- C++ -*-===//
#ifndef TDA_STAGESTOBUFFERS_H
#define TDA_STAGESTOBUFFERS_H

namespace tda {

/// Makes tda::buildStagesToBuffers (tda/Backends.h) known to tools that take
/// passes by name, as --tda-stages-to-buffers, with the helper passes that a
/// crash reproducer would name.
void registerStagesToBuffers();

} // namespace tda

#endif // TDA_STAGESTOBUFFERS_H
