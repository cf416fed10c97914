// The types of generated programs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace eddy::fuzz {

enum class Kind : uint8_t {
  Int,
  Float,
  Bool,
  Char,
  String,
  Unit,  // clang-format off
  Tuple, List, Option, Array, Ref,  // clang-format on
  Point,
  Cell,
  Bush,      // the program's own: a record, one with var fields, a sum type
  Function,  // args: parameters, then the result
  Handler,   // a named handler
};

// Effects of a program are numbered; a row is a set of them.
using Row = uint32_t;

struct Type {
  Kind kind = Kind::Unit;
  std::vector<Type> args{};
  Row row = 0;     // of a Function
  int effect = 0;  // of a Handler
  bool operator==(const Type&) const = default;
};

inline const Type kInt{Kind::Int}, kFloat{Kind::Float}, kBool{Kind::Bool}, kChar{Kind::Char},
    kString{Kind::String}, kUnit{Kind::Unit};

inline Type list_of(Type t) { return {Kind::List, {std::move(t)}}; }
inline Type option_of(Type t) { return {Kind::Option, {std::move(t)}}; }
inline Type array_of(Type t) { return {Kind::Array, {std::move(t)}}; }
inline Type handler_of(int effect) { return {Kind::Handler, {}, 0, effect}; }
inline Type function_of(std::vector<Type> parameters, Type result, Row row) {
  parameters.push_back(std::move(result));
  return {Kind::Function, std::move(parameters), row};
}

// Functions and handlers, also inside: they cannot be compared, and the reducer has no simplest one of them.
bool is_data(const Type& type);

// The simplest expression of a type of data.
std::string simplest(const Type& type);

}  // namespace eddy::fuzz
