//===- MatchStages.cpp - The stages that make one attention ---------------===//
#include "lib/StagesToAttention/MatchStages.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace tda;

namespace {

class Matcher {
public:
  Matcher(StageMatch &match, std::string &reason)
      : match(match), reason(reason) {}

  bool run(DominanceInfo &dominance) {
    return matchOutput() && matchMap() && matchVisibility() && matchGates() &&
           matchNormalize() && matchCounts(dominance) && checkUses();
  }

private:
  bool matchOutput();
  bool matchMap();
  bool matchView(Value map);
  bool matchVisibility();
  bool matchGates();
  bool matchNormalize();
  bool matchCounts(DominanceInfo &dominance);
  bool checkUses();

  bool fail(const Twine &why) {
    reason = why.str();
    return false;
  }

  StageMatch &match;
  std::string &reason;
};

std::string typeName(Value tensor) {
  std::string text;
  llvm::raw_string_ostream(text) << getElementTypeOrSelf(tensor);
  return text;
}

std::string producer(Value value) {
  Operation *op = value.getDefiningOp();
  return op ? "'" + op->getName().getStringRef().str() + "'"
            : "a block argument";
}

std::string windowName(std::optional<uint64_t> window) {
  return window ? "window = " + std::to_string(*window) : "no window";
}

/// Equal for sure: one value, or two equal constants.
bool sameValue(Value a, Value b) {
  Attribute x, y;
  return a == b || (a && b && a.getType() == b.getType() &&
                    matchPattern(a, m_Constant(&x)) &&
                    matchPattern(b, m_Constant(&y)) && x == y);
}

/// Equal for sure, where no operand means Nk - Nq.
bool sameOffset(Value a, Value b, ScoresOp scores) {
  auto known = [&](Value offset) -> std::optional<int64_t> {
    APInt number;
    if (offset && matchPattern(offset, m_ConstantInt(&number)))
      return number.getSExtValue();
    auto map = cast<RankedTensorType>(scores.getS().getType());
    if (offset || map.isDynamicDim(2) || map.isDynamicDim(3))
      return std::nullopt;
    return map.getDimSize(3) - map.getDimSize(2);
  };
  return a == b || (known(a) && known(a) == known(b));
}

} // namespace

// [tda.rms_norm of] tda.aggregate, in v's type at the end.
bool Matcher::matchOutput() {
  AggregateOp aggregate = match.aggregate;
  for (Operation *user : aggregate.getO().getUsers())
    if (auto norm = dyn_cast<RmsNormOp>(user))
      match.norm = norm;
  if (match.norm)
    match.stages.push_back(match.norm);
  match.stages.push_back(aggregate);
  Value o = match.last()->getResult(0);
  if (typeName(o) == typeName(aggregate.getV()))
    return true;
  return fail(producer(o) + " gives " + typeName(o) +
              (match.norm ? "" : " with no tda.rms_norm after it") +
              "; tda.attention gives o in the type of v, " +
              typeName(aggregate.getV()));
}

bool Matcher::matchMap() {
  Value map = match.aggregate.getA(), a1, a2;
  Operation *op = map.getDefiningOp();
  if (op && matchDifference(op, match, a1, a2))
    return matchView(a1) && matchView(a2);
  if (!isa_and_nonnull<ThresholdOp>(op))
    return fail("the map of tda.aggregate comes from " + producer(map) +
                ", not from tda.threshold or from a1 - lambda * a2 (lambda a "
                "constant, tensor.splat or linalg.broadcast)");
  return matchView(map);
}

bool Matcher::matchView(Value map) {
  auto threshold = map.getDefiningOp<ThresholdOp>();
  std::string view = std::to_string(match.views.size() + 1);
  if (!threshold)
    return fail("the map of view " + view + " comes from " + producer(map) +
                ", not from tda.threshold");
  auto scores = threshold.getS().getDefiningOp<ScoresOp>();
  if (!scores)
    return fail("the scores of view " + view + " come from " +
                producer(threshold.getS()) + ", not from tda.scores");
  match.views.push_back({scores, threshold});
  match.stages.push_back(threshold);
  match.stages.push_back(scores);
  return true;
}

