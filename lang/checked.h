// The contract between the checker and what comes after it: the meaning of every slot marked "checker" in
// lang/ast.h, and the tables of a checked program. A tree carries these only where checking found no error.
//
// Rules for readers:
//  1. Any Type* may be a bound variable: look at it through prune() (types.h), or ask rep_of / row_facts.
//  2. Types in the body of a generic function may stay unknown (unbound Var, Rigid): that is no error.
//  3. `fn(): T` and `fn(Unit): T` are one type. A *function value* of a function that was declared without
//     parameters may be called with one argument, (), and one declared with a single parameter of type Unit
//     with none: closure calls of arity 1 and 0 are the same call. CallNote::args always has one entry per
//     parameter of the callee's *type* for closures (an omitted () is an ArgKind::kUnit), and one per
//     declared parameter for direct calls.
//  4. Expr::type is the type before an effect-row or Never adjustment at the use: an expression of type Never
//     may stand where anything is expected.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lang/ast.h"
#include "lang/source.h"
#include "lang/symbols.h"
#include "lang/types.h"

namespace eddy::std_lib {
struct EmbeddedModule;
}

namespace eddy::lang {

struct FnNote;
struct ModuleInfo;
struct FunctionBinding;

// -------------------------------------------------------------------------------------------
// What names refer to

enum class BindingKind : uint8_t {
  kLocal,        // LocalBinding
  kFunction,     // FunctionBinding: a top-level function, native or intrinsic
  kGlobal,       // GlobalBinding: a variable of a top-level let
  kConstructor,  // ConstructorBinding
  kOperation,    // OperationBinding
  kModule,       // ModuleBinding, only as the object of a FieldExpr or MethodCallExpr
  kEffect,       // EffectBinding, only as the object of a FieldExpr or MethodCallExpr
  kError,        // reported
};

struct Binding {
  BindingKind kind = BindingKind::kError;
  Symbol name;
  Span span;  // where it was declared
};

enum class LocalKind : uint8_t {
  kLet,      // let, pattern variable, loop variable
  kParam,    // a parameter (of a function, lambda, clause) that is a plain name
  kVar,      // var: one location, shared by the closures that mention it
  kFn,       // fn in a block; `fn` is its note
  kHandler,  // the name of a named handler
  kResume,   // `resume` in a clause
};

/// One object per variable.
struct LocalBinding : Binding {
  LocalKind local = LocalKind::kLet;
  bool assigned = false;             // kVar: assigned after its declaration
  FnNote* owner = nullptr;           // the unit that declares it
  Type* type = nullptr;              // monomorphic, or the body of `scheme`
  Scheme scheme;                     // scheme.count != 0: generalised
  FnNote* fn = nullptr;              // kFn, or a let whose value is a lambda
  FnDecl* decl = nullptr;            // kFn
  uint32_t id = 0;                   // free for the lowering
  void* lowered = nullptr;           // free for the lowering
  LocalBinding* shadowed = nullptr;  // checker's own, as the next two
  void* member = nullptr;
  bool mentioned = false;
};

struct FunctionBinding : Binding {
  FnDecl* decl = nullptr;
  ModuleInfo* module = nullptr;
  Scheme scheme;  // a Fn type with one parameter per declared one (none: Unit)
  FnNote* note = nullptr;
  std::string_view native;     // @native("…"), else empty
  std::string_view intrinsic;  // @intrinsic("…"), else empty
  bool is_test = false, is_memo = false;
  bool reachable = false;
  uint32_t index = 0;  // in CheckedProgram::functions, when reachable
  uint32_t state = 0;  // checker's own, as the next three
  void* uses = nullptr;
  uint32_t mark = 0;
  void* member = nullptr;
  void* lowered = nullptr;  // free for the lowering
};

struct GlobalBinding : Binding {
  LetDecl* decl = nullptr;
  ModuleInfo* module = nullptr;
  Scheme scheme;
  uint32_t index = 0;  // in CheckedProgram::globals
  bool reachable = false;
  uint32_t state = 0;  // checker's own, as the next two
  uint32_t mark = 0;
  Type* type = nullptr;
  void* lowered = nullptr;
};

struct FieldDef {
  Symbol name;
  Type* type = nullptr;  // over the type's parameters as Generic 0…
  bool is_var = false;
  Expr* default_value = nullptr;  // in the module's scope: other fields cannot be mentioned
  Span span;
  uint32_t state = 0;  // checker's own, as the next
  void* uses = nullptr;
};

struct ConstructorBinding : Binding {
  TypeDef* type_def = nullptr;
  uint32_t index = 0;      // within the type
  Slice<FieldDef> fields;  // none: a constant
  Scheme scheme;           // constant: the type; else a Fn
  ConstructorDecl* decl = nullptr;
  uint32_t id = 0;  // free for the lowering

