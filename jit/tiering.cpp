// What is compiled when, and the way between interpreter and machine code.
#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "jit/build/builder.h"
#include "jit/compiler.h"
#include "jit/departures.h"
#include "runtime/fiber_pool.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"

namespace eddy::jit {

namespace {
constexpr unsigned kMaxLeaves = 20;      // until a function is compiled again, without speculation
constexpr unsigned kMaxCallees = 5;      // of these because of another callee: the profile tells what to do about it
constexpr unsigned kMaxRestarts = 4;     // until a recursion that is a loop is none: each begins anew, whatever the reason
constexpr unsigned kMostConverted = 64;  // frames at a time
}  // namespace

bool Compiler::wanted(const vm::LoadedFunction& f) const {
  return options_.tier != TierMode::Interp &&
         (options_.filter.empty() || fnmatch(options_.filter.c_str(), f.name.c_str(), 0) == 0);
}

FunctionState& Compiler::state_of(vm::LoadedFunction& f) {
  if (!f.compiled) f.compiled = &states_.emplace_back();
  return *static_cast<FunctionState*>(f.compiled);
}

void Compiler::watch(vm::LoadedFunction& f) {
  static const vm::Word kCount[] = {vm::encode(vm::Op::COUNT)};
  f.heat = std::max(1, options_.osr_threshold);
  f.start = kCount;
  for (vm::Word* pc : vm::Instructions(f.linked))
    if (vm::op_of(*pc) == vm::Op::LOOP) *pc = vm::encode_d(vm::Op::LOOP_HOT, 0, vm::d_of(*pc));
}

// Where calls of `f` go, from either tier.
void Compiler::set_entry(vm::LoadedFunction& f, void* entry, void* resuming, void* raw) {
  static const vm::Word kEnterMachine[] = {vm::encode(vm::Op::ENTER_MACHINE)};
  f.entry = entry;
  f.machine_entry = entry ? entry : stubs_.table.call_interpreter;
  f.raw_entry = raw ? raw : stubs_.table.box_arguments;
  f.resuming_entry = resuming ? resuming : stubs_.table.perform_known;
  f.start = entry ? kEnterMachine : f.code;
}

void Compiler::loaded(vm::LoadedModule& module) {
  if (options_.tier == TierMode::Jit && !ctx_.on_effect) expectation_.add(module);
  for (vm::LoadedFunction& f : module.functions) {
    set_entry(f, nullptr);
    if (!wanted(f)) continue;
    if (options_.tier == TierMode::Jit) set_entry(f, stubs_.table.call_interpreter);  // compiled when first called
    else if (options_.tier == TierMode::Auto) watch(f);
  }
}

template <class Enter>
void Compiler::follow(rt::Context& ctx, Enter enter) {
  for (;;) {
    // The next entry, call or round of a loop takes its slow path.
    if (chance(16)) ctx.request_safepoint();
    switch (ctx.action) {
      case rt::Action::Stop: return;
      case rt::Action::Deliver: {
        // After leaving, the interpreter has to go on first: the same way in would lead to the same way out.
        bool left = std::exchange(left_, false);
        if (vm::return_target(ctx, ctx.fiber->sp) == ctx.stubs.interp_return && (left || !enter_at_return(ctx))) return;
        enter(nullptr);
        break;
      }
      case rt::Action::Call: {
        auto* f = vm::loaded(ctx.callee);
        if (!f->entry) return;
        FunctionState& state = state_of(*f);
        if (chance(8)) state.code = nullptr;
        if (!state.code) compile(*f, nullptr);
        Code* code = state.code;
        if (!code) {
          set_entry(*f, nullptr);
          return;
        }
        if (reinterpret_cast<Word>(ctx.fiber->sp + 1 - code->stack_words) < reinterpret_cast<Word>(ctx.stack_limit)) {
          if (ctx.stack_limit == vm::kAlwaysSlow && !vm::safepoint(&ctx, f)) continue;
          if (!vm::reserve(ctx, code->stack_words)) continue;
        }
        wait_in_machine_code(ctx, ctx.fiber->sp);
        enter(code->checked_entry);
        break;
      }
    }
  }
}

void Compiler::run(rt::Context& ctx) {
  if (!ctx.stats->detailed) return follow(ctx, [this, &ctx](void* entry) { stubs_.table.enter(&ctx, entry); });
  follow(ctx, [this, &ctx](void* entry) {
    auto start = std::chrono::steady_clock::now();
    stubs_.table.enter(&ctx, entry);
    ctx.stats->machine_ns += since(start);
  });
}

bool Compiler::hot_function(vm::LoadedFunction& f, const Word* caller) {
  FunctionState& state = state_of(f);
  if (!state.code && !std::exchange(state.waited, true) && hot_loop_around(f, caller)) {
    f.heat = std::max(1, options_.osr_threshold / 4);
    return false;
  }
  if (!state.code && !state.refused) compile(f, nullptr);
  return state.code != nullptr;
}

// Where something small is called from an interpreted loop that is getting hot, too: the loop goes first, with this inlined.
bool Compiler::hot_loop_around(const vm::LoadedFunction& f, const Word* caller) {
  if (f.linked.size() > kMaxInlineWords || caller[-1] != ctx_.stubs.interp_return) return false;
  auto* frame = reinterpret_cast<const rt::Frame*>(caller);
  if (frame->function == &vm::pseudo_functions.clause) {
    caller += vm::ClauseFrame::kWords;
    if (caller[-1] != ctx_.stubs.interp_return) return false;
    frame = reinterpret_cast<const rt::Frame*>(caller);
  }
  auto* g = vm::loaded(frame->function);
  if (g == &f || !g->module || !wanted(*g) || g->heat > options_.osr_threshold - options_.jit_threshold / 2) return false;
  const vm::Word* pc = rt::resume_pc(frame->resume);
  for (const vm::Word* at : vm::Instructions(g->linked))
    if (vm::op_of(*at) == vm::Op::LOOP_HOT && at >= pc && at + vm::d_of(*at) < pc) {
      g->heat = 0;  // its next round
      return true;
    }
  return false;
}

bool Compiler::has_room(unsigned words) {
  rt::Fiber* fiber = ctx_.fiber;
  if (fiber->sp - fiber->limit >= static_cast<std::ptrdiff_t>(words)) return true;
  if (!ctx_.fibers->grow(fiber, words)) return false;
  ctx_.respect_limit();
  return true;
}

void* Compiler::enter_middle(vm::LoadedFunction& f, FunctionState& state, FunctionState::Entrance& entrance, Middle middle) {
  if (!entrance.code && !state.refused) entrance.code = make(f, state, middle);
  if (!entrance.code) {
    f.heat = INT32_MAX;
    return nullptr;
  }
  return has_room(entrance.code->stack_words) ? entrance.code->entry : nullptr;
}

void* Compiler::hot_loop(vm::LoadedFunction& f, const vm::Word* pc) {
  if (!wanted(f)) return nullptr;
  FunctionState& state = state_of(f);
  return enter_middle(f, state, state.middles[pc], {pc});
}

// An interpreted frame that is returned to often (it is copied, or its loop calls much) goes on in machine code.
bool Compiler::enter_at_return(rt::Context& ctx) {
  auto* frame = reinterpret_cast<rt::Frame*>(ctx.fiber->sp + 1);
  auto* f = vm::loaded(frame->function);
  if (!f->module || !wanted(*f)) return false;
  const vm::Word* pc = rt::resume_pc(frame->resume);
  FunctionState& state = state_of(*f);
  FunctionState::Entrance& entrance = state.middles[pc];
  // What is hot in one place soon is in others.
  const int32_t enough = state.compilations ? options_.jit_threshold / 8 : options_.jit_threshold;
  if (!entrance.code && ++entrance.returns < enough && !chance(3)) return false;
  const unsigned destination = rt::resume_destination(frame->resume);
  void* entry = enter_middle(*f, state, entrance, {pc, destination});
  if (!entry) {
    entrance.returns = 0;
    return false;
  }
  frame = reinterpret_cast<rt::Frame*>(ctx.fiber->sp + 1);
  if (destination != rt::kInPlace) frame->slots[destination] = ctx.result;
  *ctx.fiber->sp = reinterpret_cast<Word>(entry);
  ++ctx.stats->frames_taken_over;
  wait_in_machine_code(ctx, frame->words() + f->frame_words() - 1);
  return true;
}

// The frame that waits above this word, and its callers, where what they wait for is compiled: so do then all copies that are
// made of them.
void Compiler::wait_in_machine_code(rt::Context& ctx, Word* word) {
  for (unsigned left = kMostConverted; left > 0 && *word == ctx.stubs.interp_return; --left) {
    auto* frame = reinterpret_cast<rt::Frame*>(word + 1);
    auto* f = vm::loaded(frame->function);
    auto* state = static_cast<FunctionState*>(f->compiled);
    if (!f->module || !state) return;
    auto found = state->middles.find(rt::resume_pc(frame->resume));
    if (found == state->middles.end() || !found->second.code) return;
    const Code& code = *found->second.code;
    if (!code.returned_entry || code.returned_to != rt::resume_destination(frame->resume)) return;
    if (ctx.fiber->sp - ctx.fiber->limit < static_cast<std::ptrdiff_t>(code.stack_words)) return;
    *word = reinterpret_cast<Word>(code.returned_entry);
    ++ctx.stats->frames_taken_over;
    word = frame->words() + f->frame_words() - 1;
  }
}

// Machine code was left for the interpreter.
void Compiler::left(Code& code, Reason reason) {
  left_ = true;
  auto* frame = reinterpret_cast<rt::Frame*>(ctx_.fiber->sp + 1);
  const vm::Word* pc = rt::resume_pc(frame->resume);
  auto why = static_cast<size_t>(why_left(reason, *pc));
  ++ctx_.stats->deopts[why];
  trace("leave", *vm::loaded(frame->function), pc, [&] { return std::string(": ") + kDepartures[why]; });
  FunctionState& state = state_of(*code.function);
  // What waited in code that is discarded already may still come back to it.
  if (code.discarded || (reason == Reason::Request && !code.accumulates)) return;
  unsigned most = code.accumulates ? kMaxRestarts : reason == Reason::Callee ? kMaxCallees : kMaxLeaves;
  if (++code.leaves < most && reason != Reason::Depth) return;
  code.discarded = true;
  trace("discard", *code.function, nullptr, [] { return std::string(": it was left too often"); });
  if (code.accumulates) state.accumulate = false;
  else if (reason == Reason::Numbers) state.speculate = false;
  else if (reason == Reason::Handler) state.one_handler = false;
  else if (reason == Reason::Moved) state.move_checks = false;
  else if (reason == Reason::Order) state.compare_ints = false;
  else if (reason == Reason::Callee) state.one_callee = false;
  if (code.osr) {
    for (auto& [pc, entrance] : state.middles)
      if (entrance.code == &code) entrance.code = nullptr;
    return;
  }
  if (state.code != &code) return;  // chaos has chosen another
  // The next call compiles it again.
  state.code = nullptr;
  set_entry(*code.function, stubs_.table.call_interpreter);
}

}  // namespace eddy::jit
