//===- WarpgroupEmitter.h - A tile program by roles ------------*- C++ -*-===//
//
// A block is one producer warpgroup and a few consumer warpgroups of 64 rows
// each (#tda.pipeline). The body of the tile program is walked twice, once a
// role:
//
//   producer   two threads; index arithmetic, and copies through TMA. One fills
//              the ring slot by slot, as far ahead as it has slots, the other
//              brings the queries.
//   consumer   everything else. Awaits a slot, multiplies, and hands the slot
//              back once its product is done.
//
// Panels travel in the order in which the body uses them, so both walks count
// the same slots. An mbarrier a slot says that it is full (the bytes have
// arrived), another that it is empty (every consumer warp has left it).
//
// A consumer's tiles lie in registers as in Emitter.h: the accumulator of wgmma
// gives each warp 16 rows in the layout of mma.sync. A query tile is one value,
// its matrix descriptor. Products are asynchronous: one is awaited where its
// result is first read, and at the latest where the loop turns (ptxas
// serialises accumulators that are in flight across a back edge, C7514).
//
//===----------------------------------------------------------------------===//
#ifndef TDA_WARPGROUPEMITTER_H
#define TDA_WARPGROUPEMITTER_H

#include "lib/TilesToNVVM/Emitter.h"

namespace tda {

/// Tiles for which the copies decide at a time whether values are staged: of a
/// key loop's first run, from which the next is known better than guessed, and
/// of the others.
constexpr int64_t kFirstRunTiles = 4, kRunTiles = 16;

class WarpgroupEmitter : public Emitter {
public:
  WarpgroupEmitter(mlir::OpBuilder &b, KernelSignature &signature,
                   TileProgramOp program)
      : Emitter(b, signature, program), pipeline(*program.getPipeline()) {}

  llvm::LogicalResult emit() override;

protected:
  llvm::LogicalResult emitOp(mlir::Operation *op) override;
  llvm::SmallVector<mlir::Type> fragmentTypes(mlir::Type type) override;
  using Emitter::fragmentTypes;

private:
  enum class Role { Producer, Consumer };
  enum class Copies { Panels, Queries };

  // WarpgroupEmitter.cpp: roles, programs, control flow.
  llvm::LogicalResult emitRole();
  void sharedOfRole();
  llvm::LogicalResult emitPrograms();
  llvm::LogicalResult emitProducerOp(mlir::Operation *op);
  llvm::LogicalResult emitConsumerOp(mlir::Operation *op);
  void maskAnew(TileMaskOp op);
  void emitRecalled(TileSurvivesOp op);
  llvm::LogicalResult emitIf(mlir::scf::IfOp op);

  // Barriers.cpp: shared memory outside the panels.
  mlir::Value barrier(int64_t offset, mlir::Value index);
  mlir::Value fullBarrier(mlir::Value slot);
  mlir::Value emptyBarrier(mlir::Value slot);
  mlir::Value queryFull(mlir::Value consumer);
  mlir::Value queryEmpty(mlir::Value consumer);
  void initialiseBarriers();
  void waitFor(mlir::Value barrier, mlir::Value phase);
  void expectBytes(mlir::Value barrier, int64_t bytes);
  void arriveAlone(mlir::Value barrier);
  void arriveOncePerWarp(mlir::Value barrier);
  bool isInTurns();
  void takeTurn();
  void passTurn();
  void passOwedTurn();
  mlir::Value guessed();
  mlir::Value stagedFlag(mlir::Value slot);
  mlir::Value byteAddress(mlir::Value pointer);
  /// Which consumer warp of the block this is, i32.
  mlir::Value consumerWarp() { return sub(divide(thread, i32(32)), i32(4)); }
  mlir::Value wordOfWarp(int64_t offset, int64_t words = 1);
  void keepPlace();
  void takeKeptPlace();
  void countLive(mlir::Value steps);
  void castVote();
  mlir::Value wantsValues();
  void guessDensity(TileGateOp op);

