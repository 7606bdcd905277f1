//===- Gather.cpp - Values of survivors, fetched by the warp --------------===//
//
// Where survivors are rare, values are not copied ahead. A warp that has
// survivors in a step of 16 keys computes the weights of that step alone,
// copies its rows of V to a place of its own in shared memory (they are in
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

/// Whether `a` is made of scores rectified above one gate, `tau` once it is
/// known, and of nothing else.
static bool isOfScores(Value a, Value &tau) {
  if (auto difference = a.getDefiningOp<TileDifferentialOp>())
    return isOfScores(difference.getA1(), tau) &&
           isOfScores(difference.getA2(), tau);
  auto threshold = a.getDefiningOp<TileThresholdOp>();
  if (!threshold || (tau && tau != threshold.getTau()))
    return false;
  tau = threshold.getTau();
  return true;
}

/// Whether the weights that `op` gives are computed where they are read: by a
/// gather, which reads few of them.
bool WarpgroupEmitter::isLazy(Operation *op) {
  Value tau;
  if (!op || !pipeline.getFetchBytes() || op->getNumResults() != 1 ||
      !isOfScores(op->getResult(0), tau))
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
  // A mask made inside a branch is not known outside of it.
  Value known = lazySteps.lookup(a);
  if (known &&
      known.getParentRegion()->isAncestor(b.getInsertionBlock()->getParent()))
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
  return sharedAddress(shared,
                       add(mul(consumerWarp(), pipeline.getFetchBytes()),
                           pipeline.getFetchOffset()));
}

