#include "vm/vm.h"

#include <cstdlib>

#include "runtime/fiber_pool.h"
#include "runtime/system_memory.h"
#include "vm/control/control.h"
#include "vm/control/frames.h"
#include "vm/debugger.h"
#include "vm/interpreter/run.h"
#include "vm/liveness.h"
#include "vm/loader.h"
#include "vm/tier.h"
#include "vm/trace.h"

namespace eddy::vm {

namespace {
// A page of stack is enough for many a program. Under stress it starts as small as it can, so that it grows everywhere.
constexpr size_t kFirstStackWords = 512 - rt::kStackSlackWords;

// Without machine code the stubs are only told apart; odd, so that they are no code address either.
constexpr rt::Stubs kNamesOnly{.interp_return = 0x11, .fiber_exit = 0x13, .vm_exit = 0x15, .watermark = 0x17};
}  // namespace

Vm::Vm(const VmOptions& options)
    : stats_(std::make_unique<rt::Statistics>()), first_stack_words_(options.heap.stress ? 0 : kFirstStackWords) {
  ctx_.stubs = kNamesOnly;
  ctx_.stats = stats_.get();
  // Zeroed pages, touched only as far as there are effects.
  ctx_.cells = cells_ = static_cast<rt::EffectCell*>(std::calloc(kMaxEffects, sizeof(rt::EffectCell)));
  if (!cells_) rt::memory::none_left();
  ctx_.arguments = options.arguments;
  ctx_.max_stack = options.max_stack;
  ctx_.fuel = options.fuel;
  if (options.trace_effects) ctx_.on_effect = print_effect;
  if (options.trace) {
    ctx_.trace = options.trace;
    if (options.trace->effects) ctx_.on_effect = trace_effect;
  }
  stats_->detailed = options.detailed_statistics;
  if (options.detailed_statistics) ctx_.on_depth = measure_depth;
  ctx_.fuel_limited = options.fuel != 0;
  fibers_ = std::make_unique<rt::FiberPool>(ctx_);
  ctx_.fibers = fibers_.get();
  heap_ = std::make_unique<rt::Heap>(ctx_, options.heap);
  ctx_.heap = heap_.get();
  heap_->frame_maps = {describe_frame, each_live_slot, frames_at};
  show_to_debuggers(&ctx_);
}

Vm::~Vm() {
  hide_from_debuggers(&ctx_);
  for (auto& module : modules_) heap_->remove_roots(&module->constants);
  ctx_.cells = nullptr;
  std::free(cells_);
}

LoadedModule* Vm::load(Module module, std::string* problem) {
  auto loaded_module = vm::load(ctx_, std::move(module), problem);
  if (!loaded_module) return nullptr;
  if (ctx_.tier) tier_of(ctx_)->loaded(*loaded_module);
  if (auto* trace = static_cast<Trace*>(ctx_.trace); trace && trace->calls) {
    static const Word kTraceCall[] = {encode(Op::TRACE_CALL)};
    for (LoadedFunction& f : loaded_module->functions) f.start = kTraceCall;
  }
  return modules_.emplace_back(std::move(loaded_module)).get();
}

RunResult Vm::initialise(LoadedModule* module) {
  int32_t index = module->source.initialiser;
  return index < 0 ? RunResult{} : call(&module->functions[static_cast<size_t>(index)]);
}

RunResult Vm::run_main(LoadedModule* module) {
  rt::Function* main = &module->functions[static_cast<size_t>(module->source.main)];
  if (!module->source.main_takes_args) return call(main);
  std::vector<rt::Value> items;
  {
    rt::Roots keep(ctx_, items);
    for (const std::string& text : ctx_.arguments) items.push_back(rt::new_string(ctx_, text));
    rt::Value list = rt::new_list(ctx_, items);
    items.assign(1, list);
  }
  return call(main, items);
}

RunResult Vm::call(rt::Function* function, const std::vector<rt::Value>& args) {
  for (size_t i = 0; i < args.size(); ++i) ctx_.args[i] = args[i];
  ctx_.args_live = static_cast<unsigned>(args.size());
  rt::Fiber* fiber = fibers_->make(std::max<size_t>(function->frame_words() + 1, first_stack_words_));
  if (!fiber) return {Outcome::Panicked, rt::kUnit, 0, rt::Limit::None, "stack overflow", ""};
  fiber->parent = nullptr;
  fiber->records = 0;
  fiber->sp = fiber->base - 1;
  *fiber->sp = ctx_.stubs.vm_exit;
  ctx_.fiber = fiber;
  ctx_.heap->fiber_ran(fiber);
  ctx_.safepoint_asked = 0;
  ctx_.respect_limit();
  if (ctx_.fuel_limited || ctx_.interrupt.load() != rt::Interrupt::None) ctx_.request_safepoint();
  ctx_.top = rt::kNull;
  ctx_.tag = ctx_.fresh_tag();
  ctx_.callee = function;
  ctx_.action = rt::Action::Call;
  ctx_.uncaught = ctx_.exiting = ctx_.interrupted = false;
  ctx_.limit_hit = rt::Limit::None;
  for (;;) {
    interpret(ctx_);
    if (ctx_.action == rt::Action::Stop || !ctx_.tier) break;
    tier_of(ctx_)->run(ctx_);
    if (ctx_.action == rt::Action::Stop) break;
  }

  RunResult result;
  if (ctx_.exiting) {
    result.outcome = Outcome::Exited;
    result.status = ctx_.exit_status;
  } else if (ctx_.limit_hit != rt::Limit::None) {
    result.outcome = Outcome::LimitHit;
    result.limit = ctx_.limit_hit;
  } else if (ctx_.uncaught) {
    result.outcome = ctx_.interrupted ? Outcome::Interrupted : Outcome::Panicked;
    result.message = rt::string_view_of(ctx_.panic_message);
    result.trace = rt::string_view_of(ctx_.panic_trace);
    ctx_.panic_message = ctx_.panic_trace = rt::kNull;
  } else {
    result.value = ctx_.result;
  }
  for (rt::Fiber* f = ctx_.fiber; f;) {
    rt::Fiber* parent = f->parent;
    fibers_->release(f);
    f = parent;
  }
  ctx_.fiber = nullptr;
  ctx_.top = rt::kNull;
  return result;
}

void Vm::start_again(const VmOptions& options) {
  ctx_.fuel = options.fuel;
  ctx_.fuel_limited = options.fuel != 0;
  first_stack_words_ = options.heap.stress ? 0 : kFirstStackWords;
  heap_->set_stress(options.heap);
}

void Vm::interrupt(rt::Interrupt why) {
  ctx_.interrupt.store(why);
  ctx_.request_safepoint();
}

}  // namespace eddy::vm
