// From bytecode to machine code in memory.
#include "jit/compiler.h"

#include <algorithm>

#include "jit/build/builder.h"
#include "jit/build/switching.h"
#include "jit/codegen/stub_calls.h"
#include "jit/departures.h"
#include "jit/passes/passes.h"
#include "vm/control/pseudo.h"

namespace eddy::jit {

namespace {
constexpr unsigned kMaxCompilations = 6, kMaxByChance = 200;
constexpr unsigned kMaxHopes = 3;
constexpr size_t kKeptLivenesses = 200;
}  // namespace

Compiler::Compiler(rt::Context& ctx, const Options& options, const Target& target, std::unique_ptr<CodeMemory> memory,
                   const StubCode& stubs)
    : ctx_(ctx), options_(options), target_(target), memory_(std::move(memory)), stubs_(stubs) {
  use_stubs(ctx_, stubs_.table);
  // The stub clause_end says that its safepoint is number 0.
  safepoints.push_back({&vm::pseudo_functions.clause, vm::pseudo_functions.clause.code, vm::ClauseFrame::Result});
  ctx_.tier = static_cast<vm::Tier*>(this);
  for (size_t i = 0; i < std::size(kDepartures); ++i) ctx_.stats->deopt_names[i] = kDepartures[i];
  if (!options_.listeners.empty())
    for (const debug::CodeRegion& region : debug::stub_regions(stubs_)) tell(region);
  call_weight = std::max(1, options_.osr_threshold / std::max(1, options_.jit_threshold));
}

bool Compiler::compile(vm::LoadedFunction& f, std::string* why) {
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

bool Compiler::build(Graph& graph, vm::LoadedFunction& f, FunctionState& state, Middle middle, const Target& target) {
  // Functions with handlers are inlined where these vanish: for some, that turns out to be a hope.
  for (unsigned hopes = 0;; ++hopes) {
    Graph fresh;
    fresh.features = options_.chaos ? [] { return Features{}; } : target.features;
    fresh.inline_handlers = hopes < kMaxHopes && options_.runs(Pass::Regions);
    fresh.apart = &state.apart;
    size_t known = state.apart.size();
    bool built = build_once(fresh, f, state, middle);
    if (state.apart.size() > known) continue;
    graph = std::move(fresh);
    return built;
  }
}

// Graph::spent, made when it is first wanted. It lives as long as the heap, which may end before this does.
Word Compiler::spent() {
  if (spent_) return spent_;
  rt::Value made = stub_calls::remake(&ctx_, nullptr, rt::kUnit, rt::kUnit);
  ctx_.heap->add_roots(made.ptr(), [](void* owner, void* data, rt::Heap::RootVisitor visit) {
    rt::Value v = rt::ptr_value(static_cast<rt::Object*>(owner));
    visit(data, &v);
  });
  return spent_ = made.bits;
}

bool Compiler::build_once(Graph& graph, vm::LoadedFunction& f, FunctionState& state, Middle middle) {
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
  return Builder(graph, options_).build() && run_passes(graph, options_);
}

Code* Compiler::make(vm::LoadedFunction& f, FunctionState& state, Middle middle) {
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
  trace(middle  ? "compile from the middle of"
        : again ? "compile again"
                : "compile",
        f, middle.pc, [&] { return ": " + std::to_string(code->size) + " bytes in " + std::to_string(took / 1000) + " us"; });
  if (middle) ++stats.loops_compiled;
  else if (again) ++stats.recompiled;
  else ++stats.functions_compiled;
  stats.code_bytes += code->size;
  return code;
}

Code* Compiler::make_code(vm::LoadedFunction& f, FunctionState& state, Middle middle) {
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
  if (!build(graph, f, state, middle, target_)) {
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
  std::unique_ptr<Emitted> emitted = target_.emit(graph, stubs_.table, *this, &code, hardship());
  const CodegenResult& result = emitted->result;
  state.why = emitted->failure;
  if (state.why.empty()) {
    CodeMemory::Place place = memory_->take(emitted->size());
    if (!place.writable || !emitted->place(place.writable, reinterpret_cast<Word>(place.address)) ||
        !memory_->ready(place, emitted->size()))
      state.why = "no memory for code";
    else code.entry = place.address;
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
  code.common = result.common;
  code.size = result.size;
  if (graph.positions) tell(debug::region_of(graph, result, code.entry));
  code.stack_words = result.stack_words;
  ctx_.fiber_supply.room = std::max<uint64_t>(ctx_.fiber_supply.room, (result.stack_words - f.frame_words()) * sizeof(rt::Word));
  return &code;
}

uint64_t Compiler::since(std::chrono::steady_clock::time_point start) {
  auto ran = std::chrono::steady_clock::now() - start;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(ran).count());
}

void Compiler::tell(const debug::CodeRegion& region) {
  for (debug::CodeListener* listener : options_.listeners) listener->added(region);
}

std::string Compiler::list(vm::LoadedFunction& f) {
  FunctionState& state = state_of(f);
  if (!state.code && !compile(f, nullptr)) return "not compiled: " + state.why + "\n";
  return target_.disassemble(state.code->entry, state.code->common, state.code->size, reinterpret_cast<Word>(state.code->entry), *this);
}

// As it would be elsewhere; nothing is kept.
std::string Compiler::list_for(vm::LoadedFunction& f, const Target& target) {
  constexpr uint64_t kAddress = 0x100000;
  FunctionState& state = state_of(f);
  Graph graph;
  if (!build(graph, f, state, {}, target)) return "not compiled: " + graph.failure + "\n";
  size_t known = safepoints.size();
  std::unique_ptr<Emitted> emitted = target.emit(graph, listed_stubs(), *this, nullptr, hardship());
  std::string out = "not compiled: " + emitted->failure + "\n";
  std::vector<uint8_t> code(emitted->failure.empty() ? emitted->size() : 0);
  if (emitted->failure.empty() && emitted->place(code.data(), kAddress))
    out = target.disassemble(code.data(), emitted->result.common, emitted->result.size, kAddress, *this);
  safepoints.resize(known);
  return out;
}

std::string Compiler::list_ir(vm::LoadedFunction& f) {
  Graph graph;
  if (!build(graph, f, state_of(f), {}, target_)) return "not compiled: " + graph.failure + "\n";
  return print(graph);
}

}  // namespace eddy::jit
