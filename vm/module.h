// A module as data: what the compiler and the assembler make, .ebc files hold, the verifier judges and the
// loader links. Everything refers to everything by index into the module's own tables.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/handler.h"
#include "vm/bytecode.h"

namespace eddy::vm {

struct ConstantData {
  enum class Kind : uint8_t { String, Int, Float };
  Kind kind = Kind::String;
  std::string text;    // String: UTF-8; Int: decimal digits with an optional '-'
  double number = 0;   // Float
  bool operator==(const ConstantData&) const = default;
};

struct ConstructorData {
  std::string name;
  std::vector<std::string> field_names;  // as many as there are fields; "" where it has no name
  std::vector<bool> raw;                 // as many as there are fields: holds a raw double
  bool operator==(const ConstructorData&) const = default;
};

// Constructor operands count through all types' constructors, in order, from rt::con::FirstFree on;
// smaller numbers are the well-known ones of runtime/constructors.h.
struct TypeData {
  std::string name;
  std::vector<ConstructorData> constructors;
  bool operator==(const TypeData&) const = default;
};

struct OperationData {
  std::string name;
  uint16_t params = 0;
  bool multi = false;
  bool operator==(const OperationData&) const = default;
};

// Effects are interned at load by `name`, which is qualified by the module that declares it ("std/exn.Exn").
struct EffectData {
  std::string name;
  std::vector<OperationData> operations;
  std::string short_name() const { return name.substr(name.find_last_of('.') + 1); }
  bool operator==(const EffectData&) const = default;
};

struct ClauseData {
  uint32_t effect = 0;
  uint16_t operation = 0;
  rt::ClauseKind kind = rt::ClauseKind::Tail;
  bool plain = false;        // performs and calls nothing, cannot panic: runs without a change of context
  uint32_t function = 0;     // params: environment, arguments…, and the continuation where kind is Once or Multi
  bool operator==(const ClauseData&) const = default;
};

// One `handle` or `mask` expression; belongs to exactly one HANDLE, HANDLE_NAMED or MASK instruction.
struct SiteData {
  std::string name;               // "State", for show and traces
  bool named = false, mask = false;
  std::vector<uint32_t> effects;
  std::vector<ClauseData> clauses;
  uint32_t target = 0;            // word in the owner's code where an aborted region goes on
  bool operator==(const SiteData&) const = default;
};

struct PositionData {
  uint32_t pc = 0;                // from this word on
  uint32_t file = 0, line = 0, column = 0;
  bool operator==(const PositionData&) const = default;
};

struct FunctionData {
  std::string name;
  uint16_t params = 0, tagged = 0, raw = 0, captures = 0;
  bool takes_self = false;        // register 0 receives the closure, or the handle's environment (a clause)
  bool clause = false;            // only called by handlers: register 0 is the environment
  bool fiber_base = false;        // only called by FIBER_CALL
  bool hidden = false;            // not shown in traces
  std::vector<Word> code;
  std::vector<PositionData> positions;
  bool operator==(const FunctionData&) const = default;
};

struct Module {
  std::string name;
  std::vector<std::string> files;
  std::vector<ConstantData> constants;
  std::vector<TypeData> types;
  std::vector<EffectData> effects;
  std::vector<std::string> natives;   // by name
  std::vector<std::string> globals;   // names
  std::vector<SiteData> sites;
  std::vector<FunctionData> functions;
  int32_t initialiser = -1;           // run once before anything else: evaluates the top-level constants
  int32_t main = -1;
  bool main_takes_args = false;
  struct Test { std::string name; uint32_t function = 0; bool operator==(const Test&) const = default; };
  std::vector<Test> tests;
  bool operator==(const Module&) const = default;
};

}  // namespace eddy::vm
