// The storage under std's StringBuilder: Bytes holds UTF-8 up to a length that the builder keeps; behind it all
// is zero.
#include <algorithm>
#include <cstring>

#include "runtime/memory_limit.h"
#include "runtime/natives/define.h"
#include "runtime/utf8.h"

namespace eddy::rt {

namespace {

Bytes* allocate_bytes(Context& ctx, uint64_t capacity) {
  if (capacity > kMaxStringBytes) {
    panic(ctx, "out of memory");
    return nullptr;
  }
  if (!check_memory(ctx, capacity)) return nullptr;
  return static_cast<Bytes*>(ctx.heap->allocate(Kind::Bytes, static_cast<uint32_t>(capacity),
                                                (sizeof(Bytes) + capacity + 7) & ~uint64_t{7}));
}

bool valid_used(Value storage, Value used) {
  return used.small() >= 0 && used.small() <= as<Bytes>(storage)->count();
}

// Storage with room for `more` bytes behind the first `used`; may be another than args[0].
Bytes* with_room(Context& ctx, Value* args, uint64_t used, uint64_t more) {
  uint64_t capacity = as<Bytes>(args[0])->count();
  if (used + more <= capacity) return as<Bytes>(args[0]);
  Bytes* larger = allocate_bytes(ctx, std::max({used + more, capacity * 2, uint64_t{32}}));
  if (!larger) return nullptr;
  std::memcpy(larger->data, as<Bytes>(args[0])->data, used);
  std::memset(larger->data + used, 0, larger->count() - used);
  return larger;
}

Value create(Context& ctx, Value* args) {
  if (args[0].small() < 0) return panic(ctx, "negative length: " + int_to_string(args[0]));
  Bytes* bytes = allocate_bytes(ctx, static_cast<uint64_t>(args[0].small()));
  if (!bytes) return kNull;
  std::memset(bytes->data, 0, bytes->count());
  return ptr_value(bytes);
}

Value append(Context& ctx, Value* args) {
  if (!valid_used(args[0], args[1])) return panic_index(ctx, args[1], as<Bytes>(args[0])->count());
  auto used = static_cast<uint64_t>(args[1].small());
  Bytes* storage = with_room(ctx, args, used, as<String>(args[2])->count());
  if (!storage) return kNull;
  const String* text = as<String>(args[2]);
  std::memcpy(storage->data + used, text->bytes, text->count());
  return ptr_value(storage);
}

Value append_char(Context& ctx, Value* args) {
  if (!valid_used(args[0], args[1])) return panic_index(ctx, args[1], as<Bytes>(args[0])->count());
  auto used = static_cast<uint64_t>(args[1].small());
  char encoded[4];
  unsigned length = utf8_encode(args[2].char_code(), encoded);
  Bytes* storage = with_room(ctx, args, used, length);
  if (!storage) return kNull;
  std::memcpy(storage->data + used, encoded, length);
  return ptr_value(storage);
}

Value to_string(Context& ctx, Value* args) {
  if (!valid_used(args[0], args[1])) return panic_index(ctx, args[1], as<Bytes>(args[0])->count());
  auto used = static_cast<uint64_t>(args[1].small());
  // A builder's contents are whole characters; a damaged length must not make a String that is not UTF-8.
  if (!valid_utf8({reinterpret_cast<const char*>(as<Bytes>(args[0])->data), used})) return panic(ctx, "not valid UTF-8");
  String* result = allocate_string(ctx, used);
  if (!result) return kNull;
  std::memcpy(result->bytes, as<Bytes>(args[0])->data, used);
  return ptr_value(result);
}

const Native table[] = {
    define<"n", create>("bytes.new"),
    define<"bns", append>("bytes.append"),
    define<"bnc", append_char>("bytes.append_char"),
    define<"bn", to_string>("bytes.to_string"),
};

}  // namespace

const std::span<const Native> bytes_natives = table;

}  // namespace eddy::rt
