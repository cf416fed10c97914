#include "runtime/natives/natives.h"

#include <vector>

#include "runtime/memory_limit.h"
#include "runtime/natives/define.h"

namespace eddy::rt {

std::span<const Native> natives() {
  static const std::vector<Native> table = [] {
    const std::span<const Native> groups[] = {
        value_natives, console_natives, os_natives, int_natives, float_natives, char_natives,
        string_natives, string_edit_natives, bytes_natives, array_natives,
        array_order_natives, time_natives, file_natives, file_handle_natives};
    size_t count = 0;
    for (const auto& group : groups) count += group.size();
    std::vector<Native> all;
    all.reserve(count);
    for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
    return all;
  }();
  return table;
}

// Programs name so few natives that to look through all for each takes less than to sort them first.
const Native* find_native(std::string_view name) {
  for (const Native& native : natives())
    if (native.name == name) return &native;
  return nullptr;
}

Value panic_kind(Context& ctx, char letter, Value got) {
  if (letter == 'n' && is_int(got)) return panic(ctx, "out of memory");  // a size or count beyond all memory
  const char* wanted = "value";
  switch (letter) {
    case 'i': case 'n': wanted = "an Int"; break;
    case 'f': wanted = "a Float"; break;
    case 'c': wanted = "a Char"; break;
    case 's': wanted = "a String"; break;
    case 'l': wanted = "a List"; break;
    case 'A': wanted = "an Array"; break;
    case 'b': wanted = "Bytes"; break;
    case 'r': wanted = "a File"; break;
  }
  return panic(ctx, std::string("expected ") + wanted);
}

bool check_slice(Context& ctx, Value from, Value to, uint32_t n, uint32_t* out_from, uint32_t* out_to) {
  bool to_fits = to.is_small() && to.small() >= 0 && to.small() <= n;
  bool from_fits = from.is_small() && from.small() >= 0 && to_fits && from.small() <= to.small();
  if (!to_fits || !from_fits) {
    panic_index(ctx, to_fits ? from : to, n);
    return false;
  }
  *out_from = static_cast<uint32_t>(from.small());
  *out_to = static_cast<uint32_t>(to.small());
  return true;
}

Value make_some(Context& ctx, Value v) { return v == kNull ? kNull : new_con(ctx, con::Some, {&v, 1}); }
Value make_ok(Context& ctx, Value v) { return v == kNull ? kNull : new_con(ctx, con::Ok, {&v, 1}); }

Value make_err(Context& ctx, std::string_view message) {
  Value text = make_string(ctx, message);
  return text == kNull ? kNull : new_con(ctx, con::Err, {&text, 1});
}

bool push_front(Context& ctx, Value* list, Value head) {
  if (head == kNull || !check_exhausted(ctx)) return false;
  Value fields[] = {head, *list};
  *list = new_con(ctx, con::Cons, fields);
  return *list != kNull;
}

Value make_text_list(Context& ctx, std::span<const std::string> texts) {
  Root list(ctx, con_value(con::Nil));
  for (size_t i = texts.size(); i-- > 0;)
    if (!push_front(ctx, &list.value, make_string(ctx, texts[i]))) return kNull;
  return list.value;
}

}  // namespace eddy::rt
