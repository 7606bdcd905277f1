//===- TunedSchedule.cpp - What tuning knows of an attention --------------===//
#include "lib/AssignSchedule/TunedSchedule.h"

using namespace mlir;
using namespace tda;

bool tda::takeAuto(std::string &words) {
  StringRef rest = StringRef(words).ltrim();
  if (!rest.consume_front("auto") ||
      (!rest.empty() && rest[0] != ' ' && rest[0] != ','))
    return false;
  words = rest.ltrim(" ,").str();
  return true;
}

/// The lengths, where the types fix all of them.
static std::optional<host::Lengths> fixedLengths(AttentionOp op) {
  auto q = cast<RankedTensorType>(op.getQ1().getType()).getShape();
  auto k = cast<RankedTensorType>(op.getK1().getType()).getShape();
  host::Lengths lengths{q[0], q[1], k[1], q[2], k[2]};
  for (int64_t length :
       {lengths.B, lengths.Hq, lengths.Hkv, lengths.Nq, lengths.Nk})
    if (ShapedType::isDynamic(length))
      return std::nullopt;
  return lengths;
}

bool tda::tunedSchedule(AttentionOp op, const Target &target,
                        const CompileOptions &options, tune::Answer &answer,
                        std::string &error) {
  tune::Query query;
  query.problem = op.getProblem();
  query.target = &target;
  query.device = {options.deviceName, options.deviceSms, options.deviceDriver};
  query.lengths = fixedLengths(op);
  if (!query.lengths && !options.tunedShape.empty())
    if (!tune::parseShape(options.tunedShape, query.lengths.emplace(), error))
      return false;
  if (!options.tunedDensity.empty() &&
      !tune::Density::parse(options.tunedDensity, query.density.emplace(),
                            error))
    return false;
  return tune::lookup(query, answer, error);
}
