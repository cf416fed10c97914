// Comparisons and jumps.
#include "jit/build/builder.h"

namespace eddy::jit {

using vm::a_of;
using vm::b_of;
using vm::bi_of;
using vm::c_of;
using vm::ci_of;
using vm::d_of;
using vm::Op;

// Ends the block with a choice. A fact map, where given, is what holds on that way.
void Builder::branch(NodeOp op, std::initializer_list<Node*> inputs, int64_t imm, uint32_t taken, uint32_t next,
                     FactMap* taken_facts, FactMap* next_facts) {
  if (taken == next) {
    add(NodeOp::Jump);
    edge(next);
    return end_block();
  }
  Node* n = add(op, inputs);
  n->imm = imm;
  if (taken_facts) std::swap(facts_, *taken_facts);
  edge(taken);
  if (taken_facts) std::swap(facts_, *taken_facts);
  if (next_facts) std::swap(facts_, *next_facts);
  edge(next);
  end_block();
}

void Builder::compare_branch(Condition condition, Node* a, Node* b, bool ints) {
  uint32_t at = frame_->f->pc_of(pc_);
  uint32_t taken = at + static_cast<uint32_t>(ci_of(*pc_)), next = at + vm::length_of(*pc_);
  bool small_a = is_small(a), small_b = is_small(b);
  if (a->is_const() && b->is_const() && small_a && small_b) {
    int64_t x = a->imm, y = b->imm;
    bool holds = condition == Condition::Equal        ? x == y
                 : condition == Condition::NotEqual   ? x != y
                 : condition == Condition::Less       ? x < y
                 : condition == Condition::LessEqual  ? x <= y
                 : condition == Condition::Greater    ? x > y
                                                      : x >= y;
    add(NodeOp::Jump);
    edge(holds ? taken : next);
    return end_block();
  }
  FrameState* s = here();
  auto check = [&](Node* n, bool& small) {
    if (small || n->is_const()) return;
    Node* guard = add(NodeOp::GuardSmall, {n});
    guard->state = s;
    if (!ints) guard->reason = Reason::Order;
    fact(n).small = true;
    small = true;
  };
  bool order = condition != Condition::Equal && condition != Condition::NotEqual && g_.compare_ints;
  // Where nothing may be called, too.
  if ((ints || order || frame_->restart) && g_.speculate) check(a, small_a);
  if ((order || frame_->restart) && g_.speculate) check(b, small_b);
  Block* block = cur_;
  branch(NodeOp::Branch, {a, b}, static_cast<int64_t>(condition), taken, next);
  if (block->end()->op != NodeOp::Branch) return;
  block->end()->state = s;
  block->end()->known = static_cast<uint8_t>(small_a | (small_b << 1));
}

void Builder::branch_con(unsigned reg, uint16_t con, uint32_t is, uint32_t is_not) {
  Node* a = use(reg);
  Facts known = facts(a);
  if (known.con) {
    add(NodeOp::Jump);
    edge(known.con == con ? is : is_not);
    return end_block();
  }
  bool constant = g_.ctx->constructors[con].fields == 0;
  FactMap yes = facts_;
  yes[strip(a)->id].con = con;
  if (!constant) yes[strip(a)->id].pointer = true;
  Block* block = cur_;
  branch(NodeOp::BranchCon, {a}, con, is, is_not, &yes);
  if (block->end()->op != NodeOp::BranchCon) return;
  block->end()->small = constant;
  block->end()->known = known.pointer;
}

bool Builder::translate_compare(Op op) {
  const vm::Word w = *pc_;
  uint32_t at = frame_->f->pc_of(pc_);
  uint32_t next = at + vm::length_of(w);
  auto to_bool = [&](Condition c) {
    Node *a = use(b_of(w)), *b = use(c_of(w));
    FrameState* s = here();
    bool small_a = is_small(a), small_b = is_small(b);
    Node* n = define(a_of(w), NodeOp::Compare, {a, b});
    n->imm = static_cast<int64_t>(c);
    n->state = s;
    n->known = static_cast<uint8_t>(small_a | (small_b << 1));
    return true;
  };
  auto float_bool = [&](Condition c) {
    define(a_of(w), NodeOp::CompareFloat, {use(b_of(w)), use(c_of(w))})->imm = static_cast<int64_t>(c);
    return true;
  };
  auto test = [&](Condition c) {
    compare_branch(c, use(a_of(w)), use(b_of(w)), false);
    return true;
  };
  auto test_immediate = [&](Condition c) {
    compare_branch(c, use(a_of(w)), constant(rt::small_int(bi_of(w)).bits), true);
    return true;
  };
  auto float_test = [&](Condition c) {
    branch(NodeOp::BranchFloat, {use(a_of(w)), use(b_of(w))}, static_cast<int64_t>(c), at + static_cast<uint32_t>(ci_of(w)), next);
    return true;
  };
  auto truth = [&](bool value) {
    Node* a = use(a_of(w));
    uint32_t taken = at + static_cast<uint32_t>(d_of(w));
    if (a->is_const()) {
      add(NodeOp::Jump);
      edge((Value{static_cast<Word>(a->imm)} == rt::kTrue) == value ? taken : next);
      end_block();
    } else if (value) {
      branch(NodeOp::BranchTrue, {a}, 0, taken, next);
    } else {
      branch(NodeOp::BranchTrue, {a}, 0, next, taken);
    }
    return true;
  };
  switch (op) {
    case Op::EQ: return to_bool(Condition::Equal);
    case Op::NE: return to_bool(Condition::NotEqual);
    case Op::LT: return to_bool(Condition::Less);
    case Op::LE: return to_bool(Condition::LessEqual);
    case Op::FEQ: return float_bool(Condition::Equal);
    case Op::FLT: return float_bool(Condition::Less);
    case Op::FLE: return float_bool(Condition::LessEqual);
    case Op::JMP:
      add(NodeOp::Jump);
      edge(at + static_cast<uint32_t>(d_of(w)));
      end_block();
      return true;
    case Op::LOOP:
    case Op::LOOP_HOT:
      add(NodeOp::Safepoint)->state = here();
      add(NodeOp::Jump);
      edge(at + static_cast<uint32_t>(d_of(w)));
      end_block();
      return true;
    case Op::JT: return truth(true);
    case Op::JF: return truth(false);
    case Op::JEQ: return test(Condition::Equal);
    case Op::JNE: return test(Condition::NotEqual);
    case Op::JLT: return test(Condition::Less);
    case Op::JLE: return test(Condition::LessEqual);
    case Op::JEQ_I: return test_immediate(Condition::Equal);
    case Op::JNE_I: return test_immediate(Condition::NotEqual);
    case Op::JLT_I: return test_immediate(Condition::Less);
    case Op::JLE_I: return test_immediate(Condition::LessEqual);
    case Op::JGT_I: return test_immediate(Condition::Greater);
    case Op::JGE_I: return test_immediate(Condition::GreaterEqual);
    case Op::JFEQ: return float_test(Condition::Equal);
    case Op::JFNE: return float_test(Condition::NotEqual);
    case Op::JFLT: return float_test(Condition::Less);
    case Op::JFNLT: return float_test(Condition::NotLess);
    case Op::JFLE: return float_test(Condition::LessEqual);
    case Op::JFNLE: return float_test(Condition::NotLessEqual);
    case Op::JIS: branch_con(a_of(w), static_cast<uint16_t>(b_of(w)), at + static_cast<uint32_t>(ci_of(w)), next); return true;
    case Op::JISNT: branch_con(a_of(w), static_cast<uint16_t>(b_of(w)), next, at + static_cast<uint32_t>(ci_of(w))); return true;
    case Op::SWITCH: {
      Node* a = use(a_of(w));
      unsigned count = b_of(w), first = c_of(w);
      Facts known = facts(a);
      if (known.con) {
        add(NodeOp::Jump);
        unsigned index = known.con - first;
        edge(index < count ? at + static_cast<uint32_t>(vm::switch_item(pc_ + 1, index)) : next);
        end_block();
        return true;
      }
      Node* n = add(NodeOp::SwitchCon, {a});
      n->imm = first;
      // Each way through a block of its own: two of them may lead to the same place.
      Block* from = cur_;
      FactMap before = facts_;
      for (unsigned i = 0; i <= count; ++i) {
        Block* way = g_.block();
        g_.blocks.push_back(way);
        from->succs.push_back(nullptr);
        connect(from, i, way);
        cur_ = way;
        facts_ = before;
        if (i < count) {
          Facts& f = facts_[strip(a)->id];
          f.con = static_cast<uint16_t>(first + i);
          f.pointer = g_.ctx->constructors[f.con].fields != 0;
        }
        add(NodeOp::Jump);
        edge(i < count ? at + static_cast<uint32_t>(vm::switch_item(pc_ + 1, i)) : next);
      }
      end_block();
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit
