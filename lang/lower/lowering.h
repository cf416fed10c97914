// One unit into one bytecode function. The class is one; its methods live by topic:
//
//   function.cpp  parameters, results, closures      control.cpp   blocks, if, &&, conditions
//   values.cpp    dispatch, literals, names          patterns.cpp  rows and decision trees
//   data.cpp      constructors, lists, fields        match.cpp     trees into code, match_rows.cpp without one
//   arith.cpp     numbers, comparison, strings       loops.cpp     while, loop, for
//   assign.cpp    assignment                         handle.cpp    handle, mask
//   order.cpp     what must be kept for later        unwind.cpp    regions, jumps out of them
//   call.cpp      calls of every kind                resume.cpp    what a clause does with `resume`
//   intrinsics.cpp, wrappers.cpp                     functions that are instructions, and others as values
//
// Values are tagged everywhere but where an expression's type is Float: those are computed in raw registers and
// boxed where they leave (calls, captures, generic fields, results).
#pragma once
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "lang/lower/program.h"
#include "lang/lower/scan.h"
#include "lang/lower/unit.h"
#include "vm/builder.h"

namespace eddy::lang::lower {

using vm::Op;
using vm::Reg;

/// A value in a register. `owned`: a temporary, given back with release().
struct Val {
  Reg reg;
  bool owned = false;
};

/// Where an expression's value is wanted.
struct Dest {
  enum class Kind : uint8_t { kDiscard, kInto, kReturn };
  Kind kind = Kind::kDiscard;
  Reg reg;
  bool fresh = false;  // kInto: the register is not read by what is evaluated, and may be written early

  static Dest discard() { return {}; }
  static Dest into(Reg r) { return {Kind::kInto, r, false}; }
  static Dest fresh_in(Reg r) { return {Kind::kInto, r, true}; }
  static Dest ret() { return {Kind::kReturn, {}, false}; }
  bool is_discard() const { return kind == Kind::kDiscard; }
  bool is_into() const { return kind == Kind::kInto; }
  bool is_return() const { return kind == Kind::kReturn; }
};

class Matcher;

/// Arguments of a call, captures included (rt::kMaxArgs leaves room).
constexpr size_t kMostArguments = 200;

class Lowering {
 public:
  Lowering(Program& program, Unit& unit) : p_(program), u_(unit), b_(unit.name) {}
  vm::FunctionData run();
  /// A function that does no more than what a call of `target` would.
  vm::FunctionData wrap(Binding* target, bool floats);

 private:
  friend class Matcher;

  // --- function.cpp
  void prologue_params(Slice<Param> params, uint32_t first_register);
  void function_unit();
  void clause_unit();
  void loop_body_unit();
  void cleanup_unit();
  void fiber_base_unit();
  Val make_closure(Unit* unit, std::optional<Reg> want = {});
  void make_environment(HandleInfo& info, Reg target);
  std::optional<Val> capture_operand(Local* l);  // what a closure stores for the variable; none yet: nothing
  std::optional<unsigned> capture_of(Local* l);
  // What GET_UP fetched stays in its register for the code that it dominates: up to the end of the branch, arm or
  // iteration it was fetched in.
  struct FetchScope {
    explicit FetchScope(Lowering& l) : lowering(l), mark(l.fetched_.size()) {}
    ~FetchScope() { end(); }
    void end() { lowering.forget_fetched(mark); }
    Lowering& lowering;
    size_t mark;
  };
  void forget_fetched(size_t mark);
  bool is_own(const Local* l) const { return l->owner && l->owner->real() == &u_; }
  bool is_cell(const Local* l) const;
  void return_value(Reg r);  // a tagged one; ends the function
  void return_unit();
  void define(Local* l, Val v);  // takes over an owned register
  void define_cell(Local* l, Val v);
  void defined(Local* l);
  void local_function(Unit* fn);

  // --- registers
  Reg take(bool raw = false) { return b_.take(raw); }
  void release(Val v) {
    if (v.owned) b_.give(v.reg);
  }
  Reg pick(std::optional<Reg> want, bool raw) { return want && want->is_raw == raw ? *want : take(raw); }
  Val result(std::optional<Reg> want, Reg r) { return {r, !(want && *want == r)}; }
  Val to_tagged(Val v, std::optional<Reg> want = {});
  Val to_raw(Val v, std::optional<Reg> want = {});
  void move(Reg to, Reg from);  // converts between tagged and raw
  size_t scope() const { return scope_.size(); }
  void close_scope(size_t mark);

