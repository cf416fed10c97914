// Floats to functions and back without objects, where bytecode says that they are made for the call or taken out of them
// at once.
#include <algorithm>

#include "jit/build/builder.h"
#include "jit/build/natives.h"
#include "jit/build/switching.h"
#include "vm/registers.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::list_item;
using vm::Op;

namespace {

constexpr unsigned kMaxRawParams = 6;  // what comes in registers anywhere
constexpr unsigned kMaxGroup = 40;     // instructions from the first object to the call

bool is_to_int(const rt::Native& native) { return known_native(native) == KnownNative::ToInt; }
bool is_float_native(const rt::Native& native) { return native.unary || native.binary || is_to_int(native); }

bool is_call(Op op) { return op == Op::CALL || (op >= Op::CALL_0 && op <= Op::CALL_4); }
static_assert(static_cast<int>(Op::CALL_4) == static_cast<int>(Op::CALL_0) + 4);

// Where a call's arguments are listed; null of other instructions. Those that take Floats without objects only.
const vm::Word* arguments_of(const vm::Word* pc) {
  Op op = vm::op_of(*pc);
  if (is_call(op) || op == Op::TAIL_CALL || op == Op::CALL_CLOSURE || op == Op::TAIL_CLOSURE) return pc + 2;
  return op == Op::NATIVE && is_float_native(rt::natives()[vm::c_of(*pc)]) ? pc + 1 : nullptr;
}

// Moves and constants: nobody looks at the frame there.
bool is_silent(Op op) {
  switch (op) {
    case Op::MOVE:
    case Op::LOAD_INT:
    case Op::LOAD_K:
    case Op::LOAD_UNIT:
    case Op::LOAD_BOOL:
    case Op::LOAD_CHAR:
    case Op::LOAD_CON:
    case Op::LOAD_FLOAT:
    case Op::LOAD_FN: return true;
    default: return false;
  }
}

// The parameters that are taken out of their objects before anything else, and not read afterwards.
uint8_t raw_params_of(const vm::LoadedFunction& f, const std::map<uint32_t, BlockShape>& shape, vm::Liveness& live) {
  unsigned params = 0, end = 0;
  const vm::Word* code = f.linked.data();
  for (; end < f.linked.size() && vm::op_of(code[end]) == Op::UNBOX; end += vm::length_of(code[end])) {
    unsigned reg = b_of(code[end]);
    if (reg >= std::min<unsigned>(f.params, kMaxRawParams) || (f.takes_self && reg == 0) || params >> reg & 1) return 0;
    params |= 1u << reg;
  }
  // Nothing comes back to these instructions.
  for (const auto& [start, block] : shape)
    if (start < end && (start != 0 || block.loop)) return 0;
  for (unsigned i = 0; i < kMaxRawParams; ++i)
    if (params >> i & 1 && live.is_live(end, i)) params &= ~(1u << i);
  return static_cast<uint8_t>(params);
}

bool raw_result_of(const vm::LoadedFunction& f, const std::map<uint32_t, BlockShape>& shape) {
  const vm::Word* before = nullptr;
  bool any = false;
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    switch (vm::op_of(*pc)) {
      case Op::RET:
        if (!before || vm::op_of(*before) != Op::BOX || a_of(*before) != a_of(*pc) || shape.count(f.pc_of(pc))) return false;
        any = true;
        break;
      case Op::RET_UNIT: return false;
      default: break;
    }
    before = pc;
  }
  return any;
}

}  // namespace

// raw_params and raw_result, once.
void Builder::find_raw(vm::LoadedFunction& f) {
  if (f.raw_known) return;
  f.raw_known = true;
  if (f.raw == 0 || f.linked.empty() || f.fiber_base || resumes_first(f) || forks(f)) return;
  bool starts_over = may_start_over(f);
  std::map<uint32_t, BlockShape> shape = find_shape(f, 0, starts_over);
  f.raw_params = raw_params_of(f, shape, *liveness(&f));
  f.raw_result = raw_result_of(f, shape);
}

