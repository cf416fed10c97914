// Operators and assignment.

#include <array>

#include "lang/parser_impl.h"

namespace eddy::lang {

namespace {

enum Level : uint8_t {
  kNone,
  kPipeLevel,
  kOrLevel,
  kAndLevel,
  kCompareLevel,
  kRangeLevel,
  kConcatLevel,
  kBitOrLevel,
  kBitAndLevel,
  kShiftLevel,
  kAddLevel,
  kMulLevel,
};

using K = TokenKind;

constexpr auto make_levels() {
  std::array<uint8_t, static_cast<size_t>(K::kCount)> t{};
  auto set = [&](Level level, std::initializer_list<K> kinds) {
    for (K k : kinds) t[static_cast<size_t>(k)] = level;
  };
  set(kPipeLevel, {K::kPipeGreater});
  set(kOrLevel, {K::kOrOr});
  set(kAndLevel, {K::kAndAnd});
  set(kCompareLevel, {K::kEqEq, K::kNotEq, K::kLess, K::kLessEq, K::kGreater, K::kGreaterEq});
  set(kRangeLevel, {K::kDotDot, K::kDotDotEq});
  set(kConcatLevel, {K::kPlusPlus});
  set(kBitOrLevel, {K::kPipe, K::kCaret});
  set(kBitAndLevel, {K::kAmp});
  set(kShiftLevel, {K::kShl, K::kShr});
  set(kAddLevel, {K::kPlus, K::kMinus});
  set(kMulLevel, {K::kStar, K::kSlash, K::kPercent});
  return t;
}
constexpr auto kLevels = make_levels();

int level_of(const Token& token) { return kLevels[static_cast<size_t>(token.kind)]; }

ArithOp arith_op(K kind) {
  switch (kind) {
    case K::kPlus:
    case K::kPlusAssign:
      return ArithOp::kAdd;
    case K::kMinus:
    case K::kMinusAssign:
      return ArithOp::kSub;
    case K::kStar:
    case K::kStarAssign:
      return ArithOp::kMul;
    case K::kSlash:
    case K::kSlashAssign:
      return ArithOp::kDiv;
    case K::kPercent:
    case K::kPercentAssign:
      return ArithOp::kRem;
    case K::kPipe:
      return ArithOp::kOr;
    case K::kCaret:
      return ArithOp::kXor;
    case K::kAmp:
      return ArithOp::kAnd;
    case K::kShl:
      return ArithOp::kShl;
    default:
      return ArithOp::kShr;
  }
}

CompareOp compare_op(K kind) {
  switch (kind) {
    case K::kEqEq:
      return CompareOp::kEq;
    case K::kNotEq:
      return CompareOp::kNe;
    case K::kLess:
      return CompareOp::kLt;
    case K::kLessEq:
      return CompareOp::kLe;
    case K::kGreater:
      return CompareOp::kGt;
    default:
      return CompareOp::kGe;
  }
}

}  // namespace

bool Parser::starts_expression(const Token& token) const {
  switch (token.kind) {
    case K::kLower:
    case K::kUpper:
    case K::kInt:
    case K::kFloat:
    case K::kChar:
    case K::kString:
    case K::kStringBegin:
    case K::kLeftParen:
    case K::kLeftBracket:
    case K::kHashBracket:
    case K::kLeftBrace:
    case K::kMinus:
    case K::kBang:
    case K::kKeyword_fn:
    case K::kKeyword_handle:
    case K::kKeyword_return:
    case K::kKeyword_resume:
    case K::kKeyword_if:
    case K::kKeyword_match:
    case K::kKeyword_while:
    case K::kKeyword_for:
    case K::kKeyword_loop:
    case K::kKeyword_break:
    case K::kKeyword_continue:
    case K::kKeyword_mask:
    case K::kKeyword_true:
    case K::kKeyword_false:
    case K::kUnderscore:
      return true;
    default:
      return false;
  }
}

/// Assignment and everything tighter.
Expr* Parser::expression() {
  Nest nest(*this);
  Pos begin = tok_->begin;
  if (too_deep()) return error_expr(begin);
  Expr* target = binary(kPipeLevel);
  switch (tok_->kind) {
    case K::kAssign:
    case K::kPlusAssign:
    case K::kMinusAssign:
    case K::kStarAssign:
    case K::kSlashAssign:
    case K::kPercentAssign:
      break;
    case K::kColonEq:
      report_here("there is no `:=`").help("`let x = …` declares, `x = …` assigns to a `var`");
      advance();
      expression();
      recovered();
      return error_expr(begin);
    default:
      return target;
  }
  check_assign_target(target);
  Span op_span = tok_->span();
  K op = tok_->kind;
  advance();
  Expr* value = expression();
  AssignExpr* node = make<AssignExpr>(ExprKind::kAssign, begin);
  node->compound = op != K::kAssign;
  if (node->compound) node->op = arith_op(op);
  node->op_span = op_span;
  node->target = target;
  node->value = value;
  return node;
}

void Parser::check_assign_target(Expr* target) {
  switch (target->kind) {
    case ExprKind::kName:
    case ExprKind::kField:
    case ExprKind::kIndex:
    case ExprKind::kError:
      return;
    default:
      report(target->span, "this cannot be assigned to")
          .help(at(K::kAssign)
                    ? "a `var`, a `var` field or an element can: `x = 1`, `p.hits = 1`, `a[0] = 1`; "
                      "compare with `==`"
                    : "a `var`, a `var` field or an element can: `x += 1`, `p.hits += 1`, `a[0] += 1`");
      recovered();
  }
}

/// An expression before a `{` that is not part of it.
Expr* Parser::head_expression() {
  In in(*this, Context{context_.brackets, true});
  return expression();
}

/// Operators of at least this precedence. Chains of one level become one flat node.
Expr* Parser::binary(int least) {
  uint32_t outer = reach_;
  reach_ = level_;
  Pos begin = tok_->begin;
  Expr* left = unary();
  while (true) {
    int level = level_of(*tok_);
    if (level < least || level == kNone) break;
    // A line that begins with `-` is a new statement.
    if (at(K::kMinus) && tok_->newline_before() && !context_.brackets) break;
    reach_++;
    if (too_deep()) break;
    left = binary_run(left, begin, level);
  }
  if (reach_ < outer) reach_ = outer;
  return left;
}

Expr* Parser::binary_run(Expr* first, Pos begin, int level) {
  auto goes_on = [&] {
    return level_of(*tok_) == level && !(at(K::kMinus) && tok_->newline_before() && !context_.brackets);
  };
  switch (level) {
    case kPipeLevel: {
      Gather<PipeStage> stages(*this);
      do {
        advance();
        PipeStage stage;
        stage.value = binary(level + 1);
        stages.add(stage);
      } while (goes_on());
      PipeExpr* node = make<PipeExpr>(ExprKind::kPipe, begin);
      node->first = first;
      node->stages = stages.slice();
      return node;
    }
    case kOrLevel:
    case kAndLevel:
    case kConcatLevel: {
      Gather<Expr*> operands(*this);
      operands.add(first);
      do {
        advance();
        operands.add(binary(level + 1));
      } while (goes_on());
      if (level == kConcatLevel) {
        ConcatExpr* node = make<ConcatExpr>(ExprKind::kConcat, begin);
        node->operands = operands.slice();
        return node;
      }
      LogicalExpr* node = make<LogicalExpr>(ExprKind::kLogical, begin);
      node->op = level == kOrLevel ? LogicalOp::kOr : LogicalOp::kAnd;
      node->operands = operands.slice();
      return node;
    }
    case kCompareLevel: {
      K op = tok_->kind;
      Span op_span = tok_->span();
      advance();
      if (op == K::kEqEq && at(K::kAssign) && !tok_->space_before()) {
        report({op_span.begin, tok_->end}, "there is no `===`").help("`==` compares by content");
        advance();
        recovered();
      }
      Expr* right = binary(level + 1);
      CompareExpr* node = make<CompareExpr>(ExprKind::kCompare, begin);
      node->op = compare_op(op);
      node->op_span = op_span;
      node->left = first;
      node->right = right;
      if (goes_on()) {
        bool type_args = op == K::kLess && at(K::kGreater) && right->kind == ExprKind::kName &&
                         symbols_.is_upper(as<NameExpr>(right)->name);
        Diagnostic& error = report_here("comparisons do not chain");
        if (type_args) {
          error.help("there are no type arguments in expressions; annotate with `let x: T = …` instead");
        } else {
          error.label(op_span, "the first one").help("write `a < b && b < c`");
        }
        // Read the rest of the chain, so that it is not an error again.
        while (goes_on()) {
          advance();
          if (starts_expression(*tok_)) binary(level + 1);
        }
        recovered();
      }
      return node;
    }
    case kRangeLevel: {
      bool inclusive = at(K::kDotDotEq);
      advance();
      if ((!starts_expression(*tok_) && !at(K::kError)) || (at(K::kLeftBrace) && context_.head)) {
        report_here("a range needs an end").help("write `a..b` (without b) or `a..=b` (with b)");
        if (at(K::kLeftBrace)) recovered();
        return error_expr(begin);
      }
      Expr* to = binary(level + 1);
      RangeExpr* node = make<RangeExpr>(ExprKind::kRange, begin);
      node->inclusive = inclusive;
      node->from = first;
      node->to = to;
      if (goes_on()) {
        report_here("ranges do not chain").help("a range has two ends: `a..b`");
        while (goes_on()) {
          advance();
          binary(level + 1);
        }
        recovered();
      }
      return node;
    }
    default: {
      Gather<ArithStep> steps(*this);
      do {
        ArithStep step;
        step.op = arith_op(tok_->kind);
        step.op_span = tok_->span();
        advance();
        step.operand = binary(level + 1);
        steps.add(step);
      } while (goes_on());
      ArithExpr* node = make<ArithExpr>(ExprKind::kArith, begin);
      node->first = first;
      node->steps = steps.slice();
      return node;
    }
  }
}

Expr* Parser::unary() {
  if (!at(K::kMinus) && !at(K::kBang)) return postfix();
  Nest nest(*this);
  Pos begin = tok_->begin;
  if (too_deep()) return error_expr(begin);
  UnaryOp op = at(K::kMinus) ? UnaryOp::kNegate : UnaryOp::kNot;
  advance();
  Expr* operand = unary();
  UnaryExpr* node = make<UnaryExpr>(ExprKind::kUnary, begin);
  node->op = op;
  node->operand = operand;
  return node;
}

}  // namespace eddy::lang
