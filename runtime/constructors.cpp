#include "runtime/constructors.h"

#include "runtime/collections.h"

namespace eddy::rt {

namespace {

struct Builtin {
  uint16_t id;
  const char *type, *name;
  uint16_t index;
  const char* fields[3] = {};  // up to the first null

  constexpr uint16_t count() const {
    uint16_t n = 0;
    while (n < std::size(fields) && fields[n]) ++n;
    return n;
  }
};

constexpr Builtin kBuiltins[] = {
    {con::None, "Option", "None", 0},
    {con::Some, "Option", "Some", 1, {"value"}},
    {con::Ok, "Result", "Ok", 0, {"value"}},
    {con::Err, "Result", "Err", 1, {"error"}},
    {con::Nil, "List", "Nil", 0},
    {con::Cons, "List", "Cons", 1, {"head", "tail"}},
    {con::Panic, "Panic", "Panic", 0, {"message", "trace"}},
    {con::Ref, "Ref", "Ref", 0, {"value"}},
    {con::Range, "Range", "Range", 0, {"start", "end"}},
    {con::RangeInclusive, "Range", "RangeInclusive", 1, {"start", "end"}},
    {con::MapTree, "Map", "Map", 0, {"tree"}},
    {con::SetTree, "Set", "Set", 0, {"tree"}},
    {con::QueueRing, "Queue", "Queue", 0, {"items", "start", "count"}},
    {con::HashTable, "MutMap", "MutMap", 0, {"slots", "count", "used"}},
};

}  // namespace

std::vector<ConInfo> builtin_constructors() {
  std::vector<ConInfo> table(con::FirstFree);
  for (const Builtin& b : kBuiltins) {
    ConInfo& info = table[b.id];
    info.type_name = b.type;
    info.name = b.name;
    info.index = b.index;
    info.fields = b.count();
    info.field_names.assign(b.fields, b.fields + b.count());
  }
  for (uint16_t n = 2; n <= con::MaxTuple; ++n) {
    table[con::tuple(n)].type_name = "tuple";
    table[con::tuple(n)].fields = n;
  }
  return table;
}

int builtin_fields(uint32_t id) {
  if (id >= con::tuple(2) && id <= con::tuple(con::MaxTuple)) return static_cast<int>(id) - con::tuple(0);
  for (const Builtin& b : kBuiltins)
    if (b.id == id) return b.count();
  return -1;
}

}  // namespace eddy::rt
