// Constructors, variables, arrays, closures.
#include "jit/build/builder.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::c_of;
using vm::list_item;
using vm::Op;

std::vector<Node*> Builder::list_nodes(const vm::Word* list, unsigned count, unsigned from) {
  std::vector<Node*> nodes;
  for (unsigned i = from; i < count; ++i) nodes.push_back(use(list_item(list, i)));
  return nodes;
}

void Builder::check_con(Node* n, uint16_t con) {
  Facts known = facts(n);
  if (known.con == con && known.pointer) return;
  Node* check = add(NodeOp::CheckCon, {n});
  check->imm = con;
  check->known = known.pointer;
  check->state = here();
  Facts& f = fact(n);
  f.con = con;
  f.pointer = true;
}

void Builder::check_kind(Node* n, rt::Kind kind) {
  Facts known = facts(n);
  if (known.kind == static_cast<int>(kind)) return;
  Node* check = add(NodeOp::CheckKind, {n});
  check->imm = static_cast<int64_t>(kind);
  check->known = known.pointer;
  check->state = here();
  Facts& f = fact(n);
  f.kind = static_cast<int>(kind);
  f.pointer = true;
}

void Builder::allocate(rt::Kind kind, unsigned count, uint16_t con, void* first_word, bool has_word,
                       const vm::Word* list, unsigned items) {
  std::vector<Node*> fields = list_nodes(list, items);
  FrameState* s = here();
  Node* n = define(a_of(*pc_), NodeOp::Alloc);
  n->inputs = std::move(fields);
  n->imm = static_cast<int64_t>(rt::make_header(kind, count, con));
  n->aux = first_word;
  n->small = has_word;
  n->state = s;
}

