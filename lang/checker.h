// The checker's inside: scopes, declarations, inference. Not for other parts of the program (they read
// checked.h). The member functions are defined in files by topic:
//
//   resolve.cpp           lookups, "did you mean"
//   resolve_modules.cpp   scopes of modules: declarations and imports
//   check_decls.cpp       types, effects, signatures
//   resolve_types.cpp     types as written → types
//   check_deps.cpp        the order in which a module's functions are inferred
//   check_module.cpp      a module's declarations in order, top-level lets
//   check.cpp             the whole run, reachability
//   infer_group.cpp       functions that mention each other
//   infer_*.cpp           expressions, by kind; infer_rows.cpp: what they perform
//   open_rows.cpp         rows that are not known where they are performed
//   check_effects.cpp     what `main` may perform, and where an unhandled effect comes from
//   infer_errors.cpp      reports on types that do not fit; hints.cpp: what they advise
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "lang/checked.h"
#include "lang/diagnostics.h"
#include "lang/front_end.h"
#include "lang/modules.h"
#include "lang/symbol_map.h"
#include "lang/types.h"
#include "lang/unify.h"

namespace eddy::lang {

// How far a function, constant or default is (their `state`).
enum CheckState : uint32_t { kFresh, kRunning, kTyped, kChecked };

// What names mean in a module.
struct ModuleScope {
  SymbolMap<Binding*> values;                            // own
  SymbolMap<TypeDef*> types;                             // own types and effects
  SymbolMap<std::vector<OperationBinding*>> operations;  // own, by name: effects may share one
  SymbolMap<Binding*> named;                             // import m { name }
  SymbolMap<TypeDef*> named_types;
  SymbolMap<Binding*> open;  // constructors of plainly imported modules
  SymbolMap<TypeDef*> open_types;
  SymbolMap<Binding*> open_operations;
  SymbolMap<ModuleInfo*> modules;
  std::vector<ModuleInfo*> imports;
  std::vector<FunctionBinding*> functions;  // own, in source order
  std::vector<GlobalBinding*> globals;
  std::vector<TypeDef*> defs;
};

// Why an expression has to have a type.
struct Reason {
  enum Kind : uint8_t {
    kNone,
    kArgument,
    kReceiver,
    kReturn,
    kAnnotation,
    kBranch,
    kArm,
    kCondition,
    kGuard,
    kOperand,
    kAssign,
    kItem,
    kIndex,
    kField,
    kClauseResult,
    kResumeValue,
    kRange,
    kConcat,
    kBreak,
    kPattern,
    kDefault,
    kPiped,
    kGenerator,
    kMain,
  };
  Kind kind = kNone;
  uint32_t number = 0;  // kArgument: 0-based
  Span where;           // what made the expectation
  const Binding* callee = nullptr;
};

// What a declaration mentions.
struct UseNode {
  Binding* binding;
  UseNode* next;
};

struct LoopContext {
  LoopNote* note = nullptr;
  Type* break_type = nullptr;  // null: `break` takes no value
  bool saw_value = false;
  LoopContext* parent = nullptr;
};

// What `return` leaves.
struct FnContext {
  const char* barrier = nullptr;  // "defer", "finally": no return, break or continue leaves it
  FnNote* note = nullptr;
  Type* result = nullptr;
  Span result_span;  // the annotation, where there is one
  LoopContext* loops = nullptr;
};

// Why a row is closed.
enum class RowOrigin : uint8_t { kOpen, kAnnotation, kGlobal, kDefer, kFinally, kExpected };

struct Unit {
  FnNote* note = nullptr;
  Unit* parent = nullptr;
  Type* row = nullptr;  // what may be performed here
  RowOrigin origin = RowOrigin::kOpen;
  Span row_span;
  FnContext* fn = nullptr;
  const HandleExpr* handle = nullptr;  // kHandleBody
  bool any = false;                    // something was performed, IO included
};

// A function whose type is being inferred, and the uses its own group makes of it.
struct GroupUse {
  Type* row;                // stands for the function's row at this use
  Type* fn;                 // the type it was used at
  Type** rigids = nullptr;  // what the signature's rigid variables stand for here
  Span span;
};
struct GroupMember {
  FnDecl* decl = nullptr;
  FnNote* note = nullptr;
  Binding* binding = nullptr;  // FunctionBinding or LocalBinding
  Type* type = nullptr;        // the signature, rigid variables in place
  bool running = false;        // being inferred, or waiting to be
  bool determined = false;     // nothing is left to infer: uses are instances
  Scheme scheme;               // when determined
  std::vector<Type*> rigids;   // of its annotations
  SymbolMap<Type*> vars;       // top-level: type variables by name, for the whole function
  std::vector<GroupUse> uses;
  uint32_t level = 0;  // of its unknowns
};

struct Pending {
  enum Kind : uint8_t { kArith, kOrdered, kConcat, kMethod, kField, kTupleField, kIndex, kIterate };
  Kind kind;
  bool done = false;
  Expr* expr = nullptr;
  Type* subject = nullptr;
  Type* result = nullptr;
  Unit* unit = nullptr;
  Type* row = nullptr;            // the unit's at this place: `mask` changes it
  LocalBinding* scope = nullptr;  // kMethod: locals named like it
  void** uses = nullptr;
  uint32_t level = 0;
  Span span;
  CallNote* note = nullptr;
  Expr* receiver = nullptr;
  Ident name;
  Slice<Arg> args;
  bool is_lvalue = false;
  Expr* piped = nullptr;  // a pipe's value before this stage
};

// A row that is not known yet, of a `handle` or of an unknown function: in the end it is part of the row
// around it.
struct OpenRow {
  Type* row;
  Type* around;
  Span span;
  Unit* unit;
  const Binding* callee;
  HandleExpr* handle = nullptr;  // whose row it is
};

struct Callee {
  CallKind kind = CallKind::kError;
  Binding* target = nullptr;
  Type* fn = nullptr;                       // pruned Fn
  const Slice<Param>* params = nullptr;     // of a declaration
  const Slice<FieldDef>* fields = nullptr;  // of a constructor
  const Slice<Symbol>* names = nullptr;     // of an operation
  uint32_t count = 0;                       // declared parameters
  bool direct = false;
  std::string_view what;  // "function", "constructor" …
  Symbol name;
};

class Checker {
 public:
  Checker(Compilation& compilation, const FrontEndOptions& options);
  void run(std::string path, std::string text);

