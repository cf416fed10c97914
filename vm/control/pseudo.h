// The VM's own frames. They look like interpreted ones, so every walker understands them; their code is one
// instruction.
#pragma once
#include "runtime/frame.h"
#include "vm/control/records.h"
#include "runtime/plants.h"

namespace eddy::vm {

// Below a clause that runs in place: an unwind record (object: the Node or Named whose clause it is) that
// also keeps the performer's context.
struct ClauseFrame {
  enum Tagged { Object, Top, Result, kTagged };
  enum Raw { Link = kTagged, Resume, Tag, kEnd };
  // In Resume: the clause has decided not to resume, so the value it returns is its region's.
  static constexpr Word kAborts = 1;
  static constexpr unsigned kRaw = unsigned{kEnd} - unsigned{kTagged};
  static constexpr unsigned kWords = rt::frame_words(kEnd);
};

// Below a `defer` or `finally` that runs while the stack is unwound: how the unwinding goes on. It is a record
// too (object: where the unwinding ends or, for a panic, what it passes over), so that a panic in the
// deferred code passes over what was being dropped anyway.
struct UnwindFrame {
  enum Tagged { Object, Top, Result, Target, Payload, Trace, kTagged };
  enum Raw { Link = kTagged, Resume, Kind, ClausePtr, Base, kEnd };
  static constexpr unsigned kRaw = unsigned{kEnd} - unsigned{kTagged};
  static constexpr unsigned kWords = rt::frame_words(kEnd);
};

struct PseudoFunctions {
  LoadedFunction clause;
  LoadedFunction unwind;
  PseudoFunctions();
};
extern PseudoFunctions pseudo_functions;

// Whether the frame above this return word is a ClauseFrame: the clause returns there that runs in place.
bool returns_to_clause_frame(Context& ctx, const Word* return_word);

// Fills in the ClauseFrame whose slots are `s`, directly below the youngest frame; afterwards the context is `outer`.
inline void lay_clause_frame(Context& ctx, Value* s, Value object, Value outer) {
  s[-2].bits = reinterpret_cast<Word>(static_cast<rt::Function*>(&pseudo_functions.clause));
  s[-1].bits = rt::pack_resume(pseudo_functions.clause.code, ClauseFrame::Result);
  push_record(ctx, s, ClauseFrame::Object, ClauseFrame::Link, object, 0);
  s[ClauseFrame::Result] = rt::kUnit;
  s[ClauseFrame::Tag].bits = ctx.tag;
  s[-3].bits = ctx.stubs.interp_return;
  if (!PLANTED(clause_sees_performer)) ctx.top = outer;
  ctx.tag = ctx.fresh_tag();
}

}  // namespace eddy::vm
