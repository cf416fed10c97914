#include "jit/build/natives.h"

#include <optional>
#include <utility>
#include <vector>

#include "jit/build/builder.h"

namespace eddy::jit {

using vm::a_of;

KnownNative known_native(const rt::Native& native) {
  static const std::vector<KnownNative> all = [] {
    std::vector<KnownNative> known(rt::natives().size());
    for (auto [name, kind] : {std::pair<const char*, KnownNative>{"float.to_int", KnownNative::ToInt},
                                {"float.floor", KnownNative::Floor},
                                {"float.ceil", KnownNative::Ceil},
                                {"float.trunc", KnownNative::Trunc},
                                {"float.round", KnownNative::Round},
                                {"int.bit_count", KnownNative::BitCount},
                                {"int.bit_length", KnownNative::BitLength},
                                {"char.code", KnownNative::CharCode},
                                {"string.at", KnownNative::StringAt},
                                {"string.length", KnownNative::StringLength}})
      known[static_cast<size_t>(rt::find_native(name) - rt::natives().data())] = kind;
    return known;
  }();
  return all[static_cast<size_t>(&native - rt::natives().data())];
}

namespace {
std::optional<Rounding> rounding_of(KnownNative native) {
  switch (native) {
    case KnownNative::Floor: return Rounding::Down;
    case KnownNative::Ceil: return Rounding::Up;
    case KnownNative::Trunc: return Rounding::ToZero;
    case KnownNative::Round: return Rounding::Nearest;
    default: return std::nullopt;
  }
}
}  // namespace

// A node that may leave code, or call the runtime, at the instruction at hand.
Node* Builder::in_place(NodeOp op, const std::vector<Node*>& args) {
  FrameState* s = here();
  Node* n = define(a_of(*pc_), op);
  n->inputs = args;
  n->state = s;
  return n;
}

// A native of Floats that have no objects here.
void Builder::float_native(const rt::Native& native, const std::vector<Node*>& args) {
  KnownNative known = known_native(native);
  if (known == KnownNative::ToInt) {
    in_place(NodeOp::FloatToInt, args)->small = true;
    return;
  }
  if (std::optional<Rounding> how = rounding_of(known); how && g_.features().rounds) {
    Node* n = define_result(a_of(*pc_), NodeOp::FRound);
    n->inputs = args;
    n->imm = static_cast<int64_t>(*how);
    return;
  }
  FrameState* s = after(a_of(*pc_));
  Node* n = define_result(a_of(*pc_), NodeOp::FNative);
  n->inputs = args;
  n->aux = native.unary ? reinterpret_cast<void*>(native.unary) : reinterpret_cast<void*>(native.binary);
  n->state = s;
}

// Another one; false where it is to be called.
bool Builder::plain_native(const rt::Native& native, const std::vector<Node*>& args) {
  switch (known_native(native)) {
    case KnownNative::BitCount:
      if (!g_.features().counts_bits) return false;
      unary(NodeOp::BitCount, args[0]);
      return true;
    case KnownNative::BitLength: unary(NodeOp::BitLength, args[0]); return true;
    case KnownNative::CharCode: {
      Node* n = in_place(NodeOp::CharCode, args);
      n->known = args[0]->op == NodeOp::StringAt;
      n->small = true;
      return true;
    }
    // Of Strings made a moment ago nobody knows how long they are, and many are not ASCII: nothing to leave code for.
    case KnownNative::StringLength: {
      Node* n = in_place(NodeOp::StringLength, args);
      n->speculative = false;
      n->small = true;
      return true;
    }
    case KnownNative::StringAt: {
      bool small = is_small(args[1]);
      Node* n = in_place(NodeOp::StringAt, args);
      n->speculative = false;
      n->known = static_cast<uint8_t>(small << 1);
      return true;
    }
    default: return false;
  }
}

}  // namespace eddy::jit
