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

}  // namespace

PseudoFunctions::PseudoFunctions() {
  set_up(clause, "<clause>", kClauseEnd, ClauseFrame::kTagged, ClauseFrame::kRaw);
  set_up(unwind, "<unwind>", kUnwindNext, UnwindFrame::kTagged, UnwindFrame::kRaw);
}

PseudoFunctions pseudo_functions;

}  // namespace eddy::vm
