// What `main` may perform, and the way from `main` to an operation that nobody handles.
#include <fmt/format.h>

#include <unordered_set>

#include "lang/checker.h"
#include "lang/tree_walk.h"

namespace eddy::lang {

namespace {

bool row_has(Type* row, const TypeDef* effect) {
  for (row = prune(row); row->tag == TypeTag::RowCons; row = prune(row->rest())) {
    if (outermost(row->effect()) == effect) return true;
  }
  return false;
}

// A search, only made when there is something to report, for a call path that ends in a perform of `effect`
// outside of all its handlers.
class Blame {
 public:
  struct Step {
    Span call;              // in the function before
    std::string_view name;  // called
    const Binding* target;
  };

  Blame(const Symbols& symbols, const TypeDef* effect) : symbols_(symbols), effect_(effect) {}

  bool search(Expr* body) { return walk(body, 0, 0); }

  const Binding* operation = nullptr;
  Span place;
  Span closure;  // of a call of a function value that may perform it, should there be nothing better
  std::vector<Step> closure_path;
  const Binding* closure_name = nullptr;
  std::vector<Step> path;
  std::vector<std::string_view> handlers;

 private:
  bool call(CallNote* note, Span span, int handled) {
    if (!note) return false;
    if (note->kind == CallKind::kOperation && note->target) {
      auto* o = static_cast<OperationBinding*>(note->target);
      if (o->effect != effect_ || handled > 0) return false;
      operation = o;
      place = span;
      return true;
    }
    // To a handler that is there, wherever that is: its clauses are looked at where it is installed.
    if (note->kind == CallKind::kNamedOperation || handled > 0) return false;
    if ((note->kind == CallKind::kClosure || note->kind == CallKind::kFieldClosure) && !closure &&
        note->row && row_has(note->row, effect_)) {
      closure = span;
      closure_path = path;
      if (note->kind == CallKind::kClosure && note->callee && note->callee->kind == ExprKind::kName)
        closure_name = as<NameExpr>(note->callee)->binding;
    }
    return mention(note->target, span);
  }

  // The body of a function that may perform the effect.
  bool mention(Binding* target, Span span) {
    if (!target) return false;
    Expr* body = nullptr;
    if (target->kind == BindingKind::kFunction) {
      auto* f = static_cast<FunctionBinding*>(target);
      Type* type = f->scheme.type ? prune(f->scheme.type) : nullptr;
      if (!type || type->tag != TypeTag::Fn || !row_has(type->row(), effect_)) return false;
      body = f->decl->body;
    } else if (target->kind == BindingKind::kLocal) {
      auto* l = static_cast<LocalBinding*>(target);
      if (l->local != LocalKind::kFn || !l->decl) return false;
      Type* type = l->type ? prune(l->type) : nullptr;
      if (!type || type->tag != TypeTag::Fn || !row_has(type->row(), effect_)) return false;
      body = l->decl->body;
    } else if (target->kind == BindingKind::kOperation) {
      auto* o = static_cast<OperationBinding*>(target);
      if (o->effect != effect_) return false;
      operation = o;
      place = span;
      return true;
    }
    if (!body || path.size() > 200 || !seen_.insert(target).second) return false;
    path.push_back({span, symbols_.text(target->name), target});
    size_t handlers_before = handlers.size();
    if (walk(body, 0, 0)) return true;
    handlers.resize(handlers_before);
    path.pop_back();
    if (!closure) {
      closure = span;
      closure_path = path;
      closure_name = target;
    }
    return false;
  }

  bool walk(Expr* e, int handled, int depth) {
    if (depth > 4000) return false;
    switch (e->kind) {
      case ExprKind::kCall: {
        auto* c = as<CallExpr>(e);
        for (const Arg& a : c->args) {
          if (a.value && walk(a.value, handled, depth + 1)) return true;
        }
        if (c->callee->kind != ExprKind::kName && walk(c->callee, handled, depth + 1)) return true;
        return call(c->note, c->span, handled);
      }
      case ExprKind::kMethodCall: {
        auto* c = as<MethodCallExpr>(e);
        if (walk(c->object, handled, depth + 1)) return true;
        for (const Arg& a : c->args) {
          if (a.value && walk(a.value, handled, depth + 1)) return true;
        }
        return call(c->note, c->span, handled);
      }
      case ExprKind::kPipe:
        if (walk(as<PipeExpr>(e)->first, handled, depth + 1)) return true;
        for (const PipeStage& s : as<PipeExpr>(e)->stages) {
          if (walk(s.value, handled, depth + 1)) return true;
          if (call(s.note, s.value->span, handled)) return true;
        }
        return false;
      case ExprKind::kName:
        return handled == 0 && mention(as<NameExpr>(e)->binding, e->span);
      case ExprKind::kField: {
        CallNote* note = as<FieldExpr>(e)->note;
        if (note && note->kind == CallKind::kValue) return handled == 0 && mention(note->target, e->span);
        break;
      }
      case ExprKind::kHandle: {
        auto* h = as<HandleExpr>(e);
        int more = handled;
        size_t before = handlers.size();
        if (h->note && !h->note->named) {
          for (TypeDef* d : h->note->effects) {
            more += d == effect_;
            handlers.push_back(symbols_.text(d->name));
          }
        }
        if (walk(h->body, more, depth + 1)) return true;
        handlers.resize(before);
        for (const Clause& c : h->clauses) {
          if (c.body && walk(c.body, handled, depth + 1)) return true;
        }
        return false;
      }
      case ExprKind::kMask: {
        auto* m = as<MaskExpr>(e);
        int less = handled;
        for (TypeExpr* t : m->effects) less -= t->type && outermost(t->type) == effect_;
        return walk(m->body, less < 0 ? 0 : less, depth + 1);
      }
      default:
        break;
    }
    bool found = false;
    for_each_child(e, [&](Expr* x) { found = found || walk(x, handled, depth + 1); }, false);
    return found;
  }

