// Ways out of the fast path, and calls: writing down the frame.
#include <algorithm>

#include "jit/codegen/codegen.h"
#include "runtime/plants.h"

namespace eddy::jit {

// Whether handlers or the region of one are made where code leaves: the frames below clauses in them come after that.
static bool changes_context(const FrameState* state) {
  return (!state->objects.empty() && state->objects[0].is_handler()) || (state->guard && vm::op_of(*state->guard) == vm::Op::HANDLE_NAMED);
}

CodegenBase::Saves CodegenBase::capture(const FrameState* state) {
  Saves saves;
  saves.state = state;
  for (const FrameState* s = state; s; s = s->parent)
    for (const FrameState::Entry& e : s->values) {
      if (e.boxed) {
        Location l = e.node->remade() ? Location{} : at(e.node);
        if (!e.node->remade() && l.reg == kNone && !l.memory) failure_ = "a frame state's value is nowhere";
        saves.boxes.push_back({e.home, l.reg, e.node->imm, e.node->remade() || l.reg != kNone ? kNoHome : e.node->home});
      } else if (e.node->remade()) {
        saves.items.push_back({e.home, kNone, e.node->imm});
      } else if (!at(e.node).memory || e.home != e.node->home) {
        Location l = at(e.node);
        if (l.reg == kNone && !l.memory) failure_ = "a frame state's value is nowhere";
        saves.items.push_back({e.home, l.reg, 0, l.reg == kNone ? e.node->home : kNoHome});
      }
    }
  bool handlers = state && changes_context(state);
  for (const FrameState* s = state; s && !handlers; s = s->parent)
    if (s->entered) saves.clauses.push_back({s->base, at(s->entered).reg, s->entered->home, is_named(s->entered)});
  if (state)
    for (const FrameState::Pending& p : state->stores) {
      Location object = at(p.object), value = p.value->remade() ? Location{} : at(p.value);
      saves.fields.push_back({object.reg, p.object->home, p.offset, value.reg,
                              p.value->remade() ? kNoHome : p.value->home, p.value->imm});
    }
  if (state && !state->objects.empty()) gather(state, saves);
  return saves;
}

// What the objects are made of that exist only where code leaves.
void CodegenBase::gather(const FrameState* state, Saves& saves) {
  auto m = std::make_unique<calls::Materials>();
  auto word = [&](const Node* n) {
    int home = g_.staging + static_cast<int>(saves.parts.size());
    Location l = n->remade() ? Location{} : at(n);
    if (!n->remade() && l.reg == kNone && !l.memory) failure_ = "a frame state's value is nowhere";
    saves.parts.push_back({home, l.reg, n->imm, n->remade() || l.reg != kNone ? kNoHome : n->home});
  };
  for (const FrameState::Virtual& v : state->objects) {
    auto index = static_cast<uint32_t>(m->objects.size());
    m->objects.push_back({v.header, v.first, v.has_first, static_cast<uint32_t>(v.fields.size()), v.is_handler()});
    for (int home : v.homes) {
      // A handler's slot is where its environment was kept.
      auto at = v.is_handler() ? m->slots.end() : m->slots.begin();
      m->slots.insert(at, {home - g_.staging, index});
    }
    for (const FrameState::Virtual::Field& f : v.fields) {
      m->fields.push_back({f.node ? -1 : f.object, f.boxed});
      if (f.node) word(f.node);
    }
  }
  if (changes_context(state)) {
    std::vector<const FrameState*> frames;
    for (const FrameState* s = state; s; s = s->parent) frames.insert(frames.begin(), s);
    for (const FrameState* s : frames) {
      int place = s->base - g_.staging;
      if (s->entered) {
        word(s->entered);
        m->steps.push_back({place, -1, true, is_named(s->entered)});
      } else if (s->entered_object >= 0) {
        m->steps.push_back({place, s->entered_object, true, !state->objects[static_cast<size_t>(s->entered_object)].is_handler()});
      }
      for (size_t i = 0; i < state->objects.size() && state->objects[i].is_handler(); ++i)
        if (state->objects[i].handles_for == s->base) m->steps.push_back({place, static_cast<int32_t>(i), false, false});
    }
  }
  m->guard = state->guard;
  if (state->guard) {
    const FrameState* outermost = state;
    while (outermost->parent) outermost = outermost->parent;
    m->guard_frame = outermost->base - g_.staging;
    m->guarded = static_cast<uint32_t>(state->guarded);
  }
  if (static_cast<int>(saves.parts.size()) > g_.staging_words) failure_ = "no room for the fields of objects";
  saves.materials = m.get();
  materials_.push_back(std::move(m));
}

// The frames as others see them. `innermost`: with that frame's own header too (else a safepoint describes
// it).
void CodegenBase::write(const Saves& saves, bool innermost) {
  for (const Saves::Field& f : saves.fields) store_field(f);
  auto store = [this](const Saves::Item& i) {
    if (i.from != kNoHome)
      copy_home(i.home, i.from);
    else if (i.reg == kNone)
      store_constant(i.home, i.constant);
    else
      store_home(i.home, i.reg);
  };
  for (const Saves::Item& i : saves.items) store(i);
  if (innermost)
    for (const auto* list : {&saves.boxes, &saves.parts})
      for (const Saves::Item& i : *list) store(i);
  for (const FrameState* s = saves.state; s; s = s->parent) {
    // A safepoint describes the others as well.
    if (!innermost && (s == saves.state || late_headers_)) continue;
    store_constant(s->base, reinterpret_cast<int64_t>(static_cast<rt::Function*>(s->function)));
    store_constant(s->base + 1, static_cast<int64_t>(rt::pack_resume(s->pc, s->destination)));
    if (s == saves.state) continue;  // who goes on there writes the word below
    store_constant(s->base - 1, reinterpret_cast<int64_t>(stubs_.interp_return));
  }
  if (innermost)
    for (const Saves::Clause& c : saves.clauses) lay_clause_frame(c);
  // By the runtime, so no register holds anything behind it.
  if (innermost && !saves.boxes.empty()) box_homes(saves.state, saves.boxes);
  if (innermost && saves.materials) materialise(saves.state, g_.staging, saves.materials);
}

// Before a call: everything that lives across it is in its slot.
void CodegenBase::save_inline(const FrameState* state) {
  Saves saves = capture(state);
  if (PLANTED(jit_slot_lost) && saves.items.size() > 1) saves.items.pop_back();
  for (const FrameState* s = state; s; s = s->parent)
    for (const FrameState::Entry& e : s->values)
      if (!e.node->remade()) {
        if (e.home != e.node->home) failure_ = "a value of no frame does not survive a call";
        at(e.node).memory = true;
      }
  write(saves, false);
}

Label CodegenBase::leave_label(const Node* n) {
  Label label = new_label();
  Saves saves = capture(n->state);
  if (PLANTED(jit_leave_loses_value) && saves.items.size() > 1) saves.items.pop_back();
  int64_t told = reinterpret_cast<int64_t>(code_record_) | static_cast<int64_t>(n->reason);
  deferred_.push_back([this, label, saves, told] {
    bind(label);
    write(saves, true);
    leave(saves.state->base, told);
  });
  return label;
}

void CodegenBase::metadata(const FrameState* s, bool raw) {
  if (first_resume_ && s == first_resume_->state && !std::exchange(behind_first_, true)) bind(resumed_);
  auto index = static_cast<uint32_t>(tier_.safepoints.size());
  bool wrong = PLANTED(jit_position) && s->pc != s->function->code;
  tier_.safepoints.push_back({s->function, wrong ? s->function->code : s->pc, s->destination});
  if (late_headers_ && s->parent) {
    tier_.safepoints.back().callers = static_cast<uint32_t>(tier_.callers.size());
    for (const FrameState* p = s->parent; p; p = p->parent)
      tier_.callers.push_back({p->function, p->pc, p->destination, p->base - s->base});
    tier_.callers.emplace_back();
  }
  safepoint_index(index, raw);
}

void CodegenBase::slow_path(const Node* n, Label from, std::function<void()> call, Label back,
                            std::function<void()> then) {
  Saves saves = capture(n->state);
  std::vector<std::pair<int, Node*>> reload, unframed;
  for (int r = 0; r < kRegisters; ++r) {
    Node* v = in_[r];
    // What an object is filled with is wanted once it is there.
    bool fills = n->op == NodeOp::Remake && std::find(n->inputs.begin(), n->inputs.end(), v) != n->inputs.end();
    if (!v || v == n || (!n->state && dead_after(v) && !fills)) continue;
    // Without a frame state nobody looks at the frame meanwhile.
    if (g_.is_spill(v->home) || !n->state) {
      // In such code nothing is moved while the runtime runs.
      unframed.push_back({r, v});
      continue;
    }
    bool kept = at(v).memory;
    for (const FrameState* s = n->state; s && !kept; s = s->parent)
      for (const FrameState::Entry& e : s->values) kept |= e.node == v;
    if (kept)
      reload.push_back({r, v});
    else if (!dead_after(v))
      failure_ = "a value does not survive a slow path";
  }
  if (PLANTED(jit_reload_lost) && !reload.empty()) reload.pop_back();
  deferred_.push_back([this, from, back, saves = std::move(saves), unframed = std::move(unframed), reload = std::move(reload),
                       call = std::move(call), then = std::move(then)] {
    bind(from);
    for (auto& [reg, node] : unframed) store_home(node->home, reg);
    write(saves, false);
    call();
    for (auto& [reg, node] : reload) load(reg, node);
    for (auto& [reg, node] : unframed) load(reg, node);
    if (then)
      then();
    else
      jump_to(back);
  });
}

// Arguments from wherever they are into the registers of the calling convention, the rest into the context.
void CodegenBase::arguments(const std::vector<Node*>& values, size_t first, size_t at_index) {
  size_t end = at_index + values.size() - first;
  for (size_t i = std::max<size_t>(registers_.arguments, at_index); i < end; ++i)
    store_argument(static_cast<unsigned>(i), values[first + i - at_index]);
  std::vector<Move> moves;
  std::vector<std::pair<int, Node*>> loads;
  for (size_t i = at_index; i < std::min<size_t>(end, registers_.arguments); ++i) {
    Node* v = values[first + i - at_index];
    int to = static_cast<int>(i) + (v->type == Type::Float || v->op == NodeOp::ConstFloat ? kFirstFloat : 0);
    if (!v->remade() && at(v).reg != kNone) {
      if (at(v).reg != to) moves.push_back({to, at(v).reg});
    } else {
      loads.push_back({to, v});
    }
  }
  parallel_moves(moves);
  for (auto& [reg, node] : loads) load(reg, node);
}

void CodegenBase::to_context_args(const std::vector<Node*>& values, size_t first, unsigned at_index) {
  for (size_t i = first; i < values.size(); ++i)
    store_argument(at_index + static_cast<unsigned>(i - first), values[i]);
}

// After a call: no register holds anything but the one of the result.
void CodegenBase::call_result(Node* n) {
  forget_registers(n);
  if (n->type == Type::None || dead_after(n)) return;
  if (n->type == Type::Tagged) return take_result(output(n));
  // Everything else is in its slot already.
  FrameState& s = in_place_.emplace_back();
  s.function = n->state->function;
  s.pc = n->state->pc;
  s.destination = rt::kInPlace;
  s.base = n->state->base;
  s.parent = n->state->parent;
  take_float(output(n, hints_[n->id] == kNone ? kFirstFloat : kNone), &s,
             s.base + static_cast<int>(rt::kFrameHeaderWords + n->state->destination));
}

}  // namespace eddy::jit
