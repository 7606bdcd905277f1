//===- Gather.cpp - Values of survivors, fetched by the warp --------------===//
//
// Where survivors are rare, values are not copied ahead. A warp that has
// survivors in a step of 16 keys takes three stages, so that the time between
// two tiles, in which its warpgroup multiplies nothing, is short:
//
//   noted        the weights of the step are computed, and kept; the scores
//                die with their tile
//   on the way   while the next scores are being computed, the rows of V that
//                meet a weight are copied to a place of the warp's own in
//                shared memory
//   multiplied   with mma.sync, which gives the bits that wgmma gives for the
//                same step
//
// mma.sync takes the tensor cores from the wgmma of all other warps. So weights
// on their way wait for more, as long as no row of the output and no key of a
// step is in both: each row's sum is then the same as one by one.
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

/// The gather of a key loop, where it leaves rows on their way; else null.
TileGatherOp WarpgroupEmitter::gatherOf(TileForOp op) {
  TileGatherOp found;
  if (pipeline.getFetchBytes())
    op.walk([&](TileGatherOp gather) { found = gather; });
  return found;
}

Value WarpgroupEmitter::fetchAddress() {
  return sharedAddress(shared,
                       add(mul(consumerWarp(), pipeline.getFetchBytes()),
                           pipeline.getFetchOffset()));
}

/// Copies 16 bytes of one row. Rows beyond the last key meet zero weights; the
/// last one stands for them.
void WarpgroupEmitter::fetchChunk(TileGatherOp op, Value first, Value row,
                                  Value column) {
  const GlobalTensor &tensor = signature.tensors[op.getValues()];
  int64_t columns = cast<TileType>(op.getAcc().getType()).getColumns();
  Value last = sub(get(op.getLimit()), i32(1));
  Value from = arith::MinSIOp::create(b, loc, add(first, row), last);
  NVVM::CpAsyncOp::create(
      b, loc,
      sharedAddress(fetchAddress(),
                    add(mul(row, panelPitch(columns)), mul(column, 16))),
      elementAddress(tensor, {get(op.getBatch()), get(op.getHead()), from,
                              mul(column, 8)}),
      /*size=*/16, NVVM::LoadCacheModifierKind::CG, /*cpSize=*/Value());
}

/// The keys of a step that meet a weight, in bits 0 to 15, and the rows of the
/// warp that have one, in bits 16 to 31; the same in all lanes. Of the four
/// words of a lane's weights (mma.sync m16n8k16, operand A) the first two hold
/// keys 2 quad and the next one, the others those eight further; even words are
/// of row `group`, odd ones of the row eight further.
Value WarpgroupEmitter::liveKeysAndRows(ArrayRef<Value> words) {
  if (schedule.force)
    return i32(-1);
  auto either = [&](Value x, Value y) -> Value {
    return arith::OrIOp::create(b, loc, x, y);
  };
  // `set` where the pair of weights has one in the bits `part`.
  auto where = [&](Value pair, int64_t part, int64_t set) {
    Value any = isAny(arith::AndIOp::create(b, loc, pair, i32(part)));
    return select(any, i32(set), i32(0));
  };
  Value low = either(words[0], words[1]), high = either(words[2], words[3]);
  Value keys = either(
      either(where(low, 0xffff, 1 << 0), where(low, 0xffff0000, 1 << 1)),
      either(where(high, 0xffff, 1 << 8), where(high, 0xffff0000, 1 << 9)));
  Value rows = either(where(either(words[0], words[2]), -1, 1 << 16),
                      where(either(words[1], words[3]), -1, 1 << 24));
  keys = arith::ShLIOp::create(b, loc, keys, mul(quad, 2));
  rows = arith::ShLIOp::create(b, loc, rows, group);
  return NVVM::ReduxOp::create(b, loc, b.getI32Type(), either(keys, rows),
                               NVVM::ReduxKind::OR, i32(-1));
}

/// Starts to copy the rows of V of the step from key `first` on that are in
/// `keys` (a bit each), as many at a time as the warp has lanes for. The other
/// rows of the place keep what they had: zeros, or values of another step.
void WarpgroupEmitter::fetchRows(TileGatherOp op, Value first, Value keys) {
  Type type = b.getI32Type();
  int64_t chunks = cast<TileType>(op.getAcc().getType()).getColumns() / 8;
  int64_t rows = 32 / chunks;
  auto withoutLowest = [&](Value set) -> Value {
    return arith::AndIOp::create(b, loc, set, sub(set, i32(1)));
  };
  // The lanes of the n-th row take the n-th live key, and every `rows`-th after
  // it; lanes that are left over take none.
  Value all = keys, own = all;
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
      fetchChunk(op, first, key, column);
    }
    for (int64_t i = 0; i < rows; ++i) {
      left = withoutLowest(left);
      own = withoutLowest(own);
    }
    scf::YieldOp::create(b, loc, ValueRange{left, own});
  }
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
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

/// acc + the fetched rows times their weights, where `condition` holds. Nothing
/// is on its way then.
Emitter::Fragment WarpgroupEmitter::multiplyFetched(ArrayRef<Value> acc,
                                                    Value condition) {
  SmallVector<Type> types(acc.size(), b.getF32Type());
  types.append(5, b.getI32Type());
  auto branch = scf::IfOp::create(b, loc, types, condition, true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    Fragment same(acc);
    same.push_back(onTheWay());
    llvm::append_range(same, fetchedWeights());
    scf::YieldOp::create(b, loc, same);
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
    sum.append(5, i32(0));
    scf::YieldOp::create(b, loc, sum);
  }
  ValueRange results = branch.getResults();
  onTheWay() = results[acc.size()];
  llvm::copy(results.take_back(4), fetchedWeights().begin());
  return Fragment(results.take_front(acc.size()));
}

