// The state of one running VM: what the interpreter, machine code, the collector and natives share.
// Machine code addresses fields by offsetof; the hot ones come first.
#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constructors.h"
#include "runtime/fiber.h"
#include "runtime/function.h"
#include "runtime/handler.h"
#include "runtime/value.h"

namespace eddy::rt {

class Heap;
class FiberPool;
struct Statistics;
struct NativeState;
struct Clause;
struct Site;

// What --trace=effects is told. The current frame has been written down. The last argument is the fiber that control
// comes from (resume, drop) or goes to (perform), null where that is not known.
enum class EffectEvent : uint8_t { Perform, Resume, Drop };
using EffectObserver = void (*)(struct Context&, EffectEvent, const Site*, const Clause*, const Fiber*);

// Takes samples of the stack for --profile, at safepoints.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  // The current frame has been written down. `entering`: the function that is about to be called, or null.
  virtual void take(struct Context&, const Function* entering, uint32_t weight) = 0;
};

// Return addresses with a meaning. With machine code enabled they are real stubs; before that, or in a
// build without a JIT, unique addresses that are compared and never jumped to.
struct Stubs {
  Word interp_return;  // the frame above this word is interpreted
  Word clause_end = 0; // the frame above is one below an in-place clause; 0: it is interpreted like others
  Word fiber_exit;     // below a fiber's base frame: the body has finished
  Word vm_exit;        // below the first frame of the VM
  Word watermark = 0;  // stands in for a return address deep in a stack (fiber.h); 0: never placed
};

constexpr unsigned kMaxArgs = 250;

enum class Interrupt : uint8_t { None, Stop, Timeout };  // Ctrl-C unwinds; a timeout just ends

enum class Limit : uint8_t { None, Fuel, Time, Heap };  // why a run was stopped

// What the current fiber, suspended at its `sp`, is to do next.
enum class Action : uint8_t {
  Deliver,  // give ctx.result to the frame above the return address at sp
  Call,     // call ctx.callee with ctx.args; its frame's return address is the word at sp
  Stop,     // leave the VM
};

struct Context {
  // --- hot: pinned or loaded by every fast path
  char* alloc_ptr = nullptr;    // the nursery's bump pointer
  char* alloc_limit = nullptr;
  Word* stack_limit = nullptr;  // the current fiber's limit, or ~0 to make every check take its slow path
  Fiber* fiber = nullptr;       // the current fiber
  Value top = kNull;            // the nearest node of the current context
  uint64_t tag = 1;             // cells with this tag are right for the current context
  EffectCell* cells = nullptr;  // by effect id
  uint64_t next_tag = 2;
  FiberSupply fiber_supply;     // of `fibers`
  Word safepoint_asked = 0;     // ~0 until it comes: or'ed into the limit of each fiber that becomes the current one
  uint64_t moved_at = 1;        // the tag given when a continuation last moved into another context: older ones are void
  Stubs stubs{};
  Value args[kMaxArgs + 6];     // arguments in transit between tiers and to natives (roots, first args_live)
  unsigned args_live = 0;
  Value result = kNull;         // a value in transit (a root)
  Function* callee = nullptr;   // with Action::Call: whom
  Action action = Action::Deliver;
  void* host_sp = nullptr;      // machine code runs: where C++ goes on
  void* tier = nullptr;         // vm/tier.h, where there is a compiler

  // --- failure
  bool panicking = false;       // a native returned kNull: panic_message says why
  Value panic_message = kNull;  // String
  Value panic_trace = kNull;    // String, once it unwinds
  bool uncaught = false;        // the panic left the program: message and trace say which
  bool interrupted = false;     // Ctrl-C: the panic under way is not to be caught
  Limit limit_hit = Limit::None;
  bool exiting = false;         // exit(n) was called
  int exit_status = 0;

  // --- limits and requests; set from other threads or signal handlers
  std::atomic<Interrupt> interrupt{Interrupt::None};
  std::atomic<uint32_t> samples{0};  // of a profile: due at the next safepoint
  bool fuel_limited = false;
  uint64_t fuel = 0;
  uint64_t max_stack = uint64_t{1} << 30;  // bytes of one stack; see fiber_pool.cpp for all of them
  // Set by the heap with its limit reached: the next safepoint clears it and raises the panic "out of memory"
  // (exit status 3 where nobody catches it). Until then allocation goes on from a reserve.
  bool heap_exhausted = false;
  uint64_t limit_panics = 0;  // for want of memory or stack: tiers reach those limits at different places

  EffectObserver on_effect = nullptr;  // while set, no perform takes a short cut
  void* trace = nullptr;                 // vm/trace.h, while something is traced
  SampleSink* profile = nullptr;   // who takes samples
  void (*on_depth)(Context&) = nullptr;  // while set: called where stacks or chains of handlers may have got longer

  // --- tables
  Heap* heap = nullptr;
  FiberPool* fibers = nullptr;
  Statistics* stats = nullptr;
  std::vector<ConInfo> constructors;      // by id
  std::vector<std::string> effect_names;  // by id; cells has as many entries
  std::vector<Value> globals;             // roots
  std::vector<std::string> arguments;     // of the program
  std::shared_ptr<NativeState> natives;   // open files, output buffers (runtime/natives/state.h)
  std::vector<Function*> functions;       // all loaded ones: their closures are roots

  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  uint64_t fresh_tag() { return next_tag++; }
  // Makes the next check in a prologue or on a back-edge take its slow path.
  void request_safepoint() {
    safepoint_asked = ~Word{0};
    stack_limit = reinterpret_cast<Word*>(~Word{0});
  }
  // The current fiber is another one, or its stack is.
  void respect_limit() { stack_limit = reinterpret_cast<Word*>(reinterpret_cast<Word>(fiber->limit) | safepoint_asked); }
};

// Reports a failure from a native: `return panic(ctx, "…")`.
Value panic(Context& ctx, std::string_view message);

}  // namespace eddy::rt
