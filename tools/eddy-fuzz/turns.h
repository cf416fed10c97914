// Which modes a program is run in when it is not run in all of them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/eddy-fuzz/modes.h"

namespace eddy::fuzz {

// Modes that take part at all; as many as an integer has bits.
constexpr size_t kMaxModes = 64;

// Bits that index `modes`: the first, with which the others are compared, and those of `turns` turns. A turn is
// what shares a VM, or a mode of its own; what is compared with more than the first brings that along. Seeds take
// the turns in rounds, each shuffled in another way, so that every turn is taken equally often and with every
// kind of program. All modes when `turns` is 0.
uint64_t modes_of(const std::vector<const Mode*>& modes, unsigned turns, uint64_t seed);

}  // namespace eddy::fuzz
