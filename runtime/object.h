// Heap objects: a one-word header, then the fields. Objects in the nursery move; raw pointers to them die
// at every allocation (see heap.h).
//
// Header:  bit 0      1 (a forwarded object's header is its new address, whose bit 0 is 0)
//          bit 1      marked (major collection)
//          bit 2      in the remembered set
//          bit 3      lives in old space
//          bits 8-23  constructor id, where kind is Con
//          bits 24-31 kind
//          bits 32-63 count: fields, elements, captures, bytes or limbs, as the kind says
#pragma once
#include <cstddef>

#include "runtime/value.h"

namespace eddy::rt {

struct Function;
struct Fiber;
struct Site;

enum class Kind : uint8_t {
  Con,           // constructor application, record or tuple: count fields, some of them raw floats
  Closure,       // function and count captures
  Env,           // the captures of a handle expression's clauses (function is null); same layout as Closure
  Cell,          // one assignable variable
  Float,         // boxed double
  BigInt,        // count limbs, least significant first; sign in flag_bit 4 of the header
  String,        // count bytes of UTF-8
  Array,         // count values
  FloatArray,    // count raw doubles
  Bytes,         // growable byte buffer's storage: count bytes of capacity
  Node,          // an installed unnamed handler, or a mask
  Named,         // a named handler's identity
  Exit,          // the target of a jump out of a handled body
  Continuation,  // a resumption
  Resource,      // index into the table of open resources
};

constexpr Word kHeaderTag = 1, kHeaderMarked = 2, kHeaderRemembered = 4, kHeaderOld = 8, kHeaderNegative = 16,
               kHeaderResumed = 32;

struct Object {
  Word header;

  Kind kind() const { return static_cast<Kind>((header >> 24) & 0xff); }
  uint16_t con() const { return static_cast<uint16_t>(header >> 8); }
  uint32_t count() const { return static_cast<uint32_t>(header >> 32); }
  bool is_forwarded() const { return !(header & 1); }
};

constexpr Word make_header(Kind kind, uint32_t count, uint16_t con = 0) {
  return kHeaderTag | (static_cast<Word>(con) << 8) | (static_cast<Word>(kind) << 24) |
         (static_cast<Word>(count) << 32);
}

struct ConObject : Object { Value fields[]; };
struct Closure : Object { Function* function; Value captures[]; };
struct Cell : Object { Value value; };
struct FloatBox : Object { double value; };
struct BigInt : Object {
  uint64_t limbs[];
  bool negative() const { return header & kHeaderNegative; }
};
struct String : Object {
  uint32_t hash;   // 0 until asked for
  uint32_t chars;  // number of characters + 1; 0 until asked for
  char bytes[];
};
struct Array : Object { Value items[]; };
struct FloatArray : Object { double items[]; };
struct Bytes : Object { unsigned char data[]; };
struct Resource : Object { Word index; };

inline bool is_kind(Value v, Kind kind) { return v.is_ptr() && v.bits && v.ptr()->kind() == kind; }
inline bool is_con(Value v, uint16_t con) {
  return v.is_ptr() && v.bits && (v.ptr()->header & 0xffffff00u) == (static_cast<Word>(con) << 8);
}
template <class T> T* as(Value v) { return static_cast<T*>(v.ptr()); }

// The value's constructor id, constant or not; 0 where it is no constructor.
inline uint16_t con_of(Value v) {
  if (v.is_imm(Imm::Con)) return v.imm_con();
  return is_kind(v, Kind::Con) ? v.ptr()->con() : 0;
}

}  // namespace eddy::rt
