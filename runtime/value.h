// One 64-bit word for every Eddy value.
//
//   …xxx1   small integer, 63 bits, shifted left by one
//   …x000   pointer to a heap object (8-aligned; header first)
//   …x010   tagged immediate: kind in bits 3..7, payload above
//
// A constant constructor's id sits at the same bits (8..23) as a heap constructor's id in its header.
#pragma once
#include <bit>
#include <cstdint>

namespace eddy::rt {

using Word = uint64_t;

enum class Imm : uint8_t { Unit = 0, Bool = 1, Char = 2, Con = 3, Hole = 4 };

struct Object;

struct Value {
  Word bits;

  constexpr bool operator==(const Value&) const = default;

  constexpr bool is_small() const { return bits & 1; }
  constexpr bool is_ptr() const { return (bits & 7) == 0; }
  constexpr bool is_imm() const { return (bits & 7) == 2; }
  constexpr Imm imm_kind() const { return static_cast<Imm>((bits >> 3) & 31); }
  constexpr bool is_imm(Imm kind) const { return (bits & 0xff) == (2u | (static_cast<unsigned>(kind) << 3)); }
  constexpr int64_t small() const { return static_cast<int64_t>(bits) >> 1; }
  Object* ptr() const { return reinterpret_cast<Object*>(bits); }
  constexpr bool truth() const { return (bits >> 8) & 1; }
  constexpr uint32_t char_code() const { return static_cast<uint32_t>(bits >> 32); }
  constexpr uint16_t imm_con() const { return static_cast<uint16_t>(bits >> 8); }
};

constexpr Word imm_bits(Imm kind, Word payload = 0) { return 2u | (static_cast<Word>(kind) << 3) | payload; }

constexpr Value kUnit{imm_bits(Imm::Unit)};
constexpr Value kFalse{imm_bits(Imm::Bool)};
constexpr Value kTrue{imm_bits(Imm::Bool, 1u << 8)};
// Marks what has no value yet: an uninitialised global, an unused slot. Never seen by a program.
constexpr Value kHole{imm_bits(Imm::Hole)};
// "No value": the result of a native that panicked, the end of a list of handler nodes.
constexpr Value kNull{0};

constexpr int64_t kSmallMax = (int64_t{1} << 62) - 1;
constexpr int64_t kSmallMin = -(int64_t{1} << 62);
constexpr bool fits_small(int64_t n) { return n >= kSmallMin && n <= kSmallMax; }
constexpr Value small_int(int64_t n) { return {(static_cast<Word>(n) << 1) | 1}; }
constexpr Value bool_value(bool b) { return b ? kTrue : kFalse; }
constexpr Value char_value(uint32_t code) { return {imm_bits(Imm::Char, static_cast<Word>(code) << 32)}; }
constexpr Value con_value(uint16_t con) { return {imm_bits(Imm::Con, static_cast<Word>(con) << 8)}; }
inline Value ptr_value(const void* object) { return {reinterpret_cast<Word>(object)}; }

}  // namespace eddy::rt
