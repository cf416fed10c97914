#include "jit/build/switching.h"

namespace eddy::jit {

namespace {

// Whether `wanted` is true of an instruction.
template <class F>
bool any_instruction(const vm::LoadedFunction& f, F wanted) {
  for (const vm::Word* pc : vm::Instructions(f.linked))
    if (wanted(pc)) return true;
  return false;
}

bool captured(const vm::Word* pc) {
  if (vm::op_of(*pc) != vm::Op::PERFORM && vm::op_of(*pc) != vm::Op::PERFORM_NAMED) return false;
  const rt::Clause* clause = reinterpret_cast<const vm::PerformCell*>(pc[1])->clause;
  return clause && clause->kind >= rt::ClauseKind::Once;
}

// `calls`: follow those it makes so many levels down, where nothing is known of the callee yet.
bool scan(const vm::LoadedFunction& f, int calls) {
  if (f.switches) return true;
  // Clauses are entered and bodies left by switches: their returns belong to the calls of others.
  if (f.fiber_base || !f.data || f.data->clause) return false;
  return any_instruction(f, [calls](const vm::Word* pc) {
    switch (vm::op_of(*pc)) {
      case vm::Op::CALL:
      case vm::Op::CALL_0:
      case vm::Op::CALL_1:
      case vm::Op::CALL_2:
      case vm::Op::CALL_3:
      case vm::Op::CALL_4:
      case vm::Op::TAIL_CALL: return calls && scan(*vm::loaded(reinterpret_cast<rt::Function*>(pc[1])), calls - 1);
      default: return captured(pc);
    }
  });
}

// Whether a clause begins with this resumption of its continuation, its last parameter.
bool begins_with(const vm::LoadedFunction& clause, vm::Op resumption) {
  if (!clause.data || !clause.data->clause) return false;
  for (const vm::Word* pc : vm::Instructions(clause.linked)) {
    switch (vm::op_of(*pc)) {
      case vm::Op::LOAD_UNIT:
      case vm::Op::LOAD_BOOL:
      case vm::Op::LOAD_INT:
      case vm::Op::LOAD_K: continue;
      default: return vm::op_of(*pc) == resumption && vm::b_of(*pc) == clause.params - 1u;
    }
  }
  return false;
}

}  // namespace

bool resumes_first(const vm::LoadedFunction& clause) { return begins_with(clause, vm::Op::RESUME_LAST); }
bool forks(const vm::LoadedFunction& clause) { return !clause.once && begins_with(clause, vm::Op::RESUME); }

bool takes_apart(const vm::LoadedFunction& clause) {
  // What it is taken apart to takes two registers more.
  constexpr unsigned kMostParams = 4;
  if (!clause.once || clause.params > kMostParams || resumes_first(clause)) return false;
  unsigned k = clause.params - 1u;
  return any_instruction(clause, [k](const vm::Word* pc) {
    switch (vm::op_of(*pc)) {
      case vm::Op::RESUME:
      case vm::Op::RESUME_LAST:
      case vm::Op::TAIL_RESUME:
      case vm::Op::TAIL_RESUME_LAST: return vm::b_of(*pc) == k;
      case vm::Op::CALL_CLOSURE: return vm::c_of(*pc) == k;
      default: return false;
    }
  });
}

bool has_resuming_entry(const rt::Clause& clause) {
  const vm::LoadedFunction& f = *vm::loaded(clause.function);
  if (clause.kind == rt::ClauseKind::Multi) return forks(f);
  return clause.kind == rt::ClauseKind::Once && (resumes_first(f) || takes_apart(f));
}

bool has_captured(const vm::LoadedFunction& f) { return any_instruction(f, captured); }

bool may_switch(const vm::LoadedFunction& f) { return scan(f, 2); }

}  // namespace eddy::jit
