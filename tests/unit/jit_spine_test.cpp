// The spine: machine code that no compiler made, a few instructions by hand, between frames of the interpreter.
//
// In the handler programs every function that is called by name is called through a hop: `hop_f(args)` calls
// `f(args)`, keeps its own first argument alive meanwhile, and returns the result. The hops are machine code, all
// else is interpreted, so frames alternate; they are called both ways, on fibers that grow, captured, resumed where
// they were performed and elsewhere, twice, and aborted, while the collector runs.
#include <gtest/gtest.h>

#include <asmjit/core.h>

#include <deque>
#include <regex>

#include "jit/codegen/target.h"
#include "tests/support/handler_programs.h"
#include "tests/support/run_text.h"
#include "vm/control/control.h"
#include "vm/control/pseudo.h"
#if defined(__x86_64__)
#include <asmjit/x86.h>

#include "jit/x64/registers.h"
#elif defined(__aarch64__)
#include "jit/a64/macros.h"
#endif

namespace eddy::jit {
namespace {

using rt::Word;
uint64_t hops_taken = 0;

struct Hop {
  void* entry = nullptr;
  void* checked_entry = nullptr;
  unsigned stack_words = 0;
};

struct HopCode {
  vm::LoadedFunction* function;
  const vm::LoadedFunction* callee;
  uint32_t safepoint;
  const Stubs& stubs;
};

// The entry, and behind `checked` the one that knows of the room. What is emitted mirrors what the compiler's
// emitters do, from their registers.h.
#if defined(__x86_64__)
void emit_hop(asmjit::CodeHolder& holder, const HopCode& hop, asmjit::Label* checked) {
  using namespace asmjit::x86;
  Assembler a(&holder);
  auto gp = [](unsigned i) { return gpq(static_cast<uint32_t>(x64::kAllocatable[i])); };
  auto slot = [](unsigned i) { return qword_ptr(rsp, static_cast<int>(8 * (rt::kFrameHeaderWords + i))); };
  int below = static_cast<int>(hop.function->frame_words() - 1) * 8;
  asmjit::Label no_room = a.newLabel(), body = a.newLabel();
  *checked = a.newLabel();
  a.sub(rsp, below);
  a.cmp(rsp, qword_ptr(r15, at::stack_limit));
  a.jb(no_room);
  a.bind(body);
  a.mov(rax, reinterpret_cast<uint64_t>(&hops_taken));
  a.inc(qword_ptr(rax));
  a.mov(slot(0), gp(0));
  a.mov(rdx, reinterpret_cast<uint64_t>(static_cast<const rt::Function*>(hop.callee)));
  a.call(qword_ptr(rdx, at::machine_entry));
  const uint8_t nop[] = {0x0f, 0x1f, 0x80};
  a.embed(nop, 3);
  a.embed(&hop.safepoint, 4);
  a.mov(rdi, slot(0));
  a.add(rsp, below);
  a.ret();
  a.bind(no_room);
  a.add(rsp, below);
  a.mov(rdx, reinterpret_cast<uint64_t>(static_cast<rt::Function*>(hop.function)));
  a.mov(rax, reinterpret_cast<uint64_t>(hop.stubs.call_interpreter));
  a.jmp(rax);
  a.bind(*checked);
  a.sub(rsp, below);
  a.jmp(body);
}
constexpr asmjit::Arch kArch = asmjit::Arch::kX64;
#elif defined(__aarch64__)
void emit_hop(asmjit::CodeHolder& holder, const HopCode& hop, asmjit::Label* checked) {
  using namespace asmjit::a64;
  a64::Assembler a(&holder);
  auto slot = [&](unsigned i) { return a.slot(x20, 8 * (rt::kFrameHeaderWords + i)); };
  int below = static_cast<int>(hop.function->frame_words() - 1) * 8;
  asmjit::Label no_room = a.newLabel(), body = a.newLabel();
  *checked = a.newLabel();
  a.sub(x20, x20, below + 8);
  a.ldr(x17, ptr(x19, at::stack_limit));
  a.cmp(x20, x17);
  a.b_lo(no_room);
  a.bind(body);
  a.str(x30, ptr(x20, below));
  a.constant(x16, static_cast<const void*>(&hops_taken));
  a.ldr(x17, ptr(x16));
  a.add(x17, x17, 1);
  a.str(x17, ptr(x16));
  a.str(x0, slot(0));
  a.constant(x17, static_cast<const rt::Function*>(hop.callee));
  a.ldr(x16, ptr(x17, at::machine_entry));
  a.blr(x16);
  uint32_t nop = a64::safepoint_word(hop.safepoint);
  a.embed(&nop, 4);
  a.ldr(x1, slot(0));
  a.ldr(x30, ptr(x20, below));
  a.add(x20, x20, below + 8);
  a.ret(x30);
  a.bind(no_room);
  a.add(x20, x20, below + 8);
  a.constant(x17, static_cast<rt::Function*>(hop.function));
  a.jump_to(hop.stubs.call_interpreter);
  a.bind(*checked);
  a.sub(x20, x20, below + 8);
  a.b(body);
  a.literals();
}
constexpr asmjit::Arch kArch = asmjit::Arch::kAArch64;
#endif

class Spine : public vm::Tier {
 public:
  explicit Spine(vm::Vm& vm) : ctx_(vm.context()), stubs_(place_stubs(host_target()->stubs(Watch::Nothing), memory_, [](rt::Context*, void*) {})) {
    use_stubs(ctx_, stubs_->table);
    safepoints.push_back({&vm::pseudo_functions.clause, vm::pseudo_functions.clause.code, vm::ClauseFrame::Result});
    ctx_.tier = static_cast<vm::Tier*>(this);
  }

