// What the lowering knows about one top-level declaration before it emits anything: the pieces that may become
// functions of their own (units), the variables they share, and the places that jumps cross from one to another.
#pragma once
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lang/checked.h"
#include "runtime/constructors.h"
#include "vm/builder.h"

namespace eddy::lang::lower {

struct Unit;
struct HandleInfo;

/// A variable, or something the compiler passes around like one (an exit point).
struct Local {
  enum class Kind : uint8_t { kValue, kVar, kFn, kExit, kResume };
  Kind kind = Kind::kValue;
  LocalBinding* binding = nullptr;  // null: made by the compiler
  Unit* owner = nullptr;            // that declares it; see real()
  Unit* fn = nullptr;               // kFn: the function
  uint32_t uses = 0;
  bool captured = false;  // by another function
  bool copied = false;    // kVar: lives across something that may copy its frame
  bool is_float = false;

  // While its owner is emitted.
  bool defined = false;
  bool in_cell = false;  // the register holds a cell
  bool owned = false;    // the register is its own, not another variable's
  vm::Reg reg;
};

enum class UnitKindOf : uint8_t {
  kFunction,  // top-level, a global's initialiser, a default value
  kLocalFn,
  kLambda,
  kClause,
  kRegion,    // body, return clause of a `handle`: inlined, or the base of a fiber
  kCleanup,   // defer, finally
  kLoopBody,  // of a `for` over a generator: the clause of Emit
};

/// What becomes a bytecode function, unless it is inlined into its parent.
struct Unit {
  UnitKindOf kind = UnitKindOf::kFunction;
  Unit* parent = nullptr;
  std::string name;
  FnNote* note = nullptr;
  Slice<Param> params;
  Expr* body = nullptr;
  Span span;
  bool inlined = false;  // kRegion: runs in its parent's frame

  // Captures: variables of other units that this one or one inside it mentions.
  std::vector<Local*> own_captures;
  HandleInfo* handle = nullptr;            // kClause, kRegion: shares its environment
  std::unordered_set<Local*> capture_set;  // once there are many

  // kLocalFn
  Local* self = nullptr;
  bool as_value = false;           // mentioned other than as the callee of a call
  bool plain = false;              // captures nothing at all
  bool lifted = false;             // captures come as further arguments
  bool reached = false;            // the scan has come to its statement
  bool early = false;              // mentioned before that
  bool is_default = false;         // computes a default value, from the parameters before it
  std::vector<Local*> own_params;  // is_default: the function has variables of its own for them

  // kClause
  Clause* clause = nullptr;
  rt::ClauseKind clause_kind = rt::ClauseKind::Tail;
  Local* resume = nullptr;
  bool resume_escapes = false;   // stored, passed or captured
  bool resume_is_value = false;  // used otherwise than called here or in a local function

  // kLoopBody
  Expr* loop = nullptr;

  Local* exit = nullptr;  // where `return`s of other units inside go
  int64_t function = -1;  // index in the module, once asked for

  /// The unit whose frame this one runs in.
  Unit* real() {
    Unit* u = this;
    while (u->inlined) u = u->parent;
    return u;
  }
  std::vector<Local*>& captures();
};

/// A `handle` expression, or a `for` over a generator.
struct HandleInfo {
  HandleExpr* expr = nullptr;
  Unit* region = nullptr;  // body and return clause
  std::vector<Unit*> clauses;
  std::vector<Local*> env;             // captures of all clauses
  std::unordered_set<Local*> env_set;  // once there are many
  Unit* cleanup = nullptr;             // finally
  bool on_fiber = false;
};

inline bool uses_environment(const Unit& u) {
  return u.kind == UnitKindOf::kClause || u.kind == UnitKindOf::kLoopBody;
}
inline std::vector<Local*>& Unit::captures() { return uses_environment(*this) ? handle->env : own_captures; }

struct LoopInfo {
  LoopNote* note = nullptr;
  Unit* unit = nullptr;          // that the loop stands in
  Unit* body = nullptr;          // kGenerator
  HandleInfo* handle = nullptr;  // kGenerator
  Local* break_exit = nullptr;   // where jumps of other units go
  Local* continue_exit = nullptr;

  // While its unit is emitted.
  vm::Label break_label, continue_label, exit_label;
  size_t regions = 0;       // open around the loop
  size_t body_regions = 0;  // open around its body
  vm::Reg result;
  bool wants_result = false;
};

/// A field, call or index of something of type Never: there was nothing to find, and it is never done.
inline bool is_unresolved(const CallNote* note) { return !note || note->kind == CallKind::kError; }

/// Everything about one declaration; gone when it has been emitted.
struct Plan {
  std::deque<Unit> units;
  std::deque<Local> locals;
  std::deque<HandleInfo> handles;
  std::deque<LoopInfo> loops;
  std::unordered_map<const Expr*, Unit*> defaults;  // of local functions' parameters
  std::unordered_set<const Expr*> last_resumes;     // calls of `resume` after which their path makes no other
};

}  // namespace eddy::lang::lower
