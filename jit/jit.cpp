// Tiering: what is compiled when, and the way between interpreter and machine code.
#include "jit/jit.h"

#include <fnmatch.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <set>
#include <unordered_map>
#include <utility>

#include "jit/build/builder.h"
#include "jit/build/expectation.h"
#include "jit/build/switching.h"
#include "jit/codegen/stub_calls.h"
#include "jit/codegen/target.h"
#include "jit/debug/describe.h"
#include "jit/departures.h"
#include "jit/passes/passes.h"
#include "runtime/fiber_pool.h"
#include "runtime/statistics.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#include "vm/names.h"

namespace eddy::jit {

namespace {

constexpr unsigned kMaxLeaves = 20;     // until a function is compiled again, without speculation
constexpr unsigned kMaxCallees = 5;     // of these because of another callee: the profile tells what to do about it
constexpr unsigned kMaxRestarts = 4;    // until a recursion that is a loop is none: each begins anew, whatever the reason
constexpr unsigned kMaxCompilations = 6, kMaxByChance = 200;
constexpr size_t kLittleCode = 256 << 10;  // where things are left to chance
constexpr unsigned kMaxHopes = 3;
constexpr unsigned kMostConverted = 64;  // frames at a time
constexpr size_t kKeptLivenesses = 200;
constexpr size_t kAlternateStack = 64 << 10;

struct Code {
  vm::LoadedFunction* function = nullptr;
  void* entry = nullptr;
  void* checked_entry = nullptr;
  void* raw_entry = nullptr;
  void* resuming_entry = nullptr;
  void* returned_entry = nullptr;  // for frames that wait for a call whose result goes to
  unsigned returned_to = rt::kInPlace;  // that slot
  size_t size = 0;
  unsigned stack_words = 0;
  uint32_t leaves = 0;
  bool discarded = false;  // it was left too often
  bool osr = false;
  bool accumulates = false;
  std::vector<std::unique_ptr<calls::Materials>> materials;  // of what is made where it is left
  class Compiler* owner = nullptr;
};

// Where code starts that goes on with a frame as it is; behind a call, the slot for what that gave. Nowhere: a function's start.
struct Middle {
  const vm::Word* pc = nullptr;
  unsigned result = rt::kInPlace;
  explicit operator bool() const { return pc; }
};

struct FunctionState {
  Code* code = nullptr;
  unsigned compilations = 0;
  bool speculate = true, one_handler = true, move_checks = true, compare_ints = true, one_callee = true, accumulate = true, refused = false;
  bool waited = false;  // for a loop around it to be compiled
  struct Entrance {
    Code* code = nullptr;
    int32_t returns = 0;  // to frames of the interpreter
  };
  std::unordered_map<const vm::Word*, Entrance> middles;
  std::set<vm::LoadedFunction*> apart;  // functions whose handlers must be there, so that they are not inlined
  std::string why;
};

// Signal handlers may run while the stack pointer is on a fiber.
class AlternateStack {
 public:
  AlternateStack() {
    stack_t old{};
    if (sigaltstack(nullptr, &old) == 0 && !(old.ss_flags & SS_DISABLE)) return;
    memory_ = mmap(nullptr, kAlternateStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) {
      memory_ = nullptr;
      return;
    }
    stack_t stack{};
    stack.ss_sp = memory_;
    stack.ss_size = kAlternateStack;
    sigaltstack(&stack, nullptr);
  }
  ~AlternateStack() {
    if (!memory_) return;
    stack_t off{};
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
    munmap(memory_, kAlternateStack);
  }

 private:
  void* memory_ = nullptr;
};

class Compiler : public vm::Tier {
 public:
  // What the stubs call where machine code is left: its Code, with the reason in its lowest bits.
  static void on_leaving(rt::Context*, void* code) {
    auto bits = reinterpret_cast<Word>(code);
    auto* c = reinterpret_cast<Code*>(bits & ~Word{alignof(Code) - 1});
    c->owner->left(*c, static_cast<Reason>(bits & (alignof(Code) - 1)));
  }

