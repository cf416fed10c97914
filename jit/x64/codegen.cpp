// Entries, and the ends of blocks.
#include "jit/x64/codegen.h"

#include "jit/runtime_calls.h"
#include "vm/registers.h"
#include "runtime/plants.h"

namespace eddy::jit::x64 {

ax::CondCode otherwise_of(const Node* check) {
  static constexpr ax::CondCode otherwise[] = {ax::CondCode::kNE, ax::CondCode::kE,  ax::CondCode::kGE,
                                               ax::CondCode::kG,  ax::CondCode::kLE, ax::CondCode::kL};
  return otherwise[static_cast<int>(check->imm)];
}

Codegen::Codegen(const Graph& graph, asmjit::CodeHolder& holder, const Stubs& stubs, vm::Tier& tier,
                 void* code_record, RegisterSet registers)
    : CodegenBase(graph, stubs, tier, code_record, registers), a_(&holder) {}

// The return address is on the stack already.
void Codegen::entry() {
  bind(start_ = new_label());
  asmjit::Label unfit = a_.newLabel(), unfit_in_frame = a_.newLabel();
  bool raw = g_.raw_params != 0;
  take_raw_arguments(unfit);
  bind(raw_start_ = new_label());
  std::vector<Label> failed;
  for (const EarlyCheck& check : early_) early_check(check.node, failed.emplace_back(new_label()));
  if (!g_.quick.result) {
    // Where a function calls itself a line of the cache starts: elsewhere it is up to 30 % slower, as the wind blows.
    if (!early_.empty()) a_.align(asmjit::AlignMode::kCode, 64);
    bind(inner_start_ = new_label());
  }
  int below = frame_bytes();
  asmjit::Label no_room = a_.newLabel(), checked = a_.newLabel(), body = a_.newLabel(), framed = a_.newLabel();
  checked_ = checked;
  bool simple = g_.lowest == 0, quick = g_.quick.result != nullptr;
  auto make_room = [=, this] {
    if (simple) {
      a_.sub(ax::rsp, below);
      a_.cmp(ax::rsp, ax::qword_ptr(ax::r15, at::stack_limit));
    } else {
      a_.lea(ax::rax, ax::ptr(ax::rsp, -below + g_.lowest * 8));
      a_.cmp(ax::rax, ax::qword_ptr(ax::r15, at::stack_limit));
    }
    a_.jb(no_room);
  };
  make_room();
  bool apart = simple || !early_.empty() || raw;
  if (!apart) a_.bind(checked);
  if (!simple) a_.sub(ax::rsp, below);
  a_.bind(framed);
  if (quick) {
    asmjit::Label returns = a_.newLabel(), returns_framed = a_.newLabel();
    quick_test(returns_framed);
    a_.jmp(body);
    bind(inner_start_ = new_label());
    quick_test(returns);
    make_room();
    if (!simple) a_.sub(ax::rsp, below);
    deferred_.push_back([=, this] {
      a_.bind(returns_framed);
      a_.add(ax::rsp, below);
      a_.bind(returns);
      const Node* result = g_.quick.result;
      if (result->remade()) constant_to(ax::rax, result->imm);
      else a_.mov(ax::rax, gp(static_cast<int>(result->imm)));
      a_.ret();
    });
  }
  a_.bind(body);
  deferred_.push_back([=, this] {
    a_.bind(no_room);
    if (simple) a_.add(ax::rsp, below);
    auto* function = static_cast<rt::Function*>(g_.function);
    constant_to(ax::rdx, reinterpret_cast<int64_t>(function));
    a_.jmp(raw ? stubs_.box_and_interpret : stubs_.call_interpreter);
    if (raw) {
      // A damaged program's: the interpreter says what is wrong.
      asmjit::Label full = a_.newLabel();
      a_.bind(unfit);
      a_.lea(ax::rax, ax::ptr(ax::rsp, -below + g_.lowest * 8));
      a_.cmp(ax::rax, ax::qword_ptr(ax::r15, at::stack_limit));
      a_.jb(full);
      a_.sub(ax::rsp, below);
      a_.bind(unfit_in_frame);
      store_parameters();
      a_.bind(full);
      constant_to(ax::rdx, reinterpret_cast<int64_t>(function));
      a_.jmp(stubs_.call_interpreter);
    }
    if (apart) {
      a_.bind(checked);
      a_.sub(ax::rsp, below);
      take_raw_arguments(unfit_in_frame);
      for (const EarlyCheck& check : early_) early_check(check.node, check.leaves);
      a_.jmp(framed);
    }
    for (size_t i = 0; i < failed.size(); ++i) {
      bind(failed[i]);
      make_room();
      if (!simple) a_.sub(ax::rsp, below);
      jump_to(early_[i].leaves);
    }
  });
}

void Codegen::early_check(const Node* n, Label otherwise) {
  ax::Gp argument = gp(static_cast<int>(n->inputs[0]->imm));
  if (n->op == NodeOp::GuardSmall) return check_small(argument, otherwise);
  a_.cmp(argument, static_cast<int32_t>(n->inputs[1]->imm));
  a_.j(otherwise_of(n), otherwise);
}

bool Codegen::emit_node(Node* n) {
  if (n->op == NodeOp::Tally) {
    constant_to(ax::rax, n->imm);
    a_.inc(ax::qword_ptr(ax::rax));
    return true;
  }
  if (n->op == NodeOp::LoadAt) {
    int r = output(n);
    constant_to(ax::rax, n->imm);
    a_.mov(gp(r), ax::qword_ptr(ax::rax));
    return true;
  }
  return emit_number(n) || emit_float(n) || emit_data(n) || emit_call(n) || emit_effect(n) || emit_loop(n) ||
         emit_runtime_call(n);
}

namespace {
ax::CondCode code_of(Condition c) {
  switch (c) {
    case Condition::Equal:
      return ax::CondCode::kE;
    case Condition::NotEqual:
      return ax::CondCode::kNE;
    case Condition::Less:
      return ax::CondCode::kL;
    case Condition::LessEqual:
      return ax::CondCode::kLE;
    case Condition::Greater:
      return ax::CondCode::kG;
    case Condition::NotAbove:
      return ax::CondCode::kBE;
    default:
      return ax::CondCode::kGE;
  }
}
bool is_order(Condition c) { return c != Condition::Equal && c != Condition::NotEqual; }
}  // namespace

void Codegen::quick_test(Label returns) {
  const Graph::Quick& q = g_.quick;
  a_.cmp(gp(static_cast<int>(q.param->imm)), static_cast<int32_t>(q.bound->imm));
  ax::CondCode cc = code_of(q.condition);
  a_.j(q.returns ? cc : asmjit::x86::negateCond(cc), returns);
}

// The flags say whether to go to successor 0.
bool Codegen::branch(ax::CondCode cc) {
  unsigned on = block_->succs[0] == next_block() ? 0 : 1;
  if (on == 0) cc = asmjit::x86::negateCond(cc);
  Label out = edge_label(block_->succs[1 - on], 1 - on);
  a_.j(cc, out);
  remember_test(out, static_cast<int>(cc));
  jump(block_->succs[on], on);
  return true;
}

void Codegen::test_again(Node* n, const Test& test) {
  ax::Gp v = gp(input(n->inputs[0]));
  if (n->op == NodeOp::Branch)
    compare_words(n, asmjit::Label());
  else if (n->op == NodeOp::BranchTrue)
    a_.cmp(v, static_cast<int32_t>(rt::kTrue.bits));
  else
    con_test(n, v, static_cast<uint16_t>(n->imm), n->small, n->known, test.other);
  a_.j(asmjit::x86::negateCond(static_cast<ax::CondCode>(test.leaves)), test.on);
}

// Compares two tagged words, of which `slow` takes those that are no small Ints.
void Codegen::compare_words(Node* n, asmjit::Label slow) {
  Node *a = n->inputs[0], *b = n->inputs[1];
  auto c = static_cast<Condition>(n->imm);
  // All operands are in registers before the first way out is described.
  int ra = input(a);
  bool immediate = b->is_const() && fits(b->imm);
  int rb = immediate ? kNone : input(b);
  Value constant{b->is_const() ? static_cast<Word>(b->imm) : 1};
  if (b->is_const() && constant.is_imm()) {
    // Equal to an immediate is only itself; ordered are characters.
    if (is_order(c)) {
      a_.cmp(gp(ra).r8(), 0x12);
      a_.jne(slow);
      if (!constant.is_imm(rt::Imm::Char)) a_.jmp(slow);
    }
  } else {
    if (!(n->known & 1)) check_small(gp(ra), slow);
    if (!(n->known & 2)) check_small(gp(rb), slow);
  }
  if (immediate)
    a_.cmp(gp(ra), static_cast<int32_t>(b->imm));
  else
    a_.cmp(gp(ra), gp(rb));
}

void Codegen::con_test(Node*, const ax::Gp& v, uint16_t con, bool constant, bool pointer, asmjit::Label no) {
  if (constant) {
    a_.cmp(v, static_cast<int32_t>(rt::con_value(con).bits));
    return;
  }
  if (!pointer) {
    a_.test(v.r8(), 7);
    a_.jnz(no);
  }
  a_.mov(ax::eax, ax::dword_ptr(v));
  a_.shr(ax::eax, 8);
  a_.cmp(ax::eax, con);
}

// Whether it is a named handler of site `imm`; the flags say whether it is not active any more.
void Codegen::named_test(Node* n, const ax::Gp& named, asmjit::Label no) {
  a_.test(named.r8(), 7);
  a_.jnz(no);
  a_.cmp(ax::byte_ptr(named, 3), static_cast<int>(rt::Kind::Named));
  a_.jne(no);
  constant_to(ax::rdx, n->imm);
  a_.cmp(ax::qword_ptr(named, at::named_site), ax::rdx);
  a_.jne(no);
  a_.cmp(ax::qword_ptr(named, at::named_live), 0);
}

// Whether it is a closure; the flags say whether of function `aux`.
void Codegen::function_test(Node* n, const ax::Gp& closure, asmjit::Label no) {
  a_.test(closure.r8(), 7);
  a_.jnz(no);
  a_.cmp(ax::byte_ptr(closure, 3), static_cast<int>(rt::Kind::Closure));
  a_.jne(no);
  constant_to(ax::rdx, reinterpret_cast<int64_t>(static_cast<rt::Function*>(n->aux)));
  a_.cmp(ax::qword_ptr(closure, offsetof(rt::Closure, function)), ax::rdx);
}

bool Codegen::emit_end(Node* n) {
  switch (n->op) {
    case NodeOp::Branch: {
      asmjit::Label slow = a_.newLabel();
      bool equality = !is_order(static_cast<Condition>(n->imm));
      bool may_slow = n->known != 3 && !(equality && n->inputs[1]->is_const() &&
                                         Value{static_cast<Word>(n->inputs[1]->imm)}.is_imm());
      compare_words(n, slow);
      const Block *yes = block_->succs[0], *no = block_->succs[1];
      ax::CondCode cc = code_of(static_cast<Condition>(n->imm));
      if (!may_slow) {
        release_dead(n);
        locked_ = 0;
        return branch(cc);
      }
      // What dies here still has to be there for the slow path; edges do not ask for it.
      asmjit::Label to_yes = edge_label(yes, 0);
      asmjit::Label to_no = edge_label(no, 1);
      slow_path(n, slow, [this, n] { call_compare(n); }, to_no, [this, to_yes, to_no] {
        a_.cmp(ax::rax, static_cast<int32_t>(rt::kTrue.bits));
        a_.je(to_yes);
        a_.jmp(to_no);
      });
      if (yes == next_block()) {
        a_.j(asmjit::x86::negateCond(cc), to_no);
        jump(yes, 0);
        return true;
      }
      a_.j(cc, to_yes);
      jump(no, 1);
      return true;
    }
    case NodeOp::BranchFloat: {
      ax::Xmm a = xmm(input(n->inputs[0])), b = xmm(input(n->inputs[1]));
      const Block *yes = block_->succs[0], *no = block_->succs[1];
      switch (static_cast<Condition>(n->imm)) {
        case Condition::Equal:
          a_.ucomisd(a, b);
          a_.jp(edge_label(no, 1));
          return branch(ax::CondCode::kE);
        case Condition::NotEqual:
          a_.ucomisd(a, b);
          a_.jp(edge_label(yes, 0));
          return branch(ax::CondCode::kNE);
        case Condition::Less:
          if (PLANTED(jit_nan_less)) {
            a_.ucomisd(a, b);
            return branch(ax::CondCode::kB);
          }
          a_.ucomisd(b, a);
          return branch(ax::CondCode::kA);
        case Condition::LessEqual:
          a_.ucomisd(b, a);
          return branch(ax::CondCode::kAE);
        case Condition::NotLess:
          a_.ucomisd(b, a);
          return branch(ax::CondCode::kBE);
        default:
          a_.ucomisd(b, a);
          return branch(ax::CondCode::kB);
      }
    }
    case NodeOp::BranchTrue:
      a_.cmp(gp(input(n->inputs[0])), static_cast<int32_t>(rt::kTrue.bits));
      return branch(ax::CondCode::kE);
    case NodeOp::BranchCon: {
      ax::Gp v = gp(input(n->inputs[0]));
      Label other = edge_label(block_->succs[1], 1);
      con_test(n, v, static_cast<uint16_t>(n->imm), n->small, n->known, other);
      states_[block_->id].test.other = other;
      return branch(ax::CondCode::kE);
    }
    case NodeOp::BranchCell: {
      auto* cell = static_cast<vm::PerformCell*>(n->aux);
      asmjit::Label miss = edge_label(block_->succs[1], 1), hit = a_.newLabel(), far = a_.newLabel();
      const Block* next = g_.blocks[index_ + 1];
      if (next != block_->succs[0]) failure_ = "a handler's block is not in its place";
      int offset = static_cast<int>(cell->effect * sizeof(rt::EffectCell));
      ax::Mem site = ax::qword_ptr(ax::rax, offsetof(rt::Node, site));
      a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::top));
      a_.test(ax::rax, ax::rax);
      a_.jz(miss);
      constant_to(ax::rdx, n->imm);
      a_.cmp(site, ax::rdx);
      a_.jne(far);
      a_.bind(hit);
      jump(block_->succs[0], 0);
      // Not the nearest handler: what the effect's cell says, where it is right.
      deferred_.push_back([this, n, offset, miss, hit, far, site] {
        a_.bind(far);
        a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::cells));
        a_.mov(ax::rdx, ax::qword_ptr(ax::rax, offset));
        a_.cmp(ax::rdx, ax::qword_ptr(ax::r15, at::tag));
        a_.mov(ax::rax, ax::qword_ptr(ax::rax, offset + 8));
        a_.jne(miss);
        constant_to(ax::rdx, n->imm);
        a_.cmp(site, ax::rdx);
        a_.je(hit);
        a_.jmp(miss);
      });
      return true;
    }
    case NodeOp::BranchNamed: {
      ax::Gp named = gp(input(n->inputs[0]));
      named_test(n, named, edge_label(block_->succs[1], 1));
      return branch(ax::CondCode::kNE);
    }
    case NodeOp::BranchSite: {
      ax::Gp node = gp(input(n->inputs[0]));
      asmjit::Label no = edge_label(block_->succs[1], 1);
      a_.test(node, node);
      a_.jz(no);
      constant_to(ax::rdx, n->imm);
      a_.cmp(ax::qword_ptr(node, at::node_site), ax::rdx);
      return branch(ax::CondCode::kE);
    }
    case NodeOp::BranchFunction: {
      ax::Gp closure = gp(input(n->inputs[0]));
      function_test(n, closure, edge_label(block_->succs[1], 1));
      return branch(ax::CondCode::kE);
    }
    case NodeOp::SwitchCon: {
      ax::Gp v = gp(input(n->inputs[0]));
      auto first = static_cast<unsigned>(n->imm), count = static_cast<unsigned>(block_->succs.size() - 1);
      asmjit::Label none = edge_label(block_->succs[count], count);
      bool heap = false;
      for (unsigned i = 0; i < count; ++i) {
        if (g_.ctx->constructors[first + i].fields) {
          heap = true;
          continue;
        }
        a_.cmp(v, static_cast<int32_t>(rt::con_value(static_cast<uint16_t>(first + i)).bits));
        a_.je(edge_label(block_->succs[i], i));
      }
      if (heap) {
        a_.test(v.r8(), 7);
        a_.jnz(none);
        a_.mov(ax::eax, ax::dword_ptr(v));
        a_.shr(ax::eax, 8);
        for (unsigned i = 0; i < count; ++i) {
          if (!g_.ctx->constructors[first + i].fields) continue;
          a_.cmp(ax::eax, static_cast<int32_t>(first + i));
          a_.je(edge_label(block_->succs[i], i));
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
      value_to(ax::rax, n->inputs[0]);
      a_.add(ax::rsp, frame_bytes());
      if (g_.function->fiber_base) {
        a_.jmp(stubs_.finish_fiber);
      } else if (returns_by_jump()) {
        a_.pop(ax::rdx);
        a_.jmp(ax::rdx);
      } else {
        a_.ret();
      }
      return true;
    case NodeOp::TailCall: {
      auto* f = static_cast<rt::Function*>(n->aux);
      arguments(n->inputs, 0);
      a_.add(ax::rsp, frame_bytes());
      constant_to(ax::rdx, reinterpret_cast<int64_t>(f));
      a_.jmp(ax::qword_ptr(ax::rdx, takes_raw(n) ? at::raw_entry : at::machine_entry));
      return true;
    }
    case NodeOp::TailClosure:
      closure_call(n, true);
      return true;
    case NodeOp::TailResume:
      arguments(n->inputs, 0);
      a_.add(ax::rsp, frame_bytes());
      a_.jmp(n->imm ? stubs_.tail_resume_last : stubs_.tail_resume_keep);
      return true;
    case NodeOp::TailTaken:
      arguments(n->inputs, 0);
      a_.add(ax::rsp, frame_bytes());
      a_.jmp(stubs_.tail_taken);
      return true;
    case NodeOp::TailFiber:
      arguments(n->inputs, 0);
      a_.add(ax::rsp, frame_bytes());
      a_.jmp(stubs_.fiber_call);
      return true;
    case NodeOp::AbortRet:
      value_to(ax::rsi, n->inputs[0]);
      a_.add(ax::rsp, frame_bytes());
      constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::abort_ret));
      a_.jmp(stubs_.jump_action);
      return true;
    case NodeOp::Exit: {
      save_inline(n->state);
      value_to(ax::rdx, n->inputs[1]);
      a_.mov(ax::rax, ax::rdx);
      value_to(ax::rdx, n->inputs[0]);
      a_.mov(ax::rsi, ax::rdx);
      a_.mov(ax::rdx, ax::rax);
      call_helper(stubs_.call_action, reinterpret_cast<void*>(&calls::exit_to), n->state);
      a_.ud2();
      return true;
    }
    case NodeOp::Leave:
      jump_to(leave_label(n));
      return true;
    default:
      return false;
  }
}

}  // namespace eddy::jit::x64
