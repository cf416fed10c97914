#include "vm/control/pseudo.h"

namespace eddy::vm {

namespace {

const Word kClauseEnd[] = {encode(Op::CLAUSE_END)};
const Word kUnwindNext[] = {encode(Op::UNWIND_NEXT)};

void set_up(LoadedFunction& f, const char* name, const Word* code, unsigned tagged, unsigned raw) {
  f.name = name;
  f.code = code;
  f.tagged = static_cast<uint16_t>(tagged);
  f.raw = static_cast<uint16_t>(raw);
  f.hidden = true;
  f.settle();
  f.all_live = true;
}

struct Made : PseudoFunctions {
  Made() {
    set_up(clause, "<clause>", kClauseEnd, ClauseFrame::kTagged, ClauseFrame::kRaw);
    set_up(unwind, "<unwind>", kUnwindNext, UnwindFrame::kTagged, UnwindFrame::kRaw);
  }
};

}  // namespace

const PseudoFunctions& pseudo_functions() {
  static const Made made;
  return made;
}

}  // namespace eddy::vm