  // --- instructions
  void at(Span span);
  void emit(Op op, std::initializer_list<vm::FunctionBuilder::Operand> operands = {},
            std::span<const Reg> list = {}) {
    b_.emit(op, operands, list);
  }
  bool live() const { return b_.reachable(); }

  // --- expressions
  void lower(Expr* e, Dest d);
  Val eval(Expr* e, std::optional<Reg> want = {});
  Val tagged(Expr* e) { return to_tagged(eval(e)); }
  Val raw(Expr* e) { return to_raw(eval(e)); }
  void into(Expr* e, Reg dst, bool fresh = false) { lower(e, fresh ? Dest::fresh_in(dst) : Dest::into(dst)); }
  void never(Expr* e, Dest d);
  void finish(Val v, Dest d);  // a value that was computed goes where it is wanted
  bool is_raw(const Expr* e);  // natural representation
  /// v, or a copy where `later` might assign to the variable it lives in.
  Val stable(Val v, const Expr* from, std::initializer_list<const Expr*> later);
  Val keep(Val v);                      // a temporary of its own
  Val settle(Val v, const Expr* from);  // one that nothing assigns to: a copy of a var
  Local* local_of(const Expr* e) const;

  // --- values.cpp
  Val literal(Expr* e, std::optional<Reg> want);
  Val load_int(int64_t value, std::optional<Reg> want);
  Val big_int(const IntExpr* e, bool negative, std::optional<Reg> want);
  Val load_string(std::string_view text, std::optional<Reg> want);
  Val name(NameExpr* e, std::optional<Reg> want);
  Val binding_value(Binding* b, const Type* type, Span span, std::optional<Reg> want);
  Val read(Local* l, std::optional<Reg> want);
  Val tuple(TupleExpr* e, std::optional<Reg> want);
  Val list(ListExpr* e, std::optional<Reg> want);
  Val array(ArrayExpr* e, std::optional<Reg> want);
  Val array_of(std::span<Expr* const> items, std::optional<Reg> want);
  Val list_of(std::span<Expr* const> items, Expr* rest, Span span, std::optional<Reg> want);
  Val field(Val object, const CallNote* note, bool raw, Span span, std::optional<Reg> want);
  bool field_is_raw(const CallNote* note) const;
  Val index(IndexExpr* e, std::optional<Reg> want);
  Val construct(ConstructorBinding* c, std::span<const Val> fields, std::optional<Reg> want);

  // --- arith.cpp
  Val arith(ArithExpr* e, std::optional<Reg> want);
  Val arith_step(ArithOp op, Val left, Expr* right, bool floats, Span span, std::optional<Reg> want);
  Val unary(UnaryExpr* e, std::optional<Reg> want);
  Val compare(CompareExpr* e, std::optional<Reg> want);
  void branch_compare(CompareExpr* e, bool sense, vm::Label target);
  std::pair<Val, Val> compared(CompareExpr* e, bool floats, CompareOp& op);
  Val concat(ConcatExpr* e, std::optional<Reg> want);
  Val interpolation(InterpolationExpr* e, std::optional<Reg> want);
  Val range(RangeExpr* e, std::optional<Reg> want);
  std::optional<int64_t> small_constant(const Expr* e) const;  // fits an immediate

  // --- assign.cpp
  void assign(AssignExpr* e);
  void assign_local(Local* l, AssignExpr* e);

  // --- control.cpp
  void block(BlockExpr* e, Dest d);
  void block_rest(BlockExpr* e, uint32_t from, Dest d);
  void statement(Stmt* s);
  void let(LetStmt* s);
  void if_(IfExpr* e, Dest d);
  void logical(LogicalExpr* e, Dest d);
  void branch(Expr* e, bool sense, vm::Label target);
  void bind_pattern(Pattern* p, Val v);  // takes over v; the pattern cannot fail

  // --- match.cpp
  void match(MatchExpr* e, Dest d);

