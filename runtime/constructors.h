// Constructor descriptors. Ids are dense and global to a VM; a type's constructors are consecutive.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace eddy::rt {

// Constructors the VM itself makes or prints; modules refer to them by these ids.
namespace con {
constexpr uint16_t None = 1, Some = 2, Ok = 3, Err = 4, Nil = 5, Cons = 6, Panic = 7, Ref = 8;
constexpr uint16_t Range = 9, RangeInclusive = 10;  // (start, end)
constexpr uint16_t MapTree = 11, SetTree = 12;      // std/map's and std/set's outer records
constexpr uint16_t MaxTuple = 64;
constexpr uint16_t tuple(unsigned arity) { return static_cast<uint16_t>(16 + arity); }  // arity 2 … MaxTuple
constexpr uint16_t FirstFree = 16 + MaxTuple + 1;
}  // namespace con

struct ConInfo {
  std::string name;       // "Node"; tuples: ""
  std::string type_name;  // "Tree"
  uint16_t index = 0;     // within its type
  uint16_t fields = 0;    // 0: a constant, never allocated
  std::vector<bool> raw;  // field i holds a raw double (sized fields, or empty: none)
  std::vector<std::string> field_names;
  bool is_raw(unsigned i) const { return i < raw.size() && raw[i]; }
};

// A VM's table, indexed by id; starts with the well-known ones above.
std::vector<ConInfo> builtin_constructors();
// How many fields a well-known one has; -1 where the id is of none.
int builtin_fields(uint32_t id);

}  // namespace eddy::rt
