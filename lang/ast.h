#pragma once

// The syntax tree. Nodes live in an Arena, are plain structs with a kind, and never own anything.
// The parser fills everything except the slots marked "checker", which hold types and
// resolutions; what those point to is defined in lang/checked.h.
//
// Chains that programs write long (a + b + c, a && b, a ++ b, a |> f |> g, else if, list
// elements, statements) are flat slices here, so a walk over the tree recurses at most
// kMaxNesting deep.

#include <cstdint>
#include <string_view>

#include "lang/arena.h"
#include "lang/source.h"
#include "lang/symbols.h"

namespace eddy::lang {

/// Deepest nesting of expressions, patterns, types and blocks the parser lets through.
inline constexpr uint32_t kMaxNesting = 1000;

// Checker: defined in lang/checked.h.
struct Type;
struct Binding;     // what a name refers to: variable, function, constructor, operation, module …
struct CallNote;    // how a call, method call or field access was resolved
struct FnNote;      // signature, parameters … of a function, lambda
struct HandleNote;  // effects handled, clause kinds
struct ClauseNote;
struct MatchNote;
struct LoopNote;  // what a `for` runs over, jump targets
struct DeclNote;
struct TypeNote;

struct Expr;
struct Pattern;
struct TypeExpr;
struct Decl;
struct FnDecl;
struct Stmt;

/// A name and where it stands.
struct Ident {
  Symbol name;
  Span span;
};

// ---------------------------------------------------------------------------------------------
// Types as written

enum class TypeExprKind : uint8_t { kName, kVar, kTuple, kUnit, kFn, kRow, kHole, kError };

/// `/ {State<Int>, Exn | e}`. `/ e` is no effects and a tail; `/ Exn` one effect, no tail.
struct RowExpr {
  Span span;
  Slice<TypeExpr*> effects;  // kName; a later pass may see kVar where a lower-case name stood
  TypeExpr* tail = nullptr;  // kVar or kHole; null: closed
  bool braces = false;       // as written, for the formatter
};

struct TypeExpr {
  TypeExprKind kind;
  Span span;
  Type* type = nullptr;  // checker
};

/// `Int`, `List<a>`, `m.Tree<Int>`, also an effect in a row.
struct NameType : TypeExpr {
  Ident module;  // empty: unqualified
  Ident name;
  Slice<TypeExpr*> args;
  TypeNote* note = nullptr;  // checker: the declaration
};
/// A lower-case name: a type variable, or a row variable.
struct VarType : TypeExpr {
  Symbol name;
};
struct TupleType : TypeExpr {
  Slice<TypeExpr*> items;  // two or more
};
struct FnType : TypeExpr {
  Slice<TypeExpr*> params;
  TypeExpr* result = nullptr;
  RowExpr* row = nullptr;  // null: not named
};
/// A braced row as a type argument: `Step<Int, {IO}>`.
struct RowType : TypeExpr {
  RowExpr* row = nullptr;
};

// ---------------------------------------------------------------------------------------------
// Patterns

enum class PatternKind : uint8_t {
  kWildcard,
  kVariable,
  kLiteral,
  kConstructor,
  kTuple,
  kList,
  kOr,
  kAs,
  kError,
};

struct Pattern {
  PatternKind kind;
  bool parens = false;  // written in parentheses of its own, which `span` covers
  Span span;
  Type* type = nullptr;  // checker
};

/// A lower-case name.
struct VariablePattern : Pattern {
  Symbol name;
  Binding* binding = nullptr;  // checker
};
/// kInt (perhaps negative), kFloat (perhaps negative), kChar, kString, kBool, kUnit.
struct LiteralPattern : Pattern {
  Expr* literal = nullptr;
  bool negative = false;
};
struct PatternArg {
  Ident name;  // empty: by position
  Pattern* pattern = nullptr;
};
/// `None`, `Node(l, v, _)`, `Node(value: v, ..)`, `m.Node(…)`.
struct ConstructorPattern : Pattern {
  Ident module;  // empty: unqualified
  Ident name;
  Slice<PatternArg> args;
  bool has_args = false;       // parentheses were written
  bool has_rest = false;       // ended in `..`
  Binding* binding = nullptr;  // checker: the constructor
};
struct TuplePattern : Pattern {
  Slice<Pattern*> items;  // two or more
};
struct ListPattern : Pattern {
  Slice<Pattern*> items;
  bool has_rest = false;
  Pattern* rest = nullptr;  // null with has_rest: `..` without a name
};
struct OrPattern : Pattern {
  Slice<Pattern*> alternatives;  // two or more
};
struct AsPattern : Pattern {
  Pattern* pattern = nullptr;
  Ident name;
  Binding* binding = nullptr;  // checker
};

// ---------------------------------------------------------------------------------------------
// Expressions

enum class ExprKind : uint8_t {
  // literals
  kUnit,
  kBool,
  kInt,
  kFloat,
  kChar,
  kString,
  kInterpolation,
  // data
  kTuple,
  kList,
  kArray,
  // names and access
  kName,
  kField,
  kTupleIndex,
  kIndex,
  // calls
  kCall,
  kMethodCall,
  kPipe,
  // operators
  kUnary,
  kArith,
  kCompare,
  kLogical,
  kConcat,
  kRange,
  kAssign,
  // control
  kLambda,
  kBlock,
  kIf,
  kMatch,
  kWhile,
  kFor,
  kLoop,
  kBreak,
  kContinue,
  kReturn,
  // effects
  kHandle,
  kMask,
  // what could not be parsed; only in trees with errors
  kError,
};

struct Expr {
  ExprKind kind;
  uint16_t parens = 0;  // pairs of parentheses written around it: `(x.f)(y)` is no method call
  Span span;
  Type* type = nullptr;  // checker
};

struct BoolExpr : Expr {
  bool value = false;
};
struct IntExpr : Expr {
  int64_t value = 0;        // when it fits
  std::string_view digits;  // otherwise: digits of `base` without prefix and underscores, else empty
  uint8_t base = 10;
  bool is_big() const { return !digits.empty(); }
};
struct FloatExpr : Expr {
  double value = 0;
};
struct CharExpr : Expr {
  uint32_t value = 0;
};
/// Escapes and indentation already dealt with; valid UTF-8, may hold NUL. Lives as long as arena and file.
struct StringExpr : Expr {
  std::string_view value;
};
struct StringPart {
  std::string_view text;
  Expr* value = nullptr;  // null: literal text
};
struct InterpolationExpr : Expr {
  Slice<StringPart> parts;
};
struct TupleExpr : Expr {
  Slice<Expr*> items;  // two or more
};
/// `[1, 2, ..rest]`
struct ListExpr : Expr {
  Slice<Expr*> items;
  Expr* rest = nullptr;
};
struct ArrayExpr : Expr {
  Slice<Expr*> items;
};

/// Any name that stands for a value, lower or upper case; also `resume`.
/// As the receiver of a MethodCallExpr or FieldExpr it may name a module or an effect.
struct NameExpr : Expr {
  Symbol name;
  Binding* binding = nullptr;  // checker
};
/// `x.f` without a call; also `module.value`, `Effect.operation`.
struct FieldExpr : Expr {
  Expr* object = nullptr;
  Ident name;
  CallNote* note = nullptr;  // checker
};
struct TupleIndexExpr : Expr {
  Expr* object = nullptr;
  uint32_t index = 0;
};
struct IndexExpr : Expr {
  Expr* object = nullptr;
  Expr* index = nullptr;
  CallNote* note = nullptr;  // checker
};

struct Arg {
  Ident name;  // empty: positional
  Expr* value = nullptr;
};
/// A trailing block is the last argument, a LambdaExpr with `trailing`.
struct CallExpr : Expr {
  Expr* callee = nullptr;
  Slice<Arg> args;
  CallNote* note = nullptr;  // checker
};
/// `x.f(args)`, where x may be a module or an effect, and f an upper-case name after a module.
struct MethodCallExpr : Expr {
  Expr* object = nullptr;
  Ident name;
  Slice<Arg> args;
  CallNote* note = nullptr;  // checker
};
/// `first |> stage |> stage`. A stage that is a call (not in parentheses) takes the value as its first
/// argument; any other is called with it.
struct PipeStage {
  Expr* value = nullptr;
  Type* type = nullptr;      // checker: of the value after this stage
  CallNote* note = nullptr;  // checker: where the stage is no call
};
struct PipeExpr : Expr {
  Expr* first = nullptr;
  Slice<PipeStage> stages;
};

enum class UnaryOp : uint8_t { kNegate, kNot };
struct UnaryExpr : Expr {
  UnaryOp op = UnaryOp::kNegate;
  Expr* operand = nullptr;
};

enum class ArithOp : uint8_t { kAdd, kSub, kMul, kDiv, kRem, kOr, kXor, kAnd, kShl, kShr };
struct ArithStep {
  ArithOp op = ArithOp::kAdd;
  Span op_span;
  Expr* operand = nullptr;
};
/// `first op operand op operand …`, left to right, operators of one precedence.
struct ArithExpr : Expr {
  Expr* first = nullptr;
  Slice<ArithStep> steps;  // one or more
};

enum class CompareOp : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
struct CompareExpr : Expr {
  CompareOp op = CompareOp::kEq;
  Span op_span;
  Expr* left = nullptr;
  Expr* right = nullptr;
};

enum class LogicalOp : uint8_t { kAnd, kOr };
/// `a && b && c`; the last operand is in tail position.
struct LogicalExpr : Expr {
  LogicalOp op = LogicalOp::kAnd;
  Slice<Expr*> operands;  // two or more
};
/// `a ++ b ++ c`, which associates to the right.
struct ConcatExpr : Expr {
  Slice<Expr*> operands;  // two or more
};
struct RangeExpr : Expr {
  bool inclusive = false;
  Expr* from = nullptr;
  Expr* to = nullptr;
};
/// `target = value`, or `target op= value`. The target is a NameExpr, FieldExpr or IndexExpr.
struct AssignExpr : Expr {
  bool compound = false;
  ArithOp op = ArithOp::kAdd;
  Span op_span;
  Expr* target = nullptr;
  Expr* value = nullptr;
};

/// A parameter of a function, lambda, handler clause, constructor or operation.
struct Param {
  Span span;
  Pattern* pattern = nullptr;
  TypeExpr* type = nullptr;       // null: inferred
  Expr* default_value = nullptr;  // functions only
  bool variadic = false;          // `xs: T...`; last parameter of a function
  Type* resolved = nullptr;       // checker
};

struct LambdaExpr : Expr {
  bool trailing = false;    // a block after a call's parentheses
  bool has_params = false;  // a trailing block that wrote `x =>`
  Slice<Param> params;
  TypeExpr* result = nullptr;
  RowExpr* row = nullptr;
  Expr* body = nullptr;    // a trailing block's is a BlockExpr
  FnNote* note = nullptr;  // checker
};

enum class StmtKind : uint8_t { kLet, kVar, kFn, kDefer, kExpr };
struct Stmt {
  StmtKind kind;
  Span span;
};
struct LetStmt : Stmt {
  Pattern* pattern = nullptr;
  TypeExpr* type = nullptr;
  Expr* value = nullptr;
};
struct VarStmt : Stmt {
  Ident name;
  TypeExpr* type = nullptr;
  Expr* value = nullptr;
  Binding* binding = nullptr;  // checker
};
struct FnStmt : Stmt {
  FnDecl* fn = nullptr;
};
struct DeferStmt : Stmt {
  Expr* value = nullptr;
  FnNote* note = nullptr;  // checker
};
struct ExprStmt : Stmt {
  Expr* value = nullptr;
};

struct BlockExpr : Expr {
  Slice<Stmt*> stmts;     // without the final expression
  Expr* value = nullptr;  // null: the block ends in another kind of statement, or is empty; value ()
};

struct IfBranch {
  Expr* condition = nullptr;
  Expr* body = nullptr;  // a block
};
/// `if … else if … else …`: a flat chain.
struct IfExpr : Expr {
  Slice<IfBranch> branches;  // one or more
  Expr* otherwise = nullptr;
};

struct MatchArm {
  Span span;
  Pattern* pattern = nullptr;
  Expr* guard = nullptr;
  Expr* body = nullptr;
};
struct MatchExpr : Expr {
  Expr* subject = nullptr;
  Slice<MatchArm> arms;
  MatchNote* note = nullptr;  // checker
};

struct WhileExpr : Expr {
  Expr* condition = nullptr;
  Expr* body = nullptr;
  LoopNote* note = nullptr;  // checker
};
struct ForExpr : Expr {
  Pattern* pattern = nullptr;
  Expr* iterable = nullptr;
  Expr* body = nullptr;
  LoopNote* note = nullptr;  // checker
};
struct LoopExpr : Expr {
  Expr* body = nullptr;
  LoopNote* note = nullptr;  // checker
};
struct BreakExpr : Expr {
  Expr* value = nullptr;
  LoopNote* loop = nullptr;  // checker: the loop it leaves
};
struct ContinueExpr : Expr {
  LoopNote* loop = nullptr;  // checker
};
struct ReturnExpr : Expr {
  Expr* value = nullptr;
  FnNote* fn = nullptr;  // checker: what it leaves
};

enum class ClauseKind : uint8_t { kOperation, kReturn, kFinally };
/// How an operation's clause was declared: `op`, `fun op`, `final op`.
enum class ClauseMode : uint8_t { kGeneral, kFun, kFinal };
struct Clause {
  ClauseKind kind = ClauseKind::kOperation;
  ClauseMode mode = ClauseMode::kGeneral;
  Span span;
  Ident module;         // `m.State.get()`; usually empty
  Ident effect;         // `State.get()`; empty: found by the operation's name
  Ident name;           // kOperation: the operation; else the keyword's place
  Slice<Param> params;  // kReturn: one, the body's result
  Expr* body = nullptr;
  ClauseNote* note = nullptr;  // checker
};
/// `handle { body } with { clauses }`, or `handle name: E { body } with { … }`.
struct HandleExpr : Expr {
  Ident name;                  // empty: unnamed
  TypeExpr* effect = nullptr;  // named: its effect
  Expr* body = nullptr;
  Slice<Clause> clauses;
  Binding* binding = nullptr;  // checker: of `name`
  HandleNote* note = nullptr;  // checker
};
/// `mask<E> { body }`
struct MaskExpr : Expr {
  Slice<TypeExpr*> effects;  // one or more
  Expr* body = nullptr;
  FnNote* note = nullptr;  // checker
};

// ---------------------------------------------------------------------------------------------
// Declarations

enum class DeclKind : uint8_t { kImport, kLet, kFn, kType, kEffect, kStmt };

struct Attribute {
  Ident name;
  Slice<Expr*> args;  // literals
  Span span;
};
struct Decl {
  DeclKind kind;
  bool is_private = false;
  Span span;  // without doc comment and attributes
  Span doc;   // from the first `///` to the end of the last line; empty: none. See doc_text.
  Slice<Attribute> attributes;  // of functions and types
  DeclNote* note = nullptr;     // checker

