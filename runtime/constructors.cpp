#include "runtime/constructors.h"

#include "runtime/collections.h"

namespace eddy::rt {

std::vector<ConInfo> builtin_constructors() {
  std::vector<ConInfo> table(con::FirstFree);
  auto add = [&](uint16_t id, const char* type, const char* name, uint16_t index,
                 std::vector<std::string> field_names = {}) {
    ConInfo& info = table[id];
    info.type_name = type;
    info.name = name;
    info.index = index;
    info.fields = static_cast<uint16_t>(field_names.size());
    info.field_names = std::move(field_names);
  };
  add(con::None, "Option", "None", 0);
  add(con::Some, "Option", "Some", 1, {"value"});
  add(con::Ok, "Result", "Ok", 0, {"value"});
  add(con::Err, "Result", "Err", 1, {"error"});
  add(con::Nil, "List", "Nil", 0);
  add(con::Cons, "List", "Cons", 1, {"head", "tail"});
  add(con::Panic, "Panic", "Panic", 0, {"message", "trace"});
  add(con::Ref, "Ref", "Ref", 0, {"value"});
  add(con::Range, "Range", "Range", 0, {"start", "end"});
  add(con::RangeInclusive, "Range", "RangeInclusive", 1, {"start", "end"});
  add(con::MapTree, "Map", "Map", 0, {"tree"});
  add(con::SetTree, "Set", "Set", 0, {"tree"});
  add(con::QueueRing, "Queue", "Queue", 0, {"items", "start", "count"});
  add(con::HashTable, "MutMap", "MutMap", 0, {"slots", "count", "used"});
  for (uint16_t n = 2; n <= con::MaxTuple; ++n) {
    table[con::tuple(n)].type_name = "tuple";
    table[con::tuple(n)].fields = n;
  }
  return table;
}

}  // namespace eddy::rt
