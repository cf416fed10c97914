// Blocks, environments and frame states.
#include "jit/build/builder.h"

#include <algorithm>

#include "vm/registers.h"

namespace eddy::jit {

namespace {
constexpr size_t kMaxNodes = 20000;
}

bool Builder::fail(const std::string& why) {
  if (g_.failure.empty()) g_.failure = why;
  return false;
}

vm::Liveness* Builder::liveness(vm::LoadedFunction* f) {
  auto& live = (*g_.livenesses)[f];
  if (!live) {
    auto target = [f](const vm::Word* pc) {
      return f->pc_of(rt::resume_pc(reinterpret_cast<const rt::Site*>(pc[1])->resume));
    };
    // Raw registers too: the interpreter may have to go on with them.
    live = std::make_unique<vm::Liveness>(std::span<const vm::Word>(f->linked), f->slots(), target);
  }
  return live.get();
}

Node* Builder::constant(Word bits) {
  Node*& n = constants_[bits];
  if (!n) {
    n = g_.node(NodeOp::Const);
    n->imm = static_cast<int64_t>(bits);
  }
  return n;
}

const Origin* Builder::origin() {
  if (!origin_ || origin_->pc != pc_ || origin_->function != frame_->f || origin_->caller != frame_->called_by)
    origin_ = &g_.origin_store.emplace_back(Origin{frame_->f, pc_, frame_->called_by});
  return origin_;
}

Node* Builder::add(NodeOp op, std::initializer_list<Node*> inputs) {
  Node* n = g_.node(op);
  n->origin = origin();
  n->inputs = inputs;
  n->block = cur_;
  n->speculative = g_.speculate;
  cur_->nodes.push_back(n);
  return n;
}

Node* Builder::define(unsigned reg, NodeOp op, std::initializer_list<Node*> inputs) {
  Node* n = add(op, inputs);
  n->home = home(reg);
  frame_->env[reg] = n;
  return n;
}

Facts Builder::facts(Node* n) const {
  n = strip(n);
  Facts f;
  auto found = facts_.find(n->id);
  if (found != facts_.end()) f = found->second;
  if (n->is_const()) {
    Value v{static_cast<Word>(n->imm)};
    f.small = v.is_small();
    if (v.is_imm(rt::Imm::Con)) f.con = v.imm_con();
  } else if (n->op == NodeOp::Alloc) {
    auto* header = reinterpret_cast<const rt::Object*>(&n->imm);
    f.pointer = true;
    f.kind = static_cast<int>(header->kind());
    if (header->kind() == rt::Kind::Con) f.con = header->con();
    if (header->kind() == rt::Kind::Closure) f.function = static_cast<rt::Function*>(n->aux);
  } else if (n->small) {
    f.small = true;
  } else if (n->op == NodeOp::LoadAt && n->aux) {
    f.function = static_cast<rt::Function*>(n->aux);
    f.pointer = true;
    f.kind = static_cast<int>(rt::Kind::Closure);
  }
  return f;
}

Facts& Builder::fact(Node* n) { return facts_[strip(n)->id]; }

FrameState* Builder::state(const vm::Word* pc, unsigned destination) {
  if (frame_->restart) return const_cast<FrameState*>(frame_->restart);
  FrameState* s = g_.state();
  s->function = frame_->f;
  s->pc = pc;
  s->destination = destination;
  s->base = frame_->base;
  s->parent = frame_->caller;
  int waits = destination == rt::kInPlace ? vm::Liveness::kInPlace : static_cast<int>(destination);
  for (uint16_t reg : frame_->live->live_along(frame_->f->pc_of(pc), waits)) {
    Node* n = frame_->env[reg];
    // Whoever looks at a register that has not been written finds something harmless.
    if (!n) n = constant(rt::kUnit.bits);
    // An argument without its object: only in front of the call, and where the function starts.
    bool boxed = n->type == Type::Float && reg < frame_->f->tagged;
    s->values.push_back({home(reg), n, boxed});
  }
  return s;
}

// Whether a value may be used in place of a copy of it: its own register still holds it and keeps it alive.
bool Builder::still_there(Node* node) {
  if (node->remade()) return true;
  int top = frame_->base + static_cast<int>(frame_->f->frame_words());
  if (node->home >= frame_->base && node->home < top) {
    // What a callee left behind that was inlined here before may lie where this frame has its header.
    int reg = node->home - frame_->base - 2;
    if (reg < 0 || reg >= static_cast<int>(frame_->env.size())) return false;
    return frame_->env[static_cast<size_t>(reg)] == node &&
           frame_->live->is_live(frame_->f->pc_of(pc_), static_cast<unsigned>(reg));
  }
  for (const FrameState* s = frame_->caller; s; s = s->parent)
    for (const FrameState::Entry& e : s->values)
      if (e.node == node) return true;
  return false;
}

Node* Builder::use(unsigned reg) {
  Node* n = frame_->env[reg];
  if (!n) return constant(rt::kUnit.bits);
  while (n->op == NodeOp::Copy && still_there(n->inputs[0])) n = n->inputs[0];
  return n;
}

void Builder::set(unsigned reg, Node* node) {
  if (node->remade() || node->home == home(reg)) {
    frame_->env[reg] = node;
    return;
  }
  Node* copy = define(reg, NodeOp::Copy, {node});
  copy->type = node->type;
}

void Builder::connect(Block* from, unsigned slot, Block* to) {
  from->succs[slot] = to;
  to->preds.push_back(from);
}

// The current block goes on at word `target` of the current function.
void Builder::edge(uint32_t target) {
  Place& place = frame_->places[target];
  auto slot = static_cast<unsigned>(cur_->succs.size());
  cur_->succs.push_back(nullptr);
  if (!place.block) {
    place.incoming.push_back({cur_, slot, frame_->env, facts_});
    return;
  }
  connect(cur_, slot, place.block);
  for (size_t r = 0; r < frame_->env.size(); ++r) {
    Node* n = frame_->env[r];
    if (Node* phi = place.phi_of[r]) {
      // The register may have been left unwritten, or hold what only lives further out.
      if (!n || (!n->remade() && n->home != phi->home)) n = constant(rt::kUnit.bits);
      phi->inputs.push_back(n);
    } else if (place.at_entry[r] && place.at_entry[r] != n) {
      fail("a loop changes what it should not");
    }
  }
}

void Builder::start_block(Frame& frame, Place& place) {
  place.block = g_.block();
  place.block->loop = place.shape.loop;
  if (frame.regions.any) {
    auto open = frame.regions.open.find(place.shape.start);
    frame.regions.known &= open != frame.regions.open.end();
    if (frame.regions.known) frame.open = open->second;
  }
  g_.blocks.push_back(place.block);
  for (Edge& e : place.incoming) connect(e.from, e.slot, place.block);
  merge(frame, place);
  cur_ = place.block;
}

// A block of its own in front of a loop, which says where to leave for what passes move there.
void Builder::before_loop(Frame& frame, Place& place) {
  Place before;
  before.shape.start = place.shape.start;
  before.incoming = std::move(place.incoming);
  start_block(frame, before);
  pc_ = frame.f->linked.data() + place.shape.start;
  add(NodeOp::Anchor)->state = here();
  add(NodeOp::Jump);
  cur_->succs.push_back(nullptr);
  place.incoming.clear();
  place.incoming.push_back({cur_, 0, frame.env, facts_});
}

void Builder::merge(Frame& frame, Place& place) {
  std::vector<Edge>& in = place.incoming;
  std::vector<Node*> env(frame.env.size());
  facts_ = in[0].facts;
  for (size_t i = 1; i < in.size(); ++i)
    std::erase_if(facts_, [&](auto& entry) {
      auto other = in[i].facts.find(entry.first);
      return other == in[i].facts.end() || !(other->second == entry.second);
    });
  std::vector<bool> written(frame.env.size());
  if (place.shape.loop) {
    place.phi_of.assign(frame.env.size(), nullptr);
    const vm::Word* code = frame.f->linked.data();
    for (uint32_t at = place.shape.start; at <= place.shape.loop_end; at += vm::length_of(code[at]))
      vm::visit_registers(code + at, [](unsigned, char) {}, [&](unsigned r, char) { written[r] = true; });
    if (place.shape.tangled || (frame.self_loop && place.shape.start == 0)) std::fill(written.begin(), written.end(), true);
  }
  for (uint16_t reg : frame.live->live_along(place.shape.start)) {
    Node* first = in[0].env[reg];
    bool phi = place.shape.loop && written[reg];
    for (const Edge& e : in) phi |= e.env[reg] != first;
    if (!phi) {
      env[reg] = first;
      continue;
    }
    Node* n = g_.node(NodeOp::Phi);
    n->home = home(reg);
    n->type = reg >= frame.f->tagged ? Type::Float : Type::Tagged;
    n->block = place.block;
    bool small = true;
    for (const Edge& e : in) {
      Node* v = e.env[reg];
      if (!v) v = n->type == Type::Float ? nullptr : constant(rt::kUnit.bits);
      if (!v) {
        v = g_.node(NodeOp::ConstFloat);
      }
      n->inputs.push_back(v);
      auto known = e.facts.find(strip(v)->id);
      small &= v->small || (v->is_const() && (v->imm & 1)) || strip(v)->small || (known != e.facts.end() && known->second.small);
    }
    // A merge of small Ints is one; a loop's has still to prove it.
    if (!place.shape.loop) n->small = small;
    place.block->phis.push_back(n);
    env[reg] = n;
    if (place.shape.loop) place.phi_of[reg] = n;
  }
  if (place.shape.loop) {
    place.phi_of.resize(frame.env.size());
    place.at_entry = env;
  }
  frame.env = std::move(env);
  in.clear();
  in.shrink_to_fit();
}

void Builder::translate_block(uint32_t start) {
  const vm::Word* code = frame_->f->linked.data();
  uint32_t at = start;
  for (;;) {
    pc_ = code + at;
    uint32_t next = at + vm::length_of(code[at]);
    if (g_.node_store.size() > kMaxNodes) {
      fail("too large");
      return;
    }
    translate(pc_);
    if (!cur_ || !g_.failure.empty()) return;
    if (frame_->regions.any) step_regions(pc_, frame_->open);
    at = next;
    if (frame_->places.count(at)) {
      add(NodeOp::Jump);
      edge(at);
      end_block();
      return;
    }
  }
}

bool Builder::run(Frame& frame, uint32_t entry) {
  Frame* outer = frame_;
  const vm::Word* outer_pc = pc_;
  frame_ = &frame;
  std::map<uint32_t, BlockShape> shape = find_shape(*frame.f, entry, frame.self_loop);
  std::vector<uint32_t> order = order_blocks(shape, entry);
  for (auto& [at, s] : shape) frame.places[at].shape = s;
  frame.regions = find_regions(*frame.f, entry);
  // The way in.
  pc_ = frame.f->linked.data() + entry;
  add(NodeOp::Jump);
  edge(entry);
  end_block();
  for (uint32_t at : order) {
    Place& place = frame.places[at];
    place.passed = true;
    if (place.incoming.empty()) continue;
    if (g_.failure.empty()) {
      if (place.shape.loop && !options_.no_opt) before_loop(frame, place);
      start_block(frame, place);
      translate_block(at);
    }
  }
  // A block may be in the order before what turns out to be the only way to it, where conditions were constant.
  for (auto& [at, place] : frame.places)
    if (!place.block && !place.incoming.empty()) fail("blocks in no order");
  frame_ = outer;
  pc_ = outer_pc;
  return g_.failure.empty();
}

// Loops that call a parameter: for each function that the profile has met there all of it once more, with that one inlined.
// What follows is for the others.
void Builder::build_versions(Frame& frame, uint32_t entry) {
  unsigned reg = 0;
  for (rt::Function* f : known_callees(*frame.f, &reg)) {
    Node* closure = frame.env[reg];
    if (!closure) return;
    add(NodeOp::BranchFunction, {closure})->aux = f;
    Block *from = cur_, *same = g_.block(), *other = g_.block();
    from->succs.assign(2, nullptr);
    connect(from, 0, same);
    connect(from, 1, other);
    FactMap before = facts_;
    Facts& known = fact(closure);
    known.function = f;
    known.pointer = true;
    known.kind = static_cast<int>(rt::Kind::Closure);
    Frame version;
    version.f = frame.f;
    version.live = frame.live;
    version.env = frame.env;
    version.self_loop = frame.self_loop;
    inlined_words_ = 0;
    g_.blocks.push_back(same);
    cur_ = same;
    if (!run(version, entry)) return;
    inlined_words_ = 0;
    g_.blocks.push_back(other);
    cur_ = other;
    facts_ = std::move(before);
  }
}

bool Builder::build() {
  Frame frame;
  frame.f = g_.function;
  frame.live = liveness(frame.f);
  frame.env.assign(frame.f->slots(), nullptr);
  uint32_t entry = g_.osr ? frame.f->pc_of(g_.osr) : 0;
  frame.self_loop = frame.f->params <= 6 && !frame.f->fiber_base && may_start_over(*frame.f);
  cur_ = g_.block();
  g_.blocks.push_back(cur_);
  frame_ = &frame;
  pc_ = frame.f->linked.data() + entry;
  if (g_.osr) {
    frame.self_loop = false;
    for (uint16_t reg : frame.live->live_along(entry)) {
      Node* n = define(reg, NodeOp::Slot);
      n->type = reg >= frame.f->tagged ? Type::Float : Type::Tagged;
    }
  } else {
    if (passes_raw()) {
      find_raw(*frame.f);
      g_.raw_params = frame.f->raw_params;
    }
    for (unsigned i = 0; i < frame.f->params; ++i) define(i, NodeOp::Param)->imm = i;
    const vm::Word* taken = frame.f->linked.data();
    for (unsigned left = g_.raw_params; left; ++taken) {
      Node* param = frame.env[vm::b_of(*taken)];
      if (!(left >> param->imm & 1)) continue;
      left &= ~(1u << param->imm);
      param->type = Type::Float;
      param->home = home(vm::a_of(*taken));
    }
  }
  bool done = true;
  if (std::optional<NodeOp> op = accumulates()) {
    g_.accumulates = true;
    accumulate(frame, *op);
    done = g_.failure.empty();
  } else {
    build_versions(frame, entry);
    done = run(frame, entry);
  }
  frame_ = nullptr;
  return done;
}

}  // namespace eddy::jit
