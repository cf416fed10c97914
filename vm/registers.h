// Which registers an instruction touches, and which instructions open and close regions.
#pragma once
#include "vm/bytecode.h"

namespace eddy::vm {

// A region is the code between an instruction that installs a handler, mask or unwind record and the one that
// takes it away. Regions nest; an abort, panic or jump may leave one at any instruction inside.
enum class RegionKind : uint8_t { Handle, Named, Mask, Defer, Guard, Attempt, Exit };

constexpr bool opens_region(Op op, RegionKind* kind = nullptr) {
  RegionKind k{};
  switch (op) {
    case Op::HANDLE:
      k = RegionKind::Handle;
      break;
    case Op::HANDLE_NAMED:
      k = RegionKind::Named;
      break;
    case Op::MASK:
      k = RegionKind::Mask;
      break;
    case Op::DEFER:
      k = RegionKind::Defer;
      break;
    case Op::GUARD:
      k = RegionKind::Guard;
      break;
    case Op::ATTEMPT:
      k = RegionKind::Attempt;
      break;
    case Op::EXIT_POINT:
      k = RegionKind::Exit;
      break;
    default:
      return false;
  }
  if (kind) *kind = k;
  return true;
}

constexpr bool closes_region(Op op, RegionKind* kind = nullptr) {
  RegionKind k{};
  switch (op) {
    case Op::HANDLE_END:
      k = RegionKind::Handle;
      break;
    case Op::NAMED_END:
      k = RegionKind::Named;
      break;
    case Op::MASK_END:
      k = RegionKind::Mask;
      break;
    case Op::DEFER_END:
      k = RegionKind::Defer;
      break;
    case Op::GUARD_END:
      k = RegionKind::Guard;
      break;
    case Op::ATTEMPT_END:
      k = RegionKind::Attempt;
      break;
    case Op::EXIT_END:
      k = RegionKind::Exit;
      break;
    default:
      return false;
  }
  if (kind) *kind = k;
  return true;
}

constexpr bool region_has_target(RegionKind kind) {
  return kind != RegionKind::Mask && kind != RegionKind::Defer && kind != RegionKind::Guard;
}
// Its A and B operands are record pairs (t, z); otherwise A is a single slot, the node.
constexpr bool region_has_record(RegionKind kind) {
  return kind != RegionKind::Handle && kind != RegionKind::Mask;
}

// The registers that receive something where control arrives at the target of the region opened at `pc`.
template <class Visit>
void visit_delivered(const Word* pc, Visit visit) {
  switch (op_of(*pc)) {
    case Op::HANDLE:
      visit(c_of(*pc));
      break;
    case Op::HANDLE_NAMED:
    case Op::EXIT_POINT:
      visit(a_of(*pc) + 1);
      break;
    case Op::ATTEMPT:
      visit(a_of(*pc));
      visit(a_of(*pc) + 1);
      break;
    default:
      break;
  }
}

// Calls read(register, role) and write(register, role) for every register the instruction touches, where role
// is the operand's in opcodes.def ('m' and 'M' for list items). All reads come before all writes. HANDLE's C
// is written on the way to its target only, so it is not reported: see visit_delivered.
template <class Read, class Write>
void visit_registers(const Word* pc, Read read, Write write) {
  Op op = op_of(*pc);
  const OpInfo& info = info_of(op);
  bool closes = closes_region(op);
  if (op == Op::GET_UP) read(0u, 'r');
  for (const OperandInfo& o : info) {
    if (o.role == 'm' || o.role == 'M') {
      const Word* list = list_of(pc);
      for (unsigned i = 0, n = b_of(*pc); i < n; ++i) read(list_item(list, i), o.role);
    } else if (o.reads()) {
      read(static_cast<unsigned>(field_value(pc, o)), o.role);
    } else if (closes && o.writes()) {
      unsigned slot = static_cast<unsigned>(field_value(pc, o));
      read(slot, o.role);
      read(slot + 1, o.role);
    }
  }
  if (closes) return;
  for (const OperandInfo& o : info) {
    if (!o.writes() || (op == Op::HANDLE && o.field == 'C')) continue;
    unsigned slot = static_cast<unsigned>(field_value(pc, o));
    write(slot, o.role);
    if (o.role == 't' || o.role == 'z') write(slot + 1, o.role);
  }
}

// Calls visit(offset) for every place the instruction itself may jump to, in words from `pc`. A region's
// target (also that of ATTEMPT and EXIT_POINT) is none of them.
template <class Visit>
void visit_jumps(const Word* pc, Visit visit) {
  Op op = op_of(*pc);
  if (op == Op::SWITCH) {
    for (unsigned i = 0, n = b_of(*pc); i < n; ++i) visit(static_cast<int64_t>(switch_item(pc + 1, i)));
    return;
  }
  if (!info_of(op).jumps) return;
  if (const OperandInfo* o = info_of(op).find('j')) visit(field_value(pc, *o));
}

}  // namespace eddy::vm