 private:
  using Names = std::vector<std::string_view>;

  // --- resolve.cpp
  ModuleScope& scope_of(ModuleInfo* m) { return *static_cast<ModuleScope*>(m->scope); }
  void make_builtins();
  TypeDef* tuple_def(unsigned arity);
  void declare_module(ModuleInfo* m);
  FunctionBinding* declare_function(ModuleInfo* m, FnDecl* fn);
  void declare_imports(ModuleInfo* m);
  void open_module(ModuleScope& into, ModuleInfo* from);
  void import_name(ModuleInfo* into, ModuleInfo* from, const ImportName& name);
  bool is_private(const Binding* b) const;
  ModuleInfo* module_of(const Binding* b) const;
  ModuleInfo* std_module(std::string_view name);
  void declare_loaded();
  LocalBinding* local(Symbol name) const { return name.id < locals_.size() ? locals_[name.id] : nullptr; }
  Binding* module_value(ModuleInfo* m, Symbol name);    // as seen inside m
  // What a module declares itself. A function of the library is read when it is first asked for, or they all are.
  Binding* own_value(ModuleInfo* m, Symbol name);
  const SymbolMap<Binding*>& own_values(ModuleInfo* m);
  Binding* exported_value(ModuleInfo* m, Symbol name);  // as seen from outside
  TypeDef* module_type(ModuleInfo* m, Symbol name);
  TypeDef* exported_type(ModuleInfo* m, Symbol name);
  TypeDef* ambient_type(Symbol name);
  ModuleInfo* visible_module(ModuleInfo* from, Symbol name);
  Binding* lookup_value(Symbol name);  // locals first
  void operation_candidates(ModuleInfo* m, Symbol name, std::vector<OperationBinding*>& out);
  FunctionBinding* std_function(std::string_view module, std::string_view name);
  Names visible_values();
  Names visible_types();
  bool can_suggest() const;
  void suggest(Diagnostic& d, std::string_view name, const Names& among);
  std::string_view text(Symbol s) const { return symbols_.text(s); }
  std::string show(const Type* t) const { return show_type(symbols_, t); }

