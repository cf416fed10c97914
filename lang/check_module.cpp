// Runs inference over a module: groups of functions, constants, and then what the program reaches.
#include <fmt/format.h>

#include "lang/checker.h"

namespace eddy::lang {

void Checker::begin_decl(ModuleInfo* m) {
  module_ = m;
  errors_before_ = diags_.error_count();
  unit_ = nullptr;
  level_ = kTopLevel;
  pending_.clear();
  open_rows_.clear();
  matches_.clear();
  concats_.clear();
  irrefutable_.clear();
  if (locals_.size() < symbols_.size()) locals_.resize(symbols_.size() + 256);
}

void Checker::start_uses(void** list) {
  uses_ = list;
  use_epoch_++;
}

void Checker::use(Binding* b) {
  if (!uses_) return;
  if (b->kind == BindingKind::kFunction) {
    auto* f = static_cast<FunctionBinding*>(b);
    if (f->mark == use_epoch_) return;
    f->mark = use_epoch_;
  } else if (b->kind == BindingKind::kGlobal) {
    auto* g = static_cast<GlobalBinding*>(b);
    if (g->mark == use_epoch_) return;
    g->mark = use_epoch_;
  } else {
    return;
  }
  *uses_ = arena_.make<UseNode>(b, static_cast<UseNode*>(*uses_));
}

// Runs `body` on a clean slate, in the middle of another declaration.
template <typename F>
void Checker::nested(F body) {
  auto module = module_;
  auto uses = uses_;
  auto errors = errors_before_;
  auto unit = unit_;
  auto level = level_;
  auto locals = std::move(locals_);
  auto scope = std::move(scope_);
  auto pending = std::move(pending_);
  auto open_rows = std::move(open_rows_);
  auto matches = std::move(matches_);
  auto concats = std::move(concats_);
  auto irrefutable = std::move(irrefutable_);
  auto vars = type_vars_;
  auto mode = type_mode_;
  auto owner = type_owner_;
  auto type_level = type_level_;
  auto rigids = new_rigids_;
  locals_.clear();
  scope_.clear();
  body();
  module_ = module;
  uses_ = uses;
  use_epoch_++;
  errors_before_ = errors;
  unit_ = unit;
  level_ = level;
  locals_ = std::move(locals);
  scope_ = std::move(scope);
  pending_ = std::move(pending);
  open_rows_ = std::move(open_rows);
  matches_ = std::move(matches);
  concats_ = std::move(concats);
  irrefutable_ = std::move(irrefutable);
  type_vars_ = vars;
  type_mode_ = mode;
  type_owner_ = owner;
  type_level_ = type_level;
  new_rigids_ = rigids;
}

// What waits for the types of a whole declaration to be known.
void Checker::end_decl() {
  for (const Concat& c : concats_) {
    if (outermost(c.expr->type) == list_def_) {
      if (!out_.program.list_append) out_.program.list_append = std_function("list", "append");
      start_uses(c.uses);
      if (out_.program.list_append) use(out_.program.list_append);
    }
  }
  check_matches();
}

void Checker::check_module(ModuleInfo* m) {
  take_scope(m);
  own_values(m);
  ModuleScope& scope = scope_of(m);
  std::vector<Node> nodes;
  if (dep_of_.size() < symbols_.size()) dep_of_.resize(symbols_.size());
  if (shadow_.size() < symbols_.size()) shadow_.resize(symbols_.size());
  std::vector<Symbol> named;
  std::vector<FunctionBinding*> determined;
  std::vector<LetDecl*> typed_lets;
  for (FunctionBinding* f : scope.functions) {
    signature(f);
    if (f->scheme.type) {
      determined.push_back(f);
      continue;
    }
    nodes.push_back({f->decl, {}});
    dep_of_[f->name.id] = static_cast<uint32_t>(nodes.size());
    named.push_back(f->name);
  }
  for (Decl* d : m->tree->decls) {
    if (d->kind != DeclKind::kLet) continue;
    LetDecl* let = as<LetDecl>(d);
    for (GlobalBinding* g : d->note->globals) global_signature(g);
    if (d->note->globals.size == 1 && d->note->globals[0]->scheme.type) {
      typed_lets.push_back(let);
      continue;
    }
    nodes.push_back({let, {}});
    for (GlobalBinding* g : d->note->globals) {
      dep_of_[g->name.id] = static_cast<uint32_t>(nodes.size());
      named.push_back(g->name);
    }
  }
  for (Node& n : nodes) {
    dep_node_ = &n;
    if (n.decl->kind == DeclKind::kFn)
      collect_fn(as<FnDecl>(n.decl)->params, as<FnDecl>(n.decl)->body);
    else
      collect_names(as<LetDecl>(n.decl)->value);
  }
  for (Symbol s : named) dep_of_[s.id] = 0;
  for (std::vector<uint32_t>& group : order_groups(nodes)) {
    std::vector<Decl*> decls;
    decls.reserve(group.size());
    for (uint32_t i : group) decls.push_back(nodes[i].decl);
    check_group(decls);
  }
  for (TypeDef* def : scope.defs) {
    for (ConstructorBinding* c : def->constructors) {
      for (uint32_t i = 0; i < c->fields.size; i++) {
        if (c->fields[i].default_value) ensure_default(c, i);
      }
    }
  }
  for (LetDecl* let : typed_lets) check_global(let);
  for (FunctionBinding* f : determined) check_body(f);
}

void Checker::take_scope(ModuleInfo* m) {
  module_ = m;
  for (Decl* d : m->tree->decls) {
    if (d->kind == DeclKind::kFn && as<FnDecl>(d)->name.name == sym::main && m == out_.program.root) {
      check_main_signature(d->note->function);
    }
  }
}

void Checker::check_main_signature(FunctionBinding* f) {
  if (f->decl->params.size > 1) {
    diags_.error(f->span, "`main` takes at most one parameter")
        .help("write `fn main()` or `fn main(args: List<String>)`");
  }
}

// Functions and constants that mention each other, inferred together.
void Checker::check_group(std::vector<Decl*>& decls) {
  ModuleInfo* m = module_;
  std::vector<GroupMember*> members;
  std::vector<LetDecl*> lets;
  for (Decl* d : decls) {
    if (d->kind == DeclKind::kFn) {
      FunctionBinding* f = d->note->function;
      signature(f);
      f->state = kRunning;
      GroupMember* member = static_cast<GroupMember*>(f->member);
      member->running = true;
      members.push_back(member);
      m = f->module;
    } else {
      lets.push_back(as<LetDecl>(d));
      for (GlobalBinding* g : d->note->globals) {
        m = g->module;
        g->state = kRunning;
        if (!g->scheme.type) g->type = types_.var(kTopLevel);
      }
    }
  }
  if (lets.size() == 1 && members.empty()) {
    module_ = m;
    check_global(lets[0]);
    return;
  }
  begin_decl(m);
  for (LetDecl* let : lets) check_let_value(let);
  infer_members(members, 0);
  for (LetDecl* let : lets) {
    for (GlobalBinding* g : let->note->globals) {
      if (!g->scheme.type) {
        unifier_.adjust_levels(g->type, 0);
        g->scheme.type = g->type;
      }
      g->state = kChecked;
    }
  }
  end_decl();
}

void Checker::check_body(FunctionBinding* f) {
  if (f->state >= kChecked || !f->decl->body) {
    f->state = kChecked;
    return;
  }
  signature(f);
  GroupMember* member = static_cast<GroupMember*>(f->member);
  if (!member->determined) {
    std::vector<Decl*> decls{f->decl};
    module_ = f->module;
    check_group(decls);
    return;
  }
  f->state = kChecked;
  begin_decl(f->module);
  std::vector<GroupMember*> members{member};
  infer_members(members, 0);
  end_decl();
}

void Checker::ensure_typed(FunctionBinding* f) {
  if (f->scheme.type) return;
  signature(f);
  GroupMember* member = static_cast<GroupMember*>(f->member);
  if (f->scheme.type || member->running) return;
  nested([&] { check_body(f); });
}

void Checker::ensure_typed(GlobalBinding* g) {
  if (g->scheme.type || g->state == kRunning) return;
  global_signature(g);
  if (g->scheme.type) return;
  nested([&] {
    module_ = g->module;
    check_global(g->decl);
  });
}

// A field's default, typed when it is first needed; what it mentions counts for whoever needs it.
void Checker::ensure_default(ConstructorBinding* c, uint32_t field) {
  FieldDef& f = c->fields[field];
  if (f.state == kFresh) {
    f.state = kChecked;
    nested([&] {
      begin_decl(c->type_def->module);
      start_uses(&f.uses);
      members_.push_back(std::make_unique<GroupMember>());
      type_vars_ = &members_.back()->vars;
      FnContext fn;
      Unit* unit = push_unit(UnitKind::kGlobal, io_row_, &fn);
      unit->origin = RowOrigin::kGlobal;
      fn.note = unit->note;
      Type* whole = prune(instance(c->scheme));
      check(f.default_value, whole->tag == TypeTag::Fn ? whole->param(field) : error_,
            Reason{Reason::kDefault, field, f.span, nullptr});
      settle(0, 0, true);
      finish_rows(0, 0, nullptr, 0);
      pop_unit();
      end_decl();
    });
  }
  for (UseNode* u = static_cast<UseNode*>(f.uses); u; u = u->next) use(u->binding);
}

void Checker::check_global(LetDecl* decl) {
  ModuleInfo* m = decl->note->globals.empty() ? module_ : decl->note->globals[0]->module;
  for (GlobalBinding* g : decl->note->globals) {
    if (g->state >= kTyped) return;
    g->state = kRunning;
    if (!g->scheme.type && !g->type) g->type = types_.var(kTopLevel);
  }
  begin_decl(m);
  check_let_value(decl);
  end_decl();
  for (GlobalBinding* g : decl->note->globals) g->state = kChecked;
}

void Checker::check_let_value(LetDecl* decl) {
  members_.push_back(std::make_unique<GroupMember>());
  SymbolMap<Type*>* saved_vars = type_vars_;
  type_vars_ = &members_.back()->vars;
  void** saved_uses = uses_;
  start_uses(&decl->note->uses);
  size_t pending = pending_.size();
  size_t open_rows = open_rows_.size();
  FnContext fn;
  Unit* unit = push_unit(UnitKind::kGlobal, io_row_, &fn);
  unit->origin = RowOrigin::kGlobal;
  unit->row_span = decl->span;
  decl->note->unit = unit->note;
  fn.note = unit->note;
  fn.result = nullptr;
  Symbol name =
      decl->pattern->kind == PatternKind::kVariable ? as<VariablePattern>(decl->pattern)->name : Symbol{};
  unit->note->name = name;
  size_t mark = enter_scope();
  level_ = kTopLevel;
  Type* type;
  naming_ = decl->value->kind == ExprKind::kLambda ? name : Symbol{};
  if (decl->type) {
    type_mode_ = TypeMode::kAnnotation;
    type_level_ = level_;
    type = resolve_type(decl->type);
    check(decl->value, type, Reason{Reason::kAnnotation, 0, decl->type->span, nullptr});
  } else {
    type = infer(decl->value);
  }
  naming_ = {};
  settle(pending, 0, true);
  finish_rows(open_rows, 0, &type, 1);
  bool value = is_value(decl->value);
  if (value && !decl->type) {
    level_ = 0;
    close_value_row(type);
    level_ = kTopLevel;
  }
  infer_pattern(decl->pattern, type, LocalKind::kLet, decl->value->span);
  if (decl->pattern->kind != PatternKind::kVariable) irrefutable_.push_back({decl->pattern, "let"});
  for (GlobalBinding* g : decl->note->globals) {
    LocalBinding* b = local(g->name);
    Type* t = b ? b->type : error_;
    if (g->type) unifier_.unify(g->type, t);
    if (g->scheme.type && !decl->type) continue;
    if (value) {
      Generaliser gen(types_, 0);
      Type* closed = gen.close(t);
      g->scheme = gen.scheme(closed);
    } else {
      unifier_.adjust_levels(t, 0);
      g->scheme = Scheme{t, 0, nullptr};
    }
  }
  bind_globals(decl->pattern, decl->note->globals.data, decl->note->globals.size);
  leave_scope(mark);
  pop_unit();
  type_vars_ = saved_vars;
  if (saved_uses) start_uses(saved_uses);
}

// The variables of a top-level pattern are globals, not locals.
void Checker::bind_globals(Pattern* p, GlobalBinding* const* globals, size_t count) {
  auto find = [&](Symbol name) -> Binding* {
    for (size_t i = 0; i < count; i++) {
      if (globals[i]->name == name) return globals[i];
    }
    return nullptr;
  };
  switch (p->kind) {
    case PatternKind::kVariable:
      as<VariablePattern>(p)->binding = find(as<VariablePattern>(p)->name);
      break;
    case PatternKind::kConstructor:
      for (PatternArg& a : as<ConstructorPattern>(p)->args) bind_globals(a.pattern, globals, count);
      break;
    case PatternKind::kTuple:
      for (Pattern* i : as<TuplePattern>(p)->items) bind_globals(i, globals, count);
      break;
    case PatternKind::kList:
      for (Pattern* i : as<ListPattern>(p)->items) bind_globals(i, globals, count);
      if (as<ListPattern>(p)->rest) bind_globals(as<ListPattern>(p)->rest, globals, count);
      break;
    case PatternKind::kOr:
      for (Pattern* i : as<OrPattern>(p)->alternatives) bind_globals(i, globals, count);
      break;
    case PatternKind::kAs:
      as<AsPattern>(p)->binding = find(as<AsPattern>(p)->name.name);
      bind_globals(as<AsPattern>(p)->pattern, globals, count);
      break;
    default:
      break;
  }
}

}  // namespace eddy::lang