  Compiler(vm::Vm& vm, const Options& options, const Target& target, std::unique_ptr<CodeMemory> memory,
           const StubCode& stubs)
      : ctx_(vm.context()), options_(options), target_(target), memory_(std::move(memory)), stubs_(stubs) {
    const Stubs& s = stubs_.table;
    auto word = [](void* p) { return reinterpret_cast<Word>(p); };
    ctx_.stubs.interp_return = word(s.interp_return);
    ctx_.stubs.clause_end = word(s.clause_end);
    ctx_.stubs.fiber_exit = word(s.fiber_exit);
    ctx_.stubs.vm_exit = word(s.vm_exit);
    ctx_.stubs.watermark = word(s.watermark);
    // The stub clause_end says that its safepoint is number 0.
    safepoints.push_back({&vm::pseudo_functions.clause, vm::pseudo_functions.clause.code, vm::ClauseFrame::Result});
    ctx_.tier = static_cast<vm::Tier*>(this);
    for (size_t i = 0; i < std::size(kDepartures); ++i) ctx_.stats->deopt_names[i] = kDepartures[i];
    if (!options_.listeners.empty())
      for (const debug::CodeRegion& region : debug::stub_regions(stubs_)) tell(region);
    call_weight = std::max(1, options_.osr_threshold / std::max(1, options_.jit_threshold));
  }

  void loaded(vm::LoadedModule& module) override {
    if (options_.tier == TierMode::Jit && !ctx_.on_effect) expectation_.add(module);
    for (vm::LoadedFunction& f : module.functions) {
      set_entry(f, nullptr);
      if (!wanted(f)) continue;
      if (options_.tier == TierMode::Jit) set_entry(f, stubs_.table.call_interpreter);  // compiled when first called
      else if (options_.tier == TierMode::Auto) watch(f);
    }
  }

  void run(rt::Context& ctx) override {
    if (!ctx.stats->detailed) return follow(ctx, [this, &ctx](void* entry) { stubs_.table.enter(&ctx, entry); });
    follow(ctx, [this, &ctx](void* entry) {
      auto start = std::chrono::steady_clock::now();
      stubs_.table.enter(&ctx, entry);
      ctx.stats->machine_ns += since(start);
    });
  }

  Hardship hardship() const { return {options_.chaos != 0, options_.chaos != 0}; }
  // For Options::chaos: one time in `n`.
  bool chance(unsigned n) {
    if (!options_.chaos) return false;
    options_.chaos ^= options_.chaos << 13;
    options_.chaos ^= options_.chaos >> 17;
    options_.chaos ^= options_.chaos << 5;
    if (!options_.chaos) options_.chaos = 1;
    return options_.chaos % n == 0;
  }