// tda.threshold gives 0 wherever its own rule hides a key, so tda.scores may
// hide any of those keys too, but no other: n(i) would count it.
bool Matcher::matchVisibility() {
  for (StageView &view : match.views) {
    ScoresOp s = view.scores;
    ThresholdOp t = view.threshold;
    if (s.getCausal() && !t.getCausal())
      return fail("tda.scores is causal, but tda.threshold is not and counts "
                  "the hidden keys");
    if (s.getWindow() && (!t.getWindow() || *t.getWindow() > *s.getWindow()))
      return fail("tda.scores has " + windowName(s.getWindow()) +
                  ", but tda.threshold has " + windowName(t.getWindow()) +
                  " and counts the hidden keys");
    if ((s.getCausal() || s.getWindow()) &&
        !sameOffset(s.getOffset(), t.getOffset(), s))
      return fail("tda.scores and tda.threshold differ in offset");
  }
  return true;
}

bool Matcher::matchGates() {
  ThresholdOp first = match.views.front().threshold;
  for (StageView &view : match.views) {
    ThresholdOp t = view.threshold;
    auto q = cast<RankedTensorType>(view.scores.getQ().getType());
    if (int64_t(t.getDim()) != q.getDimSize(3))
      return fail("tda.threshold has dim = " + Twine(t.getDim()) +
                  ", but q has D = " + Twine(q.getDimSize(3)));
    auto differ = [&](const Twine &what) {
      return fail("the two views differ in " + what);
    };
    if (!sameValue(t.getBeta(), first.getBeta()))
      return differ("beta");
    if (!sameValue(t.getKappaValue(), first.getKappaValue()) ||
        (!t.getKappaValue() && t.getKappa() != first.getKappa()))
      return differ("kappa");
    if (t.getPower() != first.getPower())
      return differ("power");
    if (t.getCausal() != first.getCausal())
      return differ("causal");
    if (t.getWindow() != first.getWindow())
      return differ("window");
    if ((t.getCausal() || t.getWindow()) &&
        !sameOffset(t.getOffset(), first.getOffset(), view.scores))
      return differ("offset");
  }
  return true;
}

bool Matcher::matchNormalize() {
  std::string unit, raw;
  SmallVector<Operation *> producers;
  for (auto [index, view] : llvm::enumerate(match.views))
    for (auto [name, value] : {std::pair("q", view.scores.getQ()),
                               std::pair("k", view.scores.getK())}) {
      auto normalize = value.getDefiningOp<NormalizeOp>();
      std::string &list = normalize ? unit : raw;
      list += (list.empty() ? "" : ", ") + (name + std::to_string(index + 1));
      if (normalize)
        producers.push_back(normalize);
    }
  if (!unit.empty() && !raw.empty())
    return fail("normalised: " + unit + ", but not: " + raw +
                "; tda.attention normalises every q and k, or none");
  match.normalize = raw.empty();
  match.stages.append(producers);
  return true;
}

bool Matcher::matchCounts(DominanceInfo &dominance) {
  SmallVector<Value> maps;
  for (StageView &view : match.views)
    maps.push_back(view.threshold.getA());
  for (Value map : maps)
    for (Operation *user : map.getUsers()) {
      auto count = dyn_cast<CountSurvivorsOp>(user);
      if (!count || llvm::is_contained(match.counts, count))
        continue;
      if (!llvm::equal(count.getMaps(), maps))
        return fail("tda.count_survivors does not count the maps of all views, "
                    "in their order");
      for (Operation *reader : count->getUsers())
        if (!dominance.properlyDominates(match.last(), reader))
          return fail("the survivor counts are read before o is complete");
      match.counts.push_back(count);
    }
  match.stages.insert(match.stages.begin(), match.counts.begin(),
                      match.counts.end());
  return true;
}

// Fusing keeps the stages alive that others read, and then does their work
// twice; so it does where the aggregate is in a loop that they are not in.
// Normalised rows may be shared.
bool Matcher::checkUses() {
  for (Operation *op : match.stages) {
    if (op == match.last() || isa<CountSurvivorsOp, NormalizeOp>(op))
      continue;
    std::string result = "the result of " + producer(op->getResult(0));
    if (op->getBlock() != match.last()->getBlock())
      return fail(result + " is made outside of the block of " +
                  producer(match.last()->getResult(0)));
    for (Operation *user : op->getUsers())
      if (!llvm::is_contained(match.stages, user))
        return fail(result + " has other uses: '" +
                    user->getName().getStringRef() + "' reads it too");
  }
  return true;
}

bool tda::matchStages(AggregateOp aggregate, DominanceInfo &dominance,
                      StageMatch &match, std::string &reason) {
  match.aggregate = aggregate;
  return Matcher(match, reason).run(dominance);
}
