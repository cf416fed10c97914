// Objects: allocation, fields, barriers, arrays.
#include "jit/runtime_calls.h"
#include "jit/x64/codegen.h"
#include "runtime/plants.h"

namespace eddy::jit::x64 {

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
    a_.sub(ax::r14, bytes);
    if (!n->state) {
      constant_to(ax::rsi, static_cast<int64_t>(header));
      a_.mov(ax::edx, bytes);
      constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::old_object));
      a_.call(stubs_.call_plain);
      a_.mov(gp(out), ax::rax);
      return;
    }
    constant_to(ax::rsi, static_cast<int64_t>(header));
    a_.mov(ax::edx, bytes);
    call_helper(stubs_.call_value, reinterpret_cast<void*>(&calls::allocate), n->state);
    a_.mov(gp(out), ax::rax);
  }, back);
  a_.mov(gp(out), ax::r14);
  a_.add(ax::r14, bytes);
  a_.cmp(ax::r14, ax::qword_ptr(ax::r15, at::alloc_limit));
  a_.ja(slow);
  constant_to(ax::rax, static_cast<int64_t>(header));
  a_.mov(ax::qword_ptr(gp(out)), ax::rax);
  a_.bind(back);
  if (first == 16) {
    auto word = reinterpret_cast<int64_t>(n->aux);
    if (fits(word)) {
      a_.mov(ax::qword_ptr(gp(out), 8), static_cast<int32_t>(word));
    } else {
      a_.mov(ax::rax, word);
      a_.mov(ax::qword_ptr(gp(out), 8), ax::rax);
    }
  }
  for (size_t i = 0; i < n->inputs.size(); ++i) {
    Node* v = n->inputs[i];
    ax::Mem field = ax::qword_ptr(gp(out), static_cast<int>(first + 8 * i));
    if (v->remade() && fits(v->imm)) {
      a_.mov(field, static_cast<int32_t>(v->imm));
    } else if (!v->remade() && at(v).reg != kNone) {
      if (at(v).reg < kFirstFloat) a_.mov(field, gp(at(v).reg));
      else a_.movsd(field, xmm(at(v).reg));
    } else {
      value_to(ax::rax, v);
      a_.mov(field, ax::rax);
    }
  }
}

void Codegen::rebox(Node* n) {
  int v = input(n->inputs[0]), out = output(n);
  asmjit::Label slow = a_.newLabel(), back = a_.newLabel();
  slow_path(n, slow, [=, this] {
    a_.movaps(ax::xmm0, xmm(v));
    constant_to(ax::rax, reinterpret_cast<int64_t>(&calls::old_float));
    a_.call(stubs_.call_plain);
    a_.mov(gp(out), ax::rax);
  }, back);
  new_box(gp(out), xmm(v), slow);
  a_.bind(back);
}

// Uses rax.
void Codegen::new_box(const ax::Gp& to, const ax::Xmm& value, asmjit::Label no_room) {
  a_.lea(ax::rax, ax::ptr(ax::r14, sizeof(rt::FloatBox)));
  a_.cmp(ax::rax, ax::qword_ptr(ax::r15, at::alloc_limit));
  a_.ja(no_room);
  a_.mov(to, ax::r14);
  a_.mov(ax::r14, ax::rax);
  constant_to(ax::rax, static_cast<int64_t>(rt::make_header(rt::Kind::Float, 1)));
  a_.mov(ax::qword_ptr(to), ax::rax);
  a_.movsd(ax::qword_ptr(to, offsetof(rt::FloatBox, value)), value);
}

// After a store: an old object must be remembered when it gets to hold a young one. `address_to` computes the
// field's address.
void Codegen::barrier(Node* n, int holder, Node* value, const std::function<void(const ax::Gp&)>& address_to) {
  if (value->is_const() || PLANTED(jit_barrier_lost)) return;  // constants are no objects
  asmjit::Label slow = a_.newLabel(), done = a_.newLabel();
  a_.mov(ax::eax, ax::dword_ptr(gp(holder)));
  a_.and_(ax::eax, static_cast<int32_t>(rt::kHeaderOld | rt::kHeaderRemembered));
  a_.cmp(ax::eax, static_cast<int32_t>(rt::kHeaderOld));
  a_.je(slow);
  int v = at(value).reg;
  slow_path(n, slow, [=, this] {
    if (n->op == NodeOp::ArraySet) {
      // Of a large array, it may be known already that something young is near.
      asmjit::Label unknown = a_.newLabel();
      a_.cmp(ax::dword_ptr(gp(holder), kCount), at::kMostWithoutCards);
      a_.jbe(unknown);
      address_to(ax::rdx);
      a_.sub(ax::rdx, gp(holder));
      a_.shr(ax::rdx, at::kCardShift);
      a_.mov(ax::rax, ax::qword_ptr(gp(holder), at::large_cards));
      a_.cmp(ax::byte_ptr(ax::rax, ax::rdx), PLANTED(jit_card_lost) ? 2 : 0);
      a_.jne(done);
      a_.bind(unknown);
    }
    // Operands are read from their slots; the address is computed from registers that still hold them.
    a_.mov(ax::rax, gp(v));
    address_to(ax::rdx);
    a_.mov(ax::rcx, ax::rax);
    pass_slot(1, n->inputs[0]);
    call_helper(stubs_.call_value, reinterpret_cast<void*>(&calls::store), n->state);
  }, done);
  a_.bind(done);
}

