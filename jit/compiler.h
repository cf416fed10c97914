// What compiles functions and keeps what it made of them (compiler.cpp), and decides when (tiering.cpp).
#pragma once
#include <chrono>
#include <deque>
#include <set>
#include <string>
#include <unordered_map>

#include "jit/alternate_stack.h"
#include "jit/build/expectation.h"
#include "jit/codegen/target.h"
#include "jit/debug/describe.h"
#include "jit/ir/ir.h"
#include "jit/options.h"
#include "runtime/statistics.h"
#include "vm/names.h"

namespace eddy::jit {

struct Code {
  vm::LoadedFunction* function = nullptr;
  void* entry = nullptr;
  void* checked_entry = nullptr;
  void* raw_entry = nullptr;
  void* resuming_entry = nullptr;
  void* returned_entry = nullptr;       // for frames that wait for a call whose result goes to
  unsigned returned_to = rt::kInPlace;  // that slot
  size_t common = 0, size = 0;
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
  bool speculate = true, one_handler = true, move_checks = true, compare_ints = true, one_callee = true, accumulate = true,
       refused = false;
  bool waited = false;  // for a loop around it to be compiled
  struct Entrance {
    Code* code = nullptr;
    int32_t returns = 0;  // to frames of the interpreter
  };
  std::unordered_map<const vm::Word*, Entrance> middles;
  std::set<vm::LoadedFunction*> apart;  // functions whose handlers must be there, so that they are not inlined
  std::string why;
};

class Compiler : public vm::Tier {
 public:
  // What the stubs call where machine code is left: its Code, with the reason in its lowest bits.
  static void on_leaving(rt::Context*, void* code) {
    auto bits = reinterpret_cast<Word>(code);
    auto* c = reinterpret_cast<Code*>(bits & ~Word{alignof(Code) - 1});
    c->owner->left(*c, static_cast<Reason>(bits & (alignof(Code) - 1)));
  }

  Compiler(rt::Context& ctx, const Options& options, const Target& target, std::unique_ptr<CodeMemory> memory,
           const StubCode& stubs);

  void loaded(vm::LoadedModule& module) override;
  void run(rt::Context& ctx) override;
  bool hot_function(vm::LoadedFunction& f, const Word* caller) override;
  void* hot_loop(vm::LoadedFunction& f, const vm::Word* pc) override;

  bool compile(vm::LoadedFunction& f, std::string* why);
  std::string list(vm::LoadedFunction& f);
  // As it would be elsewhere; nothing is kept.
  std::string list_for(vm::LoadedFunction& f, const Target& target);
  std::string list_ir(vm::LoadedFunction& f);

 private:
  // tiering.cpp
  bool wanted(const vm::LoadedFunction& f) const;
  FunctionState& state_of(vm::LoadedFunction& f);
  void watch(vm::LoadedFunction& f);
  // Where calls of `f` go, from either tier.
  void set_entry(vm::LoadedFunction& f, void* entry, void* resuming = nullptr, void* raw = nullptr);
  template <class Enter>
  void follow(rt::Context& ctx, Enter enter);
  bool hot_loop_around(const vm::LoadedFunction& f, const Word* caller);
  bool has_room(unsigned words);
  void* enter_middle(vm::LoadedFunction& f, FunctionState& state, FunctionState::Entrance& entrance, Middle middle);
  bool enter_at_return(rt::Context& ctx);
  void wait_in_machine_code(rt::Context& ctx, Word* word);
  void left(Code& code, Reason reason);

  // compiler.cpp
  bool build(Graph& graph, vm::LoadedFunction& f, FunctionState& state, Middle middle, const Target& target);
  bool build_once(Graph& graph, vm::LoadedFunction& f, FunctionState& state, Middle middle);
  Word spent();
  Code* make(vm::LoadedFunction& f, FunctionState& state, Middle middle);
  Code* make_code(vm::LoadedFunction& f, FunctionState& state, Middle middle);
  void tell(const debug::CodeRegion& region);

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
  static uint64_t since(std::chrono::steady_clock::time_point start);
  // For --trace=jit. `more`: only made where somebody listens.
  template <class More>
  void trace(const char* what, const vm::LoadedFunction& f, const vm::Word* pc, More more) {
    if (!options_.on_event) return;
    std::string place = vm::to_string(vm::source_place(f, pc ? f.pc_of(pc) : 0));
    options_.on_event(std::string(what) + " " + vm::display_name(f) + (place.empty() ? "" : " (" + place + ")") + more());
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

}  // namespace eddy::jit