  // --- call.cpp
  void call(CallNote* note, Expr* e, Span span, Dest d, Val* piped = nullptr);
  // One value per parameter.
  std::vector<Val> arguments(CallNote* note, Val* piped, Slice<Param> params, std::string_view callee,
                             ConstructorBinding* constructor = nullptr);
  Val argument(CallArg& a, Val* piped, bool raw, Span span);
  Val either_argument(CallArg& a, Val* piped, Span span);
  Val default_argument(CallNote* note, uint32_t index, std::span<const Val> before, Slice<Param> params,
                       std::string_view callee);
  void pipe(PipeExpr* e, Dest d);
  void call_function(FunctionBinding* f, CallNote* note, Span span, Dest d, Val* piped);
  void call_known(uint32_t function, std::span<const Reg> args, Span span, Dest d);
  void call_closure(Reg callee, std::span<const Reg> args, Span span, Dest d);
  void self_tail_call(CallNote* note, Val* piped, Slice<Param> params, std::string_view callee);
  bool is_self_tail(const FnNote* callee, Dest d) const;
  void native(std::string_view name, std::span<const Reg> args, Span span, Dest d);
  void perform(OperationBinding* op, std::span<const Reg> args, bool named, Span span, Dest d);
  void call_local_fn(LocalBinding* b, CallNote* note, Span span, Dest d, Val* piped);
  void call_std(FunctionBinding* f, std::span<const Reg> args, Span span, Dest d);
  bool tail_forbidden() const;
  bool keeps_caller(const FunctionBinding* f, const CallNote* note) const;
  void release_all(std::vector<Val>& vals);
  bool mentions(const Expr* e, Reg reg, int& budget) const;

  // --- intrinsics.cpp
  bool intrinsic(FunctionBinding* f, CallNote* note, Span span, Dest d, Val* piped);
  void attempt(Val action, Span span, Dest d);

  // --- resume.cpp
  void resume(CallNote* note, Expr* e, Span span, Dest d, Val* piped);
  bool return_in_clause(
      Expr* e);  // a value returned from a clause that may abort: true where it is dealt with
  void find_resuming(const Expr* e);

  // --- loops.cpp
  void while_(WhileExpr* e);
  void loop(LoopExpr* e, Dest d);
  void for_(ForExpr* e);
  void for_range(ForExpr* e, LoopInfo& info);
  void for_list(ForExpr* e, LoopInfo& info, Val list);
  void for_array(ForExpr* e, LoopInfo& info, Val array);
  void for_generator(ForExpr* e, LoopInfo& info);
  void loop_body(Expr* body, LoopInfo& info);
  void break_(BreakExpr* e);
  void continue_(ContinueExpr* e);
  Val value_or_unit(Expr* value);
  void leave_through(Local* exit, Val value, Span span);
  void return_(ReturnExpr* e);
  void open_loop(LoopInfo& info);
  void close_loop(LoopInfo& info);

  // --- handle.cpp
  void handle(HandleExpr* e, Dest d);
  void handle_in_place(HandleInfo& info, Dest d, std::optional<Reg> base_node);
  uint32_t make_site(HandleInfo& info, bool joint);
  void mask(MaskExpr* e, Dest d);

  // --- unwind.cpp
  struct Region {
    enum class Kind : uint8_t { kHandle, kNamed, kMask, kAttempt, kDefer, kGuard, kExit } kind;
    Reg t, z;
  };
  void open(Region r) { regions_.push_back(r); }
  void end_region(const Region& r);  // emits; does not pop
  void close();                      // emits and pops
  void give_region(const Region& r);
  void leave_to(size_t depth);  // for a jump: ends those above `depth`, which stay open for other code
  bool in_tail() const { return regions_.size() == tail_regions_; }
  void exit_point(Local* exit, vm::Label target, Region& region);

  Program& p_;
  Unit& u_;
  vm::FunctionBuilder b_;
  std::vector<Region> regions_;
  size_t tail_regions_ =
      0;  // the function's own exit point, or guard, does not stand in the way of tail calls
  std::vector<Local*> scope_;  // variables in scope of this function, in order
  std::vector<Reg> captured_;  // lifted: registers of the captures, by number
  struct Patch {
    Local* closure;
    unsigned capture;
  };
  std::unordered_map<Local*, std::vector<Patch>> patches_;  // captured before they had a value
  vm::Label start_;                                         // of the body, for self tail calls
  bool has_start_ = false;
  std::vector<Reg> param_registers_;                    // what a self tail call assigns
  std::unordered_map<Local*, unsigned> capture_index_;  // once there are many
  std::vector<std::optional<Reg>> fetched_in_;          // by number of the capture
  std::vector<unsigned> fetched_;                       // those that are, in order
  bool resumed_ = false;                                // on every way here
  bool aborting_ = false;                               // behind ABORT_NOW
  std::unordered_set<const Expr*> resuming_;  // with a tail call of `resume` inside, in tail position
};

}  // namespace eddy::lang::lower