/// Starts to copy the 16 rows of V of a step.
void WarpgroupEmitter::fetchStep(TileGatherOp op, int64_t step) {
  int64_t chunks = cast<TileType>(op.getAcc().getType()).getColumns() / 8;
  // All lanes have read the rows of the step before.
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
  for (int64_t i = 0; i < kStepKeys * chunks; i += 32) {
    Value chunk = add(lane, i);
    auto copy = [&] {
      fetchChunk(op, step, divide(chunk, i32(chunks)),
                 remainder(chunk, i32(chunks)));
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

/// Copies 16 bytes of one row. Rows beyond the last key meet zero weights; the
/// last one stands for them.
void WarpgroupEmitter::fetchChunk(TileGatherOp op, int64_t step, Value row,
                                  Value column) {
  const GlobalTensor &tensor = signature.tensors[op.getValues()];
  int64_t columns = cast<TileType>(op.getAcc().getType()).getColumns();
  Value last = sub(get(op.getLimit()), i32(1));
  Value first = add(get(op.getKey()), kStepKeys * step);
  Value from = arith::MinSIOp::create(b, loc, add(first, row), last);
  NVVM::CpAsyncOp::create(
      b, loc,
      sharedAddress(fetchAddress(),
                    add(mul(row, panelPitch(columns)), mul(column, 16))),
      elementAddress(tensor, {get(op.getBatch()), get(op.getHead()), from,
                              mul(column, 8)}),
      /*size=*/16, NVVM::LoadCacheModifierKind::CG, /*cpSize=*/Value());
}

/// The keys of a step that meet a weight, a bit each, the same in all lanes of
/// the warp. Of the four words of a lane's weights (mma.sync m16n8k16, operand
/// A) the first two hold keys 2 quad and the next one, the others those eight
/// further.
Value WarpgroupEmitter::liveKeys(ArrayRef<Value> words) {
  if (schedule.force)
    return i32((1 << kStepKeys) - 1);
  Value keys;
  for (int64_t eight = 0; eight < 2; ++eight) {
    Value pair =
        arith::OrIOp::create(b, loc, words[2 * eight], words[2 * eight + 1]);
    for (int64_t odd = 0; odd < 2; ++odd) {
      Value half = arith::AndIOp::create(b, loc, pair,
                                         i32(int64_t(0xffff) << (16 * odd)));
      Value bit = select(
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, half, i32(0)),
          i32(int64_t(1) << (8 * eight + odd)), i32(0));
      keys = keys ? Value(arith::OrIOp::create(b, loc, keys, bit)) : bit;
    }
  }
  keys = arith::ShLIOp::create(b, loc, keys, mul(quad, 2));
  return NVVM::ReduxOp::create(b, loc, b.getI32Type(), keys,
                               NVVM::ReduxKind::OR, i32(-1));
}

/// As fetchStep, but only the rows that meet one of the weights `words`, as
/// many at a time as the warp has lanes for. The other rows of the place keep
/// what they had: zeros, or values of another step.
void WarpgroupEmitter::fetchLiveRows(TileGatherOp op, int64_t step,
                                     ArrayRef<Value> words) {
  Type type = b.getI32Type();
  int64_t chunks = cast<TileType>(op.getAcc().getType()).getColumns() / 8;
  int64_t rows = 32 / chunks;
  auto withoutLowest = [&](Value set) -> Value {
    return arith::AndIOp::create(b, loc, set, sub(set, i32(1)));
  };
  auto isAny = [&](Value set) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, set, i32(0));
  };
  // The lanes of the n-th row take the n-th live key, and every `rows`-th after
  // it; lanes that are left over take none.
  Value all = liveKeys(words), own = all;
  Value turn = divide(lane, i32(chunks)), column = remainder(lane, i32(chunks));
  for (int64_t i = 1; i < rows; ++i)
    own = select(less(turn, i32(i)), own, withoutLowest(own));
  if (32 % chunks)
    own = select(less(turn, i32(rows)), own, i32(0));
  // All lanes have read the rows of the step before.
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
  SmallVector<Type> types{type, type};
  SmallVector<Location> locations{loc, loc};
  auto loop = scf::WhileOp::create(b, loc, types, ValueRange{all, own});
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
    scf::ConditionOp::create(b, loc, isAny(before->getArgument(0)),
                             before->getArguments());
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
    Value left = after->getArgument(0), own = after->getArgument(1);
    auto some = scf::IfOp::create(b, loc, isAny(own), false);
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(some.thenBlock());
      Value key = LLVM::CountTrailingZerosOp::create(b, loc, type, own,
                                                     /*is_zero_poison=*/true);
      fetchChunk(op, step, key, column);
    }
    for (int64_t i = 0; i < rows; ++i) {
      left = withoutLowest(left);
      own = withoutLowest(own);
    }
    scf::YieldOp::create(b, loc, ValueRange{left, own});
  }
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
}

/// Whether a step has so many copies that it pays to ask which rows matter.
bool WarpgroupEmitter::fetchesLiveRows(TileGatherOp op) {
  int64_t columns = cast<TileType>(op.getAcc().getType()).getColumns();
  return pipeline.getFetchBytes() && columns > 64;
}

/// Zeros where rows will lie: a row that was never fetched meets zero weights
/// and must be finite.
void WarpgroupEmitter::clearFetched() {
  int64_t bytes = pipeline.getFetchBytes();
  for (int64_t i = 0; i < bytes; i += 32 * 16) {
    Value at = add(mul(lane, 16), i);
    auto some = scf::IfOp::create(b, loc, less(at, i32(bytes)), false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(some.thenBlock());
    Value address = byteAddress(sharedAddress(fetchAddress(), at));
    inlinePtx("st.shared.v4.b32 [$0], {$1, $1, $1, $1};", "r,r,~{memory}",
              {address, i32(0)}, {});
  }
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
      bool allRows = !fetchesLiveRows(op);
      if (allRows)
        fetchStep(op, step); // before the weights, which take a while
      Fragment words =
          lazy ? packWeights(lazyWeights(op.getA(), step), element)
               : Fragment(ArrayRef<Value>(ready).slice(4 * step, 4));
      if (!allRows)
        fetchLiveRows(op, step, words);
      setFetchedWeights(words);
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
