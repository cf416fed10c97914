// The VM's own frames. They look like interpreted ones, so every walker understands them; their code is one
// instruction.
#pragma once
#include "runtime/frame.h"
#include "vm/loaded.h"

namespace eddy::vm {

// Below a clause that runs in place: an unwind record (object: the Node or Named whose clause it is) that
// also keeps the performer's context.
struct ClauseFrame {
  enum Tagged { Object, Top, Result, kTagged };
  enum Raw { Link = kTagged, Resume, Tag, Epoch, kEnd };
  static constexpr unsigned kRaw = kEnd - kTagged;
  static constexpr unsigned kWords = rt::frame_words(kEnd);
};

// Below a `defer` or `finally` that runs while the stack is unwound: how the unwinding goes on. It is a record
// too (object: where the unwinding ends or, for a panic, what it passes over), so that a panic in the
// deferred code passes over what was being dropped anyway.
struct UnwindFrame {
  enum Tagged { Object, Top, Result, Target, Payload, Trace, kTagged };
  enum Raw { Link = kTagged, Resume, Kind, ClausePtr, Base, kEnd };
  static constexpr unsigned kRaw = kEnd - kTagged;
  static constexpr unsigned kWords = rt::frame_words(kEnd);
};

struct PseudoFunctions {
  LoadedFunction clause;
  LoadedFunction unwind;
};
const PseudoFunctions& pseudo_functions();

}  // namespace eddy::vm
