#include <algorithm>

#include "lang/format_impl.h"

namespace eddy::lang {

namespace {

const LambdaExpr* trailing_lambda(Slice<Arg> args) {
  if (args.empty() || args.back().value->kind != ExprKind::kLambda) return nullptr;
  const auto* lambda = as<LambdaExpr>(static_cast<const Expr*>(args.back().value));
  return lambda->trailing ? lambda : nullptr;
}

}  // namespace

Layout* Formatter::expr(const Expr* e) {
  skip_separators();
  if (e->parens == 0) return core(e);
  Layout* open = take(K::kLeftParen);
  for (int i = 1; i < e->parens; i++) drop(K::kLeftParen);
  Layout* inner = core(e);
  Layout* close = take(K::kRightParen);
  for (int i = 1; i < e->parens; i++) drop(K::kRightParen);
  return b_->concat({open, inner, close});
}

Layout* Formatter::core(const Expr* e) {
  switch (e->kind) {
    case ExprKind::kUnit: {
      Layout* open = take(K::kLeftParen);
      return b_->concat({open, take(K::kRightParen)});
    }
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
    case ExprKind::kName:
      return take_any();
    case ExprKind::kInterpolation:
      return verbatim(e->span.end);
    case ExprKind::kTuple: {
      const auto* t = as<TupleExpr>(e);
      return comma_list(K::kLeftParen, K::kRightParen, t->items.size,
                        [&](size_t i) { return expr(t->items[i]); });
    }
    case ExprKind::kArray: {
      const auto* a = as<ArrayExpr>(e);
      return comma_list(K::kHashBracket, K::kRightBracket, a->items.size,
                        [&](size_t i) { return expr(a->items[i]); });
    }
    case ExprKind::kList: {
      const auto* l = as<ListExpr>(e);
      size_t count = l->items.size + (l->rest ? 1 : 0);
      auto item = [&](size_t i) {
        if (i < l->items.size) return expr(l->items[i]);
        Layout* dots = take(K::kDotDot);
        return b_->concat({dots, expr(l->rest)});
      };
      return comma_list(K::kLeftBracket, K::kRightBracket, count, item, l->rest == nullptr);
    }
    case ExprKind::kField:
    case ExprKind::kTupleIndex:
    case ExprKind::kIndex:
    case ExprKind::kCall:
    case ExprKind::kMethodCall:
      return chain(e);
    case ExprKind::kPipe:
    case ExprKind::kArith:
    case ExprKind::kCompare:
    case ExprKind::kLogical:
    case ExprKind::kConcat:
      return operators(e);
    case ExprKind::kUnary: {
      Layout* op = take_any();
      return b_->concat({op, expr(as<UnaryExpr>(e)->operand)});
    }
    case ExprKind::kRange: {
      const auto* r = as<RangeExpr>(e);
      Layout* from = expr(r->from);
      Layout* dots = take_any();
      return b_->concat({from, dots, expr(r->to)});
    }
    case ExprKind::kAssign: {
      const auto* a = as<AssignExpr>(e);
      Layout* target = expr(a->target);
      Layout* op = take_any();
      return b_->concat({target, b_->text(" "), op, b_->text(" "), expr(a->value)});
    }
    case ExprKind::kLambda:
      return lambda(as<LambdaExpr>(e));
    case ExprKind::kBlock:
      return block_group(e);
    case ExprKind::kIf:
      return if_expr(as<IfExpr>(e));
    case ExprKind::kMatch:
      return match_expr(as<MatchExpr>(e));
    case ExprKind::kWhile: {
      const auto* w = as<WhileExpr>(e);
      Layout* keyword = take(K::kKeyword_while);
      Layout* test = expr(w->condition);
      return b_->concat({keyword, b_->text(" "), test, b_->text(" "), block_group(w->body)});
    }
    case ExprKind::kFor: {
      const auto* f = as<ForExpr>(e);
      Layout* keyword = take(K::kKeyword_for);
      Layout* pattern = copy(f->pattern->span.end);
      Layout* in = take(K::kKeyword_in);
      Layout* iterable = expr(f->iterable);
      return b_->concat({keyword, b_->text(" "), pattern, b_->text(" "), in, b_->text(" "), iterable,
                         b_->text(" "), block_group(f->body)});
    }
    case ExprKind::kLoop: {
      Layout* keyword = take(K::kKeyword_loop);
      return b_->concat({keyword, b_->text(" "), block_group(as<LoopExpr>(e)->body)});
    }
    case ExprKind::kContinue:
      return take(K::kKeyword_continue);
    case ExprKind::kBreak:
    case ExprKind::kReturn: {
      const Expr* value = e->kind == ExprKind::kBreak ? as<BreakExpr>(e)->value : as<ReturnExpr>(e)->value;
      Layout* keyword = take_any();
      return value ? b_->concat({keyword, b_->text(" "), expr(value)}) : keyword;
    }
    case ExprKind::kHandle:
      return handle_expr(as<HandleExpr>(e));
    case ExprKind::kMask: {
      const auto* m = as<MaskExpr>(e);
      std::vector<Layout*> parts = {take(K::kKeyword_mask), take(K::kLess)};
      for (size_t i = 0; i < m->effects.size; i++) {
        if (i > 0) parts.push_back(b_->text(", "));
        parts.push_back(copy(m->effects[i]->span.end));
      }
      parts.push_back(take(K::kGreater));
      parts.push_back(b_->text(" "));
      parts.push_back(block_group(m->body));
      return b_->concat(parts);
    }
    case ExprKind::kError:
      break;
  }
  lost_ = true;
  return b_->nothing();
}

/// `a.f(x).g[i](y)`: all on one line, or every method call on a line of its own.
Layout* Formatter::chain(const Expr* e) {
  std::vector<const Expr*> links;
  const Expr* base = e;
  while (base == e || base->parens == 0) {
    const Expr* object = nullptr;
    switch (base->kind) {
      case ExprKind::kField:
        object = as<FieldExpr>(base)->object;
        break;
      case ExprKind::kTupleIndex:
        object = as<TupleIndexExpr>(base)->object;
        break;
      case ExprKind::kIndex:
        object = as<IndexExpr>(base)->object;
        break;
      case ExprKind::kCall:
        object = as<CallExpr>(base)->callee;
        break;
      case ExprKind::kMethodCall:
        object = as<MethodCallExpr>(base)->object;
        break;
      default:
        break;
    }
    if (object == nullptr) break;
    links.push_back(base);
    base = object;
  }
  std::reverse(links.begin(), links.end());
  size_t calls = 0;
  for (const Expr* link : links) calls += link->kind == ExprKind::kMethodCall;
  bool commented = false;
  bool force = false;
  Layout* start = expr(base);
  std::vector<Layout*> tail;
  for (const Expr* link : links) {
    if (at(K::kDot)) {
      tail.push_back(comments_before_break());
      commented |= tail.back()->breaks;
    }
    std::vector<Layout*> pieces;
    if (link->kind != ExprKind::kCall && link->kind != ExprKind::kIndex) pieces.push_back(take(K::kDot));
    switch (link->kind) {
      case ExprKind::kCall:
        pieces.push_back(call_args(as<CallExpr>(link)->args));
        break;
      case ExprKind::kMethodCall:
        tail.push_back(b_->soft_line());
        pieces.push_back(take_any());
        pieces.push_back(call_args(as<MethodCallExpr>(link)->args));
        break;
      case ExprKind::kIndex:
        pieces.push_back(take(K::kLeftBracket));
        pieces.push_back(expr(as<IndexExpr>(link)->index));
        pieces.push_back(take(K::kRightBracket));
        break;
      default:
        pieces.push_back(take_any());
    }
    Layout* piece = b_->concat(pieces);
    if (link != links.back()) {
      force |= piece->has_hard;
      if (calls >= 2) piece = b_->part(piece);
    }
    tail.push_back(piece);
  }
  if (calls < 2 && !commented) {
    // Without a group of its own the lone soft line would break with whatever surrounds it.
    tail.erase(
        std::remove_if(tail.begin(), tail.end(), [](Layout* l) { return l->kind == LayoutKind::kSoftLine; }),
        tail.end());
    return b_->concat({start, b_->concat(tail)});
  }
  force |= start->has_hard;
  return b_->group(b_->concat({b_->part(start), b_->indent(b_->concat(tail))}), force);
}

/// The layout, if it may break inside its surroundings' line; then its breaks are its own affair.
const Layout* Formatter::hug_candidate(const Expr* e, Layout* layout) {
  bool literal = e->kind == ExprKind::kList || e->kind == ExprKind::kArray || e->kind == ExprKind::kTuple;
  if (!literal || e->parens > 0 || layout->kind != LayoutKind::kGroup) return nullptr;
  layout->breaks = false;
  return layout;
}

Layout* Formatter::call_args(Slice<Arg> args) {
  const LambdaExpr* block = trailing_lambda(args);
  size_t count = args.size - (block ? 1 : 0);
  // A literal in last place may open on the call's line.
  const Layout* last = nullptr;
  auto item = [&](size_t i) {
    const Arg& arg = args[i];
    if (!arg.name.name) {
      Layout* value = expr(arg.value);
      if (i + 1 == count) last = hug_candidate(arg.value, value);
      return value;
    }
    Layout* name = take(K::kLower);
    Layout* colon = take(K::kColon);
    Layout* value = expr(arg.value);
    if (i + 1 == count) last = hug_candidate(arg.value, value);
    return b_->concat({name, colon, b_->text(" "), value});
  };
  Layout* list = comma_list(K::kLeftParen, K::kRightParen, count, item);
  list->hug = last;
  if (!block) return list;
  return b_->concat({list, b_->text(" "), trailing_block(block)});
}

Layout* Formatter::trailing_block(const LambdaExpr* e) {
  const auto* body = as<BlockExpr>(static_cast<const Expr*>(e->body));
  Layout* head = nullptr;
  if (e->has_params) {
    std::vector<Layout*> parts = {take(K::kLeftBrace), b_->text(" ")};
    for (size_t i = 0; i < e->params.size; i++) {
      if (i > 0) parts.push_back(b_->text(", "));
      parts.push_back(param(e->params[i]));
    }
    if (e->params.size > 0) parts.push_back(b_->text(" "));
    parts.push_back(take(K::kArrow));
    head = b_->concat(parts);
  }
  size_t count = body->stmts.size + (body->value ? 1 : 0);
  Braces inner = braces(
      count, [&](size_t i) { return i < body->stmts.size ? stmt(body->stmts[i]) : expr(body->value); }, ";",
      head);
  return b_->block(inner.layout, inner.force);
}

/// Chains of operators: broken behind each operator, or before those that may begin a line and read
/// better there.
Layout* Formatter::operators(const Expr* e) {
  std::vector<Layout*> parts;
  std::vector<const Expr*> operands;
  bool before = false;
  const Expr* first = nullptr;
  switch (e->kind) {
    case ExprKind::kPipe:
      first = as<PipeExpr>(e)->first;
      for (const PipeStage& s : as<PipeExpr>(e)->stages) operands.push_back(s.value);
      before = true;
      break;
    case ExprKind::kArith:
      first = as<ArithExpr>(e)->first;
      for (const ArithStep& s : as<ArithExpr>(e)->steps) operands.push_back(s.operand);
      break;
    case ExprKind::kCompare:
      first = as<CompareExpr>(e)->left;
      operands.push_back(as<CompareExpr>(e)->right);
      break;
    default: {
      Slice<Expr*> all =
          e->kind == ExprKind::kLogical ? as<LogicalExpr>(e)->operands : as<ConcatExpr>(e)->operands;
      first = all[0];
      for (size_t i = 1; i < all.size; i++) operands.push_back(all[i]);
      before = true;
    }
  }
  bool force = false;
  auto part = [&](Layout* operand, bool last) {
    if (last) return operand;
    force |= operand->has_hard;
    return b_->part(operand);
  };
  parts.push_back(part(expr(first), false));
  std::vector<Layout*> tail;
  for (const Expr* operand : operands) {
    // Comments stay behind what they follow, not behind the break.
    if (before) {
      tail.push_back(comments_before_break());
      tail.push_back(b_->line());
      tail.push_back(take_any());
      tail.push_back(b_->text(" "));
    } else {
      tail.push_back(b_->text(" "));
      tail.push_back(take_any());
      tail.push_back(comments_before_break());
      tail.push_back(b_->line());
    }
    tail.push_back(part(expr(operand), operand == operands.back()));
  }
  parts.push_back(b_->indent(b_->concat(tail)));
  return b_->group(b_->concat(parts), force);
}

}  // namespace eddy::lang