  // --- check_decls.cpp
  void declare_types(ModuleInfo* m);
  void infer_kinds(ModuleInfo* m);
  bool mark_rows(TypeExpr* type, TypeDef* def);
  bool mark_row_expr(RowExpr* row, TypeDef* def);
  bool mark_row_param(Symbol name, TypeDef* def);
  void declare_constructors(TypeDef* def);
  void declare_operations(TypeDef* def);
  void resolve_alias(TypeDef* def);
  void signature(FunctionBinding* f);
  void signature_type(GroupMember& m, bool trusted);
  void global_signature(GlobalBinding* g);

  // --- resolve_types.cpp
  enum class TypeMode : uint8_t { kAnnotation, kDeclaration, kOperation };
  Type* resolve_type(TypeExpr* t);
  Type* resolve_row(RowExpr* row);
  Type* resolve_type_arg(TypeExpr* t, bool is_row);
  Type* resolve_name(NameType* t, bool as_effect);
  Type* resolve_effect(TypeExpr* t);
  Type* type_variable(Symbol name, Span span, bool is_row);
  TypeDef* find_type(const Ident& module, const Ident& name);

  // --- check_deps.cpp
  struct Node {
    Decl* decl = nullptr;
    std::vector<uint32_t> edges;
  };
  std::vector<std::vector<uint32_t>> order_groups(std::vector<Node>& nodes);
  void collect_names(Expr* e);
  void collect_stmt(Stmt* s);
  void collect_pattern(Pattern* p);
  void collect_fn(const Slice<Param>& params, Expr* body);
  void note_name(Symbol name, bool method);
  void shadow(Symbol name);
  void unshadow(size_t mark);

  // --- check_module.cpp
  void check_module(ModuleInfo* m);
  void check_group(std::vector<Decl*>& decls);
  void check_body(FunctionBinding* f);
  void check_global(LetDecl* decl);
  void check_let_value(LetDecl* decl);
  void ensure_typed(FunctionBinding* f);
  void ensure_typed(GlobalBinding* g);
  void begin_decl(ModuleInfo* m);
  void end_decl();
  void start_uses(void** list);
  template <typename F>
  void nested(F body);
  void bind_globals(Pattern* p, GlobalBinding* const* globals, size_t count);
  void ensure_default(ConstructorBinding* c, uint32_t field);
  void check_main_signature(FunctionBinding* f);
  void take_scope(ModuleInfo* m);
  void reach();
  void find_main();
  void make_script(ModuleInfo* m);
  void mark_type(TypeDef* def);
  // --- infer_group.cpp
  void infer_members(std::vector<GroupMember*>& members, uint32_t outer_level);
  bool solve_uses(std::vector<GroupMember*>& members);
  bool rows_without_end(const std::vector<GroupMember*>& members);
  void infer_fn_body(GroupMember& m);