  const Symbols& symbols_;
  const TypeDef* effect_;
  std::unordered_set<const Binding*> seen_;
};

}  // namespace

// A handle performs an effect that may not be performed around it: reported where that begins.
void Checker::unhandled_inside(HandleExpr* e, Type* row) {
  Type* effect = unifier_.left() ? prune(unifier_.left()) : error_;
  if (unifier_.error() == UnifyError::kMissingEffect && effect->tag == TypeTag::Con) {
    Blame blame(symbols_, effect->def);
    if (blame.search(e)) {
      if (blame.path.empty()) return perform_error(row, blame.place, blame.operation, blame.handlers);
      return perform_error(row, blame.path[0].call, blame.path[0].target, blame.handlers);
    }
    if (blame.closure) {
      if (blame.closure_path.empty()) return perform_error(row, blame.closure, blame.closure_name);
      return perform_error(row, blame.closure_path[0].call, blame.closure_path[0].target);
    }
  }
  perform_error(row, e->span, nullptr);
}

void Checker::check_main_effects() {
  std::vector<FunctionBinding*> entries;
  if (out_.program.main) entries.push_back(out_.program.main);
  for (FunctionBinding* f : scope_of(out_.program.root).functions) {
    if (!f->is_test || !options_.tests) continue;
    entries.push_back(f);
    if (f->decl->params.size) {
      diags_.error(f->decl->params[0].span, fmt::format("the test `{}` takes arguments", text(f->name)))
          .here("who would give it any?");
    }
  }
  for (FunctionBinding* f : entries) {
    Type* type = f->scheme.type ? prune(f->scheme.type) : error_;
    if (type->tag != TypeTag::Fn) continue;
    bool is_main = f == out_.program.main;
    std::vector<TypeDef*> reported;
    for (Type* row = prune(type->row()); row->tag == TypeTag::RowCons; row = prune(row->rest())) {
      TypeDef* effect = outermost(row->effect());
      if (!effect || effect == io_def_) continue;
      bool again = false;
      for (TypeDef* d : reported) again |= d == effect;
      if (again) continue;
      reported.push_back(effect);
      std::string name = show(row->effect());
      std::string entry = is_main ? "main" : std::string(text(f->name));
      Blame blame(symbols_, effect);
      bool found = f->decl->body && blame.search(f->decl->body);
      if (!found && (!blame.closure || effect->operations.empty())) {
        diags_
            .error(f->span,
                   fmt::format("nobody handles the effect `{}`, which `{}` may perform", name, entry))
            .here("a program starts with no handlers")
            .help("wrap the call that performs it in `handle { … } with { … }`");
        continue;
      }
      Diagnostic& d = diags_.error(found ? blame.place : blame.closure,
                                   fmt::format("nobody handles the effect `{}`", name));
      const Binding* operation = found ? blame.operation : effect->operations[0];
      d.here(found                ? fmt::format("`{}` performs it here", text(operation->name))
             : blame.closure_name ? fmt::format("`{}` may perform it", text(blame.closure_name->name))
                                  : std::string("the function called here may perform it"));
      std::string way = entry;
      size_t shown = 0;
      for (const Blame::Step& s : found ? blame.path : blame.closure_path) {
        way += fmt::format(" → {}", s.name);
        if (++shown <= 6) d.label(s.call, fmt::format("`{}` is called here", s.name));
      }
      if (found || !blame.closure_path.empty())
        d.note(fmt::format("call path: {}{}", way, found ? fmt::format(" → {}", text(operation->name)) : ""));
      if (blame.handlers.empty()) {
        d.note("there is no handler on this path");
      } else {
        std::string list;
        for (std::string_view h : blame.handlers) list += fmt::format("{}`{}`", list.empty() ? "" : ", ", h);
        d.note("handlers on this path: " + list);
      }
      if (std::string library = library_handler(effect); !library.empty()) {
        d.help(library);
        continue;
      }
      std::string params;
      for (Symbol p : static_cast<const OperationBinding*>(operation)->params) {
        params += (params.empty() ? "" : ", ") + std::string(p ? text(p) : "_");
      }
      d.help(fmt::format("handle it on the way: `handle {{ … }} with {{ {}({}) => … }}`",
                         text(operation->name), params));
    }
  }
}

}  // namespace eddy::lang
