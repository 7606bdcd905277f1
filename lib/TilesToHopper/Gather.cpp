//===- Gather.cpp - Values of survivors, fetched by the warp --------------===//
//
// Where survivors are rare, values are not copied ahead. A warp that has
// survivors in a step of 16 keys computes the weights of that step alone,
// copies its 16 rows of V to a place of its own in shared memory (they are in
// L2 as a rule) and leaves them on their way: it multiplies, with mma.sync,
// once the scores of the next tile are being computed, or before it fetches
// again. That gives the bits that wgmma gives for the same step.
//
// The copies are cp.async to rows padded as on the mma.sync path. cp.async.bulk
// is no gain here: the lanes of a warp issue it one after the other. PTX ISA,
// "cp.async", "ldmatrix".
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

using namespace mlir;
using namespace tda;

//===----------------------------------------------------------------------===//
// Weights a step at a time
//===----------------------------------------------------------------------===//

/// Whether `a` is made of rectified scores and nothing else.
static bool isOfScores(Value a) {
  if (auto difference = a.getDefiningOp<TileDifferentialOp>())
    return isOfScores(difference.getA1()) && isOfScores(difference.getA2());
  return bool(a.getDefiningOp<TileThresholdOp>());
}

/// Whether the weights that `op` gives are computed where they are read: by a
/// gather, which reads few of them.
bool WarpgroupEmitter::isLazy(Operation *op) {
  if (!op || !pipeline.getFetchBytes() || op->getNumResults() != 1 ||
      !isOfScores(op->getResult(0)))
    return false;
  bool isGathered = false;
  for (Operation *user : op->getUsers()) {
    bool isLazyUser = isa<TileDifferentialOp>(user) && isLazy(user);
    isGathered |= isa<TileGatherOp>(user) || isLazyUser;
    if (!isa<TileGatherOp, TileLiveStepsOp>(user) && !isLazyUser)
      return false;
  }
  return isGathered;
}

/// A bit for each step in which this warp has a survivor, the same in all its
/// lanes.
Value WarpgroupEmitter::survivorSteps(Value a) {
  if (Value known = lazySteps.lookup(a))
    return known;
  SmallVector<Value> scores;
  Fragment tau;
  auto collect = [&](Value map, auto &&self) -> void {
    if (auto difference = map.getDefiningOp<TileDifferentialOp>()) {
      self(difference.getA1(), self);
      self(difference.getA2(), self);
      return;
    }
    auto threshold = map.getDefiningOp<TileThresholdOp>();
    scores.push_back(threshold.getS());
    tau = getAll(threshold.getTau());
  };
  collect(a, collect);
  Type type = b.getI32Type();
  Fragment low = stepMaxima(scores, 0), high = stepMaxima(scores, 1);
  Value mask;
  for (size_t step = 0; step < low.size(); ++step) {
    Value live =
        arith::OrIOp::create(b, loc, less(bits(tau[0], type), low[step]),
                             less(bits(tau[1], type), high[step]));
    Value bit = select(live, i32(int64_t(1) << step), i32(0));
    mask = mask ? Value(arith::OrIOp::create(b, loc, mask, bit)) : bit;
  }
  return lazySteps[a] = NVVM::ReduxOp::create(b, loc, type, mask,
                                              NVVM::ReduxKind::OR, i32(-1));
}

/// The weights of one step.
Emitter::Fragment WarpgroupEmitter::lazyWeights(Value a, int64_t step) {
  if (auto difference = a.getDefiningOp<TileDifferentialOp>())
    return subtract(lazyWeights(difference.getA1(), step),
                    lazyWeights(difference.getA2(), step), difference);
  auto threshold = a.getDefiningOp<TileThresholdOp>();
  Fragment scores = getAll(threshold.getS());
  return rectify(ArrayRef<Value>(scores).slice(8 * step, 8), threshold);
}

//===----------------------------------------------------------------------===//
// Copies and products
//===----------------------------------------------------------------------===//

Value WarpgroupEmitter::fetchAddress() {
  Value warp = sub(divide(thread, i32(32)), i32(4));
  return sharedAddress(shared, add(mul(warp, pipeline.getFetchBytes()),
                                   pipeline.getFetchOffset()));
}

