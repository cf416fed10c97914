// What the VM knows of a compiler: nothing but this. (jit/jit.h implements it.)
#pragma once
#include <cstring>
#include <vector>

#include "vm/loaded.h"

namespace eddy::vm {

// What a return address into machine code stands for.
struct Safepoint {
  LoadedFunction* function;
  const Word* pc;
  uint32_t destination;  // or rt::kInPlace
  uint32_t callers = 0;  // of an inlined function: where those it was inlined into start in Tier::callers
};

// The frame of a function that was inlined calls from below those of its callers. Nobody has written their headers:
// whoever looks at the frames does (vm/control/frames.cpp).
struct InlinedCaller {
  LoadedFunction* function = nullptr;
  const Word* pc = nullptr;
  uint32_t destination = 0;
  int32_t words = 0;  // from the frame of the safepoint up to this one
};

struct Tier {
  virtual ~Tier() = default;
  // Links a module's functions to machine code or to what makes it.
  virtual void loaded(LoadedModule& module) = 0;
  // Follows ctx.action into machine code; returns where it is the interpreter's turn, or with Action::Stop.
  virtual void run(rt::Context& ctx) = 0;
  // The interpreter found a function hot, called from the frame at `caller`: true where it has a machine entry now.
  virtual bool hot_function(LoadedFunction& function, const Word* caller) = 0;
  // The same for a loop, by its first instruction: an address that goes on there with the frame as it is, or null.
  virtual void* hot_loop(LoadedFunction& function, const Word* pc) = 0;

  int32_t call_weight = 1;  // what a call takes from a function's heat; an iteration takes 1
  std::vector<Safepoint> safepoints;
  std::vector<InlinedCaller> callers = std::vector<InlinedCaller>(1);  // lists, each with an entry without a function behind it
  // Each call in machine code is followed by a no-op that holds the index of its safepoint.
  const Safepoint& safepoint_at(Word return_address) const {
    uint32_t index;
#if defined(__aarch64__)
    std::memcpy(&index, reinterpret_cast<const char*>(return_address), sizeof index);
    index = (index >> 5 & 0x7ffff) << 2 | (index >> 29 & 3);  // the displacement of an `adr xzr`
#else
    std::memcpy(&index, reinterpret_cast<const char*>(return_address) + 3, sizeof index);
#endif
    return safepoints[index];
  }
};

inline Tier* tier_of(const rt::Context& ctx) { return static_cast<Tier*>(ctx.tier); }

}  // namespace eddy::vm