  void loaded(vm::LoadedModule& module) override {
    for (vm::LoadedFunction& f : module.functions) {
      f.machine_entry = stubs_->table.call_interpreter;
      if (f.name.rfind("hop_", 0) != 0) continue;
      for (vm::LoadedFunction& callee : module.functions)
        if (callee.name == f.name.substr(4)) make(f, callee);
    }
  }

  void run(rt::Context& ctx) override {
    for (;;) {
      switch (ctx.action) {
        case rt::Action::Stop: return;
        case rt::Action::Deliver:
          if (vm::return_target(ctx, ctx.fiber->sp) == ctx.stubs.interp_return) return;
          stubs_->table.enter(&ctx, nullptr);
          break;
        case rt::Action::Call: {
          auto* f = vm::loaded(ctx.callee);
          if (!f->entry) return;
          auto* hop = static_cast<Hop*>(f->compiled);
          if (reinterpret_cast<Word>(ctx.fiber->sp + 1 - hop->stack_words) < reinterpret_cast<Word>(ctx.stack_limit)) {
            if (ctx.stack_limit == vm::kAlwaysSlow && !vm::safepoint(&ctx)) continue;
            if (!vm::reserve(ctx, hop->stack_words)) continue;
          }
          stubs_->table.enter(&ctx, hop->checked_entry);
          break;
        }
      }
    }
  }

  bool hot_function(vm::LoadedFunction&, const vm::Word*) override { return false; }
  void* hot_loop(vm::LoadedFunction&, const vm::Word*) override { return nullptr; }

 private:
  void make(vm::LoadedFunction& f, const vm::LoadedFunction& callee) {
    static const vm::Word kEnterMachine[] = {vm::encode(vm::Op::ENTER_MACHINE)};
    // CALL r0 …: the register behind the parameters takes the result.
    auto index = static_cast<uint32_t>(safepoints.size());
    safepoints.push_back({&f, f.code + vm::length_of(*f.code), f.params});
    asmjit::CodeHolder holder;
    holder.init(asmjit::Environment(kArch));
    asmjit::Label checked;
    emit_hop(holder, {&f, &callee, index, stubs_->table}, &checked);
    holder.flatten();
    holder.resolveUnresolvedLinks();
    CodeMemory::Place place = memory_.take(holder.codeSize());
    ASSERT_TRUE(place.writable);
    ASSERT_EQ(holder.relocateToBase(reinterpret_cast<uint64_t>(place.address)), asmjit::kErrorOk);
    holder.copyFlattenedData(place.writable, holder.codeSize());
    ASSERT_TRUE(memory_.ready(place, holder.codeSize()));
    hops_.push_back({place.address, place.address + holder.labelOffset(checked), f.frame_words()});
    f.compiled = &hops_.back();
    f.entry = f.machine_entry = place.address;
    f.start = kEnterMachine;
  }