/// Starts to copy the rows of V of a step. Rows beyond the last key meet zero
/// weights; the last one stands for them.
void WarpgroupEmitter::startFetch(TileGatherOp op, int64_t step) {
  const GlobalTensor &tensor = signature.tensors[op.getValues()];
  int64_t columns = cast<TileType>(op.getAcc().getType()).getColumns();
  int64_t chunks = columns / 8, pitch = panelPitch(columns);
  Value last = sub(get(op.getLimit()), i32(1));
  Value first = add(get(op.getKey()), kStepKeys * step);
  Value to = fetchAddress();
  // All lanes have read the rows of the step before.
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
  for (int64_t i = 0; i < kStepKeys * chunks; i += 32) {
    Value chunk = add(lane, i);
    Value row = divide(chunk, i32(chunks)),
          column = remainder(chunk, i32(chunks));
    Value from = arith::MinSIOp::create(b, loc, add(first, row), last);
    auto copy = [&] {
      NVVM::CpAsyncOp::create(
          b, loc, sharedAddress(to, add(mul(row, pitch), mul(column, 16))),
          elementAddress(tensor, {get(op.getBatch()), get(op.getHead()), from,
                                  mul(column, 8)}),
          /*size=*/16, NVVM::LoadCacheModifierKind::CG, /*cpSize=*/Value());
    };
    if (i + 32 <= kStepKeys * chunks) {
      copy();
      continue;
    }
    auto some =
        scf::IfOp::create(b, loc, less(chunk, i32(kStepKeys * chunks)), false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(some.thenBlock());
    copy();
  }
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
}

/// acc + the weights on their way times their rows, where some are.
Emitter::Fragment WarpgroupEmitter::finishFetch(ArrayRef<Value> acc) {
  Value none = i32(0);
  Value some =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, onTheWay(), none);
  SmallVector<Type> types(acc.size(), b.getF32Type());
  auto branch = scf::IfOp::create(b, loc, types, some, true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, acc);
    b.setInsertionPointToStart(branch.thenBlock());
    NVVM::CpAsyncWaitGroupOp::create(b, loc, 0);
    NVVM::SyncWarpOp::create(b, loc, i32(-1));
    int64_t pitch = panelPitch(2 * acc.size());
    // Lanes 0-15 address the 16 rows, 16-31 the next eight columns of them.
    Value base =
        sharedAddress(fetchAddress(), add(mul(remainder(lane, i32(16)), pitch),
                                          mul(divide(lane, i32(16)), 16)));
    Type element = b.getBF16Type();
    SmallVector<Value> weights = typed(fetchedWeights(), element);
    Fragment sum(acc);
    for (size_t n = 0; n < acc.size(); n += 8) {
      Fragment values = loadMatrices(sharedAddress(base, int64_t(n) * 4),
                                     /*transposed=*/true);
      accumulate(&sum[n], weights, typed({values[0], values[1]}, element));
      accumulate(&sum[n + 4], weights, typed({values[2], values[3]}, element));
    }
    scf::YieldOp::create(b, loc, sum);
  }
  onTheWay() = none;
  return Fragment(branch.getResults());
}

/// Adds what is on its way to `output`, the tile that is carried through the
/// key loop; everything is there then.
void WarpgroupEmitter::finishFetchInto(Value output) {
  if (pipeline.getFetchBytes())
    set(output, finishFetch(getAll(output)));
}

void WarpgroupEmitter::emitGather(TileGatherOp op) {
  if (!pipeline.getFetchBytes())
    return emitGatherScaled(op);
  Fragment acc = getAll(op.getAcc());
  int64_t steps = cast<TileType>(op.getA().getType()).getColumns() / kStepKeys;
  Type element = b.getBF16Type();
  bool lazy = isLazy(op.getA().getDefiningOp());
  Fragment ready = lazy ? Fragment() : packWeights(getAll(op.getA()), element);
  Value mask = lazy ? survivorSteps(op.getA()) : liveSteps(ready);
  SmallVector<Value> before(acc);
  llvm::append_range(before, state);
  SmallVector<Type> types{TypeRange(ValueRange(before))};
  for (int64_t step = 0; step < steps; ++step) {
    before.assign(acc.begin(), acc.end());
    llvm::append_range(before, state);
    auto branch =
        scf::IfOp::create(b, loc, types, isLiveStep(mask, step), true);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loc, before);
      b.setInsertionPointToStart(branch.thenBlock());
      Fragment sum = step ? finishFetch(acc) : acc;
      startFetch(op, step);
      if (lazy)
        setFetchedWeights(packWeights(lazyWeights(op.getA(), step), element));
      else
        setFetchedWeights(ArrayRef<Value>(ready).slice(4 * step, 4));
      onTheWay() = i32(1);
      SmallVector<Value> after(sum);
      llvm::append_range(after, state);
      scf::YieldOp::create(b, loc, after);
    }
    ValueRange results = branch.getResults();
    acc.assign(results.begin(), results.begin() + acc.size());
    state.assign(results.begin() + acc.size(), results.end());
  }
  set(op.getResult(), acc);
}
