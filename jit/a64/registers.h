// Register roles on AArch64.
//
//   sp         the host's stack pointer, untouched: C++ is called as it stands
//   x20        the stack: the current frame's `function` word. A call leaves the return address in x30; the callee
//              stores it in its return-address slot, below the caller's frame
//   x19        Context*                 x21  the nursery's bump pointer (ctx.alloc_ptr while C++ runs)
//   x16 x17    scratch; x16 carries results and, to the stubs, helpers; x17 the callee's Function* in calls that do
//              not know its entry
//   x14        scratch; x15 scratch for addresses and constants that need it: no value outlives one operation there
//   x18        the platform's, x29 the host's frame pointer
//   the rest   allocated; none survives a call. Arguments 0 to 5 travel in the first six, others in ctx.args.
//   d30 d31    scratch; d0 … d29 allocated
#pragma once
#include "jit/codegen/offsets.h"

namespace eddy::jit::a64 {

constexpr int kContext = 19, kStack = 20, kAlloc = 21;
constexpr int kAllocatable[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 22, 23, 24, 25, 26, 27, 28};
constexpr int kWords = 21;
constexpr int kFloats = 30;
constexpr unsigned kRegisterArgs = 6;

// Behind each call stands `adr xzr, …`, which does nothing: its displacement is the safepoint's index.
constexpr uint32_t kMaxSafepoints = 1u << 21;
constexpr uint32_t kSafepointWord = 0x1000001f, kSafepointMask = 0x9f00000f;
constexpr uint32_t safepoint_word(uint32_t index) {
  return kSafepointWord | (index & 3) << 29 | (index >> 2 & 0x7ffff) << 5;
}
// Where a Float may come back in d0 (x16 being 0 then), it is `adr x15, …`, which nobody needs there.
constexpr unsigned kTaggedResultBit = 4;
constexpr uint32_t any_result(uint32_t word) { return word & ~(1u << kTaggedResultBit); }

}  // namespace eddy::jit::a64
