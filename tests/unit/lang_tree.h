#pragma once

// Syntax trees as text, for tests: everything that has a meaning, nothing of the layout.

#include <fmt/format.h>

#include <string>

#include "lang/ast.h"
#include "lang/symbols.h"

namespace eddy::lang {

class TreeText {
 public:
  explicit TreeText(const Symbols& symbols) : symbols_(symbols) {}

  std::string module(const Module& m) {
    for (const Decl* d : m.decls) {
      decl(d);
      out_ += '\n';
    }
    return std::move(out_);
  }
  std::string expression(const Expr* e) {
    expr(e);
    return std::move(out_);
  }
  std::string statement(const Stmt* s) {
    stmt(s);
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    out_ += fmt::format(format, std::forward<Args>(args)...);
  }
  std::string_view name(Symbol s) const { return symbols_.text(s); }
  void qualified(const Ident& module, const Ident& n) {
    if (module.name) put("{}.", name(module.name));
    put("{}", name(n.name));
  }

  void row(const RowExpr* r) {
    if (!r) return;
    put(" /{{");
    for (const TypeExpr* t : r->effects) {
      type(t);
      put(",");
    }
    if (r->tail) {
      put("|");
      type(r->tail);
    }
    put("}}");
  }
  void type(const TypeExpr* t) {
    if (!t) return;
    switch (t->kind) {
      case TypeExprKind::kName: {
        const auto* n = as<NameType>(t);
        qualified(n->module, n->name);
        if (n->args.size > 0) {
          put("<");
          for (const TypeExpr* a : n->args) {
            type(a);
            put(",");
          }
          put(">");
        }
        break;
      }
      case TypeExprKind::kVar:
        put("{}", name(as<VarType>(t)->name));
        break;
      case TypeExprKind::kTuple:
        put("(");
        for (const TypeExpr* i : as<TupleType>(t)->items) {
          type(i);
          put(",");
        }
        put(")");
        break;
      case TypeExprKind::kUnit:
        put("()");
        break;
      case TypeExprKind::kFn: {
        const auto* f = as<FnType>(t);
        put("fn(");
        for (const TypeExpr* p : f->params) {
          type(p);
          put(",");
        }
        put("):");
        type(f->result);
        row(f->row);
        break;
      }
      case TypeExprKind::kRow:
        row(as<RowType>(t)->row);
        break;
      case TypeExprKind::kHole:
        put("_");
        break;
      case TypeExprKind::kError:
        put("<error>");
        break;
    }
  }

  void pattern(const Pattern* p) {
    switch (p->kind) {
      case PatternKind::kWildcard:
        put("_");
        break;
      case PatternKind::kVariable:
        put("{}", name(as<VariablePattern>(p)->name));
        break;
      case PatternKind::kLiteral:
        put("{}", as<LiteralPattern>(p)->negative ? "-" : "");
        expr(as<LiteralPattern>(p)->literal);
        break;
      case PatternKind::kConstructor: {
        const auto* c = as<ConstructorPattern>(p);
        qualified(c->module, c->name);
        if (!c->has_args) break;
        put("(");
        for (const PatternArg& a : c->args) {
          if (a.name.name) put("{}:", name(a.name.name));
          pattern(a.pattern);
          put(",");
        }
        put("{})", c->has_rest ? ".." : "");
        break;
      }
      case PatternKind::kTuple:
        put("(");
        for (const Pattern* i : as<TuplePattern>(p)->items) {
          pattern(i);
          put(",");
        }
        put(")");
        break;
      case PatternKind::kList: {
        const auto* l = as<ListPattern>(p);
        put("[");
        for (const Pattern* i : l->items) {
          pattern(i);
          put(",");
        }
        if (l->has_rest) put("..");
        if (l->rest) pattern(l->rest);
        put("]");
        break;
      }
      case PatternKind::kOr:
        put("(or");
        for (const Pattern* a : as<OrPattern>(p)->alternatives) {
          put(" ");
          pattern(a);
        }
        put(")");
        break;
      case PatternKind::kAs:
        put("(as ");
        pattern(as<AsPattern>(p)->pattern);
        put(" {})", name(as<AsPattern>(p)->name.name));
        break;
      case PatternKind::kError:
        put("<error>");
        break;
    }
  }

