// Blocks: statements, variables and the functions declared among them.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

Type* Checker::infer_block(BlockExpr* e, Type* expected, const Reason* why, bool discard) {
  size_t mark = enter_scope();
  declare_local_fns(e->stmts);
  Type* diverges = nullptr;
  for (uint32_t i = 0; i < e->stmts.size; i++) {
    Stmt* s = e->stmts[i];
    if (s->kind == StmtKind::kFn) {
      uint32_t end = i + 1;
      while (end < e->stmts.size && e->stmts[end]->kind == StmtKind::kFn) end++;
      infer_local_fns(e->stmts, i, end);
      i = end - 1;
    } else {
      infer_stmt(s, diverges);
    }
  }
  Type* type;
  if (e->value) {
    if (expected) {
      check(e->value, expected, *why);
      type = e->value->type;
    } else {
      type = infer(e->value, discard);
    }
  } else {
    type = diverges ? never_ : unit_type_;
    e->type = type;
    if (expected && !fits(type, expected)) {
      if (e->stmts.empty()) {
        mismatch(e, type, expected, *why);
      } else {
        Stmt* last = e->stmts.back();
        Diagnostic& d =
            diags_.error(e->span, fmt::format("this block gives `()`, but `{}` is expected", show(expected)));
        d.label(last->span, "the block ends in a statement, which has no value");
        if (why->where) d.label(why->where, "expected because of this");
        d.help("end the block with the expression that is its value");
      }
    }
  }
  leave_scope(mark);
  return type;
}

void Checker::infer_stmt(Stmt* s, Type*& diverges) {
  switch (s->kind) {
    case StmtKind::kLet:
      infer_let(as<LetStmt>(s));
      break;
    case StmtKind::kVar:
      infer_var(as<VarStmt>(s));
      break;
    case StmtKind::kDefer:
      infer_defer(as<DeferStmt>(s));
      break;
    case StmtKind::kExpr: {
      Type* t = infer(as<ExprStmt>(s)->value, true);
      if (prune(t) == never_) diverges = never_;
      break;
    }
    case StmtKind::kFn:
      break;
  }
}

