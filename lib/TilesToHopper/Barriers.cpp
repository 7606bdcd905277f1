//===- Barriers.cpp - Shared memory outside the panels --------------------===//
//
// The first kBarrierBytes of shared memory:
//
//   0     full, empty    an mbarrier a slot each: 2 x 24 x 8 bytes
//   384   query full, query empty    an mbarrier a consumer each
//   448   staged         a word a slot: are the values of its run copied?
//   544   guessed        an mbarrier: live holds what the gate says
//   576   live           a word a consumer warp: live steps of its last run in
//                        the upper half, of this one so far in the lower half
//   640   exchange       two rows of four words a consumer: masks of live steps
//   784   place          three words a consumer warp: where its program stands
//
// PTX ISA, "mbarrier": a wait on parity p returns once the phase of parity p
// has completed; on a fresh barrier a wait on parity 1 returns at once.
//
//===----------------------------------------------------------------------===//
#include "lib/AttentionToTiles/Visibility.h"
#include "lib/TilesToHopper/WarpgroupEmitter.h"

#include <cmath>

using namespace mlir;
using namespace tda;

static constexpr int64_t kFull = 0, kEmpty = 192, kQueryFull = 384,
                         kQueryEmpty = 416, kStaged = 448, kGuessed = 544,
                         kLive = 576, kPlace = 784;

/// Bits of each half of a live word.
static constexpr int kHalfBits = 16;

Value WarpgroupEmitter::barrier(int64_t offset, Value index) {
  return sharedAddress(shared, add(mul(index, 8), offset));
}
Value WarpgroupEmitter::fullBarrier(Value slot) { return barrier(kFull, slot); }
Value WarpgroupEmitter::emptyBarrier(Value slot) {
  return barrier(kEmpty, slot);
}
Value WarpgroupEmitter::queryFull(Value consumer) {
  return barrier(kQueryFull, consumer);
}
Value WarpgroupEmitter::queryEmpty(Value consumer) {
  return barrier(kQueryEmpty, consumer);
}
Value WarpgroupEmitter::guessed() { return barrier(kGuessed, i32(0)); }
Value WarpgroupEmitter::stagedFlag(Value slot) {
  return sharedAddress(shared, add(mul(slot, 4), kStaged));
}

/// Thread 0 sets up all barriers, then the block meets once.
void WarpgroupEmitter::initialiseBarriers() {
  int64_t queries = 0;
  program.walk([&](TileLoadOp op) {
    queries += cast<TileType>(op.getType()).getShape().size() == 2;
  });
  int64_t warps = 4 * pipeline.getConsumers();
  auto first = scf::IfOp::create(b, loc, less(thread, i32(1)), false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(first.thenBlock());
    auto set = [&](Value barrier, int64_t count) {
      NVVM::MBarrierInitOp::create(b, loc, barrier, i32(count), Value());
    };
    for (int64_t i = 0; i < pipeline.getSlots(); ++i) {
      set(fullBarrier(i32(i)), 1);
      set(emptyBarrier(i32(i)), warps);
    }
    for (int64_t i = 0; i < pipeline.getConsumers(); ++i) {
      set(queryFull(i32(i)), queries); // each view announces its bytes
      set(queryEmpty(i32(i)), 4);
    }
    set(guessed(), 1);
    for (int64_t i = 0; i < warps; ++i)
      LLVM::StoreOp::create(b, loc, i32(0),
                            sharedAddress(shared, kLive + 4 * i));
    NVVM::FenceMbarrierInitOp::create(b, loc);
    // Of shared memory alone: a fence of all memory waits for the stores of the
    // block that ran here before, microseconds in which nothing is copied.
    NVVM::FenceProxyOp::create(
        b, loc, NVVM::ProxyKind::async_shared,
        NVVM::SharedSpaceAttr::get(b.getContext(),
                                   NVVM::SharedSpace::shared_cta));
  }
  NVVM::BarrierOp::create(b, loc);
}