  template <class Enter>
  void follow(rt::Context& ctx, Enter enter) {
    for (;;) {
      // The next entry, call or round of a loop takes its slow path.
      if (chance(16)) ctx.stack_limit = vm::kAlwaysSlow;
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

  bool hot_function(vm::LoadedFunction& f, const Word* caller) override {
    FunctionState& state = state_of(f);
    if (!state.code && !std::exchange(state.waited, true) && hot_loop_around(f, caller)) {
      f.heat = std::max(1, options_.osr_threshold / 4);
      return false;
    }
    if (!state.code && !state.refused) compile(f, nullptr);
    return state.code != nullptr;
  }

  void* hot_loop(vm::LoadedFunction& f, const vm::Word* pc) override {
    if (!wanted(f)) return nullptr;
    FunctionState& state = state_of(f);
    return enter_middle(f, state, state.middles[pc], {pc});
  }

  bool compile(vm::LoadedFunction& f, std::string* why) {
    FunctionState& state = state_of(f);
    Code* code = state.refused ? nullptr : make(f, state, {});
    if (why) *why = state.why;
    if (!code) {
      set_entry(f, nullptr);
      return false;
    }
    state.code = code;
    set_entry(f, code->entry, code->resuming_entry, code->raw_entry);
    return true;
  }

  std::string list(vm::LoadedFunction& f) {
    FunctionState& state = state_of(f);
    if (!state.code && !compile(f, nullptr)) return "not compiled: " + state.why + "\n";
    return target_.disassemble(state.code->entry, state.code->size, reinterpret_cast<Word>(state.code->entry), *this);
  }

  // As it would be elsewhere; nothing is kept.
  std::string list_for(vm::LoadedFunction& f, const Target& target) {
    constexpr uint64_t kAddress = 0x100000;
    FunctionState& state = state_of(f);
    Graph graph;
    if (!build(graph, f, state, {})) return "not compiled: " + graph.failure + "\n";
    size_t known = safepoints.size();
    std::unique_ptr<Emitted> emitted = target.emit(graph, listed_stubs(), *this, nullptr, hardship());
    std::string out = "not compiled: " + emitted->failure + "\n";
    std::vector<uint8_t> code(emitted->failure.empty() ? emitted->size() : 0);
    if (emitted->failure.empty() && emitted->place(code.data(), kAddress))
      out = target.disassemble(code.data(), emitted->result.size, kAddress, *this);
    safepoints.resize(known);
    return out;
  }

  std::string list_ir(vm::LoadedFunction& f) {
    Graph graph;
    if (!build(graph, f, state_of(f), {})) return "not compiled: " + graph.failure + "\n";
    return print(graph);
  }

 private:
  void watch(vm::LoadedFunction& f) {
    static const vm::Word kCount[] = {vm::encode(vm::Op::COUNT)};
    f.heat = std::max(1, options_.osr_threshold);
    f.start = kCount;
    for (vm::Word* pc : vm::Instructions(f.linked))
      if (vm::op_of(*pc) == vm::Op::LOOP) *pc = vm::encode_d(vm::Op::LOOP_HOT, 0, vm::d_of(*pc));
  }

  // Where something small is called from an interpreted loop that is getting hot, too: the loop goes first, with this inlined.
  bool hot_loop_around(const vm::LoadedFunction& f, const Word* caller) {
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

  bool has_room(unsigned words) {
    rt::Fiber* fiber = ctx_.fiber;
    if (fiber->sp - fiber->limit >= static_cast<std::ptrdiff_t>(words)) return true;
    if (!ctx_.fibers->grow(fiber, words)) return false;
    if (ctx_.stack_limit != vm::kAlwaysSlow) ctx_.stack_limit = fiber->limit;
    return true;
  }

  void* enter_middle(vm::LoadedFunction& f, FunctionState& state, FunctionState::Entrance& entrance, Middle middle) {
    if (!entrance.code && !state.refused) entrance.code = make(f, state, middle);
    if (!entrance.code) {
      f.heat = INT32_MAX;
      return nullptr;
    }
    return has_room(entrance.code->stack_words) ? entrance.code->entry : nullptr;
  }

  // An interpreted frame that is returned to often (it is copied, or its loop calls much) goes on in machine code.
  bool enter_at_return(rt::Context& ctx) {
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
  void wait_in_machine_code(rt::Context& ctx, Word* word) {
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

  // Where calls of `f` go, from either tier.
  void set_entry(vm::LoadedFunction& f, void* entry, void* resuming = nullptr, void* raw = nullptr) {
    static const vm::Word kEnterMachine[] = {vm::encode(vm::Op::ENTER_MACHINE)};
    f.entry = entry;
    f.machine_entry = entry ? entry : stubs_.table.call_interpreter;
    f.raw_entry = raw ? raw : stubs_.table.box_arguments;
    f.resuming_entry = resuming ? resuming : stubs_.table.perform_known;
    f.start = entry ? kEnterMachine : f.code;
  }

  FunctionState& state_of(vm::LoadedFunction& f) {
    if (!f.compiled) f.compiled = &states_.emplace_back();
    return *static_cast<FunctionState*>(f.compiled);
  }

  bool wanted(const vm::LoadedFunction& f) const {
    return options_.tier != TierMode::Interp &&
           (options_.filter.empty() || fnmatch(options_.filter.c_str(), f.name.c_str(), 0) == 0);
  }

  // Machine code was left for the interpreter.
  void left(Code& code, Reason reason) {
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

  static uint64_t since(std::chrono::steady_clock::time_point start) {
    auto ran = std::chrono::steady_clock::now() - start;
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(ran).count());
  }

  void tell(const debug::CodeRegion& region) {
    for (debug::CodeListener* listener : options_.listeners) listener->added(region);
  }

  // For --trace=jit. `more`: only made where somebody listens.
  template <class More>
  void trace(const char* what, const vm::LoadedFunction& f, const vm::Word* pc, More more) {
    if (!options_.on_event) return;
    std::string place = vm::to_string(vm::source_place(f, pc ? f.pc_of(pc) : 0));
    options_.on_event(std::string(what) + " " + vm::display_name(f) + (place.empty() ? "" : " (" + place + ")") + more());
  }

  bool check(Graph& graph, const char* pass) {
#ifdef EDDY_DEBUG
    if (std::string problem = verify(graph); !problem.empty()) {
      std::fprintf(stderr, "eddy: the graph of %s is wrong after %s: %s\n%s", graph.function->name.c_str(), pass,
                   problem.c_str(), print(graph).c_str());
      std::abort();
    }
#endif
    return graph.failure.empty();
  }

  bool build(Graph& graph, vm::LoadedFunction& f, FunctionState& state, Middle middle) {
    // Functions with handlers are inlined where these vanish: for some, that turns out to be a hope.
    for (unsigned hopes = 0;; ++hopes) {
      Graph fresh;
      fresh.inline_handlers = hopes < kMaxHopes && options_.runs(Pass::Regions);
      fresh.apart = &state.apart;
      size_t known = state.apart.size();
      bool built = build_once(fresh, f, state, middle);
      if (state.apart.size() > known) continue;
      graph = std::move(fresh);
      return built;
    }
  }

  // False too where a function is inlined with a handler that has to be there; it is told apart from then on.
  bool all_vanished(Graph& graph, FunctionState& state) {
    bool all = true;
    for (const Block* b : graph.blocks)
      for (const Node* n : b->nodes) {
        if (n->op != NodeOp::Handle || n->imm == 0) continue;
        state.apart.insert(n->origin->function);
        all = false;
      }
    return all;
  }

  // Graph::spent, made when it is first wanted. It lives as long as the heap, which may end before this does.
  Word spent() {
    if (spent_) return spent_;
    rt::Value made = stub_calls::remake(&ctx_, nullptr, rt::kUnit, rt::kUnit);
    ctx_.heap->add_roots(made.ptr(), [](void* owner, void* data, rt::Heap::RootVisitor visit) {
      rt::Value v = rt::ptr_value(static_cast<rt::Object*>(owner));
      visit(data, &v);
    });
    return spent_ = made.bits;
  }

  bool build_once(Graph& graph, vm::LoadedFunction& f, FunctionState& state, Middle middle) {
    graph.ctx = &ctx_;
    graph.function = &f;
    graph.osr = middle.pc;
    graph.osr_result = middle.result;
    if (takes_apart(f)) graph.spent = spent();
    if (livenesses_.size() > kKeptLivenesses) livenesses_.clear();
    graph.livenesses = &livenesses_;
    graph.count = ctx_.stats->detailed;
    graph.positions = !options_.listeners.empty();
    graph.speculate = state.speculate && options_.runs(Pass::Speculate);
    graph.one_handler = state.one_handler;
    graph.move_checks = state.move_checks;
    graph.compare_ints = state.compare_ints;
    graph.one_callee = state.one_callee;
    graph.accumulate = state.accumulate;
    if (f.linked.empty()) {
      graph.failure = "no code";
      return false;
    }
    Builder builder(graph, options_);
    if (!builder.build() || !check(graph, "build")) return false;
    simplify_phis(graph);
    if (!check(graph, "phis")) return false;
    struct Step {
      Pass pass;
      void (*run)(Graph&);
    };
    // Fields in registers make more Ints known.
    static constexpr Step kSteps[] = {{Pass::Hoist, move_callees}, {Pass::Ints, find_small_ints}, {Pass::Clauses, make_clauses_lazy},
                                      {Pass::Regions, remove_handlers}, {Pass::Regions, remove_named_regions}, {Pass::Straight, go_straight}, {Pass::Objects, remove_objects}, {Pass::Ints, [](Graph& g) { if (g.fields_known) find_small_ints(g); }},
                                      {Pass::Continuations, take_continuations_apart}, {Pass::Floats, unbox_loops},   {Pass::Hoist, hoist},
                                      {Pass::Promote, promote_fields}, {Pass::Ints, find_small_ints},
                                      {Pass::Detach, merge_blocks},  {Pass::Detach, detach},
                                      {Pass::Ranges, find_ranges},   {Pass::Closed, find_closed_forms},
                                      {Pass::Bounds, find_bounds},   {Pass::Numbering, number_values},
                                      {Pass::Unroll, unroll},        {Pass::Tests, merge_tests},
                                      {Pass::Polls, drop_safepoints}};
    for (const Step& step : kSteps) {
      if (!options_.runs(step.pass)) continue;
      step.run(graph);
      if (!check(graph, flag_of(step.pass))) return false;
      if (step.pass == Pass::Regions && !all_vanished(graph, state)) return false;
    }
    remove_anchors(graph);
    simplify_phis(graph);
    remove_dead(graph);
    if (options_.runs(Pass::Tests)) find_quick_return(graph);
    if (options_.runs(Pass::Layout)) lay_out(graph);
    return check(graph, "dead");
  }

  Code* make(vm::LoadedFunction& f, FunctionState& state, Middle middle) {
    auto start = std::chrono::steady_clock::now();
    bool again = state.compilations != 0 && !middle;
    Code* code = make_code(f, state, middle);
    uint64_t took = since(start);
    rt::Statistics& stats = *ctx_.stats;
    stats.compile_ns += took;
    stats.longest_compile_ns = std::max(stats.longest_compile_ns, took);
    if (!code) {
      ++stats.refused;
      for (debug::CodeListener* listener : options_.listeners) listener->refused(f, state.why);
      trace("refuse", f, middle.pc, [&] { return ": " + state.why; });
      return nullptr;
    }
    trace(middle ? "compile from the middle of" : again ? "compile again" : "compile", f, middle.pc, [&] {
      return ": " + std::to_string(code->size) + " bytes in " + std::to_string(took / 1000) + " us";
    });
    if (middle) ++stats.loops_compiled;
    else if (again) ++stats.recompiled;
    else ++stats.functions_compiled;
    stats.code_bytes += code->size;
    return code;
  }

  Code* make_code(vm::LoadedFunction& f, FunctionState& state, Middle middle) {
    if (chance(4)) {
      state.why = "by chance";
      return nullptr;
    }
    if (++state.compilations > (options_.chaos ? kMaxByChance : kMaxCompilations + (middle ? 6 : 0))) {
      state.refused = true;
      state.why = "compiled too often";
      return nullptr;
    }
    Graph graph;
    f.switches = may_switch(f);
    if (!build(graph, f, state, middle)) {
      state.why = graph.failure;
      state.refused |= !middle;
      return nullptr;
    }
    Code& code = codes_.emplace_back();
    code.function = &f;
    code.owner = this;
    code.osr = middle.pc != nullptr;
    code.returned_to = middle.result;
    code.accumulates = graph.accumulates;
    size_t known = safepoints.size();
    std::unique_ptr<Emitted> emitted = target_.emit(graph, stubs_.table, *this, &code,
                                                    hardship());
    const CodegenResult& result = emitted->result;
    state.why = emitted->failure;
    if (state.why.empty()) {
      CodeMemory::Place place = memory_->take(emitted->size());
      if (!place.writable || !emitted->place(place.writable, reinterpret_cast<Word>(place.address)) ||
          !memory_->ready(place, emitted->size()))
        state.why = "no memory for code";
      else
        code.entry = place.address;
    }
    if (!state.why.empty()) {
      safepoints.resize(known);
      codes_.pop_back();
      state.refused |= !middle;
      return nullptr;
    }
    code.materials = std::move(emitted->result.materials);
    code.checked_entry = static_cast<char*>(code.entry) + result.checked_entry;
    if (result.raw_entry) code.raw_entry = static_cast<char*>(code.entry) + result.raw_entry;
    if (result.resuming_entry) code.resuming_entry = static_cast<char*>(code.entry) + result.resuming_entry;
    if (result.returned_entry) code.returned_entry = static_cast<char*>(code.entry) + result.returned_entry;
    code.size = result.size;
    if (graph.positions) tell(debug::region_of(graph, result, code.entry));
    code.stack_words = result.stack_words;
    ctx_.fiber_supply.room = std::max<uint64_t>(ctx_.fiber_supply.room, (result.stack_words - f.frame_words()) * sizeof(rt::Word));
    return &code;
  }

  rt::Context& ctx_;
  Options options_;
  AlternateStack alternate_stack_;
  const Target& target_;
  std::unique_ptr<CodeMemory> memory_;
  const StubCode stubs_;
  bool left_ = false;  // machine code, just now
  Word spent_ = 0;     // spent()
  Expectation expectation_;
  std::deque<FunctionState> states_;
  std::deque<Code> codes_;
  std::unordered_map<vm::LoadedFunction*, std::unique_ptr<vm::Liveness>> livenesses_;
};

}  // namespace

bool available() { return host_target() != nullptr; }
bool known_arch(const std::string& arch) { return target_named(arch) != nullptr; }

std::unique_ptr<vm::Tier> attach(vm::Vm& vm, const Options& options) {
  if (options.tier == TierMode::Interp) return nullptr;
  const Target* target = host_target();
  if (!target) return nullptr;
  auto memory = std::make_unique<CodeMemory>(options.chaos ? kLittleCode : options.code_bytes, options.anonymous_code);
  if (!memory->exists()) return nullptr;
  std::optional<StubCode> stubs = place_stubs(target->stubs(vm.context().on_effect != nullptr), *memory, Compiler::on_leaving);
  if (!stubs) return nullptr;
  return std::make_unique<Compiler>(vm, options, *target, std::move(memory), *stubs);
}

bool compile(vm::Tier& tier, vm::LoadedFunction& function, std::string* why) {
  return static_cast<Compiler&>(tier).compile(function, why);
}
std::string listing(vm::Tier& tier, vm::LoadedFunction& function, const char* arch) {
  auto& compiler = static_cast<Compiler&>(tier);
  return arch ? compiler.list_for(function, *target_named(arch)) : compiler.list(function);
}
std::string ir_listing(vm::Tier& tier, vm::LoadedFunction& function) { return static_cast<Compiler&>(tier).list_ir(function); }

}  // namespace eddy::jit