  void param(const Param& p) {
    pattern(p.pattern);
    if (p.type) put(":");
    type(p.type);
    if (p.variadic) put("...");
    if (p.default_value) {
      put("=");
      expr(p.default_value);
    }
  }
  void signature(Slice<Param> params, const TypeExpr* result, const RowExpr* effects) {
    put("(");
    for (const Param& p : params) {
      param(p);
      put(",");
    }
    put(")");
    if (result) put(":");
    type(result);
    row(effects);
  }
  void arguments(Slice<Arg> args) {
    for (const Arg& a : args) {
      put(" ");
      if (a.name.name) put("{}:", name(a.name.name));
      expr(a.value);
    }
  }
  void all(const char* head, Slice<Expr*> items) {
    put("({}", head);
    for (const Expr* i : items) {
      put(" ");
      expr(i);
    }
    put(")");
  }
  void one(const char* head, const Expr* e) {
    put("({}", head);
    if (e) {
      put(" ");
      expr(e);
    }
    put(")");
  }

  void expr(const Expr* e) {
    static const char* const kArith[] = {"+", "-", "*", "/", "%", "|", "^", "&", "<<", ">>"};
    static const char* const kCompare[] = {"==", "!=", "<", "<=", ">", ">="};
    switch (e->kind) {
      case ExprKind::kUnit:
        put("()");
        break;
      case ExprKind::kBool:
        put("{}", as<BoolExpr>(e)->value);
        break;
      case ExprKind::kInt: {
        const auto* i = as<IntExpr>(e);
        if (i->is_big()) {
          put("{}b{}", i->digits, i->base);
        } else {
          put("{}", i->value);
        }
        break;
      }
      case ExprKind::kFloat:
        put("{}f", as<FloatExpr>(e)->value);
        break;
      case ExprKind::kChar:
        put("'{}'", as<CharExpr>(e)->value);
        break;
      case ExprKind::kString:
        put("\"{}\"", as<StringExpr>(e)->value);
        break;
      case ExprKind::kInterpolation:
        put("(str");
        for (const StringPart& p : as<InterpolationExpr>(e)->parts) {
          put(" ");
          if (p.value) {
            expr(p.value);
          } else {
            put("\"{}\"", p.text);
          }
        }
        put(")");
        break;
      case ExprKind::kTuple:
        all("tuple", as<TupleExpr>(e)->items);
        break;
      case ExprKind::kList: {
        const auto* l = as<ListExpr>(e);
        put("(list");
        for (const Expr* i : l->items) {
          put(" ");
          expr(i);
        }
        if (l->rest) {
          put(" ..");
          expr(l->rest);
        }
        put(")");
        break;
      }
      case ExprKind::kArray:
        all("array", as<ArrayExpr>(e)->items);
        break;
      case ExprKind::kName:
        put("{}", name(as<NameExpr>(e)->name));
        break;
      case ExprKind::kField:
        put("(. ");
        expr(as<FieldExpr>(e)->object);
        put(" {})", name(as<FieldExpr>(e)->name.name));
        break;
      case ExprKind::kTupleIndex:
        put("(. ");
        expr(as<TupleIndexExpr>(e)->object);
        put(" {})", as<TupleIndexExpr>(e)->index);
        break;
      case ExprKind::kIndex:
        put("(index ");
        expr(as<IndexExpr>(e)->object);
        put(" ");
        expr(as<IndexExpr>(e)->index);
        put(")");
        break;
      case ExprKind::kCall:
        put("(call {}", as<CallExpr>(e)->callee->parens && as<CallExpr>(e)->callee->kind == ExprKind::kField
                            ? "value "
                            : "");
        expr(as<CallExpr>(e)->callee);
        arguments(as<CallExpr>(e)->args);
        put(")");
        break;
      case ExprKind::kMethodCall:
        put("(send ");
        expr(as<MethodCallExpr>(e)->object);
        put(" {}", name(as<MethodCallExpr>(e)->name.name));
        arguments(as<MethodCallExpr>(e)->args);
        put(")");
        break;
      case ExprKind::kPipe:
        put("(|> ");
        expr(as<PipeExpr>(e)->first);
        for (const PipeStage& s : as<PipeExpr>(e)->stages) {
          put(" {}", s.value->parens ? "value " : "");
          expr(s.value);
        }
        put(")");
        break;
      case ExprKind::kUnary:
        one(as<UnaryExpr>(e)->op == UnaryOp::kNegate ? "neg" : "not", as<UnaryExpr>(e)->operand);
        break;
      case ExprKind::kArith:
        put("(");
        expr(as<ArithExpr>(e)->first);
        for (const ArithStep& s : as<ArithExpr>(e)->steps) {
          put(" {} ", kArith[static_cast<int>(s.op)]);
          expr(s.operand);
        }
        put(")");
        break;
      case ExprKind::kCompare:
        put("(");
        expr(as<CompareExpr>(e)->left);
        put(" {} ", kCompare[static_cast<int>(as<CompareExpr>(e)->op)]);
        expr(as<CompareExpr>(e)->right);
        put(")");
        break;
      case ExprKind::kLogical:
        all(as<LogicalExpr>(e)->op == LogicalOp::kAnd ? "&&" : "||", as<LogicalExpr>(e)->operands);
        break;
      case ExprKind::kConcat:
        all("++", as<ConcatExpr>(e)->operands);
        break;
      case ExprKind::kRange:
        put("({} ", as<RangeExpr>(e)->inclusive ? "..=" : "..");
        expr(as<RangeExpr>(e)->from);
        put(" ");
        expr(as<RangeExpr>(e)->to);
        put(")");
        break;
      case ExprKind::kAssign: {
        const auto* a = as<AssignExpr>(e);
        put("({}= ", a->compound ? kArith[static_cast<int>(a->op)] : "");
        expr(a->target);
        put(" ");
        expr(a->value);
        put(")");
        break;
      }
      case ExprKind::kLambda: {
        const auto* l = as<LambdaExpr>(e);
        put("({} ", l->trailing ? l->has_params ? "block=>" : "block" : "fn");
        signature(l->params, l->result, l->row);
        put(" ");
        expr(l->body);
        put(")");
        break;
      }
      case ExprKind::kBlock: {
        const auto* b = as<BlockExpr>(e);
        put("{{");
        for (const Stmt* s : b->stmts) {
          stmt(s);
          put("; ");
        }
        if (b->value) expr(b->value);
        put("}}");
        break;
      }
      case ExprKind::kIf:
        put("(if");
        for (const IfBranch& b : as<IfExpr>(e)->branches) {
          put(" ");
          expr(b.condition);
          put(" ");
          expr(b.body);
        }
        if (as<IfExpr>(e)->otherwise) {
          put(" else ");
          expr(as<IfExpr>(e)->otherwise);
        }
        put(")");
        break;
      case ExprKind::kMatch:
        put("(match ");
        expr(as<MatchExpr>(e)->subject);
        for (const MatchArm& a : as<MatchExpr>(e)->arms) {
          put(" [");
          pattern(a.pattern);
          if (a.guard) {
            put(" if ");
            expr(a.guard);
          }
          put(" => ");
          expr(a.body);
          put("]");
        }
        put(")");
        break;
      case ExprKind::kWhile:
        put("(while ");
        expr(as<WhileExpr>(e)->condition);
        put(" ");
        expr(as<WhileExpr>(e)->body);
        put(")");
        break;
      case ExprKind::kFor:
        put("(for ");
        pattern(as<ForExpr>(e)->pattern);
        put(" ");
        expr(as<ForExpr>(e)->iterable);
        put(" ");
        expr(as<ForExpr>(e)->body);
        put(")");
        break;
      case ExprKind::kLoop:
        one("loop", as<LoopExpr>(e)->body);
        break;
      case ExprKind::kBreak:
        one("break", as<BreakExpr>(e)->value);
        break;
      case ExprKind::kContinue:
        put("(continue)");
        break;
      case ExprKind::kReturn:
        one("return", as<ReturnExpr>(e)->value);
        break;
      case ExprKind::kHandle: {
        const auto* h = as<HandleExpr>(e);
        put("(handle ");
        if (h->name.name) {
          put("{}: ", name(h->name.name));
          type(h->effect);
          put(" ");
        }
        expr(h->body);
        for (const Clause& c : h->clauses) {
          static const char* const kModes[] = {"", "fun ", "final "};
          put(" [{}", kModes[static_cast<int>(c.mode)]);
          if (c.module.name) put("{}.", name(c.module.name));
          if (c.effect.name) put("{}.", name(c.effect.name));
          put("{}", name(c.name.name));
          signature(c.params, nullptr, nullptr);
          put(" => ");
          expr(c.body);
          put("]");
        }
        put(")");
        break;
      }
      case ExprKind::kMask:
        put("(mask");
        for (const TypeExpr* t : as<MaskExpr>(e)->effects) {
          put(" ");
          type(t);
        }
        put(" ");
        expr(as<MaskExpr>(e)->body);
        put(")");
        break;
      case ExprKind::kError:
        put("<error>");
        break;
    }
  }

