// Hashing consistent with `compare` = 0: differently balanced equal Maps, -0.0 and 0.0, plain and Float arrays.
#include <bit>
#include <cmath>
#include <vector>

#include "runtime/bigint.h"
#include "runtime/compare.h"
#include "runtime/strings.h"
#include "runtime/collections.h"
#include "runtime/work_stack.h"

namespace eddy::rt {

namespace {

// A structure that is larger (or a cycle, which is endless) is told apart by its first parts only: equal
// structures have equal first parts, however they share or repeat them.
constexpr uint64_t kMaxParts = uint64_t{1} << 20;

uint64_t mix(uint64_t h, uint64_t part) {
  h = (h ^ part) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 32);
}

uint64_t float_hash(double d) {
  if (std::isnan(d)) return 0x7ff8;
  return std::bit_cast<uint64_t>(d == 0 ? 0.0 : d);
}

class Hasher {
 public:
  explicit Hasher(Context& ctx) : ctx_(ctx) {}

  uint64_t run(Value v) {
    if (!visit(v)) return kNoHash;
    for (uint64_t parts = 0; !open_.empty() && parts < kMaxParts; ++parts)
      if (!step()) return kNoHash;
    h_ = mix(h_, h_ >> 29);
    return h_ >> 2;
  }

 private:
  struct Open {
    enum Kind : uint8_t { Fields, List, Items, Floats, Collection } kind;
    uint32_t next;
    Value v;
  };

  void add(uint64_t part) { h_ = mix(h_, part); }
  bool close(uint64_t part) {
    add(part);
    open_.pop_back();
    return true;
  }
  static bool is_cons(Value v) { return is_con(v, con::Cons) && v.ptr()->count() == 2; }

  bool step() {
    Open& top = open_.back();
    uint32_t i = top.next++;
    switch (top.kind) {
      case Open::Fields: {
        auto* object = as<ConObject>(top.v);
        if (i + 1 >= object->count()) open_.pop_back();
        if (i >= object->count()) return true;
        if (object->con() < ctx_.constructors.size() && ctx_.constructors[object->con()].is_raw(i))
          return add(float_hash(std::bit_cast<double>(object->fields[i].bits))), true;
        return visit(object->fields[i]);
      }
      case Open::List: {
        if (!is_cons(top.v)) return close(i);
        auto* cell = as<ConObject>(top.v);
        top.v = cell->fields[1];
        return visit(cell->fields[0]);
      }
      case Open::Items: {
        auto* array = as<Array>(top.v);
        return i < array->count() ? visit(array->items[i]) : close(i);
      }
      case Open::Floats: {
        auto* array = as<FloatArray>(top.v);
        if (i >= array->count()) return close(i);
        return add(float_hash(array->items[i])), true;
      }
      case Open::Collection: {
        CollectionWalk& walk = walks_.back();
        if (i % 2) return walk.is_map() ? visit(walk.value()) : true;
        if (i) walk.next();
        if (!walk.done()) return visit(walk.key());
        walks_.pop_back();
        return close(i);
      }
    }
    return true;
  }

  bool visit(Value v) {
    if (is_int(v)) return add(int_hash(v)), true;
    if (uint16_t con = con_of(v); con && !v.is_ptr()) return add(con), true;
    if (v.is_imm() || v.bits == 0) return add(v.bits), true;
    switch (v.ptr()->kind()) {
      case Kind::Float: return add(float_hash(as<FloatBox>(v)->value)), true;
      case Kind::String: return add(string_hash(v)), true;
      case Kind::Bytes: return true;
      case Kind::Resource: return add(as<Resource>(v)->index), true;
      case Kind::Con:
        if (is_cons(v)) {
          open_.push_back({Open::List, 0, v});
        } else if (is_collection(v)) {
          open_.push_back({Open::Collection, 0, v});
          walks_.emplace_back(ctx_, v, true);
        } else {
          add(v.ptr()->con());
          open_.push_back({Open::Fields, 0, v});
        }
        return true;
      case Kind::Array: open_.push_back({Open::Items, 0, v}); return true;
      case Kind::FloatArray: open_.push_back({Open::Floats, 0, v}); return true;
      case Kind::Closure:
      case Kind::Named:
      case Kind::Continuation:
        panic(ctx_, "functions cannot be hashed");
        return false;
      default: return true;
    }
  }

  Context& ctx_;
  uint64_t h_ = 0x51ed270b35a8b0d1u;
  WorkStack<Open> open_;
  std::vector<CollectionWalk> walks_;  // of the Collections in open_
};

}  // namespace

uint64_t hash(Context& ctx, Value v) {
  if (v.is_small()) return int_hash(v) >> 2;
  if (is_string(v)) return mix(0x51ed270b35a8b0d1u, string_hash(v)) >> 2;
  return Hasher(ctx).run(v);
}

}  // namespace eddy::rt