  // --- infer_expr.cpp
  Type* infer(Expr* e, bool discard = false);
  Type* infer_kind(Expr* e, bool discard);
  void check(Expr* e, Type* expected, const Reason& why);
  bool coerce(Expr* e, Type* actual, Type* expected, const Reason& why);
  bool fits(Type* actual, Type* expected);
  Type* open_row(Type* fn);
  Type* infer_literal_list(Expr* e);
  Type* infer_name(NameExpr* e);
  Type* infer_tuple(TupleExpr* e);
  Type* infer_interpolation(InterpolationExpr* e);
  Type* name_type(Binding* b, Span span);
  Type* instance(const Scheme& s);
  Type* use_member(GroupMember& m, Span span);
  Type* undefined_name(NameExpr* e);
  // --- infer_operators.cpp
  Type* infer_arith(ArithExpr* e);
  Type* infer_unary(UnaryExpr* e);
  Type* infer_compare(CompareExpr* e);
  Type* infer_logical(LogicalExpr* e);
  Type* infer_concat(ConcatExpr* e);
  Type* infer_range(RangeExpr* e);
  Type* infer_assign(AssignExpr* e);
  void require_number(Expr* e, Type* t, ArithOp op, Span at);
  bool check_number(Type* t, ArithOp op, Span at, Expr* e);
  void check_ordered(Type* t, Span at, Expr* e);
  // --- infer_control.cpp
  Type* infer_block(BlockExpr* e, Type* expected, const Reason* why, bool discard);
  void infer_stmt(Stmt* s, Type*& diverges);
  void infer_let(LetStmt* s);
  void infer_let_pattern(LetStmt* s);
  void infer_var(VarStmt* s);
  void infer_defer(DeferStmt* s);
  void infer_local_fns(Slice<Stmt*> stmts, uint32_t from, uint32_t to);
  void declare_local_fns(Slice<Stmt*> stmts);
  void start_local_fn(GroupMember& m, uint32_t level);
  Type* infer_if(IfExpr* e, Type* expected, const Reason* why, bool discard);
  Type* infer_match(MatchExpr* e, Type* expected, const Reason* why, bool discard);
  Type* infer_while(WhileExpr* e);
  Type* infer_loop(LoopExpr* e);
  Type* infer_for(ForExpr* e);
  bool iterate(ForExpr* e, Type* t, Type* element, Unit* unit);
  Type* infer_jump(Expr* e);
  bool is_value(Expr* e);
  Type* infer_generalising(Expr* value, TypeExpr* annotation, Scheme* scheme);
  void close_value_row(Type* type);
  // --- infer_fn.cpp
  Type* infer_lambda(LambdaExpr* e, Type* expected, const Reason* why);
  Unit* push_unit(UnitKind kind, Type* row, FnContext* fn);
  void pop_unit();
  void bind_param(Param& p, Type* type, FnNote* note, size_t index);
  LocalBinding* declare_local(Symbol name, Span span, LocalKind kind, Type* type);
  size_t enter_scope() const { return scope_.size(); }
  void leave_scope(size_t mark);
  // --- infer_call.cpp
  // `piped` stands for the value before this stage of a pipe; only its type and span mean something.
  Type* infer_call(CallExpr* e, Expr* piped);
  Type* infer_pipe(PipeExpr* e);
  bool callee_of(Binding* b, Type* type, Callee& out);
  Type* apply(const Callee& callee, CallNote* note, Expr* call, Expr* receiver, Expr* piped, Slice<Arg> args,
              Span name_span, bool inferred);
  Type* call_value(Type* type, CallNote* note, Expr* call, Expr* piped, Slice<Arg> args, Span span,
                   bool inferred, const Binding* name);
  Symbol param_name(const Callee& c, uint32_t i) const;
  Expr* param_default(const Callee& c, uint32_t i) const;
  bool param_variadic(const Callee& c, uint32_t i) const;
  void infer_args(Slice<Arg> args);
  void check_args(CallNote* note, Type* fn, const Callee* callee, Expr* receiver, Expr* piped, bool inferred);
  // --- infer_method.cpp
  Type* infer_method(MethodCallExpr* e, Expr* piped);
  Type* qualified_call(MethodCallExpr* e, Binding* scope, Expr* piped);
  Binding* qualifier(Expr* object);
  Binding* member_of(Binding* scope, const Ident& name, bool report);
  bool resolve_method(Pending& p, bool inferred, Type*& result);
  bool candidate_fits(Binding* b, Type* receiver);
  bool takes_arguments(Binding* b, uint32_t given);
  Binding* method_candidate(const Pending& p, Type* receiver);
  ModuleInfo* method_module(Type* receiver);
  void report_no_method(const Pending& p, Type* receiver);
  // --- infer_field.cpp
  Type* known_object(Expr* object);
  Type* wait_for_object(Pending::Kind kind, Expr* e, Expr* object, Type* type, Span at, bool is_lvalue);
  Type* infer_field(FieldExpr* e, bool is_lvalue);
  Type* field_type(Type* object, const Ident& name, CallNote* note);
  Type* access_field(FieldExpr* e, Type* object, bool is_lvalue);
  Type* infer_tuple_index(TupleIndexExpr* e);
  Type* access_tuple(TupleIndexExpr* e, Type* object);
  Type* infer_index(IndexExpr* e, bool is_lvalue);
  Type* access_index(IndexExpr* e, Type* object, bool is_lvalue);
  // --- infer_pattern.cpp
  void infer_pattern(Pattern* p, Type* type, LocalKind kind, Span from);
  void pattern(Pattern* p, Type* type, LocalKind kind, Span from);
  Binding* pattern_variable(Symbol name, Span span, Type* type, LocalKind kind);
  void pattern_constructor(ConstructorPattern* p, Type* type, LocalKind kind, Span from);
  void pattern_literal(LiteralPattern* p, Type* type, Span from);
  void pattern_variables(Pattern* p, std::vector<std::pair<Symbol, Span>>& out);
  void pattern_or(OrPattern* p, Type* type, LocalKind kind, Span from);
  void pattern_mismatch(Pattern* p, Type* found, Type* expected, Span from);
  void check_matches();
  // --- infer_handle.cpp
  Type* infer_handle(HandleExpr* e, Type* expected, const Reason* why);
  Type* infer_mask(MaskExpr* e, Type* expected, const Reason* why);
  OperationBinding* clause_operation(HandleExpr* e, Clause& c, TypeDef* named);
  void infer_clause(HandleExpr* e, Clause& c, Type* effect, Type* result);
  void missing_clauses(HandleExpr* e);
  void annotate_param(Param& p, Type* type);
  // --- infer_rows.cpp
  void perform(Type* row, Span at, const Binding* callee);
  void perform_error(Type* row, Span at, const Binding* callee,
                     const std::vector<std::string_view>& inner = {});
  Unit* closing_unit() const;
  // --- open_rows.cpp
  void flow(Type* row, Type* around, Span at, const Binding* callee, HandleExpr* handle = nullptr);
  void row_error(const OpenRow& h);
  void merge_row(const OpenRow& h);
  void spread_rows(size_t from);
  void bound_row(Type* tail, const std::vector<OpenRow>& within);
  bool settle_rows(size_t from, uint32_t level, Type* const* types, size_t count);
  void close_rows(size_t from, uint32_t level);
  void finish_rows(size_t from, uint32_t level, Type* const* types, size_t count);
  // --- infer_pending.cpp
  void add_pending(Pending p);
  bool try_pending(Pending& p);
  void settle(size_t from, uint32_t level, bool last, bool peek = false);
  // --- infer_errors.cpp
  void mismatch(Expr* e, Type* actual, Type* expected, const Reason& why);
  void type_error(Span span, Type* actual, Type* expected, const std::string& message, const Reason& why);
  Span blame(Expr* e) const;
  void declared_at(Diagnostic& d, Span span, std::string_view remark, const Binding* b);
  // --- hints.cpp
  void hint_type(Diagnostic& d, Type* t);
  void hint_rigid(Diagnostic& d, Type* t);
  void hint_unknown(Diagnostic& d, Symbol symbol);
  const std::vector<std::string>& library_values(std::string_view module);
  std::string library_handler(const TypeDef* effect) const;
  // --- check_effects.cpp
  void check_main_effects();
  void unhandled_inside(HandleExpr* e, Type* row);