bool Codegen::emit_data(Node* n) {
  auto object_check = [&](const ax::Gp& v, rt::Kind kind, bool pointer, asmjit::Label no) {
    if (!pointer) {
      a_.test(v.r8(), 7);
      a_.jnz(no);
    }
    a_.cmp(ax::byte_ptr(v, kKindByte), static_cast<int>(kind));
    a_.jne(no);
  };
  // An item at an index that is known to be in range: 8 bytes an item, 2 a step of the tagged index.
  auto in_range = [](const Node* n) { return (n->known & (kInRange | 3)) == (kInRange | 3) && !n->inputs[1]->is_const(); };
  auto item = [&](Node* n) { return ax::qword_ptr(gp(at(n->inputs[0]).reg), gp(at(n->inputs[1]).reg), 2, kItems - 4); };
  // The index, untagged, in rax; leaves where it is out of range, which is in rdx.
  auto index_check = [&](const ax::Gp& array, const Node* n, asmjit::Label no) {
    Node* index = n->inputs[1];
    if (index->is_const()) {
      a_.mov(ax::eax, static_cast<int32_t>(std::min<uint64_t>(static_cast<uint64_t>(index->imm) >> 1, INT32_MAX)));
    } else {
      ax::Gp i = gp(input(index));
      if (!(n->known & 2)) check_small(i, no);
      a_.mov(ax::rax, i);
      a_.shr(ax::rax, 1);
    }
    if (n->known & kInRange) return;
    a_.mov(ax::edx, ax::dword_ptr(array, kCount));
    a_.cmp(ax::rax, ax::rdx);
    if (PLANTED(jit_bound_lost)) a_.ja(no);
    else a_.jae(no);
  };
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
      a_.movsd(xmm(out), ax::qword_ptr(gp(a), 8));
      return true;
    }
    case NodeOp::Load: {
      int a = input(n->inputs[0]);
      release_dead(n);
      int out = output(n, a);
      a_.mov(gp(out), ax::qword_ptr(gp(a), static_cast<int>(n->imm)));
      return true;
    }
    case NodeOp::LoadFloat: {
      int a = input(n->inputs[0]);
      int out = output(n);
      a_.movsd(xmm(out), ax::qword_ptr(gp(a), static_cast<int>(n->imm)));
      return true;
    }
    case NodeOp::Store: {
      int a = input(n->inputs[0]);
      Node* value = n->inputs[1];
      ax::Mem field = ax::qword_ptr(gp(a), static_cast<int>(n->imm));
      if (value->is_const() && fits(value->imm)) {
        a_.mov(field, static_cast<int32_t>(value->imm));
        return true;
      }
      int v = input(value);
      a_.mov(field, gp(v));
      auto offset = static_cast<int>(n->imm);
      if (!(n->known & 2)) barrier(n, a, value, [this, a, offset](const ax::Gp& to) { a_.lea(to, ax::ptr(gp(a), offset)); });
      return true;
    }
    case NodeOp::StoreFloat: {
      int a = input(n->inputs[0]), v = input(n->inputs[1]);
      a_.movsd(ax::qword_ptr(gp(a), static_cast<int>(n->imm)), xmm(v));
      return true;
    }
    case NodeOp::CheckCon: {
      int a = input(n->inputs[0]);
      asmjit::Label no = leave_label(n);
      con_test(n, gp(a), static_cast<uint16_t>(n->imm), false, n->known, no);
      a_.jne(no);
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
      a_.cmp(ax::dword_ptr(gp(a), kCount), static_cast<int32_t>(n->imm));
      a_.jbe(no);
      int offset = 16 + 8 * static_cast<int>(n->imm);
      a_.mov(ax::qword_ptr(gp(a), offset), gp(v));
      barrier(n, a, n->inputs[1], [this, a, offset](const ax::Gp& to) { a_.lea(to, ax::ptr(gp(a), offset)); });
      return true;
    }
    case NodeOp::CharCode: {
      int a = input(n->inputs[0]), out = output(n);
      if (!n->known) {
        a_.cmp(gp(a).r32(), static_cast<int>(rt::imm_bits(rt::Imm::Char)));
        a_.jne(leave_label(n));
      }
      a_.mov(ax::rax, gp(a));
      a_.shr(ax::rax, 32);
      a_.lea(gp(out), ax::ptr(ax::rax, ax::rax, 0, 1));
      return true;
    }
    case NodeOp::StringLength: {
      int a = input(n->inputs[0]), out = output(n);
      Label back;
      asmjit::Label no = result_of(n, reinterpret_cast<void*>(&calls::string_length), out, &back);
      object_check(gp(a), rt::Kind::String, false, no);
      // One more than there are.
      a_.mov(ax::eax, ax::dword_ptr(gp(a), at::string_chars));
      a_.test(ax::eax, ax::eax);
      a_.jz(no);
      a_.lea(gp(out), ax::ptr(ax::rax, ax::rax, 0, -1));
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
      a_.inc(ax::edx);
      a_.cmp(ax::edx, ax::dword_ptr(gp(a), at::string_chars));
      a_.jne(no);
      a_.movzx(ax::eax, ax::byte_ptr(gp(a), ax::rax, 0, at::string_bytes));
      a_.shl(ax::rax, 32);
      a_.add(ax::rax, static_cast<int>(rt::imm_bits(rt::Imm::Char)));
      a_.mov(gp(out), ax::rax);
      bind(back);
      return true;
    }
    case NodeOp::ArrayGet:
    case NodeOp::ArrayGetF: {
      bool raw = n->op == NodeOp::ArrayGetF;
      int a = input(n->inputs[0]);
      if (in_range(n)) {
        input(n->inputs[1]);
        int out = output(n);
        if (raw) a_.movsd(xmm(out), item(n));
        else a_.mov(gp(out), item(n));
        return true;
      }
      int out = output(n);
      Label back;
      if (!n->inputs[1]->is_const()) input(n->inputs[1]);
      asmjit::Label no = raw || n->speculative ? leave_label(n) : result_of(n, reinterpret_cast<void*>(&calls::array_get), out, &back);
      object_check(gp(a), raw ? rt::Kind::FloatArray : rt::Kind::Array, n->known & 1, no);
      index_check(gp(a), n, no);
      if (raw) a_.movsd(xmm(out), ax::qword_ptr(gp(a), ax::rax, 3, kItems));
      else a_.mov(gp(out), ax::qword_ptr(gp(a), ax::rax, 3, kItems));
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
      if (in_range(n) && (raw || (n->known & 4) || n->inputs[2]->is_const())) {
        if (raw) a_.movsd(item(n), xmm(v));
        else a_.mov(item(n), gp(v));
        return true;
      }
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
      if (raw) {
        a_.movsd(ax::qword_ptr(gp(a), ax::rax, 3, kItems), xmm(v));
      } else {
        a_.mov(ax::qword_ptr(gp(a), ax::rax, 3, kItems), gp(v));
        if (!(n->known & 4) && !n->inputs[2]->is_const()) {
          Node* index = n->inputs[1];
          int i = index->is_const() ? kNone : at(index).reg;
          int64_t known = index->imm >> 1;
          barrier(n, a, n->inputs[2], [this, a, i, known](const ax::Gp& to) {
            if (i == kNone) {
              a_.lea(to, ax::ptr(gp(a), kItems + 8 * static_cast<int>(known)));
            } else {
              a_.mov(to, gp(i));
              a_.shr(to, 1);
              a_.lea(to, ax::ptr(gp(a), to, 3, kItems));
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
      a_.test(gp(a).r8(), 7);
      a_.jnz(no);
      a_.movzx(ax::eax, ax::byte_ptr(gp(a), kKindByte));
      a_.sub(ax::eax, static_cast<int32_t>(rt::Kind::Array));
      a_.cmp(ax::eax, 1);
      a_.ja(no);
      a_.mov(ax::eax, ax::dword_ptr(gp(a), kCount));
      a_.lea(gp(out), ax::ptr(ax::rax, ax::rax, 0, 1));
      return true;
    }
    case NodeOp::GlobalGet: {
      int out = output(n);
      asmjit::Label no = leave_label(n);
      a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::globals));
      a_.mov(gp(out), ax::qword_ptr(ax::rax, static_cast<int>(n->imm) * 8));
      a_.cmp(gp(out), static_cast<int32_t>(rt::kHole.bits));
      a_.je(no);
      return true;
    }
    case NodeOp::GlobalSet: {
      int v = input(n->inputs[0]);
      a_.mov(ax::rax, ax::qword_ptr(ax::r15, at::globals));
      a_.mov(ax::qword_ptr(ax::rax, static_cast<int>(n->imm) * 8), gp(v));
      return true;
    }
    default: return false;
  }
}

static_assert(static_cast<int>(rt::Kind::FloatArray) == static_cast<int>(rt::Kind::Array) + 1);

}  // namespace eddy::jit::x64
