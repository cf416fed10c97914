// The shape of a function's bytecode: where blocks start, which of them are loops.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "vm/loaded.h"

namespace eddy::jit {

struct BlockShape {
  uint32_t start = 0;
  bool loop = false;        // something jumps back here
  uint32_t loop_end = 0;    // the last instruction that does
  bool tangled = false;     // the loop is not the stretch of code from here to loop_end
  std::vector<uint32_t> next;
};

// By first word, for everything reachable from `entry`; by a region's target only where that is a `handle`'s that a perform
// in the unit may abort to. `self_loop`: a tail
// call of the function itself jumps to word 0.
std::map<uint32_t, BlockShape> find_shape(const vm::LoadedFunction& function, uint32_t entry, bool self_loop);

// The blocks in an order in which only jumps to loops go back: as they stand, where that is one.
std::vector<uint32_t> order_blocks(std::map<uint32_t, BlockShape>& shape, uint32_t entry);

}  // namespace eddy::jit