void WarpgroupEmitter::waitFor(Value barrier, Value phase) {
  NVVM::MBarrierTryWaitParityOp::create(b, loc, barrier, phase, i32(10000000));
}

void WarpgroupEmitter::expectBytes(Value barrier, int64_t bytes) {
  NVVM::MBarrierArriveExpectTxOp::create(b, loc, Type(), barrier, i32(bytes),
                                         NVVM::MemScopeKind::CTA,
                                         /*relaxed=*/false, Value());
}

/// A pointer to shared memory as inline PTX takes it.
Value WarpgroupEmitter::byteAddress(Value pointer) {
  return LLVM::PtrToIntOp::create(b, loc, b.getI32Type(), pointer);
}

/// A producer's thread arrives.
void WarpgroupEmitter::arriveAlone(Value barrier) {
  inlinePtx("mbarrier.arrive.release.cta.shared::cta.b64 _, [$0];",
            "r,~{memory}", {byteAddress(barrier)}, {});
}

/// One lane arrives; predicated in PTX, so that the warp stays together.
void WarpgroupEmitter::arriveOncePerWarp(Value barrier) {
  Value address = byteAddress(barrier);
  inlinePtx("{\n.reg .pred p;\nsetp.eq.u32 p, $1, 0;\n"
            "@p mbarrier.arrive.shared::cta.b64 _, [$0];\n}",
            "r,r,~{memory}", {address, lane}, {});
}

/// Whether the consumer warpgroups may issue the scores of a tile in turn.
/// Left alone they fall into step: they multiply at the same time, and make
/// weights at the same time while nothing multiplies.
bool WarpgroupEmitter::isInTurns() { return pipeline.getConsumers() > 1; }

/// Named barriers 4 and on, one a consumer: its own 128 threads wait until the
/// 128 of the consumer before have arrived. PTX ISA, "barrier".
void WarpgroupEmitter::takeTurn() {
  inlinePtx("bar.sync $0, 256;", "r,~{memory}", {add(consumer, 4)}, {});
}
void WarpgroupEmitter::passOwedTurn() {
  if (owesTurn)
    passTurn();
  owesTurn = false;
}
void WarpgroupEmitter::passTurn() {
  Value next = remainder(add(consumer, 1), i32(pipeline.getConsumers()));
  inlinePtx("bar.arrive $0, 256;", "r,~{memory}", {add(next, 4)}, {});
}

/// The address of this consumer warp's word, or the first of its `words`.
Value WarpgroupEmitter::wordOfWarp(int64_t offset, int64_t words) {
  return add(add(sharedBase, offset), mul(consumerWarp(), 4 * words));
}

/// In a persistent grid a consumer has no registers to keep batch, head and row
/// of a program from its beginning to its store: shared memory keeps them.
void WarpgroupEmitter::keepPlace() {
  Value words = wordOfWarp(kPlace, 3);
  ValueRange place = program.getBody().getArguments();
  NVVM::SyncWarpOp::create(b, loc, i32(-1)); // all lanes have read the last one
  inlinePtx("{\n.reg .pred p;\nsetp.eq.u32 p, $4, 0;\n"
            "@p st.shared.b32 [$0], $1;\n@p st.shared.b32 [$0+4], $2;\n"
            "@p st.shared.b32 [$0+8], $3;\n}",
            "r,r,r,r,r,~{memory}",
            {words, get(place[0]), get(place[1]), get(place[2]), lane}, {});
  NVVM::SyncWarpOp::create(b, loc, i32(-1));
}

void WarpgroupEmitter::takeKeptPlace() {
  Value words = wordOfWarp(kPlace, 3);
  for (BlockArgument argument : program.getBody().getArguments())
    set(argument,
        inlinePtx("ld.shared.b32 $0, [$1];", "=r,r,~{memory}",
                  {add(words, 4 * argument.getArgNumber())}, {b.getI32Type()}));
}