  int field(Symbol wanted) const {
    for (uint32_t i = 0; i < fields.size; i++) {
      if (fields[i].name == wanted) return static_cast<int>(i);
    }
    return -1;
  }
  bool has_var_field() const {
    for (const FieldDef& f : fields) {
      if (f.is_var) return true;
    }
    return false;
  }
};

struct OperationBinding : Binding {
  TypeDef* effect = nullptr;
  uint32_t index = 0;        // within the effect
  bool multi = false;        // may be resumed more than once
  bool free_result = false;  // result is a type variable of its own, or Never: never returns
  Slice<Symbol> params;      // names
  uint32_t own_vars = 0;     // quantified variables beyond the effect's parameters
  Scheme scheme;             // Fn(params…): result / {effect<0…>}, effect's parameters first
  OperationDecl* decl = nullptr;
};

struct ModuleBinding : Binding {
  ModuleInfo* module = nullptr;
};
struct EffectBinding : Binding {
  TypeDef* effect = nullptr;
};

/// A sum type, record, alias, opaque type, tuple type, built-in type, or effect.
enum class TypeDefKind : uint8_t { kData, kOpaque, kAlias, kTuple, kEffect };

/// Types the compiler knows by name. kNone: any other.
enum class BuiltinType : uint8_t {
  kNone,
  kInt,
  kFloat,
  kBool,
  kChar,
  kString,
  kUnit,
  kNever,
  kList,
  kArray,
  kOption,
  kResult,
  kRef,
  kRange,
  kPanic,
  kMap,
  kSet,
  kEmit,
  kExn,
  kIO,
};

struct TypeDef {
  TypeDefKind kind = TypeDefKind::kData;
  BuiltinType builtin = BuiltinType::kNone;
  bool is_private = false;
  bool reachable = false;  // a value of it (effect: a perform, handle or mask) occurs
  Symbol name;
  ModuleInfo* module = nullptr;  // where it is declared; null: built in
  Span span;
  uint32_t arity = 0;      // tuples: the number of items
  Slice<bool> row_params;  // which parameters are rows
  Slice<Symbol> param_names;
  Slice<ConstructorBinding*> constructors;
  Slice<OperationBinding*> operations;  // kEffect
  Type* alias = nullptr;                // kAlias: over its parameters as Generic 0…
  Type* plain = nullptr;                // the type itself where there are no parameters
  Decl* decl = nullptr;                 // TypeDecl or EffectDecl; null: built in
  Symbol methods;                       // std module of its methods, from @methods
  uint32_t id = 0;                      // free for the lowering
  uint32_t state = 0;                   // checker's own
};

// -------------------------------------------------------------------------------------------
// Code units: what may become a function of its own

enum class UnitKind : uint8_t {
  kFunction,  // top-level
  kLocalFn,
  kLambda,
  kClause,      // an operation, return or finally clause
  kHandleBody,  // of a handle; runs in place, or on a fiber
  kDefer,
  kLoopBody,  // of a `for` over a generator: becomes the clause of Emit
  kGlobal,    // the initialiser of a top-level let
};

/// What is known of a row.
struct RowFacts {
  bool performs = false;  // some effect other than IO, or open
  bool multi = false;     // an effect with a multi operation, or open: the frame may be copied
  bool open = false;      // ends in a variable that a caller may instantiate
};
RowFacts row_facts(const Type* row);

/// FnNote of lambdas and functions, and of every other code unit.
struct FnNote {
  UnitKind kind = UnitKind::kFunction;
  FnNote* parent = nullptr;     // the unit around it; null at top level
  Symbol name;                  // of the function, or of the `let` that names a lambda; 0: none
  Type* type = nullptr;         // its Fn type (kFunction, kLocalFn, kLambda)
  Type* row = nullptr;          // what may be performed inside (for regions and clauses: with what is around)
  bool performs = false;        // contains a call, perform or resume with a row that performs (see RowFacts)
  bool has_defer = false;       // a `defer` stands directly in it
  bool exits = false;           // a `return` that leaves this function stands in another unit inside it
  Slice<LocalBinding*> params;  // per parameter: its variable where the pattern is a plain name, else null
  LocalBinding* self = nullptr;         // kLocalFn: its binding
  FunctionBinding* function = nullptr;  // kFunction
  std::string_view path;                // "outer.inner", for traces
  void* lowered = nullptr;
};

// -------------------------------------------------------------------------------------------
// Calls, methods, fields, indexing

enum class CallKind : uint8_t {
  kError,
  kFunction,        // target: FunctionBinding
  kConstructor,     // target: ConstructorBinding
  kOperation,       // target: OperationBinding; to the nearest unnamed handler
  kNamedOperation,  // target: OperationBinding; `handler` is evaluated first and receives it
  kLocalFn,         // target: LocalBinding of a block's fn, by its name: arguments per declared parameter
  kClosure,       // `callee` is evaluated first; a resumption too (is_resume: the clause's own, by its name)
  kFieldClosure,  // the value of field `fields` of `callee`
  // FieldExpr and IndexExpr only
  kField,  // field access: `fields`
  kValue,  // module.value or Effect.operation: target is the value
  kTupleField,
  kIndexArray,
  kIndexList,
  kIndexString,
  kIndexMap,
};

enum class ArgKind : uint8_t {
  kGiven,     // value
  kPiped,     // the value of the pipe before this stage
  kDefault,   // the parameter's default: `value` is its expression, in the scope of the callee's parameters
              // before it
  kVariadic,  // the List of `items`
  kUnit,      // () that was left out
};

struct CallArg {
  ArgKind kind = ArgKind::kGiven;
  Expr* value = nullptr;
  Slice<Expr*> items;
};

/// Of CallExpr, MethodCallExpr, PipeStage, FieldExpr, IndexExpr.
/// Evaluation order: handler or callee where there is one; then the arguments in `order`; then defaults,
/// in parameter order.
struct CallNote {
  CallKind kind = CallKind::kError;
  bool is_resume = false;  // kClosure on the name `resume` itself
  Binding* target = nullptr;
  Expr* callee = nullptr;       // kClosure: the function; kFieldClosure, kField: the object;
                                // kNamedOperation: the handler
  Slice<CallArg> args;          // in parameter order; a method's receiver is one of them
  Slice<uint16_t> order;        // parameter numbers in the order their arguments are written;
                                // null data: 0, 1, 2 …
  Slice<uint16_t> fields;       // kField, kFieldClosure: field number by constructor number
  TypeDef* type_def = nullptr;  // kField, kFieldClosure: of the object
  bool is_var_field = false;
  Type* fn_type = nullptr;     // the callee's type at this call
  Type* row = nullptr;         // what this call may perform
  Type** type_args = nullptr;  // checker's own
};
/// Of a call: its callee's row where that is closed, else what it was instantiated to.
RowFacts call_facts(const CallNote& note);

// -------------------------------------------------------------------------------------------
// Control

enum class LoopKind : uint8_t {
  kWhile,
  kLoop,
  kRange,
  kList,
  kArray,
  kString,
  kMap,
  kSet,
  kGenerator,
};

/// Of WhileExpr, LoopExpr, ForExpr.
struct LoopNote {
  LoopKind kind = LoopKind::kLoop;
  FnNote* unit = nullptr;      // the unit that the loop stands in
  bool has_break = false;      // some `break` leaves it
  bool exits = false;          // a `break` or `continue` of it stands in another unit inside it
  Type* element = nullptr;     // for: what the pattern is matched against
  Type* result = nullptr;      // kLoop: type of its value
  FnNote* body = nullptr;      // kGenerator: the loop body as a unit
  TypeDef* emit = nullptr;     // kGenerator: the prelude's Emit
  Type* row = nullptr;         // kGenerator: of the generator function
  bool literal_range = false;  // kRange written as a..b in place
  void* lowered = nullptr;     // free for the lowering
};

struct MatchNote {
  Slice<bool> unreachable;  // per arm
};

/// Of HandleExpr.
struct HandleNote {
  bool named = false;
  Slice<TypeDef*> effects;  // handled, in the order of their first clause; named: exactly one
  FnNote* body = nullptr;
  Clause* return_clause = nullptr;
  Clause* finally_clause = nullptr;
  Type* body_type = nullptr;
  Type* result = nullptr;  // of the whole expression
  Type* outer_row = nullptr;
  Type* body_row = nullptr;
  void* lowered = nullptr;  // free for the lowering
};

/// Of an operation, return or finally clause.
struct ClauseNote {
  OperationBinding* operation = nullptr;  // null: return, finally
  FnNote* unit = nullptr;                 // params, captures, performs
  LocalBinding* resume = nullptr;         // where the clause mentions it, else null
};

/// Of a declaration: the binding or type it introduces.
struct DeclNote {
  FunctionBinding* function = nullptr;  // kFn
  TypeDef* type = nullptr;              // kType, kEffect
  ModuleInfo* import = nullptr;         // kImport
  FnNote* unit = nullptr;               // kLet: its initialiser
  Slice<GlobalBinding*> globals;        // kLet: the variables of its pattern
  bool reachable = false;               // kLet
  void* uses = nullptr;                 // checker's own
};

/// Of a NameType.
struct TypeNote {
  TypeDef* def = nullptr;
};

// -------------------------------------------------------------------------------------------
// Programs

struct ModuleInfo {
  std::string name;   // "std/list", "shapes/circle", "main"
  Symbol short_name;  // the last segment
  Module* tree = nullptr;
  const SourceFile* file = nullptr;
  const std_lib::EmbeddedModule* library = nullptr;  // its functions are not in the tree: they wait to be asked for
  bool is_std = false;
  bool is_prelude = false;
  std::vector<ModuleInfo*> imports;
  void* scope = nullptr;  // checker's own
  uint32_t index = 0;
};

struct GlobalInit {
  ModuleInfo* module = nullptr;
  LetDecl* decl = nullptr;
};

struct CheckedProgram {
  std::vector<ModuleInfo*> modules;  // every module after those it imports
  ModuleInfo* root = nullptr;
  FunctionBinding* main = nullptr;  // null: the file has none
  bool main_takes_args = false;
  bool main_returns_int = false;            // else its value is dropped
  std::vector<FunctionBinding*> functions;  // reachable, natives and intrinsics included
  std::vector<GlobalInit> initialisers;     // reachable, in the order of evaluation
  std::vector<GlobalBinding*> globals;      // their variables
  std::vector<TypeDef*> types;              // reachable, with constructors; built-in ones not included
  std::vector<TypeDef*> effects;            // reachable, with operations
  std::vector<FunctionBinding*> tests;      // @test functions of the root module
  std::vector<StmtDecl*> script;            // script mode: the statements, in order
  // Functions that lowering itself refers to; null where std lacks them.
  FunctionBinding* list_append = nullptr;  // std/list
  FunctionBinding* list_at = nullptr;
  FunctionBinding* map_at = nullptr;
  FunctionBinding* map_to_list = nullptr;
  FunctionBinding* set_to_list = nullptr;
  FunctionBinding* mutmap_new = nullptr;
  FunctionBinding* mutmap_get = nullptr;
  FunctionBinding* mutmap_insert = nullptr;
  TypeDef* emit = nullptr;
};

// -------------------------------------------------------------------------------------------
// Questions

/// How values of a type are held, as far as it is known.
enum class Rep : uint8_t {
  kUnknown,  // generic
  kInt,
  kFloat,
  kBool,
  kChar,
  kString,
  kUnit,
  kNever,
  kData,    // constructors known: rep_def
  kOpaque,  // Array, Bytes …
  kTuple,
  kFn,
  kHandler,
};
Rep rep_of(const Type* type);
/// The definition for kData, kOpaque, kTuple, kHandler and the simple types; null otherwise.
TypeDef* def_of(const Type* type);
/// Argument i of a Con (the element type of a List, …), pruned.
Type* arg_of(const Type* type, unsigned i);
inline bool is_float(const Type* type) { return rep_of(type) == Rep::kFloat; }

/// As a user writes it: `fn(Int): List<a> / {State<Int> | e}`.
std::string show_type(const Symbols& symbols, const Type* type);
std::string show_scheme(const Symbols& symbols, const Scheme& scheme);

}  // namespace eddy::lang
