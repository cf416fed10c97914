// Natives that make Strings from Strings and other values.
#include <algorithm>
#include <cstring>

#include "runtime/floats.h"
#include "runtime/memory_limit.h"
#include "runtime/natives/define.h"
#include "runtime/natives/state.h"
#include "runtime/show.h"
#include "runtime/unicode.h"
#include "runtime/utf8.h"

namespace eddy::rt {

namespace {

Value concat(Context& ctx, Value* args) { return string_concat(ctx, &args[0], &args[1]); }

// The parts' display, one after the other. When all are Strings their sizes are added up first and the text is
// copied once, into its final place.
Value interpolate(Context& ctx, Value* args) {
  if (is_kind(args[0], Kind::FloatArray)) {
    ScratchText scratch(ctx);
    std::string& text = scratch.text;
    const auto* floats = as<FloatArray>(args[0]);
    for (uint32_t i = 0; i < floats->count(); ++i) append_float(text, floats->items[i]);
    return make_string(ctx, text);
  }
  const Array* parts = as<Array>(args[0]);
  uint64_t bytes = 0;
  bool all_strings = true;
  for (uint32_t i = 0; i < parts->count() && all_strings; ++i) {
    all_strings = is_string(parts->items[i]);
    if (all_strings) bytes += as<String>(parts->items[i])->count();
  }
  if (all_strings) {
    String* result = allocate_string(ctx, bytes);
    if (!result) return kNull;
    char* out = result->bytes;
    parts = as<Array>(args[0]);
    for (uint32_t i = 0; i < parts->count(); ++i) {
      std::string_view part = string_view_of(parts->items[i]);
      std::memcpy(out, part.data(), part.size());
      out += part.size();
    }
    return ptr_value(result);
  }
  ScratchText scratch(ctx);
  std::string& text = scratch.text;
  for (uint32_t i = 0; i < parts->count(); ++i)
    if (!append_display(ctx, text, parts->items[i])) return kNull;
  return make_string(ctx, text);
}

Value join(Context& ctx, Value* args) {
  ScratchText scratch(ctx);
  std::string& text = scratch.text;
  std::string_view separator = string_view_of(args[1]);
  bool first = true;
  for (Value cell = args[0]; is_cell(cell); cell = tail_of(cell)) {
    if (!first) text += separator;
    first = false;
    if (!append_display(ctx, text, head_of(cell))) return kNull;
    if (text.size() > (1 << 20) && !check_size(ctx, text.size())) return kNull;
  }
  return make_string(ctx, text);
}

Value from_array(Context& ctx, Value* args) {
  std::string text;
  if (is_kind(args[0], Kind::Array)) {
    const Array* array = as<Array>(args[0]);
    text.reserve(array->count());
    for (uint32_t i = 0; i < array->count(); ++i) {
      if (!array->items[i].is_imm(Imm::Char)) return panic_kind(ctx, 'c', array->items[i]);
      append_utf8(text, array->items[i].char_code());
    }
  } else if (args[0].ptr()->count()) {
    return panic_kind(ctx, 'c', kNull);
  }
  return make_string(ctx, text);
}

Value from_chars(Context& ctx, Value* args) {
  std::string text;
  for (Value cell = args[0]; is_cell(cell); cell = tail_of(cell)) {
    if (!head_of(cell).is_imm(Imm::Char)) return panic_kind(ctx, 'c', head_of(cell));
    append_utf8(text, head_of(cell).char_code());
  }
  return make_string(ctx, text);
}

Value from_bytes(Context& ctx, Value* args) {
  std::string text;
  for (Value cell = args[0]; is_cell(cell); cell = tail_of(cell)) {
    Value byte = head_of(cell);
    if (!byte.is_small() || byte.small() < 0 || byte.small() > 255) return make_none();
    text += static_cast<char>(byte.small());
  }
  return valid_utf8(text) ? make_some(ctx, make_string(ctx, text)) : make_none();
}

Value replace(Context& ctx, Value* args) {
  std::string_view text = string_view_of(args[0]), old = string_view_of(args[1]), with = string_view_of(args[2]);
  if (old.empty()) return args[0];
  auto hit = find_bytes(text, old, 0);
  if (!hit) return args[0];
  std::string out;
  size_t from = 0;
  do {
    out += text.substr(from, *hit - from);
    out += with;
    from = *hit + old.size();
    if (out.size() > kMaxStringBytes) return panic(ctx, "out of memory");
  } while ((hit = find_bytes(text, old, from)));
  out += text.substr(from);
  return make_string(ctx, out);
}

template <uint32_t (*Map)(uint32_t), bool Upper>
Value map_case(Context& ctx, Value* args) {
  std::string_view text = string_view_of(args[0]);
  std::string out;
  out.reserve(text.size());
  for (const char *p = text.data(), *end = p + text.size(); p < end;) {
    uint32_t code = utf8_decode(p);
    if (Upper && code == 0xdf) {
      out += "SS";
    } else {
      append_utf8(out, Map(code));
    }
  }
  return make_string(ctx, out);
}

Value repeat(Context& ctx, Value* args) {
  uint64_t size = as<String>(args[0])->count();
  bool negative = args[1].is_small() ? args[1].small() <= 0 : as<BigInt>(args[1])->negative();
  if (negative || size == 0) return make_string(ctx, "");
  if (!args[1].is_small() || static_cast<uint64_t>(args[1].small()) > kMaxStringBytes / size)
    return panic(ctx, "out of memory");
  uint64_t total = size * static_cast<uint64_t>(args[1].small());
  String* result = allocate_string(ctx, total);
  if (!result) return kNull;
  // Doubling what is there already.
  std::memcpy(result->bytes, as<String>(args[0])->bytes, size);
  for (uint64_t done = size; done < total;) {
    uint64_t step = std::min(done, total - done);
    std::memcpy(result->bytes + done, result->bytes, step);
    done += step;
  }
  return ptr_value(result);
}

Value reverse(Context& ctx, Value* args) {
  uint32_t size = as<String>(args[0])->count();
  String* result = allocate_string(ctx, size);
  if (!result) return kNull;
  const char *p = as<String>(args[0])->bytes, *end = p + size;
  char* out = result->bytes + size;
  while (p < end) {
    unsigned length = utf8_advance(*p);
    out -= length;
    std::memcpy(out, p, length);
    p += length;
  }
  return ptr_value(result);
}

const Native table[] = {
    define<"ss", concat>("string.concat"),
    define<"A", interpolate>("string.interpolate"),
    define<"ls", join>("string.join"),
    define<"A", from_array>("string.from_array"),
    define<"l", from_chars>("string.from_chars"),
    define<"l", from_bytes>("string.from_bytes"),
    define<"sss", replace>("string.replace"),
    define<"s", map_case<to_upper, true>>("string.to_upper"),
    define<"s", map_case<to_lower, false>>("string.to_lower"),
    define<"si", repeat>("string.repeat"),
    define<"s", reverse>("string.reverse"),
};

}  // namespace

const std::span<const Native> string_edit_natives = table;

}  // namespace eddy::rt
