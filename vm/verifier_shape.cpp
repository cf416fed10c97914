// The first pass: every word belongs to an instruction, every operand names something that is there, every
// jump goes to an instruction. Nothing here depends on the way control takes.
#include <fmt/format.h>

#include "runtime/constructors.h"
#include "runtime/context.h"
#include "vm/verifier_internal.h"

namespace eddy::vm::verifying {

bool FunctionVerifier::check_header() {
  if (f_.code.empty()) return fail(0, "the function has no code");
  if (f_.code.size() > INT32_MAX) return fail(0, "the function has too much code");
  if (f_.params > f_.tagged) return fail(0, "there are fewer registers than parameters");
  if (f_.params > rt::kMaxArgs) return fail(0, "too many parameters");
  if (registers() > UINT16_MAX) return fail(0, "too many registers");
  if (f_.clause && f_.fiber_base) return fail(0, "a clause is no fiber base");
  if ((f_.clause || f_.fiber_base || f_.captures) && !f_.takes_self)
    return fail(0, "a function with captures takes them in register 0");
  if (f_.takes_self && f_.params == 0) return fail(0, "register 0 is no parameter");
  if (f_.fiber_base && (f_.params != 1 || f_.tagged < 2))
    return fail(0, "a fiber base has one parameter and its node in register 1");
  for (size_t i = 0; i < f_.positions.size(); ++i) {
    const PositionData& p = f_.positions[i];
    if (p.pc >= f_.code.size() || (i && p.pc <= f_.positions[i - 1].pc))
      return fail(p.pc, "the source positions are not in the order of the code");
    if (p.file >= facts_.module.files.size()) return fail(p.pc, "a source position names no file");
  }
  return true;
}

bool FunctionVerifier::check_shape() {
  starts_.assign(code_.size(), false);
  uint32_t last = 0;
  for (uint32_t at = 0; at < code_.size();) {
    if (static_cast<unsigned>(op_at(at)) >= kOpCount || info_of(op_at(at)).internal)
      return fail(at, "this is no instruction");
    unsigned length = length_of(code_[at]);
    if (length > code_.size() - at) return fail(at, "the instruction reaches beyond the end of the code");
    starts_[at] = true;
    last = at;
    at += length;
  }
  if (!info_of(op_at(last)).ends) return fail(last, "control runs off the end of the code");
  for (uint32_t at = 0; at < code_.size(); at += length_of(code_[at]))
    if (!check_operands(at)) return false;
  if (f_.fiber_base && base_handles_ != 1)
    return fail(0, "a fiber base has one HANDLE with its node in register 1");
  return true;
}

bool FunctionVerifier::check_operands(uint32_t at) {
  const Word* pc = &code_[at];
  for (const OperandInfo& o : info_of(op_of(*pc)))
    if (!check_operand(at, o)) return false;
  bool inside = true;
  visit_jumps(pc, [&](int64_t offset) {
    if (!inside) return;
    int64_t to = static_cast<int64_t>(at) + offset;
    if (to < 0 || to >= static_cast<int64_t>(code_.size()) || !starts_[to])
      inside = fail(at, "the jump goes to no instruction of the function");
    else if (op_of(*pc) == Op::LOOP ? offset > 0 : offset <= 0)
      inside = fail(at, "LOOP goes backwards, all other jumps forwards");
  });
  return inside && check_unused_bits(at) && check_place(at) && check_call(at) && check_data(at) &&
         check_handler(at) && check_writes(at);
}

bool FunctionVerifier::check_operand(uint32_t at, const OperandInfo& o) {
  const Word* pc = &code_[at];
  const Module& m = facts_.module;
  auto index = [&](size_t size, const char* what) {
    uint64_t n = static_cast<uint64_t>(field_value(pc, o));
    return n < size || fail(at, fmt::format("there is no {} {}", what, n));
  };
  switch (o.role) {
    case 'w':
    case 'r':
    case 't': {
      uint64_t n = static_cast<uint64_t>(field_value(pc, o)) + (o.role == 't');
      return n < f_.tagged || fail(at, fmt::format("{} is no tagged register", n));
    }
    case 'W':
    case 'R':
    case 'z': {
      uint64_t n = static_cast<uint64_t>(field_value(pc, o));
      return (n >= f_.tagged && n + (o.role == 'z') < registers()) ||
             fail(at, fmt::format("{} is no raw register", n));
    }
    case 'm':
    case 'M':
      for (unsigned i = 0, n = b_of(*pc); i < n; ++i) {
        unsigned reg = list_item(list_of(pc), i);
        if (reg >= (o.role == 'm' ? f_.tagged : registers()))
          return fail(at, fmt::format("list item {} is no {}register", i, o.role == 'm' ? "tagged " : ""));
      }
      return true;
    case 'k':
      return index(m.constants.size(), "constant");
    case 'f':
      return index(m.functions.size(), "function");
    case 'g':
      return index(m.globals.size(), "global");
    case 's':
      return index(m.sites.size(), "site");
    case 'e':
      return index(m.effects.size(), "effect");
    case 'n':
      return index(m.natives.size(), "native");
    case 'c': {
      int64_t n = field_value(pc, o);
      return (n >= 0 && n <= UINT16_MAX && facts_.fields(static_cast<uint32_t>(n)) >= 0) ||
             fail(at, fmt::format("there is no constructor {}", static_cast<uint64_t>(n)));
    }
    case 'u':
      return o.field != 'X' || pc[1] == 0 || fail(at, "a profile cell is empty in a file");
    default:
      return true;
  }
}

// What no operand uses is zero, so that every instruction has one form.
bool FunctionVerifier::check_unused_bits(uint32_t at) {
  const Word* pc = &code_[at];
  Op op = op_of(*pc);
  Word used = 0xffff;
  for (const OperandInfo& o : info_of(op)) {
    if (o.field == 'A') used |= Word{0xffff} << 16;
    if (o.field == 'B') used |= Word{0xffff} << 32;
    if (o.field == 'C') used |= Word{0xffff} << 48;
    if (o.field == 'D') used |= Word{0xffffffff} << 32;
  }
  bool clean = !(*pc & ~used);
  unsigned items = b_of(*pc);
  if (info_of(op).has_list && items % 4) clean &= !(list_of(pc)[items / 4] >> (16 * (items % 4)));
  if (op == Op::SWITCH && items % 2) clean &= !(pc[1 + items / 2] >> 32);
  return clean || fail(at, "bits that mean nothing are not zero");
}

bool FunctionVerifier::check_place(uint32_t at) {
  Op op = op_at(at);
  if (op == Op::ABORT_RET || op == Op::ABORT_NOW) {
    int kind = facts_.clause_kind[index_];
    if (!f_.clause || (kind >= 0 && kind != static_cast<int>(rt::ClauseKind::TailOrAbort)))
      return fail(at, "only a tail-or-abort clause may abort");
  }
  if (op == Op::GET_UP && (!f_.takes_self || b_of(code_[at]) >= f_.captures))
    return fail(at, fmt::format("there is no capture {}", b_of(code_[at])));
  if (facts_.plain[index_] && info_of(op).suspends && op != Op::RET && op != Op::RET_UNIT)
    return fail(at, "a plain clause calls, performs and loops nowhere");
  return true;
}

bool FunctionVerifier::check_call(uint32_t at) {
  const Word* pc = &code_[at];
  unsigned items = b_of(*pc);
  auto args = [&](unsigned want, std::string_view what) {
    return items == want || fail(at, fmt::format("{} takes {} arguments, not {}", what, want, items));
  };
  auto callee = [&]() -> const FunctionData& { return facts_.module.functions[pc[1]]; };
  switch (op_of(*pc)) {
    case Op::CALL:
    case Op::TAIL_CALL: {
      const FunctionData& g = callee();
      if (g.takes_self) return fail(at, fmt::format("{} is called through its closure", g.name));
      return args(g.params, g.name);
    }
    case Op::LOAD_FN: {
      const FunctionData& g = callee();
      return !g.takes_self || fail(at, fmt::format("{} needs a closure", g.name));
    }
    case Op::MAKE_CLOSURE: {
      const FunctionData& g = callee();
      if (!g.takes_self || g.clause) return fail(at, fmt::format("{} is no function with captures", g.name));
      return items == g.captures ||
             fail(at, fmt::format("{} has {} captures, not {}", g.name, g.captures, items));
    }
    case Op::CALL_CLOSURE:
    case Op::TAIL_CLOSURE:
      return items + 1 <= rt::kMaxArgs || fail(at, "too many arguments");
    case Op::NATIVE:
      return args(static_cast<unsigned>(facts_.native_arity[c_of(*pc)]), facts_.module.natives[c_of(*pc)]);
    case Op::PERFORM:
    case Op::PERFORM_NAMED: {
      const EffectData& e = facts_.module.effects[pc[1]];
      if (c_of(*pc) >= e.operations.size())
        return fail(at, fmt::format("{} has no operation {}", e.name, c_of(*pc)));
      const OperationData& o = e.operations[c_of(*pc)];
      return args(o.params + (op_of(*pc) == Op::PERFORM_NAMED), o.name);
    }
    default:
      return true;
  }
}

bool FunctionVerifier::check_data(uint32_t at) {
  const Word* pc = &code_[at];
  auto field = [&](unsigned i, bool raw) {
    uint32_t con = static_cast<uint32_t>(pc[1]);
    if (static_cast<int>(i) >= facts_.fields(con)) return fail(at, fmt::format("there is no field {}", i));
    return facts_.raw_field(con, i) == raw || fail(at, raw ? "the field is not raw" : "the field is raw");
  };
  switch (op_of(*pc)) {
    case Op::LOAD_BOOL:
      return b_of(*pc) <= 1 || fail(at, "a Bool is 0 or 1");
    case Op::LOAD_CHAR: {
      int32_t code = d_of(*pc);
      bool scalar = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
      return scalar || fail(at, "this is no character");
    }
    case Op::LOAD_CON:
      return facts_.fields(b_of(*pc)) == 0 || fail(at, "the constructor has fields");
    case Op::MAKE: {
      int fields = facts_.fields(c_of(*pc));
      if (fields == 0) return fail(at, "the constructor has no fields: LOAD_CON makes it");
      if (b_of(*pc) != static_cast<unsigned>(fields))
        return fail(at, fmt::format("the constructor has {} fields, not {}", fields, b_of(*pc)));
      for (int i = 0; i < fields; ++i)
        if ((list_item(list_of(pc), i) >= f_.tagged) != facts_.raw_field(c_of(*pc), i))
          return fail(at, fmt::format("field {} is{} raw", i, facts_.raw_field(c_of(*pc), i) ? "" : " not"));
      return true;
    }
    case Op::GET_C:
      return field(c_of(*pc), false);
    case Op::GET_RC:
      return field(c_of(*pc), true);
    case Op::SET_C:
      return field(b_of(*pc), false);
    case Op::SET_RC:
      return field(b_of(*pc), true);
    case Op::SWITCH: {
      unsigned first = c_of(*pc), count = b_of(*pc);
      if (count == 0) return fail(at, "the table is empty");
      bool known = first >= rt::con::FirstFree;
      if (known && first + count > facts_.type_end[first - rt::con::FirstFree])
        return fail(at, "the constructors are not of one type");
      for (unsigned i = 0; !known && i < count; ++i)
        if (first + i >= rt::con::FirstFree || facts_.fields(first + i) < 0)
          return fail(at, fmt::format("there is no constructor {}", first + i));
      return true;
    }
    default:
      return true;
  }
}

bool FunctionVerifier::check_handler(uint32_t at) {
  const Word* pc = &code_[at];
  Op op = op_of(*pc);
  RegionKind kind;
  if (!opens_region(op, &kind) || kind == RegionKind::Defer || kind == RegionKind::Guard) return true;
  if (kind != RegionKind::Mask) {
    int64_t to = kind == RegionKind::Handle || kind == RegionKind::Named
                     ? static_cast<int64_t>(facts_.module.sites[pc[1]].target)
                     : static_cast<int64_t>(static_cast<uint64_t>(at) + pc[1]);
    if (to <= at || to >= static_cast<int64_t>(code_.size()) || !starts_[to])
      return fail(at, "where the region goes on after an abort is no later instruction of the function");
  }
  if (info_of(op).find('s')) {
    const SiteData& s = facts_.module.sites[pc[1]];
    int& user = facts_.site_user[pc[1]];
    if (user >= 0) return fail(at, "the site belongs to another instruction");
    user = static_cast<int>(index_);
    if (s.mask != (kind == RegionKind::Mask) || s.named != (kind == RegionKind::Named))
      return fail(at, "the site is of another sort");
    bool capturing = facts_.site_captures[pc[1]];
    bool base = op == Op::HANDLE && f_.fiber_base && a_of(*pc) == 1;
    if (base) ++base_handles_;
    if (base && !capturing && !s.effects.empty()) return fail(at, "the handler needs no fiber");
    if (op == Op::HANDLE && !base && capturing)
      return fail(at, "the handler must be the first of a fiber base");
    if (op == Op::HANDLE_NAMED && capturing && !f_.fiber_base)
      return fail(at, "the named handler must be in a fiber base");
  }
  return true;
}

bool FunctionVerifier::check_writes(uint32_t at) {
  const Word* pc = &code_[at];
  bool good = true;
  auto write = [&](unsigned reg, bool base) {
    if (f_.takes_self && reg == 0) good = good && fail(at, "register 0 is not written");
    if (f_.fiber_base && reg == 1 && !base) good = good && fail(at, "register 1 is the fiber's node");
  };
  visit_registers(
      pc, [](unsigned, char) {}, [&](unsigned reg, char) { write(reg, op_of(*pc) == Op::HANDLE); });
  visit_delivered(pc, [&](unsigned reg) { write(reg, false); });
  return good;
}

}  // namespace eddy::vm::verifying