bool Builder::translate_data(Op op) {
  const vm::Word w = *pc_;
  constexpr int kField = 8, kCapture = 16;
  auto load = [&](NodeOp n, Node* object, int offset) { define(a_of(w), n, {object})->imm = offset; };
  auto store = [&](NodeOp n, Node* object, Node* value, int offset) {
    FrameState* s = here();
    bool small = value->type == Type::Tagged && is_small(value);
    Node* made = add(n, {object, value});
    made->imm = offset;
    made->state = s;
    made->known = static_cast<uint8_t>(small << 1);
  };
  switch (op) {
    case Op::MAKE:
      allocate(rt::Kind::Con, b_of(w), static_cast<uint16_t>(c_of(w)), nullptr, false, pc_ + 1, b_of(w));
      return true;
    case Op::GET: load(NodeOp::Load, use(b_of(w)), kField + 8 * static_cast<int>(c_of(w))); return true;
    case Op::GET_R: load(NodeOp::LoadFloat, use(b_of(w)), kField + 8 * static_cast<int>(c_of(w))); return true;
    case Op::GET_C:
    case Op::GET_RC: {
      Node* b = use(b_of(w));
      check_con(b, static_cast<uint16_t>(pc_[1]));
      load(op == Op::GET_C ? NodeOp::Load : NodeOp::LoadFloat, b, kField + 8 * static_cast<int>(c_of(w)));
      return true;
    }
    case Op::SET_C:
    case Op::SET_RC: {
      Node *a = use(a_of(w)), *value = use(c_of(w));
      check_con(a, static_cast<uint16_t>(pc_[1]));
      store(op == Op::SET_C ? NodeOp::Store : NodeOp::StoreFloat, a, value, kField + 8 * static_cast<int>(b_of(w)));
      return true;
    }
    case Op::MAKE_CELL: {
      Node* b = use(b_of(w));
      FrameState* s = here();
      Node* n = define(a_of(w), NodeOp::Alloc, {b});
      n->imm = static_cast<int64_t>(rt::make_header(rt::Kind::Cell, 1));
      n->state = s;
      return true;
    }
    case Op::GET_CELL: {
      Node* b = use(b_of(w));
      check_kind(b, rt::Kind::Cell);
      load(NodeOp::Load, b, offsetof(rt::Cell, value));
      return true;
    }
    case Op::SET_CELL: {
      Node *a = use(a_of(w)), *value = use(b_of(w));
      check_kind(a, rt::Kind::Cell);
      store(NodeOp::Store, a, value, offsetof(rt::Cell, value));
      return true;
    }
    case Op::ARRAY_GET:
    case Op::ARRAY_GET_R: {
      Node *a = use(b_of(w)), *i = use(c_of(w));
      FrameState* s = here();
      bool small = is_small(i);
      bool raw = op == Op::ARRAY_GET_R;
      bool known = facts(a).kind == static_cast<int>(raw ? rt::Kind::FloatArray : rt::Kind::Array);
      Node* n = define(a_of(w), raw ? NodeOp::ArrayGetF : NodeOp::ArrayGet, {a, i});
      n->state = s;
      n->known = static_cast<uint8_t>(known | (small << 1));
      fact(i).small = true;
      fact(a).kind = static_cast<int>(raw ? rt::Kind::FloatArray : rt::Kind::Array);
      return true;
    }
    case Op::ARRAY_SET:
    case Op::ARRAY_SET_R: {
      Node *a = use(a_of(w)), *i = use(b_of(w)), *value = use(c_of(w));
      FrameState* s = here();
      bool small = is_small(i);
      bool raw = op == Op::ARRAY_SET_R;
      bool small_value = !raw && is_small(value);
      bool known = facts(a).kind == static_cast<int>(raw ? rt::Kind::FloatArray : rt::Kind::Array);
      Node* n = add(raw ? NodeOp::ArraySetF : NodeOp::ArraySet, {a, i, value});
      n->state = s;
      n->known = static_cast<uint8_t>(known | (small << 1) | (small_value << 2));
      fact(i).small = true;
      fact(a).kind = static_cast<int>(raw ? rt::Kind::FloatArray : rt::Kind::Array);
      return true;
    }
    case Op::ARRAY_LEN: {
      Node* a = use(b_of(w));
      FrameState* s = here();
      Node* n = define(a_of(w), NodeOp::ArrayLen, {a});
      n->state = s;
      n->small = true;
      return true;
    }
    case Op::MAKE_ARRAY: {
      std::vector<Node*> items = list_nodes(pc_ + 1, b_of(w));
      FrameState* s = here();
      Node* n = define(a_of(w), NodeOp::MakeArray);
      n->inputs = std::move(items);
      n->state = s;
      return true;
    }
    case Op::MAKE_CLOSURE:
      allocate(rt::Kind::Closure, b_of(w), 0, reinterpret_cast<void*>(pc_[1]), true, pc_ + 2, b_of(w));
      return true;
    case Op::MAKE_ENV: allocate(rt::Kind::Env, b_of(w), 0, nullptr, true, pc_ + 1, b_of(w)); return true;
    case Op::GET_UP: {
      Node* self = use(0);
      Node* made = strip(self);
      // What a closure made in this unit was given. (Captures of a closure without SET_UP never change.)
      load(NodeOp::Load, self, kCapture + 8 * static_cast<int>(b_of(w)));
      Node* got = frame_->env[a_of(w)];
      got->known = kAlwaysThere;
      if (made->op == NodeOp::Alloc && b_of(w) < made->inputs.size()) {
        Facts known = facts(made->inputs[b_of(w)]);
        if (known.kind >= 0 && !(made->known & 1)) fact(got) = known;
      }
      return true;
    }
    case Op::SET_UP: {
      Node *a = use(a_of(w)), *value = use(b_of(w));
      if (strip(a)->op == NodeOp::Alloc) strip(a)->known |= 1;
      FrameState* s = here();
      Node* n = add(NodeOp::SetUp, {a, value});
      n->imm = c_of(w);
      n->state = s;
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit
