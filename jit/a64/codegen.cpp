// Entries, and the ends of blocks.
#include "jit/a64/codegen.h"

#include "jit/runtime_calls.h"
#include "vm/registers.h"

namespace eddy::jit::a64 {

CondCode otherwise_of(const Node* check) {
  static constexpr CondCode otherwise[] = {CondCode::kNE, CondCode::kEQ, CondCode::kGE, CondCode::kGT, CondCode::kLE, CondCode::kLT};
  return otherwise[static_cast<int>(check->imm)];
}

Codegen::Codegen(const Graph& graph, asmjit::CodeHolder& holder, const Stubs& stubs, vm::Tier& tier, void* code_record,
                 Reach reach, RegisterSet registers)
    : CodegenBase(graph, stubs, tier, code_record, registers), a_(&holder, reach) {}

// The return address is in x30; it is stored where there is room.
void Codegen::entry() {
  bind(start_ = new_label());
  asmjit::Label unfit = a_.newLabel(), unfit_in_frame = a_.newLabel();
  bool raw = g_.raw_params != 0;
  take_raw_arguments(unfit);
  bind(raw_start_ = new_label());
  std::vector<Label> failed;
  for (const EarlyCheck& check : early_) early_check(check.node, failed.emplace_back(new_label()));
  if (!g_.quick.result) bind(inner_start_ = new_label());
  int below = frame_bytes();
  asmjit::Label no_room = a_.newLabel(), checked = a_.newLabel(), roomy = a_.newLabel(), framed = a_.newLabel();
  checked_ = checked;
  bool quick = g_.quick.result != nullptr;
  bool simple = g_.lowest == 0, apart = simple || !early_.empty() || raw;
  auto make_room = [=, this] {
    a_.add_to(simple ? aa::x20 : aa::x16, aa::x20, -below - 8 + g_.lowest * 8);
    a_.ldr(aa::x17, context(at::stack_limit));
    a_.cmp(simple ? aa::x20 : aa::x16, aa::x17);
    a_.branch_if(CondCode::kLO, no_room);
  };
  make_room();
  if (!apart) a_.bind(checked);
  if (!simple) a_.add_to(aa::x20, aa::x20, -below - 8);
  a_.bind(framed);
  if (quick) {
    asmjit::Label returns = a_.newLabel(), returns_framed = a_.newLabel();
    quick_test(returns_framed);
    a_.b(roomy);
    bind(inner_start_ = new_label());
    quick_test(returns);
    make_room();
    if (!simple) a_.add_to(aa::x20, aa::x20, -below - 8);
    deferred_.push_back([=, this] {
      a_.bind(returns_framed);
      a_.add_to(aa::x20, aa::x20, below + 8);
      a_.bind(returns);
      const Node* result = g_.quick.result;
      if (result->remade()) a_.constant(aa::x16, result->imm);
      else a_.mov(aa::x16, gp(static_cast<int>(result->imm)));
      a_.ret(aa::x30);
    });
  }
  a_.bind(roomy);
  a_.str(aa::x30, a_.slot(aa::x20, below));
  deferred_.push_back([=, this] {
    a_.bind(no_room);
    if (simple) a_.add_to(aa::x20, aa::x20, below + 8);
    auto* function = static_cast<rt::Function*>(g_.function);
    a_.constant(aa::x17, function);
    a_.jump_to(raw ? stubs_.box_and_interpret : stubs_.call_interpreter);
    if (raw) {
      // A damaged program's: the interpreter says what is wrong.
      asmjit::Label full = a_.newLabel();
      a_.bind(unfit);
      a_.add_to(aa::x16, aa::x20, -below - 8 + g_.lowest * 8);
      a_.ldr(aa::x17, context(at::stack_limit));
      a_.cmp(aa::x16, aa::x17);
      a_.branch_if(CondCode::kLO, full);
      a_.add_to(aa::x20, aa::x20, -below - 8);
      a_.bind(unfit_in_frame);
      a_.str(aa::x30, a_.slot(aa::x20, below));
      store_parameters();
      a_.bind(full);
      a_.constant(aa::x17, function);
      a_.jump_to(stubs_.call_interpreter);
    }
    if (apart) {
      a_.bind(checked);
      a_.add_to(aa::x20, aa::x20, -below - 8);
      take_raw_arguments(unfit_in_frame);
      if (!early_.empty()) a_.str(aa::x30, a_.slot(aa::x20, below));
      for (const EarlyCheck& check : early_) early_check(check.node, check.leaves);
      a_.b(framed);
    }
    for (size_t i = 0; i < failed.size(); ++i) {
      bind(failed[i]);
      make_room();
      if (!simple) a_.add_to(aa::x20, aa::x20, -below - 8);
      a_.str(aa::x30, a_.slot(aa::x20, below));
      jump_to(early_[i].leaves);
    }
  });
}

void Codegen::early_check(const Node* n, Label otherwise) {
  aa::Gp argument = gp(static_cast<int>(n->inputs[0]->imm));
  if (n->op == NodeOp::GuardSmall) return check_small(argument, otherwise);
  a_.compare(argument, n->inputs[1]->imm);
  a_.branch_if(otherwise_of(n), otherwise);
}

bool Codegen::emit_node(Node* n) {
  if (n->op == NodeOp::Tally) {
    increment(n->imm);
    return true;
  }
  if (n->op == NodeOp::LoadAt) {
    int r = output(n);
    a_.constant(aa::x16, n->imm);
    a_.ldr(gp(r), aa::ptr(aa::x16));
    return true;
  }
  return emit_number(n) || emit_float(n) || emit_data(n) || emit_call(n) || emit_effect(n) || emit_loop(n) ||
         emit_runtime_call(n);
}

namespace {
CondCode code_of(Condition c) {
  switch (c) {
    case Condition::Equal: return CondCode::kEQ;
    case Condition::NotEqual: return CondCode::kNE;
    case Condition::Less: return CondCode::kLT;
    case Condition::LessEqual: return CondCode::kLE;
    case Condition::Greater: return CondCode::kGT;
    case Condition::NotAbove: return CondCode::kLS;
    default: return CondCode::kGE;
  }
}
// After fcmp; what is unordered is not less, nor equal.
CondCode float_code_of(Condition c) {
  switch (c) {
    case Condition::Equal: return CondCode::kEQ;
    case Condition::NotEqual: return CondCode::kNE;
    case Condition::Less: return CondCode::kMI;
    case Condition::LessEqual: return CondCode::kLS;
    case Condition::Greater: return CondCode::kGT;
    case Condition::GreaterEqual: return CondCode::kGE;
    case Condition::NotLess: return CondCode::kPL;
    default: return CondCode::kHI;
  }
}
bool is_order(Condition c) { return c != Condition::Equal && c != Condition::NotEqual; }
}  // namespace

void Codegen::quick_test(Label returns) {
  const Graph::Quick& q = g_.quick;
  a_.compare(gp(static_cast<int>(q.param->imm)), q.bound->imm);
  CondCode cc = code_of(q.condition);
  a_.branch_if(q.returns ? cc : Assembler::negate(cc), returns);
}

// The flags say whether to go to successor 0.
bool Codegen::branch(CondCode cc) {
  unsigned on = block_->succs[0] == next_block() ? 0 : 1;
  if (on == 0) cc = Assembler::negate(cc);
  Label out = edge_label(block_->succs[1 - on], 1 - on);
  a_.branch_if(cc, out);
  remember_test(out, static_cast<int>(cc));
  jump(block_->succs[on], on);
  return true;
}

void Codegen::test_again(Node* n, const Test& test) {
  aa::Gp v = gp(input(n->inputs[0]));
  if (n->op == NodeOp::Branch)
    compare_words(n, asmjit::Label());
  else if (n->op == NodeOp::BranchTrue)
    a_.compare(v, static_cast<int64_t>(rt::kTrue.bits));
  else
    con_test(v, static_cast<uint16_t>(n->imm), n->small, n->known, test.other);
  a_.branch_if(Assembler::negate(static_cast<CondCode>(test.leaves)), test.on);
}

// Compares two tagged words, of which `slow` takes those that are no small Ints.
void Codegen::compare_words(Node* n, asmjit::Label slow) {
  Node *a = n->inputs[0], *b = n->inputs[1];
  auto c = static_cast<Condition>(n->imm);
  // All operands are in registers before the first way out is described.
  int ra = input(a);
  bool immediate = b->is_const() && Assembler::comparable(b->imm);
  int rb = immediate ? kNone : input(b);
  Value constant{b->is_const() ? static_cast<Word>(b->imm) : 1};
  if (b->is_const() && constant.is_imm()) {
    // Equal to an immediate is only itself; ordered are characters.
    if (is_order(c)) {
      a_.and_(aa::w16, gp32(ra), 0xff);
      a_.cmp(aa::w16, 0x12);
      a_.branch_if(CondCode::kNE, slow);
      if (!constant.is_imm(rt::Imm::Char)) a_.b(slow);
    }
  } else {
    if (!(n->known & 1)) check_small(gp(ra), slow);
    if (!(n->known & 2)) {
      if (rb != kNone) check_small(gp(rb), slow);
      else if (!(b->imm & 1)) a_.b(slow);
    }
  }
  if (immediate) a_.compare(gp(ra), b->imm);
  else a_.cmp(gp(ra), gp(rb));
}
static_assert((rt::char_value(0).bits & 0xff) == 0x12);

void Codegen::con_test(const aa::Gp& v, uint16_t con, bool constant, bool pointer, asmjit::Label no) {
  if (constant) return a_.compare(v, static_cast<int64_t>(rt::con_value(con).bits));
  if (!pointer) a_.branch_if_no_pointer(v, no);
  a_.ldr(aa::w16, field(v, 0, 4));
  a_.lsr(aa::w16, aa::w16, 8);
  a_.compare(aa::w16, con);
}

// Whether it is a named handler of site `imm`; the flags say whether it is not active any more.
void Codegen::named_test(Node* n, const aa::Gp& named, asmjit::Label no) {
  object_check(named, rt::Kind::Named, false, no);
  a_.constant(aa::x17, n->imm);
  a_.ldr(aa::x16, field(named, at::named_site));
  a_.cmp(aa::x16, aa::x17);
  a_.branch_if(CondCode::kNE, no);
  a_.ldr(aa::x16, field(named, at::named_live));
  a_.cmp(aa::x16, 0);
}

// Whether it is a closure; the flags say whether of function `aux`.
void Codegen::function_test(Node* n, const aa::Gp& closure, asmjit::Label no) {
  object_check(closure, rt::Kind::Closure, false, no);
  a_.constant(aa::x17, static_cast<const rt::Function*>(static_cast<rt::Function*>(n->aux)));
  a_.ldr(aa::x16, field(closure, offsetof(rt::Closure, function)));
  a_.cmp(aa::x16, aa::x17);
}

bool Codegen::emit_end(Node* n) {
  switch (n->op) {
    case NodeOp::Branch: {
      asmjit::Label slow = a_.newLabel();
      bool equality = !is_order(static_cast<Condition>(n->imm));
      bool may_slow = n->known != 3 && !(equality && n->inputs[1]->is_const() && Value{static_cast<Word>(n->inputs[1]->imm)}.is_imm());
      compare_words(n, slow);
      const Block *yes = block_->succs[0], *no = block_->succs[1];
      CondCode cc = code_of(static_cast<Condition>(n->imm));
      if (!may_slow) {
        release_dead(n);
        locked_ = 0;
        return branch(cc);
      }
      // What dies here still has to be there for the slow path; edges do not ask for it.
      asmjit::Label to_yes = edge_label(yes, 0);
      asmjit::Label to_no = edge_label(no, 1);
      slow_path(n, slow, [this, n] { call_compare(n); }, to_no, [this, to_yes, to_no] {
        a_.compare(aa::x16, static_cast<int64_t>(rt::kTrue.bits));
        a_.branch_if(CondCode::kEQ, to_yes);
        a_.b(to_no);
      });
      if (yes == next_block()) {
        a_.branch_if(Assembler::negate(cc), to_no);
        jump(yes, 0);
      } else {
        a_.branch_if(cc, to_yes);
        jump(no, 1);
      }
      return true;
    }
    case NodeOp::BranchFloat: {
      int a = input(n->inputs[0]), b = input(n->inputs[1]);
      a_.fcmp(vec(a), vec(b));
      return branch(float_code_of(static_cast<Condition>(n->imm)));
    }
    case NodeOp::BranchTrue:
      a_.compare(gp(input(n->inputs[0])), static_cast<int64_t>(rt::kTrue.bits));
      return branch(CondCode::kEQ);
    case NodeOp::BranchCon: {
      aa::Gp v = gp(input(n->inputs[0]));
      Label other = edge_label(block_->succs[1], 1);
      con_test(v, static_cast<uint16_t>(n->imm), n->small, n->known, other);
      states_[block_->id].test.other = other;
      return branch(CondCode::kEQ);
    }
    case NodeOp::BranchCell: {
      auto* cell = static_cast<vm::PerformCell*>(n->aux);
      asmjit::Label miss = edge_label(block_->succs[1], 1), hit = a_.newLabel(), far = a_.newLabel();
      if (next_block() != block_->succs[0]) failure_ = "a handler's block is not in its place";
      auto offset = static_cast<int64_t>(cell->effect * sizeof(rt::EffectCell));
      a_.ldr(aa::x16, context(at::top));
      a_.branch_if_zero(aa::x16, miss);
      a_.ldr(aa::x14, field(aa::x16, at::node_site));
      a_.constant(aa::x17, n->imm);
      a_.cmp(aa::x14, aa::x17);
      a_.branch_if(CondCode::kNE, far);
      a_.bind(hit);
      jump(block_->succs[0], 0);
      // Not the nearest handler: what the effect's cell says, where it is right.
      deferred_.push_back([=, this] {
        a_.bind(far);
        a_.ldr(aa::x16, context(at::cells));
        if (offset > 500) a_.add_to(aa::x16, aa::x16, offset);
        a_.ldp(aa::x14, aa::x16, aa::ptr(aa::x16, static_cast<int32_t>(offset > 500 ? 0 : offset)));
        a_.ldr(aa::x15, context(at::tag));
        a_.cmp(aa::x14, aa::x15);
        a_.branch_if(CondCode::kNE, miss);
        a_.ldr(aa::x14, field(aa::x16, at::node_site));
        a_.cmp(aa::x14, aa::x17);
        a_.branch_if(CondCode::kEQ, hit);
        a_.b(miss);
      });
      return true;
    }
    case NodeOp::BranchNamed: {
      aa::Gp named = gp(input(n->inputs[0]));
      named_test(n, named, edge_label(block_->succs[1], 1));
      return branch(CondCode::kNE);
    }
    case NodeOp::BranchSite: {
      aa::Gp node = gp(input(n->inputs[0]));
      asmjit::Label no = edge_label(block_->succs[1], 1);
      a_.branch_if_zero(node, no);
      a_.constant(aa::x17, n->imm);
      a_.ldr(aa::x16, field(node, at::node_site));
      a_.cmp(aa::x16, aa::x17);
      return branch(CondCode::kEQ);
    }
    case NodeOp::BranchFunction: {
      aa::Gp closure = gp(input(n->inputs[0]));
      function_test(n, closure, edge_label(block_->succs[1], 1));
      return branch(CondCode::kEQ);
    }
    case NodeOp::SwitchCon: {
      aa::Gp v = gp(input(n->inputs[0]));
      auto first = static_cast<unsigned>(n->imm), count = static_cast<unsigned>(block_->succs.size() - 1);
      asmjit::Label none = edge_label(block_->succs[count], count);
      bool heap = false;
      for (unsigned i = 0; i < count; ++i) {
        if (g_.ctx->constructors[first + i].fields) {
          heap = true;
          continue;
        }
        a_.compare(v, static_cast<int64_t>(rt::con_value(static_cast<uint16_t>(first + i)).bits));
        a_.branch_if(CondCode::kEQ, edge_label(block_->succs[i], i));
      }
      if (heap) {
        a_.branch_if_no_pointer(v, none);
        a_.ldr(aa::w16, field(v, 0, 4));
        a_.lsr(aa::w16, aa::w16, 8);
        for (unsigned i = 0; i < count; ++i) {
          if (!g_.ctx->constructors[first + i].fields) continue;
          a_.compare(aa::w16, first + i);
          a_.branch_if(CondCode::kEQ, edge_label(block_->succs[i], i));
        }
      }
      jump(block_->succs[count], count);
      return true;
    }
    case NodeOp::Return:
      if (n->inputs[0]->type == Type::Float) {
        return_float(n->inputs[0]);
        return true;
      }
      value_to(aa::x16, n->inputs[0]);
      pop_frame();
      if (g_.function->fiber_base) a_.jump_to(stubs_.finish_fiber);
      else if (returns_by_jump()) a_.br(aa::x30);
      else a_.ret(aa::x30);
      return true;
    case NodeOp::TailCall: {
      arguments(n->inputs, 0);
      pop_frame();
      a_.constant(aa::x17, n->aux);
      a_.ldr(aa::x16, field(aa::x17, takes_raw(n) ? at::raw_entry : at::machine_entry));
      a_.br(aa::x16);
      return true;
    }
    case NodeOp::TailClosure: closure_call(n, true); return true;
    case NodeOp::TailResume:
      arguments(n->inputs, 0);
      pop_frame();
      a_.jump_to(n->imm ? stubs_.tail_resume_last : stubs_.tail_resume_keep);
      return true;
    case NodeOp::TailTaken:
      arguments(n->inputs, 0);
      pop_frame();
      a_.jump_to(stubs_.tail_taken);
      return true;
    case NodeOp::TailFiber:
      arguments(n->inputs, 0);
      pop_frame();
      a_.jump_to(stubs_.fiber_call);
      return true;
    case NodeOp::AbortRet:
      value_to(aa::x1, n->inputs[0]);
      pop_frame();
      a_.constant(aa::x16, reinterpret_cast<void*>(&calls::abort_ret));
      a_.jump_to(stubs_.jump_action);
      return true;
    case NodeOp::Exit:
      save_inline(n->state);
      value_to(aa::x17, n->inputs[1]);
      value_to(aa::x1, n->inputs[0]);
      a_.mov(aa::x2, aa::x17);
      call_helper(stubs_.call_action, reinterpret_cast<void*>(&calls::exit_to), n->state);
      a_.brk(1);
      return true;
    case NodeOp::Leave: jump_to(leave_label(n)); return true;
    default: return false;
  }
}

}  // namespace eddy::jit::a64
