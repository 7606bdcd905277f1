//===- Barriers.cpp - Shared memory outside the panels --------------------===//
//
// The first kBarrierBytes of shared memory:
//
//   0     full, empty    an mbarrier a slot each: 2 x 24 x 8 bytes
//   384   query full, query empty    an mbarrier a consumer each
//   448   staged         a word a slot: were the values of its tile copied?
//   576   live           a word a consumer warp: live steps of its last tile
//   640   exchange       two rows of four words a consumer: masks of live steps
//
// PTX ISA, "mbarrier": a wait on parity p returns once the phase of parity p
// has completed; on a fresh barrier a wait on parity 1 returns at once.
//
//===----------------------------------------------------------------------===//
#include "lib/TilesToHopper/WarpgroupEmitter.h"

#include <cmath>

using namespace mlir;
using namespace tda;

static constexpr int64_t kFull = 0, kEmpty = 192, kQueryFull = 384,
                         kQueryEmpty = 416, kStaged = 448, kLive = 576;

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

/// One lane arrives; predicated in PTX, so that the warp stays together.
void WarpgroupEmitter::arriveOncePerWarp(Value barrier) {
  Value address = LLVM::PtrToIntOp::create(b, loc, b.getI32Type(), barrier);
  inlinePtx("{\n.reg .pred p;\nsetp.eq.u32 p, $1, 0;\n"
            "@p mbarrier.arrive.shared::cta.b64 _, [$0];\n}",
            "r,r,~{memory}", {address, lane}, {});
}

/// The consumer warp's count of live steps, for the producer to read. Both
/// sides are atomic: nothing orders one after the other.
void WarpgroupEmitter::emitVote(Value live) {
  Value warp = sub(divide(thread, i32(32)), i32(4));
  Value address = add(add(sharedBase, kLive), mul(warp, 4));
  inlinePtx("{\n.reg .pred p;\n.reg .b32 old;\nsetp.eq.u32 p, $2, 0;\n"
            "@p atom.shared.exch.b32 old, [$0], $1;\n}",
            "r,r,r,~{memory}", {address, live, lane}, {});
}

/// Whether the last tiles of the consumer warps were dense enough to copy the
/// values ahead. The answer only moves work between two ways that give the same
/// bits, so it need not be in step with them.
Value WarpgroupEmitter::wantsValues() {
  Value sum;
  for (int64_t i = 0; i < 4 * pipeline.getConsumers(); ++i) {
    Value live = LLVM::AtomicRMWOp::create(
        b, loc, LLVM::AtomicBinOp::_or, sharedAddress(shared, kLive + 4 * i),
        i32(0), LLVM::AtomicOrdering::monotonic);
    sum = sum ? add(sum, live) : live;
  }
  // A warp that fetches a step itself takes about as long as the copy and the
  // products of a few staged ones (bench/results).
  int64_t steps = 4 * pipeline.getConsumers() * schedule.tileN / 16;
  return less(i32(std::max<int64_t>(steps / 16, 1)), sum);
}

/// Producer: before a program has told anything, what its gate says. Unit rows
/// of random directions have a normal score of variance 1 / D, so tau sqrt(D)
/// above 3.5 leaves less than one survivor in 2000 scores. The last votes of
/// the block's program before may come later: again only time is lost.
void WarpgroupEmitter::guessDensity(TileGateOp op) {
  Value tau = gateOf(op, get(op.getRow()));
  Value dense =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, tau,
                            f32(3.5 / std::sqrt(double(op.getDim()))));
  Value live = select(dense, i32(1 << 16), i32(0));
  for (int64_t i = 0; i < 4 * pipeline.getConsumers(); ++i)
    LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::xchg,
                              sharedAddress(shared, kLive + 4 * i), live,
                              LLVM::AtomicOrdering::monotonic);
}