  Type* con(TypeDef* d) { return types_.con(d, nullptr, 0); }
  Type* fresh() { return types_.var(level_); }
  Type* fresh_row() { return types_.row_var(level_); }
  CallNote* new_note() { return arena_.make<CallNote>(); }
  void use(Binding* b);
  std::string quote(Symbol s) const { return "`" + std::string(text(s)) + "`"; }

  Compilation& out_;
  const FrontEndOptions& options_;
  Symbols& symbols_;
  Arena& arena_;
  Diagnostics& diags_;
  TypeFactory types_;
  Unifier unifier_;
  ModuleLoader loader_;
  std::vector<std::unique_ptr<ModuleScope>> scopes_;
  std::vector<TypeDef*> tuple_defs_;
  size_t declared_ = 0;  // modules of loader_.order() that have been declared
  ModuleInfo* prelude_ = nullptr;

  // Built-in types.
  TypeDef *int_def_, *float_def_, *bool_def_, *char_def_, *string_def_, *unit_def_, *never_def_, *list_def_,
      *array_def_, *option_def_, *result_def_, *ref_def_, *range_def_, *panic_def_, *emit_def_, *exn_def_,
      *io_def_;
  SymbolMap<TypeDef*> builtin_;
  Type *int_, *float_, *bool_, *char_, *string_, *unit_type_, *never_, *error_, *io_row_;

