#include "lang/lower/scan.h"

namespace eddy::lang::lower {

// Runs a piece of the scan inside another unit.
class UnitScope {
 public:
  UnitScope(Scanner& scanner, Unit* unit) : scanner_(scanner), before_(scanner.unit_) {
    scanner.unit_ = unit;
  }
  ~UnitScope() { scanner_.unit_ = before_; }

 private:
  Scanner& scanner_;
  Unit* before_;
};

Unit* Scanner::new_unit(UnitKindOf kind, Unit* parent, std::string name, FnNote* note) {
  Unit& u = plan_.units.emplace_back();
  u.kind = kind;
  u.parent = parent;
  u.name = std::move(name);
  u.note = note;
  if (note) note->lowered = &u;
  return &u;
}

Local* Scanner::declare(LocalBinding* binding, Local::Kind kind) {
  Local& l = plan_.locals.emplace_back();
  l.kind = kind;
  l.binding = binding;
  l.owner = unit_;
  l.is_float = kind != Local::Kind::kFn && is_float(binding->type);
  binding->lowered = &l;
  if (kind == Local::Kind::kVar) vars_.push_back(&l);
  return &l;
}

void Scanner::use(LocalBinding* binding, bool as_callee) {
  Local* l = static_cast<Local*>(binding->lowered);
  if (!l) return;
  ++l->uses;
  if (l->kind == Local::Kind::kFn) {
    if (!as_callee) l->fn->as_value = true;
    if (!l->fn->reached) l->fn->early = true;
    fn_uses_.push_back({unit_, l->fn});
    return;
  }
  if (l->kind == Local::Kind::kResume) {
    // A direct call in the clause's own code, or in the body of a `handle` there, is all that counts as direct.
    Unit* u = unit_;
    while (u != l->owner && (u->kind == UnitKindOf::kRegion)) u = u->parent;
    if (!as_callee || u != l->owner) l->owner->resume_escapes = true;
    if (!as_callee || (u != l->owner && u->kind != UnitKindOf::kLocalFn)) l->owner->resume_is_value = true;
  }
  if (unit_ != l->owner) uses_.push_back({unit_, l});
}

// Whatever runs between here and the end of a variable's scope may find the frame copied: the copies have to
// share the variable.
void Scanner::cross_calls(bool may_copy) {
  if (!options_.has_multi || !may_copy) return;
  for (; crossed_ < vars_.size(); ++crossed_) vars_[crossed_]->copied = true;
}

Unit* Scanner::function(std::string name, FnNote* note, Slice<Param> params, Expr* body, Span span) {
  Unit* u = new_unit(UnitKindOf::kFunction, nullptr, std::move(name), note);
  u->params = params;
  u->body = body;
  u->span = span;
  UnitScope scope(*this, u);
  this->params(params);
  if (body) expr(body);
  return u;
}

void Scanner::params(Slice<Param> params) {
  for (Param& p : params) pattern(p.pattern);
}

void Scanner::pattern(Pattern* p) {
  switch (p->kind) {
    case PatternKind::kVariable:
      if (auto* v = as<VariablePattern>(p); v->binding && v->binding->kind == BindingKind::kLocal)
        declare(static_cast<LocalBinding*>(v->binding), Local::Kind::kValue);
      break;
    case PatternKind::kConstructor:
      for (PatternArg& a : as<ConstructorPattern>(p)->args) pattern(a.pattern);
      break;
    case PatternKind::kTuple:
      for (Pattern* item : as<TuplePattern>(p)->items) pattern(item);
      break;
    case PatternKind::kList:
      for (Pattern* item : as<ListPattern>(p)->items) pattern(item);
      if (Pattern* rest = as<ListPattern>(p)->rest) pattern(rest);
      break;
    case PatternKind::kOr:
      // All alternatives bind the same names: to the same variables, or to ones that share a declaration.
      for (Pattern* item : as<OrPattern>(p)->alternatives) pattern(item);
      break;
    case PatternKind::kAs: {
      auto* a = as<AsPattern>(p);
      pattern(a->pattern);
      if (a->binding && a->binding->kind == BindingKind::kLocal)
        declare(static_cast<LocalBinding*>(a->binding), Local::Kind::kValue);
      break;
    }
    default:
      break;
  }
}

void Scanner::expr(Expr* e) {
  switch (e->kind) {
    case ExprKind::kUnit:
    case ExprKind::kBool:
    case ExprKind::kInt:
    case ExprKind::kFloat:
    case ExprKind::kChar:
    case ExprKind::kString:
    case ExprKind::kError:
      break;
    case ExprKind::kInterpolation:
      for (StringPart& part : as<InterpolationExpr>(e)->parts) {
        if (part.value) expr(part.value);
      }
      break;
    case ExprKind::kTuple:
      for (Expr* item : as<TupleExpr>(e)->items) expr(item);
      break;
    case ExprKind::kList:
      for (Expr* item : as<ListExpr>(e)->items) expr(item);
      if (Expr* rest = as<ListExpr>(e)->rest) expr(rest);
      break;
    case ExprKind::kArray:
      for (Expr* item : as<ArrayExpr>(e)->items) expr(item);
      break;
    case ExprKind::kName:
      if (Binding* b = as<NameExpr>(e)->binding; b && b->kind == BindingKind::kLocal)
        use(static_cast<LocalBinding*>(b), false);
      break;
    case ExprKind::kField: {
      CallNote* note = as<FieldExpr>(e)->note;
      if (is_unresolved(note))
        expr(as<FieldExpr>(e)->object);
      else if (note->kind == CallKind::kField)
        expr(note->callee ? note->callee : as<FieldExpr>(e)->object);
      else if (note->kind == CallKind::kTupleField)
        expr(as<FieldExpr>(e)->object);
      break;
    }
    case ExprKind::kTupleIndex:
      expr(as<TupleIndexExpr>(e)->object);
      break;
    case ExprKind::kIndex:
      expr(as<IndexExpr>(e)->object);
      expr(as<IndexExpr>(e)->index);
      if (!is_unresolved(as<IndexExpr>(e)->note))
        cross_calls(as<IndexExpr>(e)->note->kind != CallKind::kIndexArray);
      break;
    case ExprKind::kCall:
      if (is_unresolved(as<CallExpr>(e)->note))
        expr(as<CallExpr>(e)->callee);
      else
        call(as<CallExpr>(e)->note);
      break;
    case ExprKind::kMethodCall:
      if (is_unresolved(as<MethodCallExpr>(e)->note))
        expr(as<MethodCallExpr>(e)->object);
      else
        call(as<MethodCallExpr>(e)->note);
      break;
    case ExprKind::kPipe: {
      auto* p = as<PipeExpr>(e);
      expr(p->first);
      for (PipeStage& stage : p->stages) {
        if (stage.note)
          call(stage.note);
        else
          expr(stage.value);
      }
      break;
    }
    case ExprKind::kUnary:
      expr(as<UnaryExpr>(e)->operand);
      break;
    case ExprKind::kArith:
      expr(as<ArithExpr>(e)->first);
      for (ArithStep& step : as<ArithExpr>(e)->steps) expr(step.operand);
      break;
    case ExprKind::kCompare:
      expr(as<CompareExpr>(e)->left);
      expr(as<CompareExpr>(e)->right);
      break;
    case ExprKind::kLogical:
      for (Expr* item : as<LogicalExpr>(e)->operands) expr(item);
      break;
    case ExprKind::kConcat:
      for (Expr* item : as<ConcatExpr>(e)->operands) expr(item);
      break;
    case ExprKind::kRange:
      expr(as<RangeExpr>(e)->from);
      expr(as<RangeExpr>(e)->to);
      break;
    case ExprKind::kAssign:
      expr(as<AssignExpr>(e)->target);
      expr(as<AssignExpr>(e)->value);
      break;
    case ExprKind::kLambda:
      lambda(as<LambdaExpr>(e));
      break;
    case ExprKind::kBlock:
      block(as<BlockExpr>(e));
      break;
    case ExprKind::kIf:
      for (IfBranch& branch : as<IfExpr>(e)->branches) {
        expr(branch.condition);
        expr(branch.body);
      }
      if (Expr* otherwise = as<IfExpr>(e)->otherwise) expr(otherwise);
      break;
    case ExprKind::kMatch:
      expr(as<MatchExpr>(e)->subject);
      for (MatchArm& arm : as<MatchExpr>(e)->arms) {
        pattern(arm.pattern);
        if (arm.guard) expr(arm.guard);
        expr(arm.body);
      }
      break;
    case ExprKind::kWhile:
      loop(as<WhileExpr>(e)->note);
      expr(as<WhileExpr>(e)->condition);
      expr(as<WhileExpr>(e)->body);
      break;
    case ExprKind::kFor:
      for_loop(as<ForExpr>(e));
      break;
    case ExprKind::kLoop:
      loop(as<LoopExpr>(e)->note);
      expr(as<LoopExpr>(e)->body);
      break;
    case ExprKind::kBreak: {
      auto* b = as<BreakExpr>(e);
      if (b->value) expr(b->value);
      jumps_.push_back({unit_, nullptr, static_cast<LoopInfo*>(b->loop->lowered), true});
      break;
    }
    case ExprKind::kContinue:
      jumps_.push_back({unit_, nullptr, static_cast<LoopInfo*>(as<ContinueExpr>(e)->loop->lowered), false});
      break;
    case ExprKind::kReturn: {
      auto* r = as<ReturnExpr>(e);
      if (r->value) expr(r->value);
      if (r->fn) jumps_.push_back({unit_, static_cast<Unit*>(r->fn->lowered), nullptr, false});
      break;
    }
    case ExprKind::kHandle:
      handle(as<HandleExpr>(e));
      break;
    case ExprKind::kMask:
      expr(as<MaskExpr>(e)->body);
      break;
  }
}

void Scanner::call(CallNote* note) {
  if (note->kind == CallKind::kLocalFn) use(static_cast<LocalBinding*>(note->target), true);
  if (note->kind == CallKind::kClosure && note->is_resume && note->callee->kind == ExprKind::kName) {
    use(static_cast<LocalBinding*>(as<NameExpr>(note->callee)->binding), true);
  } else if (note->callee) {
    expr(note->callee);
  }
  auto argument = [&](CallArg& a) {
    switch (a.kind) {
      case ArgKind::kGiven:
        expr(a.value);
        break;
      case ArgKind::kVariadic:
        for (Expr* item : a.items) expr(item);
        break;
      case ArgKind::kDefault:
        if (auto found = plan_.defaults.find(a.value); found != plan_.defaults.end())
          fn_uses_.push_back({unit_, found->second});
        break;
      default:
        break;
    }
  };
  if (note->order.data) {
    for (uint16_t i : note->order) argument(note->args[i]);
  } else {
    for (CallArg& a : note->args) argument(a);
  }
  if (options_.has_multi) {
    bool copies = true;
    if (note->kind == CallKind::kConstructor)
      copies = false;
    else if (note->kind == CallKind::kFunction && static_cast<FunctionBinding*>(note->target)->decl &&
             !static_cast<FunctionBinding*>(note->target)->decl->body &&
             static_cast<FunctionBinding*>(note->target)->intrinsic != "attempt")
      copies = false;
    else
      copies = note->kind == CallKind::kNamedOperation || call_facts(*note).multi;
    cross_calls(copies);
  }
}

void Scanner::block(BlockExpr* b) {
  size_t vars = vars_.size();
  for (Stmt* s : b->stmts) {
    if (s->kind != StmtKind::kFn) continue;
    FnDecl* fn = as<FnStmt>(s)->fn;
    Unit* u = new_unit(UnitKindOf::kLocalFn, unit_, {}, fn->fn);
    u->params = fn->params;
    u->body = fn->body;
    u->span = fn->name.span;
    u->name = options_.symbols->text(fn->name.name);
    if (fn->fn->self) {
      u->self = declare(fn->fn->self, Local::Kind::kFn);
      u->self->fn = u;
    }
    local_fns_.push_back(u);
    for (uint32_t i = 0; i < fn->params.size; ++i) {
      if (fn->params[i].default_value && !is_simple_default(fn->params[i].default_value))
        default_unit(u, fn, i);
    }
  }
  for (Stmt* s : b->stmts) stmt(s);
  if (b->value) expr(b->value);
  vars_.resize(vars);
  crossed_ = std::min(crossed_, vars);
}

void Scanner::stmt(Stmt* s) {
  switch (s->kind) {
    case StmtKind::kLet:
      expr(as<LetStmt>(s)->value);
      pattern(as<LetStmt>(s)->pattern);
      break;
    case StmtKind::kVar: {
      auto* v = as<VarStmt>(s);
      expr(v->value);
      declare(static_cast<LocalBinding*>(v->binding), Local::Kind::kVar);
      break;
    }
    case StmtKind::kFn:
      local_fn(as<FnStmt>(s));
      break;
    case StmtKind::kDefer: {
      auto* d = as<DeferStmt>(s);
      Unit* u = new_unit(UnitKindOf::kCleanup, unit_, "defer", d->note);
      u->body = d->value;
      u->span = d->span;
      UnitScope scope(*this, u);
      expr(d->value);
      break;
    }
    case StmtKind::kExpr:
      expr(as<ExprStmt>(s)->value);
      break;
  }
}

// A default value that mentions what is around its function is a local function itself.
void Scanner::default_unit(Unit* of, FnDecl* fn, uint32_t index) {
  Unit* u = new_unit(UnitKindOf::kLocalFn, unit_, of->name, nullptr);
  u->is_default = true;
  u->params = {fn->params.data, index};
  u->body = fn->params[index].default_value;
  u->span = u->body->span;
  plan_.defaults[u->body] = u;
  local_fns_.push_back(u);
}

void Scanner::scan_default(Unit* u) {
  UnitScope scope(*this, u);
  size_t before = plan_.locals.size();
  params(u->params);
  for (size_t i = before; i < plan_.locals.size(); ++i) u->own_params.push_back(&plan_.locals[i]);
  expr(u->body);
}

void Scanner::local_fn(FnStmt* s) {
  FnDecl* fn = s->fn;
  Unit* u = static_cast<Unit*>(fn->fn->lowered);
  u->reached = true;
  for (Param& p : fn->params) {
    if (auto found = plan_.defaults.find(p.default_value); p.default_value && found != plan_.defaults.end())
      scan_default(found->second);
  }
  UnitScope scope(*this, u);
  params(fn->params);
  expr(fn->body);
}

void Scanner::lambda(LambdaExpr* e) {
  std::string name(e->note->name ? options_.symbols->text(e->note->name) : "lambda");
  Unit* u = new_unit(UnitKindOf::kLambda, unit_, std::move(name), e->note);
  u->params = e->params;
  u->body = e->body;
  u->span = e->span;
  UnitScope scope(*this, u);
  params(e->params);
  expr(e->body);
}

void Scanner::handle(HandleExpr* e) {
  HandleNote* note = e->note;
  HandleInfo& info = plan_.handles.emplace_back();
  info.expr = e;
  note->lowered = &info;
  info.region = new_unit(UnitKindOf::kRegion, unit_, "handle", note->body);
  info.region->handle = &info;
  info.region->span = e->span;
  {
    UnitScope scope(*this, info.region);
    if (e->binding) declare(static_cast<LocalBinding*>(e->binding), Local::Kind::kValue);
    expr(e->body);
    for (Clause& c : e->clauses) clause(&info, c);
  }
  if (options_.has_multi) cross_calls(row_facts(note->outer_row).multi || row_facts(note->body_row).multi);
}

void Scanner::clause(HandleInfo* info, Clause& c) {
  if (c.kind == ClauseKind::kReturn) {
    params(c.params);
    expr(c.body);
    return;
  }
  bool finally = c.kind == ClauseKind::kFinally;
  Unit* u = new_unit(finally ? UnitKindOf::kCleanup : UnitKindOf::kClause, unit_, "finally", c.note->unit);
  u->params = c.params;
  u->body = c.body;
  u->span = c.span;
  u->clause = &c;
  u->handle = finally ? nullptr : info;
  (finally ? info->cleanup : info->clauses.emplace_back()) = u;
  UnitScope scope(*this, u);
  if (!finally && c.note->resume) {
    u->resume = declare(c.note->resume, Local::Kind::kResume);
    u->resume->is_float = false;
  }
  params(c.params);
  expr(c.body);
}

LoopInfo* Scanner::loop(LoopNote* note) {
  LoopInfo& info = plan_.loops.emplace_back();
  info.note = note;
  info.unit = unit_;
  note->lowered = &info;
  return &info;
}

void Scanner::for_loop(ForExpr* e) {
  expr(e->iterable);
  LoopInfo* info = loop(e->note);
  if (e->note->kind != LoopKind::kGenerator) {
    pattern(e->pattern);
    expr(e->body);
    if (e->note->kind == LoopKind::kMap || e->note->kind == LoopKind::kSet) cross_calls(false);
    return;
  }
  HandleInfo& handle = plan_.handles.emplace_back();
  info->handle = &handle;
  Unit* u = new_unit(UnitKindOf::kLoopBody, unit_, "for", e->note->body);
  u->handle = &handle;
  u->body = e->body;
  u->span = e->span;
  u->loop = e;
  handle.clauses.push_back(u);
  info->body = u;
  {
    UnitScope scope(*this, u);
    pattern(e->pattern);
    expr(e->body);
  }
  cross_calls(true);
}

}  // namespace eddy::lang::lower