// Lambdas, literals, names, and constructors of such: their types may be generalised.
bool Checker::is_value(Expr* e) {
  if (!e) return true;
  switch (e->kind) {
    case ExprKind::kLambda:
    case ExprKind::kUnit:
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
      return true;
    case ExprKind::kName: {
      Binding* b = as<NameExpr>(e)->binding ? as<NameExpr>(e)->binding : lookup_value(as<NameExpr>(e)->name);
      return !(b && b->kind == BindingKind::kLocal &&
               static_cast<LocalBinding*>(b)->local == LocalKind::kVar);
    }
    case ExprKind::kField: {
      Binding* q = qualifier(as<FieldExpr>(e)->object);
      return q != nullptr;
    }
    case ExprKind::kTuple:
      for (Expr* x : as<TupleExpr>(e)->items) {
        if (!is_value(x)) return false;
      }
      return true;
    case ExprKind::kList:
      for (Expr* x : as<ListExpr>(e)->items) {
        if (!is_value(x)) return false;
      }
      return is_value(as<ListExpr>(e)->rest);
    case ExprKind::kCall: {
      CallExpr* call = as<CallExpr>(e);
      if (call->callee->kind != ExprKind::kName) return false;
      Binding* b = lookup_value(as<NameExpr>(call->callee)->name);
      if (!b || b->kind != BindingKind::kConstructor) return false;
      if (static_cast<ConstructorBinding*>(b)->has_var_field()) return false;
      for (const Arg& a : call->args) {
        if (!is_value(a.value)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

// A function that came out of an expression may do what its row says and no more; with the row closed each
// use of the name may fit it to its own surroundings.
void Checker::close_value_row(Type* type) {
  Type* fn = prune(type);
  if (fn->tag != TypeTag::Fn) return;
  Type* tail = row_tail(fn->row());
  if (!is_var(tail) || tail->level <= level_ || tail->awaits) return;
  std::vector<Type*> work;
  for (unsigned i = 0; i + 1 < fn->count; i++) work.push_back(fn->arg(i));
  for (Type* row = prune(fn->row()); row->tag == TypeTag::RowCons; row = prune(row->rest()))
    work.push_back(row->effect());
  size_t budget = 10'000;
  while (!work.empty()) {
    if (budget-- == 0) return;
    Type* t = prune(work.back());
    work.pop_back();
    if (t == tail) return;
    if (t->ground) continue;
    if (t->tag == TypeTag::Con || t->tag == TypeTag::Fn || t->tag == TypeTag::RowCons) {
      for (unsigned k = 0; k < t->count; k++) work.push_back(t->arg(k));
    }
  }
  tail->link = types_.row_empty();
}

// Infers the value of a `let`; *scheme says what may be generalised.
Type* Checker::infer_generalising(Expr* value, TypeExpr* annotation, Scheme* scheme) {
  size_t pending = pending_.size();
  size_t open_rows = open_rows_.size();
  level_++;
  Type* type;
  if (annotation) {
    type_mode_ = TypeMode::kAnnotation;
    type_level_ = level_;
    type = resolve_type(annotation);
    check(value, type, Reason{Reason::kAnnotation, 0, annotation->span, nullptr});
  } else {
    type = infer(value);
  }
  bool can = is_value(value);
  level_--;
  if (pending_.size() > pending) settle(pending, level_, false);
  type = prune(type);
  if (type->tag == TypeTag::Con && type->count == 0) return type;
  if (can) finish_rows(open_rows, level_, &type, 1);
  if (!annotation) close_value_row(type);
  if (can) {
    Generaliser g(types_, level_);
    Type* closed = g.close(type);
    if (g.count()) *scheme = g.scheme(closed);
    if (g.too_large()) {
      diags_.error(value->span, "the types here are too large");
      *scheme = {};
      return error_;
    }
    return closed;
  }
  if (!unifier_.adjust_levels(type, level_) && unifier_.error() == UnifyError::kTooLarge) {
    diags_.error(value->span, "the types here are too large");
    return error_;
  }
  return type;
}

// `let (f, g) = (fn(x) => x, …)`: each variable of the pattern is generalised on its own.
void Checker::infer_let_pattern(LetStmt* s) {
  size_t pending = pending_.size();
  size_t open_rows = open_rows_.size();
  bool can = is_value(s->value);
  Type* type;
  level_ += can;
  if (s->type) {
    type_mode_ = TypeMode::kAnnotation;
    type_level_ = level_;
    type = resolve_type(s->type);
    check(s->value, type, Reason{Reason::kAnnotation, 0, s->type->span, nullptr});
  } else {
    type = infer(s->value);
  }
  size_t first = scope_.size();
  infer_pattern(s->pattern, type, LocalKind::kLet, s->value->span);
  irrefutable_.push_back({s->pattern, "`let`"});
  if (!can) return;
  level_--;
  if (pending_.size() > pending) settle(pending, level_, false);
  std::vector<Type*> types;
  for (size_t i = first; i < scope_.size(); i++) types.push_back(scope_[i]->type);
  finish_rows(open_rows, level_, types.data(), types.size());
  Generaliser g(types_, level_);
  for (size_t i = first; i < scope_.size(); i++) {
    close_value_row(scope_[i]->type);
    scope_[i]->type = g.close(scope_[i]->type);
  }
  if (g.count() == 0) return;
  for (size_t i = first; i < scope_.size(); i++) scope_[i]->scheme = g.scheme(scope_[i]->type);
}

void Checker::infer_let(LetStmt* s) {
  if (s->pattern->kind != PatternKind::kVariable) return infer_let_pattern(s);
  Symbol name = as<VariablePattern>(s->pattern)->name;
  naming_ = s->value->kind == ExprKind::kLambda ? name : Symbol{};
  Scheme scheme;
  Type* type = infer_generalising(s->value, s->type, &scheme);
  naming_ = {};
  auto* v = as<VariablePattern>(s->pattern);
  LocalBinding* b = declare_local(name, v->span, LocalKind::kLet, type);
  b->scheme = scheme;
  if (s->value->kind == ExprKind::kLambda) b->fn = as<LambdaExpr>(s->value)->note;
  v->type = type;
  v->binding = b;
}

void Checker::infer_var(VarStmt* s) {
  Type* type;
  if (s->type) {
    type_mode_ = TypeMode::kAnnotation;
    type_level_ = level_;
    type = resolve_type(s->type);
    if (s->value) check(s->value, type, Reason{Reason::kAnnotation, 0, s->type->span, nullptr});
  } else {
    type = open_row(infer(s->value));
    if (type == never_) type = fresh();
  }
  s->binding = declare_local(s->name.name, s->name.span, LocalKind::kVar, type);
}

void Checker::infer_defer(DeferStmt* s) {
  FnContext barrier;
  barrier.barrier = "defer";
  Unit* unit = push_unit(UnitKind::kDefer, io_row_, &barrier);
  unit->origin = RowOrigin::kDefer;
  s->note = unit->note;
  barrier.note = unit->note;
  infer(s->value, true);
  pop_unit();
  unit_->note->has_defer = true;
  if (unit->any) perform(io_row_, s->value->span, nullptr);
}

void Checker::declare_local_fns(Slice<Stmt*> stmts) {
  size_t first = scope_.size();
  for (Stmt* s : stmts) {
    if (s->kind != StmtKind::kFn) continue;
    FnDecl* decl = as<FnStmt>(s)->fn;
    for (size_t i = first; i < scope_.size(); i++) {
      if (scope_[i]->name == decl->name.name) {
        diags_
            .error(decl->name.span,
                   fmt::format("the function `{}` is declared twice in this block", text(decl->name.name)))
            .label(scope_[i]->span, "first declared here");
      }
    }
    LocalBinding* b = declare_local(decl->name.name, decl->name.span, LocalKind::kFn, nullptr);
    b->decl = decl;
    members_.push_back(std::make_unique<GroupMember>());
    GroupMember* m = members_.back().get();
    m->decl = decl;
    m->binding = b;
    m->level = level_;
    m->running = true;
    b->member = m;
    for (const Attribute& a : decl->attributes) {
      diags_.error(a.span, "attributes stand before top-level functions only");
    }
    if (!decl->body)
      diags_.error(decl->name.span, fmt::format("the function `{}` has no body", text(b->name)));
  }
}

void Checker::start_local_fn(GroupMember& m, uint32_t level) {
  m.level = level;
  signature_type(m, false);
  static_cast<LocalBinding*>(m.binding)->type = m.type;
}

// A run of declarations without anything in between: grouped by what they mention.
void Checker::infer_local_fns(Slice<Stmt*> stmts, uint32_t from, uint32_t to) {
  auto binding_of = [&](FnDecl* decl) -> LocalBinding* {
    for (LocalBinding* b = local(decl->name.name); b; b = b->shadowed) {
      if (b->decl == decl) return b;
    }
    return nullptr;
  };
  std::vector<Node> nodes;
  for (uint32_t i = from; i < to; i++) nodes.push_back({as<FnStmt>(stmts[i])->fn, {}});
  std::vector<std::vector<uint32_t>> groups;
  if (nodes.size() == 1) {
    groups.push_back({0});
  } else {
    if (dep_of_.size() < symbols_.size()) dep_of_.resize(symbols_.size());
    if (shadow_.size() < symbols_.size()) shadow_.resize(symbols_.size());
    for (uint32_t i = 0; i < nodes.size(); i++) dep_of_[as<FnDecl>(nodes[i].decl)->name.name.id] = i + 1;
    for (Node& n : nodes) {
      dep_node_ = &n;
      collect_fn(as<FnDecl>(n.decl)->params, as<FnDecl>(n.decl)->body);
    }
    for (Node& n : nodes) dep_of_[as<FnDecl>(n.decl)->name.name.id] = 0;
    groups = order_groups(nodes);
  }
  for (std::vector<uint32_t>& group : groups) {
    std::vector<GroupMember*> members;
    for (uint32_t i : group) {
      LocalBinding* b = binding_of(as<FnDecl>(nodes[i].decl));
      if (!b) continue;
      GroupMember* m = static_cast<GroupMember*>(b->member);
      if (!m->type) start_local_fn(*m, level_ + 1);
      members.push_back(m);
    }
    if (!members.empty()) infer_members(members, level_);
  }
}

}  // namespace eddy::lang
