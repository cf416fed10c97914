// Performs that find a handler which the unit itself has installed: then nothing needs to be looked up, and an abort is a
// jump.
//
// The context at an instruction is what surrounds the unit and, inside it, the regions that its frames have open; calls give
// it back as it was. So the nearest of these regions that handles an effect is whom a perform finds. A clause in place has
// the context outside of its handler.
#include "jit/build/builder.h"
#include "runtime/statistics.h"
#include "vm/registers.h"

namespace eddy::jit {

using vm::Op;

namespace {
constexpr size_t kMaxAsking = 150;  // words

// Neither calls nor performs nor panics: nobody sees which frame it runs above.
bool is_quiet(const vm::LoadedFunction& f) {
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    Op op = vm::op_of(*pc);
    if (op >= Op::CALL && op <= Op::EXIT && op != Op::RET && op != Op::RET_UNIT) return false;
    if (op >= Op::ARRAY_GET && op <= Op::ARRAY_SET_R) return false;
    switch (op) {
      case Op::LOAD_GLOBAL:
      case Op::DIV:
      case Op::REM:
      case Op::SHL:
      case Op::SHR:
      case Op::EQ:
      case Op::NE:
      case Op::JEQ:
      case Op::JNE: return false;
      default: break;
    }
  }
  return !f.linked.empty();
}
}  // namespace

bool Builder::own_handler(uint32_t effect, Own& own) {
  std::vector<Node*> inside;
  Frame* f = frame_;
  size_t open = f->open.size();
  for (;;) {
    if (f->regions.any && !f->regions.known) return false;
    while (open-- > 0) {
      const vm::Word* pc = f->open[open];
      auto* site = reinterpret_cast<rt::Site*>(pc[1]);
      switch (vm::op_of(*pc)) {
        case Op::HANDLE: {
          Node* node = f->env[vm::a_of(*pc)];
          if (!node) return false;
          if (!site->handles(effect)) {
            inside.push_back(node);
            break;
          }
          own.frame = f;
          own.region = open;
          own.site = site;
          own.nodes = {node};
          own.nodes.insert(own.nodes.end(), inside.begin(), inside.end());
          return true;
        }
        case Op::MASK:
          if (site->handles(effect)) return false;
          break;
        default: own.passes_records = true;
      }
    }
    // What a clause performs passes the frame below it.
    own.passes_records |= f->around.answers != nullptr;
    if (!f->around.frame) return false;
    open = f->around.regions;
    f = f->around.frame;
  }
}

// Whether a function performs what a handler of this unit answers where it is called here.
bool Builder::asks_own_handler(const vm::LoadedFunction& f) {
  if (!options_.runs(Pass::Regions) || f.linked.size() > kMaxAsking) return false;
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    if (vm::op_of(*pc) != Op::PERFORM) continue;
    const auto* cell = reinterpret_cast<const vm::PerformCell*>(pc[1]);
    Own own;
    if (!own_handler(cell->effect, own)) continue;
    const rt::Clause* clause = own.site->find(cell->effect, cell->operation);
    if (clause && (clause->in_place || clause->kind == rt::ClauseKind::Abort)) return true;
  }
  return false;
}

bool Builder::perform_own(vm::PerformCell* cell, unsigned destination, const std::vector<Node*>& args) {
  Own own;
  if (frame_->restart || !own_handler(cell->effect, own)) return false;
  const rt::Clause* clause = own.site->find(cell->effect, cell->operation);
  if (!clause || clause->params != cell->args) return false;
  if (clause->kind == rt::ClauseKind::Abort && may_jump_to_target(own)) {
    abort_with_clause(own, cell, clause, args);
    return true;
  }
  if (!clause->in_place) return false;
  FrameState* s = after(destination);
  Node* found = add(NodeOp::Copy, {own.nodes[0]});
  Node* value = perform_in_place(cell, clause, destination, s, args, found, &own);
  if (cur_) frame_->env[destination] = value;
  return true;
}

// Whether control may go from here to where an aborted region goes on.
bool Builder::may_jump_to_target(const Own& own) const {
  if (!options_.runs(Pass::Regions) || own.passes_records || own.site->needs_fiber || own.frame->restart) return false;
  auto found = own.frame->places.find(target_of(*own.frame->f, own.pc()));
  if (found == own.frame->places.end()) return false;
  // Code that is entered at the target, or in a loop behind it, comes to it from behind.
  const Place& place = found->second;
  return place.block ? place.shape.loop && place.shape.tangled : !place.passed;
}

void Builder::abort_with_clause(const Own& own, vm::PerformCell* cell, const rt::Clause* clause, std::vector<Node*> args) {
  rt::Function* f = clause->function;
  auto words = static_cast<int>(f->frame_words());
  count(cell->inlined);
  count(g_.ctx->stats->performs[static_cast<size_t>(clause->kind)]);
  if (frame_ != own.frame) out_of_the_way(args, f);
  Node* environment = add(NodeOp::Load, {own.nodes[0]});
  environment->imm = offsetof(rt::Node, env);
  environment->known = kAlwaysThere;
  environment->home = own.frame->base - words + 2;
  g_.lowest = std::min(g_.lowest, own.frame->base - words);
  args.insert(args.begin(), environment);
  add(NodeOp::HandleAbort)->inputs = own.nodes;

  Frame* performer = std::exchange(frame_, own.frame);
  const vm::Word* performed = std::exchange(pc_, rt::resume_pc(own.site->resume));
  const std::vector<Node*> env = frame_->env;
  unsigned destination = rt::resume_destination(own.site->resume);
  if (own.site->returns && !is_quiet(*vm::loaded(f))) {
    // It takes its region's frame's place.
    tail_call(f, std::move(args));
  } else {
    FrameState* s = state(pc_, destination);
    Node* value = nullptr;
    if (may_inline(f, true)) {
      value = inline_call(vm::loaded(f), frame_->base, s, home(destination), args, {frame_, own.region});
    } else {
      value = define(destination, NodeOp::Call);
      value->inputs = std::move(args);
      value->aux = f;
      value->state = s;
    }
    if (cur_) go_on_at_target(own, value);
  }
  frame_->env = env;
  frame_ = performer;
  pc_ = performed;
}

// In a clause in place.
void Builder::abort_with_value(const Own& own, Node* value) {
  add(NodeOp::HandleAbort)->inputs = own.nodes;
  Frame* performer = std::exchange(frame_, own.frame);
  const std::vector<Node*> env = frame_->env;
  unsigned destination = rt::resume_destination(own.site->resume);
  set(destination, value);
  go_on_at_target(own, frame_->env[destination]);
  frame_->env = env;
  frame_ = performer;
}

void Builder::go_on_at_target(const Own& own, Node* value) {
  frame_->env[rt::resume_destination(own.site->resume)] = value;
  add(NodeOp::Jump);
  edge(target_of(*frame_->f, own.pc()));
  end_block();
}

}  // namespace eddy::jit
