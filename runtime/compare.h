// Structural equality, the total order, and the hash that goes with them. None of them recurses or allocates
// in the heap; cycles and shared parts are gone through once.
#pragma once
#include "runtime/context.h"
#include "runtime/object.h"

namespace eddy::rt {

// `==`: mutable data by content, Floats by IEEE. 1, 0, or kIncomparable with a panic pending where it comes to
// functions, handlers or resumptions.
constexpr int kIncomparable = 2;
int equal_slow(Context&, Value a, Value b);
inline int equal(Context& ctx, Value a, Value b) {
  if ((a.bits | b.bits) & 3) {  // a small Int or an immediate: equal only to itself
    return a == b;
  }
  return equal_slow(ctx, a, b);
}

// The total order of `compare`: -1, 0, 1 or kIncomparable. nan is last and equal to itself.
int compare(Context&, Value a, Value b);
// `<` and `<=`: as compare, but only Ints, Chars, Strings; anything else panics.
int compare_ordered(Context&, Value a, Value b);

// Equal for values that compare as 0; kNoHash with a panic pending for functions, handlers, resumptions.
constexpr uint64_t kNoHash = ~uint64_t{0};
uint64_t hash(Context&, Value v);  // below 2^62

}  // namespace eddy::rt
