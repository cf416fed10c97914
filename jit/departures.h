// Why machine code was left for the interpreter: for --stats and traces.
#pragma once
#include <cstdint>

#include "jit/ir/ir.h"
#include "vm/bytecode.h"

namespace eddy::jit {

enum class Departure : uint8_t {
  Unseen,
  OtherHandler,
  Number,
  Order,
  Shape,
  Index,
  Handler,
  Panic,
  Moved,
  Request,
  Depth,
  Other
};
inline constexpr const char* kDepartures[] = {"code that had never run",
                                              "another handler",
                                              "a number that is no small Int",
                                              "a comparison of no Ints",
                                              "data of another shape",
                                              "an index out of range",
                                              "the end of a handler",
                                              "panics",
                                              "a check moved out of a loop",
                                              "requests",
                                              "recursion too deep for a loop",
                                              "other"};

// By what the code says, and by the instruction that the interpreter goes on with.
Departure why_left(Reason reason, vm::Word instruction);

}  // namespace eddy::jit