  // Ring.cpp: queries and panels on their way.
  void copyBoxes(mlir::Value map, PanelLayoutAttr layout, mlir::Value offset,
                 mlir::Value barrier, mlir::Value row, mlir::Value head,
                 mlir::Value batch);
  void copyQueries(TileLoadOp op);
  void awaitQueries(TileLoadOp op);
  bool knowsLastTurn();
  mlir::Value isBehind(TileForOp op);
  void releaseQueries(TileScoresOp last);
  void releaseQueriesIfBehind(mlir::Operation *op);
  void releaseUnreadQueries();
  llvm::LogicalResult fillRing(TileForOp op);
  void fillSlot(TileForOp op, size_t panel, mlir::Value key, bool announce);
  mlir::Value decideRun(TileForOp op, mlir::Value turn, mlir::Value first);
  llvm::LogicalResult emitKeyLoop(TileForOp op);
  void detachOutput(mlir::Value tile);
  llvm::LogicalResult emitRuns(TileForOp op);
  mlir::Value kindOfTile(mlir::Value turn, mlir::Value end);
  mlir::Value keyOf(TileForOp op, mlir::Value turn);
  mlir::Value turnInRun(TileForOp op, mlir::Value turn);
  mlir::Value endOfRun(TileForOp op, mlir::Value turn);
  void awaitFirstVotes(TileForOp op, mlir::Value turn);
  void countLast(mlir::Value live, mlir::Value isLast);
  void advance();
  std::pair<mlir::Value, mlir::Value> slotBefore(int64_t count);
  mlir::Value slotOffset(mlir::Value slot);

  // Products.cpp: wgmma.
  mlir::Value descriptor(mlir::Value byteOffset, PanelLayoutAttr layout);
  void issueScores(TileScoresOp op);
  void emitAggregate(TileAggregateOp op);
  void emitAggregateSteps(TileAggregateStepsOp op);
  Fragment issueAggregate(llvm::ArrayRef<mlir::Value> acc,
                          llvm::ArrayRef<mlir::Value> words, mlir::Value values,
                          mlir::Type element, int64_t columns);
  void emitLiveSteps(TileLiveStepsOp op);
  mlir::Value liveSteps(llvm::ArrayRef<mlir::Value> words);
  mlir::Value isLiveStep(mlir::Value mask, int64_t step);
  mlir::Value shareSteps(mlir::Value steps);
  Fragment awaitRegisters(llvm::ArrayRef<mlir::Value> values, int64_t inFlight);
  void awaitProducts(llvm::function_ref<bool(mlir::Value)> wanted);
  void await(mlir::Value scores) override {
    awaitProducts([&](mlir::Value tile) { return tile == scores; });
  }
  void awaitAll() {
    awaitProducts([](mlir::Value) { return true; });
  }
  Fragment addPart(llvm::ArrayRef<mlir::Value> acc,
                   llvm::ArrayRef<mlir::Value> part, mlir::Value unscale[2]);
  Fragment pinned(llvm::ArrayRef<mlir::Value> values);
  Fragment accumulateApart(
      llvm::ArrayRef<mlir::Value> acc, mlir::Value unscale[2],
      llvm::function_ref<Fragment(int64_t first, int64_t count)> partOf);
  mlir::Value valuesAt(mlir::Value values, int64_t step, int64_t first);
  Fragment inlinePtx(llvm::StringRef text, llvm::StringRef constraints,
                     mlir::ValueRange operands,
                     llvm::ArrayRef<mlir::Type> results);

