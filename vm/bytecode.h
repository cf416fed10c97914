// The instruction word and what the opcode table says about it. Everything here is generated from opcodes.def.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace eddy::vm {

using Word = uint64_t;

enum class Op : uint16_t {
#define OP(name, operands, flags, doc) name,
#include "vm/opcodes.def"
#undef OP
  Count
};
constexpr unsigned kOpCount = static_cast<unsigned>(Op::Count);

// --- the word
constexpr Word encode(Op op, unsigned a = 0, unsigned b = 0, unsigned c = 0) {
  return static_cast<Word>(op) | (Word{a & 0xffff} << 16) | (Word{b & 0xffff} << 32) | (Word{c & 0xffff} << 48);
}
constexpr Word encode_d(Op op, unsigned a, int32_t d) {
  return static_cast<Word>(op) | (Word{a & 0xffff} << 16) | (Word{static_cast<uint32_t>(d)} << 32);
}
constexpr Op op_of(Word w) { return static_cast<Op>(w & 0xffff); }
constexpr unsigned a_of(Word w) { return (w >> 16) & 0xffff; }
constexpr unsigned b_of(Word w) { return (w >> 32) & 0xffff; }
constexpr unsigned c_of(Word w) { return static_cast<unsigned>(w >> 48); }
constexpr int bi_of(Word w) { return static_cast<int16_t>(w >> 32); }
constexpr int ci_of(Word w) { return static_cast<int16_t>(w >> 48); }
constexpr int32_t d_of(Word w) { return static_cast<int32_t>(w >> 32); }
// Item i of a register list that starts at `list`.
inline unsigned list_item(const Word* list, unsigned i) {
  return static_cast<unsigned>(list[i >> 2] >> ((i & 3) * 16)) & 0xffff;
}
constexpr unsigned list_words(unsigned items) { return (items + 3) / 4; }
// Jump i of a SWITCH's table.
inline int32_t switch_item(const Word* table, unsigned i) {
  return static_cast<int32_t>(table[i >> 1] >> ((i & 1) * 32));
}
constexpr unsigned switch_words(unsigned items) { return (items + 1) / 2; }

// --- the table
struct OperandInfo {
  char field;  // 'A' 'B' 'C' 'D' 'X' 'L'
  char role;   // see opcodes.def
  constexpr bool writes() const { return role == 'w' || role == 'W' || role == 't' || role == 'z'; }
  constexpr bool reads() const { return role == 'r' || role == 'R'; }
  constexpr bool is_register() const { return writes() || reads(); }
  constexpr bool raw() const { return role == 'W' || role == 'R' || role == 'z'; }
};

struct OpInfo {
  std::string_view name;
  std::string_view doc;
  std::array<OperandInfo, 6> operands{};
  uint8_t operand_count = 0;
  bool suspends = false, allocates = false, jumps = false, ends = false, profiled = false, internal = false;
  bool has_x = false, has_list = false;

  constexpr const OperandInfo* begin() const { return operands.data(); }
  constexpr const OperandInfo* end() const { return operands.data() + operand_count; }
  // What is named by the operand of this role, if there is one.
  constexpr const OperandInfo* find(char role) const {
    for (const OperandInfo& o : *this) if (o.role == role) return &o;
    return nullptr;
  }
};

constexpr OpInfo make_op_info(std::string_view name, std::string_view operands, std::string_view flags,
                              std::string_view doc) {
  OpInfo info;
  info.name = name;
  info.doc = doc;
  for (size_t i = 0; i + 1 < operands.size(); i += 3) {
    info.operands[info.operand_count++] = {operands[i], operands[i + 1]};
    if (operands[i] == 'X') info.has_x = true;
    if (operands[i] == 'L') info.has_list = true;
  }
  for (char f : flags) {
    if (f == 'S') info.suspends = true;
    if (f == 'A') info.allocates = true;
    if (f == 'J') info.jumps = true;
    if (f == 'E') info.ends = true;
    if (f == 'P') info.profiled = true;
    if (f == 'Q') info.internal = true;
  }
  return info;
}

inline constexpr std::array<OpInfo, kOpCount> kOps = {
#define OP(name, operands, flags, doc) make_op_info(#name, operands, flags, doc),
#include "vm/opcodes.def"
#undef OP
};

constexpr const OpInfo& info_of(Op op) { return kOps[static_cast<unsigned>(op)]; }

// The value of an operand's field in an instruction (for 'L': the address of the list is meant instead).
inline int64_t field_value(const Word* pc, const OperandInfo& o) {
  bool is_signed = o.role == 'i' || o.role == 'j';
  switch (o.field) {
    case 'A': return a_of(*pc);
    case 'B': return is_signed ? bi_of(*pc) : static_cast<int64_t>(b_of(*pc));
    case 'C': return is_signed ? ci_of(*pc) : static_cast<int64_t>(c_of(*pc));
    case 'D': return is_signed ? d_of(*pc) : static_cast<int64_t>(static_cast<uint32_t>(d_of(*pc)));
    default: return static_cast<int64_t>(pc[1]);
  }
}

// Length in words. Reads only the first word.
inline unsigned length_of(Word first) {
  const OpInfo& info = info_of(op_of(first));
  unsigned n = info.has_x ? 2 : 1;
  if (op_of(first) == Op::SWITCH) return n + switch_words(b_of(first));
  return info.has_list ? n + list_words(b_of(first)) : n;
}

// A function's instructions, in order: `for (const Word* pc : Instructions(f.linked))`.
template <class W>
class Instructions {
 public:
  template <class Code>
  explicit Instructions(Code& code) : first_(code.data()), end_(code.data() + code.size()) {}

  struct Iterator {
    W* pc;
    W* operator*() const { return pc; }
    Iterator& operator++() {
      pc += length_of(*pc);
      return *this;
    }
    bool operator!=(const Iterator& other) const { return pc < other.pc; }
  };
  Iterator begin() const { return {first_}; }
  Iterator end() const { return {end_}; }

 private:
  W *first_, *end_;
};
template <class Code>
Instructions(Code& code) -> Instructions<std::remove_pointer_t<decltype(code.data())>>;

inline const Word* list_of(const Word* pc) { return pc + (info_of(op_of(*pc)).has_x ? 2 : 1); }

}  // namespace eddy::vm
