// Where the values are in an object of each kind. The one place that knows, for the minor and the major
// collection and the verifier.
//
// Not among them, because they are not simply traced: Node::previous (forgotten) and a Continuation's fibers.
#pragma once
#include <vector>

#include "runtime/constructors.h"
#include "runtime/handler.h"
#include "runtime/object.h"

namespace eddy::rt {

// Which fields of a constructor are raw, as bits; rebuilt where the table of constructors has grown.
class RawFields {
 public:
  void refresh(const std::vector<ConInfo>& constructors) {
    infos_ = constructors.data();
    for (size_t i = masks_.size(); i < constructors.size(); ++i) {
      uint64_t mask = 0;
      bool beyond = false;
      for (unsigned f = 0; f < constructors[i].raw.size(); ++f)
        if (constructors[i].raw[f]) f < 64 ? void(mask |= uint64_t{1} << f) : void(beyond = true);
      masks_.push_back(mask);
      beyond_.push_back(beyond);
      any_.push_back(mask != 0 || beyond);
    }
  }
  bool is_raw(uint16_t con, unsigned field) const {
    return field < 64 ? (masks_[con] >> field) & 1 : beyond_[con] && infos_[con].is_raw(field);
  }
  bool any(uint16_t con) const { return any_[con]; }

 private:
  const ConInfo* infos_ = nullptr;
  std::vector<uint64_t> masks_;
  std::vector<unsigned char> beyond_, any_;
};

constexpr bool has_slots(Kind kind) {
  constexpr unsigned none = 1u << unsigned(Kind::Float) | 1u << unsigned(Kind::BigInt) | 1u << unsigned(Kind::String) |
                            1u << unsigned(Kind::FloatArray) | 1u << unsigned(Kind::Bytes) |
                            1u << unsigned(Kind::Exit) | 1u << unsigned(Kind::Resource);
  return !((none >> unsigned(kind)) & 1);
}

// Bytes of an object: base + count * scale, rounded up to 8.
struct ObjectShape {
  uint8_t base, scale;
};
constexpr ObjectShape kObjectShapes[] = {
    {sizeof(ConObject), 8},     // Con
    {sizeof(Closure), 8},       // Closure
    {sizeof(Closure), 8},       // Env
    {sizeof(Cell), 0},          // Cell
    {sizeof(FloatBox), 0},      // Float
    {sizeof(BigInt), 8},        // BigInt
    {sizeof(String), 1},        // String
    {sizeof(Array), 8},         // Array
    {sizeof(FloatArray), 8},    // FloatArray
    {sizeof(Bytes), 1},         // Bytes
    {sizeof(Node), 0},          // Node
    {sizeof(Named), 0},         // Named
    {sizeof(Exit), 0},          // Exit
    {sizeof(Continuation), 8},  // Continuation
    {sizeof(Resource), 0},      // Resource
};
constexpr unsigned kKinds = sizeof kObjectShapes / sizeof kObjectShapes[0];
static_assert(kKinds == unsigned(Kind::Resource) + 1);

inline size_t size_of_object(const Object* object) {
  ObjectShape shape = kObjectShapes[static_cast<unsigned>(object->kind())];
  return (shape.base + static_cast<size_t>(object->count()) * shape.scale + 7) & ~size_t{7};
}

// Visits fields last to first: both collections keep a stack of what is still to be looked into, and this way
// the elements of a list are done before its tail, which keeps that stack flat.
template <class Visit>
inline void each_slot(const RawFields& raw, Object* object, Visit&& visit) {
  uint32_t count = object->count();
  auto all = [&](Value* slots) {
    for (uint32_t i = count; i-- > 0;) visit(&slots[i]);
  };
  switch (object->kind()) {
    case Kind::Con: {
      Value* fields = static_cast<ConObject*>(object)->fields;
      uint16_t con = object->con();
      if (!raw.any(con)) [[likely]]
        return all(fields);
      for (uint32_t i = count; i-- > 0;)
        if (!raw.is_raw(con, i)) visit(&fields[i]);
      return;
    }
    case Kind::Closure:
    case Kind::Env: return all(static_cast<Closure*>(object)->captures);
    case Kind::Array: return all(static_cast<Array*>(object)->items);
    case Kind::Cell: return visit(&static_cast<Cell*>(object)->value);
    case Kind::Node: {
      auto* node = static_cast<Node*>(object);
      visit(&node->env);
      visit(&node->outer);
      return;
    }
    case Kind::Named: return visit(&static_cast<Named*>(object)->env);
    case Kind::Continuation: {
      auto* k = static_cast<Continuation*>(object);
      visit(&k->top);
      visit(&k->node);
      return;
    }
    case Kind::Float:
    case Kind::BigInt:
    case Kind::String:
    case Kind::FloatArray:
    case Kind::Bytes:
    case Kind::Exit:
    case Kind::Resource: return;
  }
}

}  // namespace eddy::rt