// Whether from the object that is made here on all goes to one call, whose function takes the Floats themselves, and is
// nothing but that.
bool Builder::boxes_for_call() {
  if (!passes_raw()) return false;
  struct Boxed { unsigned reg, raw; bool used; };
  std::vector<Boxed> boxed;
  std::vector<unsigned> written;
  auto made = [&](unsigned reg) { return std::find_if(boxed.begin(), boxed.end(), [reg](const Boxed& b) { return b.reg == reg; }); };
  const vm::Word *pc = pc_, *end = frame_->f->linked.data() + frame_->f->linked.size();
  for (unsigned i = 0; i < kMaxGroup && pc < end; ++i, pc += vm::length_of(*pc)) {
    Op op = vm::op_of(*pc);
    if (pc != pc_ && frame_->places.count(frame_->f->pc_of(pc))) return false;
    if (arguments_of(pc)) break;
    if (op == Op::BOX) {
      if (made(a_of(*pc)) != boxed.end()) return false;
      boxed.push_back({a_of(*pc), b_of(*pc), false});
      continue;
    }
    if (!is_silent(op)) return false;
    bool clean = true;
    vm::visit_registers(pc, [&](unsigned r, char) { clean &= made(r) == boxed.end(); }, [&](unsigned r, char) {
      clean &= std::none_of(boxed.begin(), boxed.end(), [r](const Boxed& b) { return b.reg == r || b.raw == r; });
      written.push_back(r);
    });
    if (!clean) return false;
  }
  if (pc >= end || !arguments_of(pc)) return false;
  Op op = vm::op_of(*pc);
  unsigned count = b_of(*pc), params = 0;
  if (op == Op::CALL_CLOSURE || op == Op::TAIL_CLOSURE) {
    unsigned closure = vm::c_of(*pc);
    if (made(closure) != boxed.end() || std::count(written.begin(), written.end(), closure)) return false;
    rt::Function* f = known_callee(pc, use(closure), count);
    if (!f) return false;
    find_raw(*vm::loaded(f));
    params = f->raw_params >> f->takes_self;
  } else if (op == Op::NATIVE) {
    unsigned raw = 0;
    if (!is_to_int(rt::natives()[vm::c_of(*pc)]) && !unboxes_next(pc, a_of(*pc), &raw)) return false;
    params = (1u << count) - 1;
  } else {
    auto* f = vm::loaded(reinterpret_cast<rt::Function*>(pc[1]));
    find_raw(*f);
    if (count == f->params) params = f->raw_params;
  }
  if (params == 0) return false;
  for (unsigned i = 0; i < count; ++i) {
    auto b = made(list_item(arguments_of(pc), i));
    bool raw = i < kMaxRawParams && params >> i & 1;
    if (raw != (b != boxed.end())) return false;
    if (raw) b->used = true;
  }
  bool tail = op == Op::TAIL_CALL || op == Op::TAIL_CLOSURE;
  const vm::Word* behind = pc + vm::length_of(*pc);
  for (const Boxed& b : boxed) {
    if (!b.used) return false;
    if (!tail && b.reg != a_of(*pc) && frame_->live->is_live(frame_->f->pc_of(behind), b.reg)) return false;
  }
  frame_->raw_call = pc;
  return true;
}

// Whether the instruction behind the one at `pc` takes what comes to `destination` out of its object, and nothing else is
// done with it: then the register where that goes.
bool Builder::unboxes_next(const vm::Word* pc, unsigned destination, unsigned* raw) {
  const vm::Word *next = pc + vm::length_of(*pc), *behind = next + 1;
  vm::LoadedFunction* f = frame_->f;
  if (!passes_raw() || frame_->restart || behind >= f->linked.data() + f->linked.size()) return false;
  if (vm::op_of(*next) != Op::UNBOX || b_of(*next) != destination || frame_->places.count(f->pc_of(next))) return false;
  if (frame_->live->is_live(f->pc_of(behind), destination)) return false;
  *raw = a_of(*next);
  return true;
}

// A call or the like whose result is taken as a double where it is one.
Node* Builder::define_result(unsigned destination, NodeOp op) {
  unsigned raw = 0;
  if (!unboxes_next(pc_, destination, &raw)) return define(destination, op);
  Node* n = define(raw, op);
  n->type = Type::Float;
  unboxed(destination);
  return n;
}

// The instruction behind the one at hand has been translated with it.
void Builder::unboxed(unsigned destination) {
  frame_->env[destination] = nullptr;
  done_ = pc_ + vm::length_of(*pc_);
}

// An object that is returned at once: the caller may have no need of it.
bool Builder::returns_raw() {
  const vm::Word* next = pc_ + vm::length_of(*pc_);
  vm::LoadedFunction* f = frame_->f;
  if (!passes_raw() || f->fiber_base || next >= f->linked.data() + f->linked.size()) return false;
  if (vm::op_of(*next) != Op::RET || a_of(*next) != a_of(*pc_) || (frame_->parent && !frame_->raw_result)) return false;
  give_back(use(b_of(*pc_)));
  return true;
}

}  // namespace eddy::jit
