#include "jit/build/switching.h"

namespace eddy::jit {

namespace {

// `calls`: follow those it makes so many levels down, where nothing is known of the callee yet.
bool scan(const vm::LoadedFunction& f, int calls) {
  if (f.switches) return true;
  // Clauses are entered and bodies left by switches: their returns belong to the calls of others.
  if (f.fiber_base || !f.data || f.data->clause) return false;
  for (size_t at = 0; at < f.linked.size(); at += vm::length_of(f.linked[at])) {
    const vm::Word* pc = f.linked.data() + at;
    switch (vm::op_of(*pc)) {
      case vm::Op::PERFORM:
      case vm::Op::PERFORM_NAMED: {
        const rt::Clause* clause = reinterpret_cast<const vm::PerformCell*>(pc[1])->clause;
        if (clause && clause->kind >= rt::ClauseKind::Once) return true;
        break;
      }
      case vm::Op::CALL:
      case vm::Op::CALL_0:
      case vm::Op::CALL_1:
      case vm::Op::CALL_2:
      case vm::Op::CALL_3:
      case vm::Op::CALL_4:
      case vm::Op::TAIL_CALL:
        if (calls && scan(*vm::loaded(reinterpret_cast<rt::Function*>(pc[1])), calls - 1)) return true;
        break;
      default: break;
    }
  }
  return false;
}

}  // namespace

bool resumes_first(const vm::LoadedFunction& clause) {
  if (!clause.data || !clause.data->clause) return false;
  for (size_t at = 0; at < clause.linked.size(); at += vm::length_of(clause.linked[at])) {
    vm::Word w = clause.linked[at];
    switch (vm::op_of(w)) {
      case vm::Op::LOAD_UNIT:
      case vm::Op::LOAD_BOOL:
      case vm::Op::LOAD_INT:
      case vm::Op::LOAD_K: continue;
      // The continuation is the last parameter.
      case vm::Op::RESUME_LAST: return vm::b_of(w) == clause.params - 1u;
      default: return false;
    }
  }
  return false;
}

bool may_switch(const vm::LoadedFunction& f) { return scan(f, 2); }

}  // namespace eddy::jit
