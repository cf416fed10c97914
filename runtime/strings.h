// Operations on Strings in the heap: immutable UTF-8 with a cached length in characters and hash.
//
// Functions that allocate take their Strings by address of a root (an argument of a native, or a Root's value)
// and read it again after the allocation. kNull: a panic is pending.
#pragma once
#include <optional>
#include <string_view>

#include "runtime/context.h"
#include "runtime/heap.h"
#include "runtime/object.h"

namespace eddy::rt {

inline bool is_string(Value v) { return is_kind(v, Kind::String); }

constexpr uint64_t kMaxStringBytes = 0xffff'fff0u;

// An uninitialised String of this size, to be filled at once; null where there is no memory for it.
String* allocate_string(Context&, uint64_t bytes);
// Like new_string, with a panic where the text is too large.
Value make_string(Context&, std::string_view outside_the_heap);

// In characters.
uint32_t string_length(Value s);
inline bool is_ascii(Value s) { return string_length(s) == as<String>(s)->count(); }
uint32_t string_hash(Value s);

// Byte position of a character position, which must be at most the length. Steps from the last position asked
// for in the same String, so going through one by index is linear.
uint32_t byte_position(Context&, Value s, uint32_t index);
// And the reverse.
uint32_t char_position(Context&, Value s, uint32_t byte);

Value string_at(Context&, Value s, Value index);
Value string_concat(Context&, Value* a, Value* b);
// Bytes from … to-1 at character boundaries.
Value substring(Context&, Value* s, uint32_t from, uint32_t to);

// Byte position of the first occurrence at or after `from`.
std::optional<uint32_t> find_bytes(std::string_view text, std::string_view part, size_t from);

// "index 5 out of range (length 3)"
Value panic_index(Context&, Value index, uint64_t length);

}  // namespace eddy::rt