  void binding(const char* keyword, const Pattern* p, Symbol n, const TypeExpr* t, const Expr* value) {
    put("{} ", keyword);
    if (p) {
      pattern(p);
    } else {
      put("{}", name(n));
    }
    if (t) put(":");
    type(t);
    put(" = ");
    expr(value);
  }
  void stmt(const Stmt* s) {
    switch (s->kind) {
      case StmtKind::kLet:
        binding("let", as<LetStmt>(s)->pattern, {}, as<LetStmt>(s)->type, as<LetStmt>(s)->value);
        break;
      case StmtKind::kVar:
        binding("var", nullptr, as<VarStmt>(s)->name.name, as<VarStmt>(s)->type, as<VarStmt>(s)->value);
        break;
      case StmtKind::kFn:
        decl(as<FnStmt>(s)->fn);
        break;
      case StmtKind::kDefer:
        one("defer", as<DeferStmt>(s)->value);
        break;
      case StmtKind::kExpr:
        expr(as<ExprStmt>(s)->value);
        break;
    }
  }

  void decl(const Decl* d) {
    for (const Attribute& a : d->attributes) {
      put("@{}", name(a.name.name));
      if (a.args.size > 0) all("", a.args);
      put(" ");
    }
    if (d->is_private) put("private ");
    switch (d->kind) {
      case DeclKind::kImport: {
        const auto* i = as<ImportDecl>(d);
        put("import");
        for (const Ident& p : i->path) put("/{}", name(p.name));
        if (i->alias.name) put(" as {}", name(i->alias.name));
        if (i->has_names) put(" {{");
        for (const ImportName& n : i->names) {
          put(" {}", name(n.name.name));
          if (n.alias.name) put(" as {}", name(n.alias.name));
        }
        if (i->has_names) put(" }}");
        break;
      }
      case DeclKind::kLet:
        binding("let", as<LetDecl>(d)->pattern, {}, as<LetDecl>(d)->type, as<LetDecl>(d)->value);
        break;
      case DeclKind::kFn: {
        const auto* f = as<FnDecl>(d);
        put("fn {}", name(f->name.name));
        signature(f->params, f->result, f->row);
        if (f->body) {
          put(" ");
          expr(f->body);
        }
        break;
      }
      case DeclKind::kType: {
        const auto* t = as<TypeDecl>(d);
        static const char* const kForms[] = {"sum", "record", "alias", "opaque"};
        put("type {} {}", kForms[static_cast<int>(t->form)], name(t->name.name));
        for (const TypeParam& p : t->params) put(" {}", name(p.name.name));
        for (const ConstructorDecl& c : t->constructors) {
          put(" ({}", name(c.name.name));
          for (const FieldDecl& f : c.fields) {
            put(" {}{}:", f.is_var ? "var " : "", name(f.name.name));
            type(f.type);
            if (f.default_value) {
              put("=");
              expr(f.default_value);
            }
          }
          put(")");
        }
        if (t->alias) put(" = ");
        type(t->alias);
        break;
      }
      case DeclKind::kEffect: {
        const auto* f = as<EffectDecl>(d);
        put("effect {}", name(f->name.name));
        for (const TypeParam& p : f->params) put(" {}", name(p.name.name));
        for (const OperationDecl& o : f->operations) {
          put(" ({}{}", o.multi ? "multi " : "", name(o.name.name));
          signature(o.params, o.result, nullptr);
          put(")");
        }
        break;
      }
      case DeclKind::kStmt:
        stmt(as<StmtDecl>(d)->stmt);
        break;
    }
  }

  const Symbols& symbols_;
  std::string out_;
};

}  // namespace eddy::lang
