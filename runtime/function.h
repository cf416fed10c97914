// A loaded function as the runtime sees it: enough to call it, walk its frames and name it in a trace.
// The machine that executes bytecode extends it (vm/loaded.h).
#pragma once
#include <cstdint>
#include <string>

#include "runtime/value.h"

namespace eddy::rt {

struct Function {
  const Word* start = nullptr;      // what an interpreted call executes: code; ENTER_MACHINE once there is `entry`
  uint32_t frame_size = 0;          // frame_words()
  uint16_t values = 0;              // arguments of a call through a value; kNeverCalled: not callable so
  const Word* code = nullptr;       // linked bytecode
  void* entry = nullptr;            // machine entry; null while it is interpreted
  void* machine_entry = nullptr;    // what machine code calls: `entry`, or a stub that leaves machine code
  void* raw_entry = nullptr;        // what machine code calls with the Floats of `raw_params` in their registers (docs/jit.md)
  void* resuming_entry = nullptr;   // of a clause that resumes first, the same for performers in machine code (docs/jit.md)
  uint16_t params = 0;              // tagged slots 0…params-1 (with captures, slot 0 is the closure itself)
  uint16_t tagged = 0;              // number of tagged slots
  uint16_t raw = 0;                 // number of raw slots, after the tagged ones
  uint16_t captures = 0;            // captures its closure has; meaningful where takes_self
  uint8_t raw_params = 0;           // bit i: `raw_entry` takes argument i without its object
  bool takes_self = false;          // slot 0 receives the closure (or a handle's environment)
  bool fiber_base = false;          // only entered as the first frame of a fiber (FIBER_CALL)
  bool hidden = false;              // not shown in traces (compiler-made)
  int32_t heat = 0;                 // counts down to compilation
  Value closure = kNull;            // the closure of a function without captures (a root)
  std::string name;

  static constexpr uint16_t kNeverCalled = 0xffff;
  // Computes start, frame_size and values from the rest.
  void settle() {
    start = code;
    frame_size = frame_words();
    values = fiber_base ? kNeverCalled : static_cast<uint16_t>(arity());
  }

  unsigned slots() const { return tagged + raw; }
  unsigned frame_words() const { return 3u + tagged + raw; }
  unsigned arity() const { return takes_self ? params - 1u : params; }
};

}  // namespace eddy::rt