  // The declaration being worked on.
  ModuleInfo* module_ = nullptr;
  void** uses_ = nullptr;  // UseNode list of the declaration
  uint32_t use_epoch_ = 0;
  size_t errors_before_ = 0;  // reported before this declaration
  Unit* unit_ = nullptr;
  uint32_t level_ = 0;
  std::vector<LocalBinding*> locals_;  // by symbol: the innermost
  std::vector<LocalBinding*> scope_;   // declared, in order
  std::vector<Pending> pending_;
  std::vector<OpenRow> open_rows_;
  std::vector<MatchExpr*> matches_;
  struct Concat {
    ConcatExpr* expr;
    void** uses;  // of the function it stands in
  };
  std::vector<Concat> concats_;
  struct Irrefutable {
    Pattern* pattern;
    std::string_view what;
  };
  std::vector<Irrefutable> irrefutable_;
  size_t pattern_mark_ = 0;  // scope_ where the pattern's own variables begin
  const std::vector<LocalBinding*>* or_bindings_ = nullptr;
  std::vector<std::unique_ptr<GroupMember>> members_;
  bool settling_ = false;
  Type* expected_ = nullptr;  // of the call about to be inferred
  Span fit_at_;               // the expression that has to fit
  Symbol naming_;             // what a lambda in value position is called
  // Types as written.
  SymbolMap<Type*>* type_vars_ = nullptr;
  std::vector<Type*>* new_rigids_ = nullptr;
  TypeMode type_mode_ = TypeMode::kAnnotation;
  TypeDef* type_owner_ = nullptr;
  uint32_t type_level_ = 0;
  bool inferred_row_seen_ = false;  // a function type without a row was met
  bool hole_seen_ = false;
  uint32_t operation_vars_ = 0;  // quantified variables of the operation so far
  std::vector<bool> operation_rows_;
  // check_deps.cpp
  std::vector<uint32_t> dep_of_;  // by symbol: node number + 1
  std::vector<uint32_t> shadow_;  // by symbol: how many locals hide it
  std::vector<Symbol> shadowed_;
  Node* dep_node_ = nullptr;
};

}  // namespace eddy::lang
