#include "runtime/strings.h"

#include <cstring>

#include "runtime/bigint.h"
#include "runtime/memory_limit.h"
#include "runtime/natives/state.h"
#include "runtime/utf8.h"

namespace eddy::rt {

String* allocate_string(Context& ctx, uint64_t bytes) {
  if (bytes > kMaxStringBytes) {
    panic(ctx, "out of memory");
    return nullptr;
  }
  if (!check_memory(ctx, bytes)) return nullptr;
  auto* s = static_cast<String*>(
      ctx.heap->allocate(Kind::String, static_cast<uint32_t>(bytes), (sizeof(String) + bytes + 7) & ~uint64_t{7}));
  s->hash = 0;
  s->chars = 0;
  return s;
}

Value make_string(Context& ctx, std::string_view text) {
  String* s = allocate_string(ctx, text.size());
  if (!s) return kNull;
  if (!text.empty()) std::memcpy(s->bytes, text.data(), text.size());
  return ptr_value(s);
}

uint32_t string_length(Value v) {
  auto* s = as<String>(v);
  if (s->chars == 0) s->chars = static_cast<uint32_t>(count_chars({s->bytes, s->count()})) + 1;
  return s->chars - 1;
}

uint32_t string_hash(Value v) {
  auto* s = as<String>(v);
  if (s->hash) return s->hash;
  uint64_t h = 0x2545f4914f6cdd1du ^ s->count();
  const char* p = s->bytes;
  size_t left = s->count();
  auto mix = [&](uint64_t word) {
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
  };
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    mix(word);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, p, left);
  mix(rest);
  s->hash = static_cast<uint32_t>(h ^ (h >> 32)) | 1;  // 0 means unknown
  return s->hash;
}

namespace {

CharCursor& cursor_of(Context& ctx, const String* s) {
  CharCursor& cursor = native_state(ctx).cursor;
  uint64_t epoch = ctx.heap->counters().minor + ctx.heap->counters().major;
  if (cursor.string != s || cursor.epoch != epoch) cursor = {s, epoch, 0, 0};
  return cursor;
}

const char* step_back(const char* p) {
  do --p;
  while (is_continuation(*p));
  return p;
}

}  // namespace

uint32_t byte_position(Context& ctx, Value v, uint32_t index) {
  auto* s = as<String>(v);
  uint32_t length = string_length(v);
  if (length == s->count() || index == 0) return index;
  if (index == length) return s->count();
  CharCursor& cursor = cursor_of(ctx, s);
  // From the nearest of the start, the cursor and the end.
  uint32_t at = cursor.chars;
  const char* p = s->bytes + cursor.bytes;
  if (index < at / 2) at = 0, p = s->bytes;
  if (index > at && length - index < index - at) at = length, p = s->bytes + s->count();
  for (; at < index; ++at) p += utf8_advance(*p);
  for (; at > index; --at) p = step_back(p);
  cursor.chars = index;
  cursor.bytes = static_cast<uint32_t>(p - s->bytes);
  return cursor.bytes;
}

uint32_t char_position(Context& ctx, Value v, uint32_t byte) {
  auto* s = as<String>(v);
  if (is_ascii(v)) return byte;
  CharCursor& cursor = cursor_of(ctx, s);
  uint32_t from = byte >= cursor.bytes ? cursor.bytes : 0, chars = byte >= cursor.bytes ? cursor.chars : 0;
  chars += static_cast<uint32_t>(count_chars({s->bytes + from, byte - from}));
  cursor.chars = chars;
  cursor.bytes = byte;
  return chars;
}

Value string_at(Context& ctx, Value s, Value index) {
  uint32_t length = string_length(s);
  if (!index.is_small() || static_cast<uint64_t>(index.small()) >= length) return panic_index(ctx, index, length);
  const char* p = as<String>(s)->bytes + byte_position(ctx, s, static_cast<uint32_t>(index.small()));
  return char_value(utf8_decode(p));
}

Value string_concat(Context& ctx, Value* a, Value* b) {
  uint64_t left = as<String>(*a)->count(), right = as<String>(*b)->count();
  if (right == 0) return *a;
  if (left == 0) return *b;
  String* result = allocate_string(ctx, left + right);
  if (!result) return kNull;
  const String *x = as<String>(*a), *y = as<String>(*b);
  std::memcpy(result->bytes, x->bytes, left);
  std::memcpy(result->bytes + left, y->bytes, right);
  if (x->chars && y->chars) result->chars = x->chars + y->chars - 1;
  return ptr_value(result);
}

Value substring(Context& ctx, Value* s, uint32_t from, uint32_t to) {
  if (from == 0 && to == as<String>(*s)->count()) return *s;
  String* result = allocate_string(ctx, to - from);
  if (!result) return kNull;
  const String* source = as<String>(*s);
  std::memcpy(result->bytes, source->bytes + from, to - from);
  if (source->chars == source->count() + 1) result->chars = to - from + 1;
  return ptr_value(result);
}

std::optional<uint32_t> find_bytes(std::string_view text, std::string_view part, size_t from) {
  if (from > text.size()) return std::nullopt;
  if (part.empty()) return static_cast<uint32_t>(from);
  const void* hit = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (!hit) return std::nullopt;
  return static_cast<uint32_t>(static_cast<const char*>(hit) - text.data());
}

Value panic_index(Context& ctx, Value index, uint64_t length) {
  if (!is_int(index)) return panic(ctx, "expected an Int");
  return panic(ctx, "index " + int_to_string(index) + " out of range (length " + std::to_string(length) + ")");
}

}  // namespace eddy::rt
