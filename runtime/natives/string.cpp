// Natives that look into Strings or take them apart.
#include <algorithm>
#include <vector>

#include "runtime/memory_limit.h"
#include "runtime/natives/define.h"
#include "runtime/unicode.h"
#include "runtime/utf8.h"

namespace eddy::rt {

namespace {

Value length(Context&, Value* args) { return small_int(string_length(args[0])); }
Value byte_length(Context&, Value* args) { return small_int(as<String>(args[0])->count()); }
Value at(Context& ctx, Value* args) { return string_at(ctx, args[0], args[1]); }

Value slice(Context& ctx, Value* args) {
  uint32_t n = string_length(args[0]);
  uint32_t from, to;
  if (!check_slice(ctx, args[1], args[2], n, &from, &to)) return kNull;
  uint32_t first = byte_position(ctx, args[0], from);
  return substring(ctx, &args[0], first, byte_position(ctx, args[0], to));
}

Value to_array(Context& ctx, Value* args) {
  uint32_t n = string_length(args[0]);
  if (!check_memory(ctx, uint64_t{n} * 8)) return kNull;
  Value array = new_array(ctx, n, kUnit);
  if (array == kNull) return kNull;
  const char* p = as<String>(args[0])->bytes;
  for (uint32_t i = 0; i < n; ++i) as<Array>(array)->items[i] = char_value(utf8_decode(p));
  return array;
}

Value chars(Context& ctx, Value* args) {
  Root list(ctx, con_value(con::Nil));
  for (uint32_t at = as<String>(args[0])->count(); at > 0;) {
    const String* s = as<String>(args[0]);
    do --at;
    while (is_continuation(s->bytes[at]));
    const char* p = s->bytes + at;
    if (!push_front(ctx, &list.value, char_value(utf8_decode(p)))) return kNull;
  }
  return list.value;
}

Value bytes(Context& ctx, Value* args) {
  Root list(ctx, con_value(con::Nil));
  for (uint32_t at = as<String>(args[0])->count(); at-- > 0;)
    if (!push_front(ctx, &list.value, small_int(static_cast<unsigned char>(as<String>(args[0])->bytes[at])))) return kNull;
  return list.value;
}

Value find(Context& ctx, Value* args) {
  std::string_view text = string_view_of(args[0]), part = string_view_of(args[1]);
  uint32_t from = 0;
  if (args[2].is_small()) {
    int64_t wanted = std::max<int64_t>(args[2].small(), 0);
    if (wanted > string_length(args[0])) return make_none();
    from = byte_position(ctx, args[0], static_cast<uint32_t>(wanted));
  } else if (!as<BigInt>(args[2])->negative()) {
    return make_none();
  }
  auto hit = find_bytes(text, part, from);
  return hit ? make_some(ctx, small_int(char_position(ctx, args[0], *hit))) : make_none();
}

Value find_last(Context& ctx, Value* args) {
  size_t hit = string_view_of(args[0]).rfind(string_view_of(args[1]));
  if (hit == std::string_view::npos) return make_none();
  return make_some(ctx, small_int(char_position(ctx, args[0], static_cast<uint32_t>(hit))));
}

Value starts_with(Context&, Value* args) {
  return bool_value(string_view_of(args[0]).starts_with(string_view_of(args[1])));
}
Value ends_with(Context&, Value* args) {
  return bool_value(string_view_of(args[0]).ends_with(string_view_of(args[1])));
}
Value contains(Context&, Value* args) {
  return bool_value(find_bytes(string_view_of(args[0]), string_view_of(args[1]), 0).has_value());
}

struct Piece {
  uint32_t from, to;
};

Value make_pieces(Context& ctx, Value* args, const std::vector<Piece>& pieces) {
  Root list(ctx, con_value(con::Nil));
  for (size_t i = pieces.size(); i-- > 0;)
    if (!push_front(ctx, &list.value, substring(ctx, &args[0], pieces[i].from, pieces[i].to))) return kNull;
  return list.value;
}

Value split(Context& ctx, Value* args) {
  std::string_view text = string_view_of(args[0]), separator = string_view_of(args[1]);
  std::vector<Piece> pieces;
  if (separator.empty()) {
    for (uint32_t at = 0; at < text.size();) {
      uint32_t next = at + utf8_advance(text[at]);
      pieces.push_back({at, next});
      at = next;
    }
    return make_pieces(ctx, args, pieces);
  }
  uint32_t from = 0;
  while (auto hit = find_bytes(text, separator, from)) {
    pieces.push_back({from, *hit});
    from = *hit + static_cast<uint32_t>(separator.size());
  }
  pieces.push_back({from, static_cast<uint32_t>(text.size())});
  return make_pieces(ctx, args, pieces);
}

Value words(Context& ctx, Value* args) {
  std::string_view text = string_view_of(args[0]);
  std::vector<Piece> pieces;
  const char *begin = text.data(), *end = begin + text.size();
  const char* word = nullptr;
  for (const char* p = begin; p < end;) {
    const char* start = p;
    bool space = is_space(utf8_decode(p));
    if (!space && !word) word = start;
    if (space && word) {
      pieces.push_back({static_cast<uint32_t>(word - begin), static_cast<uint32_t>(start - begin)});
      word = nullptr;
    }
  }
  if (word) pieces.push_back({static_cast<uint32_t>(word - begin), static_cast<uint32_t>(text.size())});
  return make_pieces(ctx, args, pieces);
}

Value trim_ends(Context& ctx, Value* args, bool front, bool back) {
  std::string_view text = string_view_of(args[0]);
  const char *begin = text.data(), *end = begin + text.size();
  const char* from = begin;
  while (front && from < end) {
    const char* next = from;
    if (!is_space(utf8_decode(next))) break;
    from = next;
  }
  const char* to = end;
  while (back && to > from) {
    const char* last = to;
    do --last;
    while (is_continuation(*last));
    const char* p = last;
    if (!is_space(utf8_decode(p))) break;
    to = last;
  }
  return substring(ctx, &args[0], static_cast<uint32_t>(from - begin), static_cast<uint32_t>(to - begin));
}

Value trim(Context& ctx, Value* args) { return trim_ends(ctx, args, true, true); }
Value trim_start(Context& ctx, Value* args) { return trim_ends(ctx, args, true, false); }
Value trim_end(Context& ctx, Value* args) { return trim_ends(ctx, args, false, true); }

const Native table[] = {
    define<"s", length>("string.length", kNoAllocation),
    define<"s", byte_length>("string.byte_length", kNoAllocation),
    define<"si", at>("string.at", kNoAllocation),
    define<"sii", slice>("string.slice"),
    define<"s", to_array>("string.to_array"),
    define<"s", chars>("string.chars"),
    define<"s", bytes>("string.bytes"),
    define<"ssi", find>("string.find"),
    define<"ss", find_last>("string.find_last"),
    define<"ss", starts_with>("string.starts_with", kNoAllocation),
    define<"ss", ends_with>("string.ends_with", kNoAllocation),
    define<"ss", contains>("string.contains", kNoAllocation),
    define<"ss", split>("string.split"),
    define<"s", words>("string.words"),
    define<"s", trim>("string.trim"),
    define<"s", trim_start>("string.trim_start"),
    define<"s", trim_end>("string.trim_end"),
};

}  // namespace

const std::span<const Native> string_natives = table;

}  // namespace eddy::rt
