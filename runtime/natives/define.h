// How a file of natives says what it defines:
//
//   const Native table[] = {define<"si", string_at>("string.at")};
//
// One letter a parameter, checked before the function runs:
//   a any value   i Int   n small Int (a large one panics)   f Float   c Char   s String   l List   A Array   b Bytes
//   r Resource
#pragma once
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>

#include "runtime/bigint.h"
#include "runtime/heap.h"
#include "runtime/natives/natives.h"
#include "runtime/object.h"
#include "runtime/strings.h"

namespace eddy::rt {

template <size_t N>
struct Signature {
  char letters[N] = {};
  constexpr Signature(const char (&text)[N]) {
    for (size_t i = 0; i < N; ++i) letters[i] = text[i];
  }
  static constexpr size_t size = N - 1;
};

template <char Letter>
inline bool fits(Value v) {
  if constexpr (Letter == 'a') return v.bits != 0;
  if constexpr (Letter == 'i') return is_int(v);
  if constexpr (Letter == 'n') return v.is_small();
  if constexpr (Letter == 'f') return is_kind(v, Kind::Float);
  if constexpr (Letter == 'c') return v.is_imm(Imm::Char);
  if constexpr (Letter == 's') return is_kind(v, Kind::String);
  if constexpr (Letter == 'l') return v == con_value(con::Nil) || is_con(v, con::Cons);
  if constexpr (Letter == 'A') return is_kind(v, Kind::Array) || is_kind(v, Kind::FloatArray);
  if constexpr (Letter == 'b') return is_kind(v, Kind::Bytes);
  if constexpr (Letter == 'r') return is_kind(v, Kind::Resource);
  return false;
}

Value panic_kind(Context& ctx, char letter, Value got);

template <Signature Letters, NativeFunction Function, size_t... I>
Value checked(Context& ctx, Value* args, std::index_sequence<I...>) {
  int wrong = -1;
  ((wrong < 0 && !fits<Letters.letters[I]>(args[I]) ? wrong = static_cast<int>(I) : 0), ...);
  if (wrong >= 0) [[unlikely]] return panic_kind(ctx, Letters.letters[wrong], args[wrong]);
  return Function(ctx, args);
}

template <Signature Letters, NativeFunction Function>
Value entry(Context& ctx, Value* args) {
  return checked<Letters, Function>(ctx, args, std::make_index_sequence<Letters.size>());
}

template <Signature Letters, NativeFunction Function>
constexpr Native define(std::string_view name, bool may_allocate = true) {
  return {name, static_cast<uint8_t>(Letters.size), &entry<Letters, Function>, may_allocate};
}
constexpr bool kNoAllocation = false;

// --- what many natives need

inline double float_of(Value v) { return as<FloatBox>(v)->value; }
inline int64_t small_of(Value v) { return v.small(); }

// Cells of a List; `next` leaves false behind the last. Where an end is no Nil, the list just ends.
inline bool is_cell(Value v) { return is_con(v, con::Cons) && v.ptr()->count() == 2; }
inline Value head_of(Value cell) { return as<ConObject>(cell)->fields[0]; }
inline Value tail_of(Value cell) { return as<ConObject>(cell)->fields[1]; }

Value make_some(Context& ctx, Value v);
Value make_ok(Context& ctx, Value v);
Value make_err(Context& ctx, std::string_view message);
inline Value make_none() { return con_value(con::None); }
// Conses onto `*list`, a root; false with a panic pending.
bool push_front(Context& ctx, Value* list, Value head);
// A List of these texts.
Value make_text_list(Context& ctx, std::span<const std::string> texts);

// The bounds of a slice of something with n elements: 0 ≤ from ≤ to ≤ n. False: a panic is pending.
bool check_slice(Context& ctx, Value from, Value to, uint32_t n, uint32_t* out_from, uint32_t* out_to);

// The groups of natives, one a file.
extern const std::span<const Native> value_natives, console_natives, os_natives, int_natives, float_natives,
    char_natives, string_natives, string_edit_natives, bytes_natives, array_natives, array_order_natives,
    time_natives, file_natives, file_handle_natives;

}  // namespace eddy::rt
