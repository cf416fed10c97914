// Why machine code was left for the interpreter, by the instruction that it goes on with: for --stats and traces.
#pragma once
#include <cstdint>

#include "vm/bytecode.h"

namespace eddy::jit {

enum class Departure : uint8_t { Unseen, Number, Shape, Index, Handler, Panic, Other };
inline constexpr const char* kDepartures[] = {"a perform never seen before", "a number that is no small Int",
                                              "data of another shape",       "an index out of range",
                                              "a handler",                   "panics",
                                              "other"};

Departure reason_to_leave(vm::Word instruction);

}  // namespace eddy::jit
