// Where machine code's frames end, found by following its instructions: nobody has to keep a second account
// of the stack pointer while emitting.
#pragma once
#include <vector>

#include "jit/debug/region.h"

namespace eddy::jit::debug {

// What FrameMove::cfa is where the frame is not found by counting from the stack pointer.
enum SpecialFrame : int32_t {
  kSavedOnFiber = -1,  // on the host's stack, called by the current fiber's youngest frame
  kInterpreted = -2,   // at the `function` word of an interpreted frame
  kFiberEnd = -3,      // behind a fiber's oldest frame
  kVmEnd = -4,         // behind the first fiber's
};

struct Entry {
  uint32_t offset;
  int32_t cfa;  // in bytes, or a SpecialFrame
};

// One pass over x86-64 code from its entries along all jumps. What no entry reaches has the state of what
// stands before it. Empty where there is no decoder.
std::vector<FrameMove> follow_frames(const uint8_t* code, size_t size, const std::vector<Entry>& entries);

}  // namespace eddy::jit::debug