/// What is noted sets out. What is on its way may go on waiting, to be
/// multiplied with it, while no key (a place in shared memory) and no row (an
/// order of additions) is in both.
Emitter::Fragment WarpgroupEmitter::fetchNoted(TileGatherOp op,
                                               ArrayRef<Value> acc) {
  SmallVector<Value> values(acc);
  llvm::append_range(values, state);
  SmallVector<Type> types{TypeRange(ValueRange(values))};
  auto branch = scf::IfOp::create(b, loc, types, isAny(noted()), true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, values);
    b.setInsertionPointToStart(branch.thenBlock());
    Value live = liveKeysAndRows(notedWeights());
    Value meets = arith::AndIOp::create(b, loc, live, onTheWay());
    Fragment sum = multiplyFetched(acc, isAny(meets));
    fetchRows(op, sub(noted(), i32(1)),
              arith::AndIOp::create(b, loc, live, i32(0xffff)));
    onTheWay() = arith::OrIOp::create(b, loc, onTheWay(), live);
    for (auto [fetched, noted] : llvm::zip(fetchedWeights(), notedWeights()))
      fetched = arith::OrIOp::create(b, loc, fetched, noted);
    noted() = i32(0);
    values.assign(sum.begin(), sum.end());
    llvm::append_range(values, state);
    scf::YieldOp::create(b, loc, values);
  }
  ValueRange results = branch.getResults();
  state.assign(results.begin() + acc.size(), results.end());
  return Fragment(results.take_front(acc.size()));
}

/// Everything noted and on its way added to `output`, the tile that is carried
/// through the key loop.
void WarpgroupEmitter::finishFetchInto(Value output) {
  if (!gather)
    return;
  Fragment acc = fetchNoted(gather, getAll(output));
  set(output, multiplyFetched(acc, isAny(onTheWay())));
}

/// Whether the next key loop goes on with what this one leaves on its way.
bool WarpgroupEmitter::fetchGoesOn(TileForOp op) {
  Value output = op.getResult(0);
  auto next = output.hasOneUse() ? dyn_cast<TileForOp>(*output.user_begin())
                                 : TileForOp();
  TileGatherOp other = next ? gatherOf(next) : TileGatherOp();
  return gather && other && next.getInits()[0] == output &&
         other.getValues() == gather.getValues() &&
         other.getBatch() == gather.getBatch() &&
         other.getHead() == gather.getHead() &&
         other.getLimit() == gather.getLimit();
}

/// The weights of the first step of the set `left`, of `count` steps from
/// `first` on.
Emitter::Fragment WarpgroupEmitter::weightsOfFirst(TileGatherOp op,
                                                   ArrayRef<Value> ready,
                                                   Value left, int64_t first,
                                                   int64_t count) {
  if (count == 1)
    return ready.empty()
               ? packWeights(lazyWeights(op.getA(), first), b.getBF16Type())
               : Fragment(ready.slice(4 * first, 4));
  int64_t half = count / 2;
  Value isLow = isAny(arith::AndIOp::create(
      b, loc, left, i32(((int64_t(1) << half) - 1) << first)));
  SmallVector<Type> types(4, b.getI32Type());
  auto branch = scf::IfOp::create(b, loc, types, isLow, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, weightsOfFirst(op, ready, left, first, half));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(
      b, loc, weightsOfFirst(op, ready, left, first + half, count - half));
  return Fragment(branch.getResults());
}

void WarpgroupEmitter::emitGather(TileGatherOp op) {
  if (!pipeline.getFetchBytes())
    return emitGatherScaled(op);
  Type type = b.getI32Type();
  Fragment acc = getAll(op.getAcc());
  int64_t steps = cast<TileType>(op.getA().getType()).getColumns() / kStepKeys;
  bool lazy = isLazy(op.getA().getDefiningOp());
  Fragment ready =
      lazy ? Fragment() : packWeights(getAll(op.getA()), b.getBF16Type());
  Value mask = schedule.force ? i32((int64_t(1) << steps) - 1)
               : lazy         ? survivorSteps(op.getA())
                              : liveSteps(ready);
  SmallVector<Value> inits{mask};
  llvm::append_range(inits, acc);
  llvm::append_range(inits, state);
  SmallVector<Type> types{TypeRange(ValueRange(inits))};
  SmallVector<Location> locations(types.size(), loc);
  auto place = [&](ValueRange values) {
    acc.assign(values.begin() + 1, values.begin() + 1 + acc.size());
    state.assign(values.begin() + 1 + acc.size(), values.end());
    return values[0];
  };
  auto loop = scf::WhileOp::create(b, loc, types, inits);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
    scf::ConditionOp::create(b, loc, isAny(before->getArgument(0)),
                             before->getArguments());
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
    Value left = place(after->getArguments());
    acc = fetchNoted(op, acc); // an earlier step of this tile
    llvm::copy(weightsOfFirst(op, ready, left, 0, steps),
               notedWeights().begin());
    Value step = LLVM::CountTrailingZerosOp::create(b, loc, type, left,
                                                    /*is_zero_poison=*/true);
    noted() = add(add(get(op.getKey()), mul(step, kStepKeys)), 1);
    SmallVector<Value> next{
        arith::AndIOp::create(b, loc, left, sub(left, i32(1)))};
    llvm::append_range(next, acc);
    llvm::append_range(next, state);
    scf::YieldOp::create(b, loc, next);
  }
  place(loop.getResults());
  set(op.getResult(), acc);
}