  const Attribute* attribute(Symbol wanted) const {
    for (const Attribute& a : attributes) {
      if (a.name.name == wanted) return &a;
    }
    return nullptr;
  }
};

struct ImportName {
  Ident name;
  Ident alias;  // empty: as itself
};
/// `import a/b/c as d { x, Y }`
struct ImportDecl : Decl {
  Slice<Ident> path;
  Ident alias;  // empty: the last segment
  bool has_names = false;
  Slice<ImportName> names;
};
struct LetDecl : Decl {
  Pattern* pattern = nullptr;
  TypeExpr* type = nullptr;
  Expr* value = nullptr;
};
struct FnDecl : Decl {
  Ident name;
  Slice<Param> params;
  TypeExpr* result = nullptr;
  RowExpr* row = nullptr;
  Expr* body = nullptr;  // null: a native, declared without a body
  FnNote* fn = nullptr;  // checker
};

/// A type's or effect's parameter; the checker finds out whether it is a row.
struct TypeParam {
  Ident name;
};
struct FieldDecl {
  Span span;
  Ident name;
  TypeExpr* type = nullptr;
  Expr* default_value = nullptr;  // of the constructor's parameter
  bool is_var = false;
};
struct ConstructorDecl {
  Span span;
  Span doc;
  Ident name;
  Slice<FieldDecl> fields;
  Binding* binding = nullptr;  // checker
};
enum class TypeDeclKind : uint8_t {
  kSum,     // type T { A  B(x: Int) }
  kRecord,  // type T(x: Int): one constructor, named like the type
  kAlias,   // type T = U
  kOpaque,  // type T: only the standard library, for types built into the machine
};
struct TypeDecl : Decl {
  TypeDeclKind form = TypeDeclKind::kSum;
  Ident name;
  Slice<TypeParam> params;
  Slice<ConstructorDecl> constructors;  // kSum, kRecord
  TypeExpr* alias = nullptr;            // kAlias
};
struct OperationDecl {
  Span span;
  Span doc;
  bool multi = false;
  Ident name;
  Slice<Param> params;  // named, typed
  TypeExpr* result = nullptr;
  Binding* binding = nullptr;  // checker
};
struct EffectDecl : Decl {
  Ident name;
  Slice<TypeParam> params;
  Slice<OperationDecl> operations;
};
/// A statement between declarations; only where the parser was asked for a script.
struct StmtDecl : Decl {
  Stmt* stmt = nullptr;
};

/// One parsed file.
struct Module {
  const SourceFile* file = nullptr;
  Span doc;            // `///` lines at the top that belong to no declaration
  Slice<Decl*> decls;  // in source order
};

/// A node as its kind's struct: `as<CallExpr>(e)`. The caller has looked at the kind.
template <typename T, typename Base>
T* as(Base* node) {
  return static_cast<T*>(node);
}
template <typename T, typename Base>
const T* as(const Base* node) {
  return static_cast<const T*>(node);
}

}  // namespace eddy::lang