  // Gather.cpp: values of survivors, fetched by the warp that needs them.
  bool isLazy(mlir::Operation *op);
  mlir::Value survivorSteps(mlir::Value a);
  Fragment lazyWeights(mlir::Value a, int64_t step);
  TileGatherOp gatherOf(TileForOp op);
  mlir::Value fetchAddress();
  void fetchChunk(TileGatherOp op, mlir::Value first, mlir::Value row,
                  mlir::Value column);
  mlir::Value liveKeysAndRows(llvm::ArrayRef<mlir::Value> words);
  void fetchRows(TileGatherOp op, mlir::Value first, mlir::Value keys);
  void clearFetched();
  Fragment multiplyFetched(llvm::ArrayRef<mlir::Value> acc,
                           mlir::Value condition);
  Fragment fetchNoted(TileGatherOp op, llvm::ArrayRef<mlir::Value> acc);
  bool fetchGoesOn(TileForOp op);
  void finishFetchInto(mlir::Value output);
  Fragment weightsOfFirst(TileGatherOp op, llvm::ArrayRef<mlir::Value> ready,
                          mlir::Value left, int64_t first, int64_t count);
  void emitGather(TileGatherOp op);

  // Store.cpp: output through shared memory.
  mlir::Value hasWideRows(const GlobalTensor &tensor);
  void storeOutput(TileStoreOp op);
  void storeThroughShared(TileStoreOp op);

  // GatherScaled.cpp: the same for f16.
  void emitGatherScaled(TileGatherOp op);
  Fragment multiplyRows(llvm::ArrayRef<mlir::Value> sum,
                        llvm::ArrayRef<mlir::Value> weights,
                        mlir::Value rows[2], int64_t first, mlir::Type element);

  PipelineAttr pipeline;
  Role role = Role::Consumer;
  mlir::Value sharedOfBlock;      ///< Shared memory, outside the roles.
  mlir::Value sharedBase;         ///< Its byte address in this role, i32.
  mlir::Value consumer;           ///< Which consumer warpgroup, i32.
  Copies copies = Copies::Panels; ///< What the producer's thread copies.
  /// Carried through loops and branches: the next slot of the ring and the
  /// parity of its barriers, the parity of the exchange of step masks and that
  /// of the query barriers, and a bit for each recalled test of a loop that was
  /// true when last asked. Where a consumer fetches values also
  ///   onTheWay   the keys and rows of the weights that are on their way, a bit
  ///              each (liveKeysAndRows), and the four words of these weights
  ///   noted      the first key of the step that is noted, plus one, or 0, and
  ///              the four words of its weights.
  llvm::SmallVector<mlir::Value> state;
  mlir::Value &slot() { return state[0]; }
  mlir::Value &phase() { return state[1]; }
  mlir::Value &exchange() { return state[2]; }
  mlir::Value &queryPhase() { return state[3]; }
  mlir::Value &recalled() { return state[4]; }
  mlir::Value &onTheWay() { return state[5]; }
  llvm::MutableArrayRef<mlir::Value> fetchedWeights() {
    return llvm::MutableArrayRef<mlir::Value>(state).slice(6, 4);
  }
  mlir::Value &noted() { return state[10]; }
  llvm::MutableArrayRef<mlir::Value> notedWeights() {
    return llvm::MutableArrayRef<mlir::Value>(state).slice(11, 4);
  }
  /// Producer: whether values are staged in this run, 0 or 1; -1 before the
  /// first run of a program, which the gate decides.
  mlir::Value staged;
  TileGateOp gate; ///< Of the program, while nothing is guessed from it.
  /// The output tile that rows on their way belong to, inside a key loop that
  /// fetches; else null.
  mlir::Value fetchInto;
  TileGatherOp gather; ///< Of the key loop, where it fetches; else null.
  /// The key loop that is emitted, and the first key of its turn.
  TileForOp keyLoop;
  mlir::Value keyTurn;
  bool inTurns = false;   ///< The warpgroups issue their scores in turn.
  bool holdsTurn = false; ///< They pass it when the first view's are there,
  bool owesTurn = false;  ///< for which one waits. Else once all are issued.
  mlir::Value countLater; ///< Live steps that are counted where they are voted.
  /// Masks of live steps of weights that are computed where they are read.
  llvm::DenseMap<mlir::Value, mlir::Value> lazySteps;

  /// A product on its way: the tile it gives, and the slot that it reads.
  struct Pending {
    mlir::Value tile;
    mlir::Value slot;
  };
  llvm::SmallVector<Pending> pending;
};

} // namespace tda

#endif // TDA_WARPGROUPEMITTER_H
