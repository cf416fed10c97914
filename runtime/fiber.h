// A fiber: a growable stack of frames, and who called it.
//
//        base →  (one past the highest word)
//                [ Stubs::fiber_exit ]  return address of the base frame
//                [ base frame …      ]
//                [ …                 ]
//          sp →  [ return address    ]  of the youngest frame, while the fiber is not running
//       limit →  (frames may not reach below; slack for one native call remains under it)
//
// The descriptor never moves, so handler nodes and machine code may hold its address; the block is grown by
// copying to one of twice the size (beyond 256 KiB: an eightfold reservation whose pages cost nothing until
// touched). Descriptors and blocks are pooled: a fiber that finishes gives both back at once, a fiber whose
// continuation became unreachable is given back by the collector.
//
// What the collector takes for alive: the current fiber and its chain of parents; the chain from the first to the
// last fiber of a reachable Continuation that is not consumed; Heap::held. A fiber that is none of these at a
// collection is released by it: link a new fiber before the next allocation, or hold it.
//
// Dirty: a minor collection scans only the fibers that ran since they were last scanned. Whoever makes a fiber
// current, or writes a value into a frame of a sleeping one, calls heap.fiber_ran(fiber) (one byte test).
//
// Watermarks: on a deep stack (more than 64 KiB) the collector replaces some return-address words by
// Stubs::watermark. While such a word is in place, nobody has returned into the frame above it, so that frame
// and all older ones are as they were when scanned: the next minor collection stops there. The protocol:
//   - a return that reads Stubs::watermark at `word` continues at fibers.restore_watermark(fiber, word), the
//     real return address (machine code does so in the stub of that name);
//   - who reads a return-address word for another purpose (stack walks; an abort that asks which tier its
//     target frame is in) reads fibers.return_address(fiber, word) instead of *word;
//   - cutting the stack (aborts, panics, jumps) and overwriting the words needs no care.
// Growing keeps the words (offsets from base do not change); a copied fiber has none.
#pragma once
#include <cstdint>

#include "runtime/fiber_blocks.h"
#include "runtime/frame.h"

namespace eddy::rt {

struct Fiber {
  Fiber* parent = nullptr;  // Waiting below this one; for the lowest fiber of a continuation: unused; of a free one: the
                            // next in the pool, and kFree
  Word* sp = nullptr;
  Word* base = nullptr;
  Word* limit = nullptr;
  uint64_t tag = 0;         // cache tag of this fiber's context, while it is not running
  uint64_t copied = 0;      // the tag given when it was last copied, or made as a copy: what its frames held then,
                            // others may hold too
  uint32_t records = 0;     // newest unwind record: words from base down to its link word; 0: none, as in a free one
  uint32_t watermarks = 0;  // the pool's table of them; 0: none
  bool marked = false;      // reached by the collection under way
  bool dirty = true;        // ran since it was last scanned: scanned again by the next minor collection
  uint8_t size_class = 0;   // of the block, or kNoBlock
  bool old = true;          // not on the pool's list of fibers made since the last minor collection
  uint32_t id = 0;          // for traces; fresh at every use that one sees

  static constexpr Word kFree = 1;
  bool free() const { return reinterpret_cast<Word>(parent) & kFree; }

  Word offset_of(const void* p) const { return static_cast<Word>(base - static_cast<const Word*>(p)); }
  Word* at(Word offset) const { return base - offset; }
};
static_assert(sizeof(Fiber) == 64, "one cache line; ten million of them sleep");

constexpr uint8_t kNoBlock = 0xff;  // beyond all classes

// A free fiber keeps its block up to this size class (4 KiB), so that a loop of short-lived fibers settles at
// blocks of the right size; bigger ones as long as all free fibers hold little.
constexpr unsigned kKeptClass = FiberBlocks::class_for(512);
// Words kept free under a fiber's limit: a leaf may write one frame header and a return address there.
constexpr size_t kStackSlackWords = 8;

// The part of the pool that starting, copying and finishing a fiber touch. Machine code does all three in place
// while the first free fiber is young and its block small and big enough.
struct FiberSupply {
  Fiber* free = nullptr;  // the one released last
  uint64_t made = 0, copied = 0, bytes_copied = 0;  // machine code counts only what somebody looks at
  // Bytes below sp that compiled frames count on: they asked for them when they were entered, so a stack that is
  // cut down or copied in between must keep them.
  uint64_t room = 0;
};

}  // namespace eddy::rt
