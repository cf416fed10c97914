// Whether control may leave a function's frames by a perform that captures, to come back by a resumption.
#pragma once
#include "vm/loaded.h"

namespace eddy::jit {

// As the profile has it. Such functions are called and return by plain jumps (docs/jit.md, "Return prediction").
bool may_switch(const vm::LoadedFunction& f);

// Whether a perform in it has met a clause that captures: frames of it wait there, and what is behind them will run.
bool has_captured(const vm::LoadedFunction& f);

// Whether a clause resumes before it does anything else, and never again. Then performing is calling.
bool resumes_first(const vm::LoadedFunction& clause);

// Whether a clause that may resume more than once begins with a resumption that is not the last. Then the performer is what
// that one runs, and a copy of it is what waits.
bool forks(const vm::LoadedFunction& clause);

// Whether a clause gets a continuation that it may resume for good itself: its code takes it apart (passes/continuations.cpp),
// and has an entry for performers that make none.
bool takes_apart(const vm::LoadedFunction& clause);
// Whether performers that have met it try its entry for them.
bool has_resuming_entry(const rt::Clause& clause);

}  // namespace eddy::jit