/// Adds live steps to the vote of this consumer warp: in shared memory, because
/// there are few and registers are short.
void WarpgroupEmitter::countLive(Value steps) {
  inlinePtx("{\n.reg .pred p;\nsetp.eq.u32 p, $2, 0;\n"
            "@p red.shared.add.u32 [$0], $1;\n}",
            "r,r,r,~{memory}", {wordOfWarp(kLive), steps, lane}, {});
}

/// After a run: this warp's vote takes the place of its last one, and the next
/// one begins. Atomic on both sides: nothing orders one after the other.
void WarpgroupEmitter::castVote() {
  inlinePtx("{\n.reg .pred p;\n.reg .b32 votes;\n"
            "setp.eq.u32 p, $1, 0;\n"
            "@p atom.shared.exch.b32 votes, [$0], 0;\n"
            "shl.b32 votes, votes, " +
                std::to_string(kHalfBits) +
                ";\n@p atom.shared.exch.b32 votes, [$0], votes;\n}",
            "r,r,~{memory}", {wordOfWarp(kLive), lane}, {});
}

/// Whether the last runs of the consumer warps were dense enough to copy the
/// values ahead, or one warp has had so much to fetch in the run that it is in
/// that all others wait for it. The answer only moves work between two ways
/// that give the same bits, so it need not be in step with them.
Value WarpgroupEmitter::wantsValues() {
  int64_t steps = schedule.tileN / kStepKeys;
  Value sum, half = i32(1 << kHalfBits);
  for (int64_t warp = 0; warp < 4 * pipeline.getConsumers(); ++warp) {
    Value word = LLVM::AtomicRMWOp::create(
        b, loc, LLVM::AtomicBinOp::_or, sharedAddress(shared, kLive + 4 * warp),
        i32(0), LLVM::AtomicOrdering::monotonic);
    // Into one sum: the thread has few registers.
    Value isSlow = less(i32(steps + steps / 4), remainder(word, half));
    Value live = add(divide(word, half), select(isSlow, half, i32(0)));
    sum = sum ? add(sum, live) : live;
  }
  // A warp that fetches a step itself takes about as long as the copy and the
  // products of a few staged ones (bench/results).
  int64_t all = kRunTiles * 4 * pipeline.getConsumers() * steps;
  return less(i32(std::max<int64_t>(all / 16, 1)), sum);
}

/// The queries' thread: before a program has told anything, what its gate says.
/// Unit rows of random directions have a normal score of variance 1 / D, so tau
/// sqrt(D) above 3.5 leaves less than one survivor in 2000 scores. A vote of
/// the program before that comes later takes the place of the guess, for a run.
///
/// tau^2 D = beta^2 2 ln(n / kappa), without the root and the quotient, for
/// which the producers have no registers.
void WarpgroupEmitter::guessDensity(TileGateOp op) {
  Value n =
      emitVisibleCount(b, loc, get(op.getRow()), get(op.getKeys()),
                       get(op.getOffset()), op.getCausal(), op.getWindow());
  Value count = arith::SIToFPOp::create(b, loc, b.getF32Type(), n);
  Value log2 =
      arith::SubFOp::create(b, loc, unaryPtx("lg2.approx.f32", count),
                            unaryPtx("lg2.approx.f32", get(op.getKappa())));
  Value beta = maxF(get(op.getBeta()), f32(0));
  Value square = mulF(mulF(beta, beta), log2);
  Value dense = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, square,
                                      f32(3.5 * 3.5 / (2 * std::log(2.0))));
  Value live = select(dense, i32(0x7fff << kHalfBits), i32(0));
  for (int64_t i = 0; i < 4 * pipeline.getConsumers(); ++i)
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::xchg,
                              sharedAddress(shared, kLive + 4 * i), live,
                              LLVM::AtomicOrdering::monotonic);
  arriveAlone(guessed());
}