  rt::Context& ctx_;
  CodeMemory memory_;
  std::optional<StubCode> stubs_;
  std::deque<Hop> hops_;
};

const bool kAttached = [] {
  test::attach_compiler = [](vm::Vm& machine) -> std::unique_ptr<vm::Tier> {
    return host_target() ? std::make_unique<Spine>(machine) : nullptr;
  };
  return true;
}();

// Calls by name become calls of hops.
std::string with_hops(std::string text) {
  static const std::regex call("CALL( r[0-9]+,)? (body|nest|run|resume1|steps|run_outer|run3) \\(");
  static const std::regex function("function (body|nest|run|resume1|steps|run_outer|run3)( params ([0-9]))? \\{");
  std::string hops;
  for (std::sregex_iterator i(text.begin(), text.end(), function), end; i != end; ++i) {
    int params = (*i)[3].matched ? std::stoi((*i)[3]) : 0;
    std::string list;
    for (int p = 0; p < params; ++p) list += fmt::format("{}r{}", p ? ", " : "", p);
    hops += fmt::format("function hop_{0}{1} {{ CALL r{2}, {0} ({3}) {4} RET r{2} }}\n", (*i)[1].str(),
                        params ? fmt::format(" params {}", params) : "", params, list,
                        params ? fmt::format("MOVE r{}, r0", params + 1) : "");
  }
  return std::regex_replace(text, call, "CALL$1 hop_$2 (") + hops;
}

using namespace test::handlers;

void check(const Case& c) {
  std::string text = with_hops(text_of(c)), problem;
  std::optional<vm::Module> module = test::checked_module(text, &problem);
  ASSERT_TRUE(module) << describe(c) << ": " << problem << "\n" << text;
  bool heavy = c.levels > 20 || c.depth > 100;
  const test::RunMode modes[] = {{}, {.gc_stress = heavy ? 97u : 1u, .verify_heap = !heavy}, {.gc_stress = 7, .nursery = 1 << 16}};
  for (const test::RunMode& mode : modes) {
    if (heavy && mode.gc_stress == 7) continue;
    uint64_t before = hops_taken;
    ASSERT_EQ(test::run_module(*module, mode), expected(c))
        << describe(c) << ", collecting at every " << mode.gc_stress << "\n" << text;
    ASSERT_GE(hops_taken - before, 3u + static_cast<unsigned>(c.depth)) << describe(c);
  }
}

struct Pair {
  Kind kind;
  Use use;
};
constexpr Pair kAll[] = {{Kind::TailPlain, Use::AtOnce},   {Kind::Tail, Use::AtOnce},     {Kind::TailOrAbort, Use::AtOnce},
                         {Kind::TailOrAbort, Use::Never},  {Kind::TailOrAbort, Use::NeverNow}, {Kind::Abort, Use::Never},
                         {Kind::Once, Use::AtOnce},        {Kind::Once, Use::NotTail},    {Kind::Once, Use::Twice},
                         {Kind::Once, Use::Never},         {Kind::Once, Use::NeverNow},   {Kind::Multi, Use::AtOnce},
                         {Kind::Multi, Use::NotTail},      {Kind::Multi, Use::Twice},     {Kind::Multi, Use::Never}};

TEST(Spine, EveryKindOfClause) {
  for (const Pair& p : kAll)
    for (bool named : {false, true})
      for (Wrap wrap : {Wrap::Fiber, Wrap::Defer, Wrap::Handler})
        for (int levels : {0, 2}) {
          check({p.kind, p.use, named, wrap, levels, 3});
          if (HasFatalFailure()) return;
        }
}

TEST(Spine, OnFibersThatGrow) {
  for (const Pair& p : kAll)
    for (int depth : {60, 700}) {
      check({p.kind, p.use, false, Wrap::Fiber, 1, depth});
      if (HasFatalFailure()) return;
    }
}

TEST(Spine, ResumedElsewhere) {
  for (Kind kind : {Kind::Once, Kind::Multi})
    for (From from : {From::Main, From::Value, From::OtherHandler, From::TailClause, From::OnceClause, From::OwnFiber,
                      From::ClauseOfSame})
      for (int depth : {0, 40}) {
        Case c{kind, Use::Later, false, Wrap::Fiber, 1, depth};
        c.from = from;
        check(c);
        if (HasFatalFailure()) return;
      }
}

}  // namespace
}  // namespace eddy::jit
