#include "jit/ir/ir.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace eddy::jit {

namespace {
constexpr Type T = Type::Tagged, F = Type::Float;

constexpr NodeInfo make_info(const char* name, Type type, std::string_view flags) {
  auto has = [flags](char flag) { return flags.find(flag) != std::string_view::npos; };
  NodeInfo info{name, type};
  info.leaves = has('D');
  info.slow = has('S');
  info.call = has('C');
  info.ends = has('B');
  info.effect = has('X') || info.ends;
  info.remade = has('R');
  return info;
}

}  // namespace

const NodeInfo& info_of(NodeOp op) {
  // The type column is turned into text first, for `-` is no name.
  static constexpr std::array<NodeInfo, static_cast<size_t>(NodeOp::Count)> all = [] {
    std::array<NodeInfo, static_cast<size_t>(NodeOp::Count)> table{};
    size_t i = 0;
#define NODE(name, type, flags, doc) \
  table[i++] = make_info(#name, #type[0] == 'T' ? T : #type[0] == 'F' ? F : Type::None, flags);
#include "jit/ir/nodes.def"
#undef NODE
    return table;
  }();
  return all[static_cast<size_t>(op)];
}

Node* Graph::node(NodeOp op) {
  Node& n = node_store.emplace_back();
  n.op = op;
  n.type = info_of(op).type;
  n.id = static_cast<uint32_t>(node_store.size() - 1);
  return &n;
}

Block* Graph::block() {
  Block& b = block_store.emplace_back();
  b.id = static_cast<uint32_t>(block_store.size() - 1);
  return &b;
}

FrameState* Graph::state() { return &state_store.emplace_back(); }

int Graph::spill_slot() {
  // The runtime's return address may stand in the word below the frames.
  if (spills_below == kNoHome) spills_below = --lowest;
  return --lowest;
}

void Graph::stage(const FrameState* state) {
  int words = 0;
  for (const FrameState::Virtual& v : state->objects)
    for (const FrameState::Virtual::Field& f : v.fields) words += f.node != nullptr;
  for (const FrameState* s = state; s; s = s->parent) words += s->entered != nullptr;
  staging_words = std::max(staging_words, words);
}

void Graph::place_stage() {
  for (int i = 0; i < staging_words; ++i) staging = spill_slot();
}

namespace {
std::string name_of(const Node* n) {
  if (!n) return "null";
  // The only object: Graph::spent.
  if (n->is_const() && n->imm && Value{static_cast<Word>(n->imm)}.is_ptr()) return "#spent";
  if (n->is_const()) return fmt::format("#{:x}", static_cast<uint64_t>(n->imm));
  return fmt::format("v{}", n->id);
}
void print_node(std::string& out, const Node* n) {
  out += n->type == Type::None ? std::string("    ") : fmt::format("    {}{} = ", name_of(n), n->type == Type::Float ? ":f" : n->small ? ":int" : "");
  out += info_of(n->op).name;
  for (const Node* i : n->inputs) out += " " + name_of(i);
  bool site = n->op == NodeOp::FindNode || n->op == NodeOp::FindNamed || n->op == NodeOp::BranchSite || n->op == NodeOp::BranchCell ||
              n->op == NodeOp::BranchNamed;
  if (site) out += " " + reinterpret_cast<const rt::Site*>(n->imm)->name;
  else if (n->imm && n->op != NodeOp::LoadAt) out += fmt::format(" ${}", n->imm);
  if (n->fits) out += " fits";
  bool array = n->op >= NodeOp::ArrayGet && n->op <= NodeOp::ArraySetF;
  if (array && (n->known & kInRange)) out += " in range";
  if (n->home != kNoHome) out += fmt::format(" @{}", n->home);
  if (n->state) {
    out += fmt::format("  [pc {}", n->state->function->pc_of(n->state->pc));
    for (const FrameState* s = n->state; s; s = s->parent)
      for (const auto& e : s->values) out += fmt::format(" {}={}{}", e.home, e.boxed ? "box " : "", name_of(e.node));
    for (const auto& v : n->state->objects) {
      for (int home : v.homes) out += fmt::format(" {}", home);
      if (v.is_handler()) out += "=handler(";
      else out += fmt::format("=new {:x}(", v.header);
      for (const auto& f : v.fields) out += f.node ? fmt::format(" {}{}", f.boxed ? "box " : "", name_of(f.node)) : fmt::format(" new {}", f.object);
      out += ")";
    }
    if (n->state->guard) out += fmt::format(" guard of new {}", n->state->guarded);
    for (const auto& p : n->state->stores) out += fmt::format(" {}.{}={}", name_of(p.object), p.offset, name_of(p.value));
    out += "]";
  }
  out += "\n";
}
}  // namespace

Condition negated(Condition c) {
  switch (c) {
    case Condition::Equal: return Condition::NotEqual;
    case Condition::NotEqual: return Condition::Equal;
    case Condition::Less: return Condition::GreaterEqual;
    case Condition::LessEqual: return Condition::Greater;
    case Condition::Greater: return Condition::LessEqual;
    default: return Condition::Less;
  }
}

Condition turned(Condition c) {
  switch (c) {
    case Condition::Less: return Condition::Greater;
    case Condition::LessEqual: return Condition::GreaterEqual;
    case Condition::Greater: return Condition::Less;
    case Condition::GreaterEqual: return Condition::LessEqual;
    default: return c;
  }
}

std::string print(const Graph& graph) {
  std::string out;
  if (const Graph::Quick& q = graph.quick; q.result)
    out += fmt::format("  quick: {} {} {} ${} gives {}\n", q.returns ? "if" : "unless", name_of(q.param), name_of(q.bound), static_cast<int>(q.condition), name_of(q.result));
  for (const Block* b : graph.blocks) {
    out += fmt::format("  block {}{}:", b->id, b->loop ? " (loop)" : "");
    for (const Block* p : b->preds) out += fmt::format(" <{}", p->id);
    out += "\n";
    for (const Node* n : b->phis) print_node(out, n);
    for (const Node* n : b->nodes) print_node(out, n);
    if (!b->succs.empty()) {
      out += "   ";
      for (const Block* s : b->succs) out += fmt::format(" >{}", s->id);
      out += "\n";
    }
  }
  return out;
}

namespace {
// Handlers that are not there come first, each belongs to a frame, and clauses run for them or for a named one.
bool handlers_fit(const FrameState* state, bool call) {
  size_t count = 0;
  while (count < state->objects.size() && state->objects[count].is_handler()) ++count;
  if (count && call) return false;
  for (size_t i = 0; i < state->objects.size(); ++i) {
    const FrameState::Virtual& v = state->objects[i];
    if (v.is_handler() != (i < count)) return false;
    bool framed = !v.is_handler();
    for (const FrameState* s = state; s; s = s->parent) framed |= s->base == v.handles_for;
    if (!framed || (v.is_handler() && (v.fields.size() != 1 || v.homes.size() != 1))) return false;
  }
  auto has_clauses = [](const FrameState::Virtual& v) { return v.is_handler() || rt::Object{v.header}.kind() == rt::Kind::Named; };
  for (const FrameState* s = state; s; s = s->parent) {
    if (s->entered_object < 0) continue;
    const auto entered = static_cast<size_t>(s->entered_object);
    if (s->entered || entered >= state->objects.size() || !has_clauses(state->objects[entered])) return false;
  }
  return true;
}
}  // namespace

std::string verify(const Graph& graph) {
  std::vector<char> defined(graph.node_store.size());
  std::vector<char> in_order(graph.block_store.size());
  for (const Block* b : graph.blocks) in_order[b->id] = 1;
  for (const Block* b : graph.blocks) {
    auto where = [&](const char* what) { return fmt::format("block {}: {}", b->id, what); };
    if (b->nodes.empty() || !info_of(b->end()->op).ends) return where("has no end");
    for (const Block* s : b->succs) {
      if (!in_order[s->id]) return where("jumps to a block that is not listed");
      if (std::count(s->preds.begin(), s->preds.end(), b) != std::count(b->succs.begin(), b->succs.end(), s))
        return where("edges do not match");
    }
    for (const Node* n : b->phis) {
      if (n->inputs.size() != b->preds.size()) return where("a phi lacks inputs");
      if (n->home == kNoHome) return where("a phi without a home");
      for (const Node* i : n->inputs)
        if (!i || (!i->remade() && i->home != n->home)) return where("a phi's input lives in another slot");
    }
    for (const Node* n : b->nodes) {
      const NodeInfo& info = info_of(n->op);
      if (info.ends && n != b->end()) return where("ends too early");
      if (n->type != Type::None && !n->remade() && n->home == kNoHome && n->uses) return where("a value without a home");
      if ((info.leaves || info.slow || info.call) && !n->state && !n->fits) return where("a node without a frame state");
    }
    for (const Node* n : b->phis) defined[n->id] = 1;
    for (const Node* n : b->nodes) {
      for (const Node* i : n->inputs)
        if (!i || (!i->remade() && !defined[i->id])) return where(fmt::format("v{} uses what is not defined", n->id).c_str());
      const NodeInfo& info = info_of(n->op);
      for (const FrameState* s = n->state; s; s = s->parent)
        for (const auto& e : s->values)
          if (!e.node || (e.boxed && (info.call || e.node->type != Type::Float)) || (!e.node->remade() && (!defined[e.node->id] || (e.node->home != e.home && !e.boxed && (info.call || !graph.is_spill(e.node->home))))))
            return where(fmt::format("v{}'s frame state is wrong at {}", n->id, e.home).c_str());
      if (n->state)
        for (const auto& v : n->state->objects)
          for (const auto& f : v.fields)
            if (info.call || (f.node && !f.node->remade() && !defined[f.node->id]))
              return where(fmt::format("v{} cannot make an object", n->id).c_str());
      if (n->state && !handlers_fit(n->state, info.call)) return where(fmt::format("v{} cannot install handlers", n->id).c_str());
      if (n->state)
        for (const auto& p : n->state->stores)
          if (info.call || !defined[p.object->id] || (!p.value->remade() && !defined[p.value->id]))
            return where(fmt::format("v{} cannot tell what it has to", n->id).c_str());
      defined[n->id] = 1;
    }
  }
  return "";
}

}  // namespace eddy::jit
