// Objects: allocation, fields, barriers, arrays.
#include "jit/a64/codegen.h"
#include "jit/runtime_calls.h"

namespace eddy::jit::a64 {

namespace {
constexpr int kKindByte = 3;  // of the header
constexpr int kCount = at::count;
constexpr int kItems = 8;
}  // namespace

void Codegen::allocate(Node* n, int out) {
  bool box = n->op == NodeOp::Box;
  Word header = box ? rt::make_header(rt::Kind::Float, 1) : static_cast<Word>(n->imm);
  unsigned first = !box && n->small ? 16 : 8;
  auto bytes = static_cast<int>(first + 8 * n->inputs.size());
  asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
  slow_path(n, slow, [this, n, out, header, bytes] {
    a_.add_to(aa::x21, aa::x21, -bytes);
    a_.constant(aa::x1, static_cast<int64_t>(header));
    a_.constant(aa::x2, bytes);
    if (!n->state) {
      a_.constant(aa::x16, reinterpret_cast<void*>(&calls::old_object));
      a_.call_to(stubs_.call_plain);
      a_.mov(gp(out), aa::x16);
      return;
    }
    call_helper(stubs_.call_value, reinterpret_cast<void*>(&calls::allocate), n->state);
    a_.mov(gp(out), aa::x16);
  }, back);
  a_.mov(gp(out), aa::x21);
  a_.add_to(aa::x21, aa::x21, bytes);
  a_.ldr(aa::x16, context(at::alloc_limit));
  a_.cmp(aa::x21, aa::x16);
  a_.branch_if(CondCode::kHI, slow);
  a_.constant(aa::x16, static_cast<int64_t>(header));
  a_.str(aa::x16, aa::ptr(gp(out)));
  a_.bind(back);
  if (first == 16) store_word(field(gp(out), 8), reinterpret_cast<int64_t>(n->aux));
  // Two neighbours that are in registers take one store.
  auto in_word = [&](size_t i) {
    return i < n->inputs.size() && !n->inputs[i]->remade() && at(n->inputs[i]).reg != kNone && at(n->inputs[i]).reg < kFirstFloat;
  };
  for (size_t i = 0; i < n->inputs.size(); ++i) {
    Node* v = n->inputs[i];
    auto offset = static_cast<int>(first + 8 * i);
    if (in_word(i) && in_word(i + 1) && offset <= 504) {
      a_.stp(gp(at(v).reg), gp(at(n->inputs[i + 1]).reg), aa::ptr(gp(out), offset));
      ++i;
    } else if (v->remade()) {
      store_word(field(gp(out), offset), v->imm);
    } else if (at(v).reg == kNone) {
      a_.ldr(aa::x16, home_slot(v->home));
      a_.str(aa::x16, field(gp(out), offset));
    } else if (at(v).reg < kFirstFloat) {
      a_.str(gp(at(v).reg), field(gp(out), offset));
    } else {
      a_.str(vec(at(v).reg), field(gp(out), offset));
    }
  }
}

void Codegen::rebox(Node* n) {
  int v = input(n->inputs[0]), out = output(n);
  asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
  slow_path(n, slow, [=, this] {
    a_.fmov(aa::d0, vec(v));
    a_.constant(aa::x16, reinterpret_cast<void*>(&calls::old_float));
    a_.call_to(stubs_.call_plain);
    a_.mov(gp(out), aa::x16);
  }, back);
  new_box(gp(out), vec(v), slow);
  a_.bind(back);
}

// Uses x16 and x17.
void Codegen::new_box(const aa::Gp& to, const aa::Vec& value, asmjit::Label no_room) {
  a_.add_to(aa::x17, aa::x21, sizeof(rt::FloatBox));
  a_.ldr(aa::x16, context(at::alloc_limit));
  a_.cmp(aa::x17, aa::x16);
  a_.branch_if(CondCode::kHI, no_room);
  a_.mov(to, aa::x21);
  a_.mov(aa::x21, aa::x17);
  a_.constant(aa::x16, static_cast<int64_t>(rt::make_header(rt::Kind::Float, 1)));
  a_.str(aa::x16, aa::ptr(to));
  a_.str(value, field(to, offsetof(rt::FloatBox, value)));
}

// After a store: an old object must be remembered when it gets to hold a young one. `address_to` computes the
// field's address.
void Codegen::barrier(Node* n, int holder, Node* value, const std::function<void(const aa::Gp&)>& address_to) {
  if (value->is_const()) return;  // constants are no objects
  asmjit::Label slow = a_.newLabel(), done = a_.newLabel();
  a_.ldr(aa::w16, aa::ptr(gp(holder)));
  a_.and_(aa::w16, aa::w16, asmjit::Imm(rt::kHeaderOld | rt::kHeaderRemembered));
  a_.cmp(aa::w16, asmjit::Imm(rt::kHeaderOld));
  a_.branch_if(CondCode::kEQ, slow);
  int v = at(value).reg;
  slow_path(n, slow, [=, this] {
    if (n->op == NodeOp::ArraySet) {
      // Of a large array, it may be known already that something young is near.
      asmjit::Label unknown = a_.newLabel();
      a_.ldr(aa::w16, aa::ptr(gp(holder), kCount));
      a_.cmp(aa::w16, asmjit::Imm(at::kMostWithoutCards));
      a_.branch_if(CondCode::kLS, unknown);
      address_to(aa::x17);
      a_.sub(aa::x17, aa::x17, gp(holder));
      a_.lsr(aa::x17, aa::x17, at::kCardShift);
      a_.ldur(aa::x16, aa::ptr(gp(holder), at::large_cards));
      a_.ldrb(aa::w16, aa::ptr(aa::x16, aa::x17));
      a_.branch_if_not_zero(aa::w16, done);
      a_.bind(unknown);
    }
    // The address is computed from registers that still hold what they held.
    a_.mov(aa::x16, gp(v));
    address_to(aa::x17);
    a_.mov(aa::x3, aa::x16);
    a_.mov(aa::x2, aa::x17);
    pass_slot(1, n->inputs[0]);
    call_helper(stubs_.call_value, reinterpret_cast<void*>(&calls::store), n->state);
  }, done);
  a_.bind(done);
}

void Codegen::object_check(const aa::Gp& v, rt::Kind kind, bool pointer, asmjit::Label no) {
  if (!pointer) a_.branch_if_no_pointer(v, no);
  a_.ldrb(aa::w16, aa::ptr(v, kKindByte));
  a_.cmp(aa::w16, asmjit::Imm(static_cast<int>(kind)));
  a_.branch_if(CondCode::kNE, no);
}

// The index, untagged, in x16; leaves where it is out of range. That is in x17.
void Codegen::index_check(const aa::Gp& array, const Node* n, asmjit::Label no) {
  Node* index = n->inputs[1];
  if (index->is_const()) {
    a_.constant(aa::x16, static_cast<int64_t>(std::min<uint64_t>(static_cast<uint64_t>(index->imm) >> 1, INT32_MAX)));
  } else {
    aa::Gp i = gp(input(index));
    if (!(n->known & 2)) check_small(i, no);
    a_.lsr(aa::x16, i, 1);
  }
  if (n->known & kInRange) return;
  a_.ldr(aa::w17, aa::ptr(array, kCount));
  a_.cmp(aa::x16, aa::x17);
  a_.branch_if(CondCode::kHS, no);
}

bool Codegen::emit_data(Node* n) {
  switch (n->op) {
    case NodeOp::Remake:
    case NodeOp::Alloc: {
      int out = output(n);
      allocate(n, out);
      return true;
    }
    case NodeOp::Box: {
      input(n->inputs[0]);
      int out = output(n);
      allocate(n, out);
      return true;
    }
    case NodeOp::Rebox: rebox(n); return true;
    case NodeOp::Unbox: {
      int a = input(n->inputs[0]);
      if (!(n->known & 1)) object_check(gp(a), rt::Kind::Float, false, leave_label(n));
      int out = output(n);
      a_.ldr(vec(out), aa::ptr(gp(a), 8));
      return true;
    }
    case NodeOp::Load: {
      int a = input(n->inputs[0]);
      release_dead(n);
      int out = output(n, a);
      a_.ldr(gp(out), field(gp(a), n->imm));
      return true;
    }
    case NodeOp::LoadFloat: {
      int a = input(n->inputs[0]);
      int out = output(n);
      a_.ldr(vec(out), field(gp(a), n->imm));
      return true;
    }
    case NodeOp::Store: {
      int a = input(n->inputs[0]);
      Node* value = n->inputs[1];
      if (value->is_const()) {
        store_word(field(gp(a), n->imm), value->imm);
        return true;
      }
      int v = input(value);
      a_.str(gp(v), field(gp(a), n->imm));
      auto offset = static_cast<int>(n->imm);
      if (!(n->known & 2)) barrier(n, a, value, [this, a, offset](const aa::Gp& to) { a_.add_to(to, gp(a), offset); });
      return true;
    }
    case NodeOp::StoreFloat: {
      int a = input(n->inputs[0]), v = input(n->inputs[1]);
      a_.str(vec(v), field(gp(a), n->imm));
      return true;
    }
    case NodeOp::CheckCon: {
      int a = input(n->inputs[0]);
      asmjit::Label no = leave_label(n);
      con_test(gp(a), static_cast<uint16_t>(n->imm), false, n->known, no);
      a_.branch_if(CondCode::kNE, no);
      return true;
    }
    case NodeOp::CheckKind: {
      int a = input(n->inputs[0]);
      object_check(gp(a), static_cast<rt::Kind>(n->imm), n->known, leave_label(n));
      return true;
    }
    case NodeOp::SetUp: {
      int a = input(n->inputs[0]), v = input(n->inputs[1]);
      asmjit::Label no = leave_label(n);
      object_check(gp(a), rt::Kind::Closure, false, no);
      a_.ldr(aa::w16, aa::ptr(gp(a), kCount));
      a_.compare(aa::w16, n->imm);
      a_.branch_if(CondCode::kLS, no);
      int offset = 16 + 8 * static_cast<int>(n->imm);
      a_.str(gp(v), field(gp(a), offset));
      barrier(n, a, n->inputs[1], [this, a, offset](const aa::Gp& to) { a_.add_to(to, gp(a), offset); });
      return true;
    }
    case NodeOp::CharCode: {
      int a = input(n->inputs[0]), out = output(n);
      if (!n->known) {
        a_.cmp(gp(a).w(), asmjit::Imm(rt::imm_bits(rt::Imm::Char)));
        a_.branch_if(CondCode::kNE, leave_label(n));
      }
      a_.lsr(aa::x16, gp(a), 32);
      a_.add(gp(out), aa::x16, aa::x16);
      a_.add(gp(out), gp(out), 1);
      return true;
    }
    case NodeOp::StringLength: {
      int a = input(n->inputs[0]), out = output(n);
      Label back;
      asmjit::Label no = result_of(n, reinterpret_cast<void*>(&calls::string_length), out, &back);
      object_check(gp(a), rt::Kind::String, false, no);
      // One more than there are.
      a_.ldr(aa::w16, aa::ptr(gp(a), at::string_chars));
      a_.branch_if_zero(aa::w16, no);
      a_.add(aa::x16, aa::x16, aa::x16);
      a_.sub(gp(out), aa::x16, 1);
      bind(back);
      return true;
    }
    case NodeOp::StringAt: {
      int a = input(n->inputs[0]);
      if (!n->inputs[1]->is_const()) input(n->inputs[1]);
      int out = output(n);
      Label back;
      asmjit::Label no = result_of(n, reinterpret_cast<void*>(&calls::string_at), out, &back);
      object_check(gp(a), rt::Kind::String, false, no);
      index_check(gp(a), n, no);
      // As many bytes as characters.
      a_.ldr(aa::w14, aa::ptr(gp(a), at::string_chars));
      a_.add(aa::w17, aa::w17, 1);
      a_.cmp(aa::w14, aa::w17);
      a_.branch_if(CondCode::kNE, no);
      a_.add(aa::x17, gp(a), at::string_bytes);
      a_.ldrb(aa::w16, aa::ptr(aa::x17, aa::x16));
      a_.lsl(aa::x16, aa::x16, 32);
      a_.add(gp(out), aa::x16, rt::imm_bits(rt::Imm::Char));
      bind(back);
      return true;
    }
    case NodeOp::ArrayGet:
    case NodeOp::ArrayGetF: {
      bool raw = n->op == NodeOp::ArrayGetF;
      int a = input(n->inputs[0]);
      int out = output(n);
      Label back;
      if (!n->inputs[1]->is_const()) input(n->inputs[1]);
      asmjit::Label no = raw || n->speculative ? leave_label(n) : result_of(n, reinterpret_cast<void*>(&calls::array_get), out, &back);
      object_check(gp(a), raw ? rt::Kind::FloatArray : rt::Kind::Array, n->known & 1, no);
      index_check(gp(a), n, no);
      a_.add(aa::x17, gp(a), kItems);
      if (raw) a_.ldr(vec(out), aa::ptr(aa::x17, aa::x16, aa::lsl(3)));
      else a_.ldr(gp(out), aa::ptr(aa::x17, aa::x16, aa::lsl(3)));
      if (back.valid()) bind(back);
      return true;
    }
    case NodeOp::ArraySet:
    case NodeOp::ArraySetF: {
      bool raw = n->op == NodeOp::ArraySetF;
      int a = input(n->inputs[0]);
      int v = input(n->inputs[2]);
      if (!n->inputs[1]->is_const()) input(n->inputs[1]);
      asmjit::Label no;
      asmjit::Label done = a_.newLabel();
      bool slow = !raw && !n->speculative;
      if (slow) {
        no = a_.newLabel();
        slow_path(n, no, [this, n] {
          call_with_operands(n, reinterpret_cast<void*>(&calls::array_set));
        }, done);
      } else {
        no = leave_label(n);
      }
      object_check(gp(a), raw ? rt::Kind::FloatArray : rt::Kind::Array, n->known & 1, no);
      index_check(gp(a), n, no);
      a_.add(aa::x17, gp(a), kItems);
      if (raw) {
        a_.str(vec(v), aa::ptr(aa::x17, aa::x16, aa::lsl(3)));
      } else {
        a_.str(gp(v), aa::ptr(aa::x17, aa::x16, aa::lsl(3)));
        if (!(n->known & 4) && !n->inputs[2]->is_const()) {
          Node* index = n->inputs[1];
          int i = index->is_const() ? kNone : at(index).reg;
          int64_t known = index->imm >> 1;
          barrier(n, a, n->inputs[2], [this, a, i, known](const aa::Gp& to) {
            if (i == kNone) {
              a_.add_to(to, gp(a), kItems + 8 * known);
            } else {
              a_.lsr(to, gp(i), 1);
              a_.add(to, gp(a), to, aa::lsl(3));
              a_.add(to, to, kItems);
            }
          });
        }
      }
      a_.bind(done);
      return true;
    }
    case NodeOp::ArrayLen: {
      int a = input(n->inputs[0]);
      int out = output(n);
      asmjit::Label no = leave_label(n);
      a_.branch_if_no_pointer(gp(a), no);
      a_.ldrb(aa::w16, aa::ptr(gp(a), kKindByte));
      a_.sub(aa::w16, aa::w16, asmjit::Imm(static_cast<int>(rt::Kind::Array)));
      a_.cmp(aa::w16, 1);
      a_.branch_if(CondCode::kHI, no);
      a_.ldr(aa::w16, aa::ptr(gp(a), kCount));
      a_.lsl(aa::x16, aa::x16, 1);
      a_.orr(gp(out), aa::x16, 1);
      return true;
    }
    case NodeOp::GlobalGet: {
      int out = output(n);
      asmjit::Label no = leave_label(n);
      a_.ldr(aa::x16, context(at::globals));
      a_.ldr(gp(out), field(aa::x16, n->imm * 8));
      a_.compare(gp(out), static_cast<int64_t>(rt::kHole.bits));
      a_.branch_if(CondCode::kEQ, no);
      return true;
    }
    case NodeOp::GlobalSet: {
      int v = input(n->inputs[0]);
      a_.ldr(aa::x16, context(at::globals));
      a_.str(gp(v), field(aa::x16, n->imm * 8));
      return true;
    }
    default: return false;
  }
}

static_assert(static_cast<int>(rt::Kind::FloatArray) == static_cast<int>(rt::Kind::Array) + 1);

}  // namespace eddy::jit::a64
