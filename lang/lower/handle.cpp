// handle and mask. A handler whose clauses all run in place (or abort) keeps its body in the frame of the function
// around it; one that captures has body, return clause and finally in a function of its own, the base of a fiber.
#include <algorithm>

#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

uint32_t Lowering::make_site(HandleInfo& info, bool joint) {
  vm::SiteData site;
  auto name = [&](TypeDef* effect) {
    if (!site.name.empty()) site.name += ", ";
    site.name += p_.text(effect->name);
  };
  if (!info.expr) {
    TypeDef* emit = p_.checked().emit;
    name(emit);
    site.effects.push_back(p_.effect(emit));
    site.clauses.push_back({site.effects[0], 0, rt::ClauseKind::Tail, false, p_.unit(info.clauses[0])});
  } else {
    site.named = info.expr->note->named && !joint;
    for (TypeDef* effect : info.expr->note->effects) {
      name(effect);
      if (!joint) site.effects.push_back(p_.effect(effect));
    }
    for (Unit* u : info.clauses) {
      if (joint) break;
      const OperationBinding* op = u->clause->note->operation;
      site.clauses.push_back(
          {p_.effect(op->effect), static_cast<uint16_t>(op->index), u->clause_kind, false, p_.unit(u)});
    }
  }
  std::sort(site.clauses.begin(), site.clauses.end(), [](const vm::ClauseData& a, const vm::ClauseData& b) {
    return std::pair(a.effect, a.operation) < std::pair(b.effect, b.operation);
  });
  p_.module().sites.push_back(std::move(site));
  return static_cast<uint32_t>(p_.module().sites.size() - 1);
}

void Lowering::handle(HandleExpr* e, Dest d) {
  HandleInfo& info = *static_cast<HandleInfo*>(e->note->lowered);
  if (!info.on_fiber) {
    handle_in_place(info, d, {});
    return;
  }
  Val closure = make_closure(info.region);
  release(closure);
  at(e->span);
  // A body that may `return` from this function needs it to be still there.
  std::vector<Local*>& captures = info.region->captures();
  bool returns = u_.exit && std::find(captures.begin(), captures.end(), u_.exit) != captures.end();
  if (d.is_return() && in_tail() && !tail_forbidden() && !returns) {
    leave_to(0);
    emit(Op::TAIL_FIBER, {closure.reg});
    return;
  }
  Reg r = d.is_into() && !d.reg.is_raw ? d.reg : take();
  emit(Op::FIBER_CALL, {r, closure.reg});
  finish({r, !(d.is_into() && d.reg == r)}, d);
}

void Lowering::handle_in_place(HandleInfo& info, Dest d, std::optional<Reg> base_node) {
  HandleExpr* e = info.expr;
  bool named = e->note->named;
  Clause* returns = e->note->return_clause;
  bool tail = d.is_return() && !info.cleanup;
  bool resumed = resumed_;
  Reg result = d.is_into() && !d.reg.is_raw && d.fresh ? d.reg : take();
  bool own_result = !(d.is_into() && d.reg == result);

  if (info.cleanup) {
    Val closure = make_closure(info.cleanup);
    Region region{Region::Kind::kDefer, b_.take_pair(), b_.take_pair(true)};
    at(info.cleanup->span);
    emit(Op::DEFER, {region.t, region.z, closure.reg});
    release(closure);
    open(region);
  }
  vm::Label aborted = b_.label(), joint_target = b_.label();
  bool joint = base_node && named;
  if (joint) {
    emit(Op::LOAD_UNIT, {result});
    uint32_t site = make_site(info, true);
    if (live()) b_.site_target(site, joint_target);
    emit(Op::HANDLE, {*base_node, result, result, site});
    open({Region::Kind::kHandle, *base_node, {}});
  }
  // A handler of nothing: only its `return` and `finally` are of any use.
  bool handles = named || !info.clauses.empty();
  uint32_t site = 0;
  if (handles) {
    make_environment(info, result);
    site = make_site(info, false);
    if (live()) b_.site_target(site, aborted);
  }
  at(e->span);
  Region region{};
  if (!handles) {
    // no region
  } else if (named) {
    region = {Region::Kind::kNamed, b_.take_pair(), b_.take_pair(true)};
    emit(Op::HANDLE_NAMED, {region.t, region.z, result, site});
    if (e->binding) {
      Local* l = static_cast<Local*>(static_cast<LocalBinding*>(e->binding)->lowered);
      l->reg = region.t;
      l->owned = l->in_cell = false;
      l->defined = true;
    }
  } else {
    region = {Region::Kind::kHandle, base_node ? *base_node : take(), {}};
    emit(Op::HANDLE, {region.t, result, result, site});
  }
  if (handles) open(region);

  size_t mark = scope();
  FetchScope inside(*this);  // an abort may come before anything in there was fetched
  Val body;
  if (returns) {
    body = {take(is_float(e->body->type)), true};
    lower(e->body, Dest::fresh_in(body.reg));
  } else {
    lower(e->body, d.is_discard() ? Dest::discard() : Dest::fresh_in(result));
  }
  if (handles) {
    at(e->span);  // where a trace has this frame while a clause runs in the body's place
    end_region(region);
    regions_.pop_back();
  }
  if (joint) {
    end_region(regions_.back());
    regions_.pop_back();
  }
  if (returns) {
    bind_pattern(returns->params[0].pattern, body);
    lower(returns->body, tail ? Dest::ret() : d.is_discard() ? Dest::discard() : Dest::fresh_in(result));
    close_scope(mark);
  }
  inside.end();
  // An abort comes here; with a named handler from inside the joint region, which it ends.
  Reg delivered = named ? Reg{region.t.index + 1, false} : result;
  if (tail) {
    if (named) {
      if (!returns && live()) return_value(result);
      b_.bind(aborted);
      if (joint) end_region({Region::Kind::kHandle, *base_node, {}});
      if (live()) return_value(delivered);
      if (joint) {
        b_.bind(joint_target);
        if (live()) return_value(result);
      }
    } else {
      if (!returns && !handles && live()) return_value(result);
      b_.bind(aborted);
      if (live()) return_value(result);
    }
  } else {
    if (named) {
      vm::Label join = b_.label();
      emit(Op::JMP, {join});
      b_.bind(aborted);
      if (joint) end_region({Region::Kind::kHandle, *base_node, {}});
      move(result, delivered);
      b_.bind(join);
      if (joint) b_.bind(joint_target);
    } else {
      b_.bind(aborted);
    }
  }
  // The base's own node keeps its register as long as the fiber lives.
  if (handles && (!base_node || named)) give_region(region);
  resumed_ = resumed;
  if (tail) {
    if (own_result) b_.give(result);
    return;
  }
  if (info.cleanup) close();
  if (d.is_discard()) {
    if (own_result) b_.give(result);
    return;
  }
  finish({result, own_result}, d);
}

void Lowering::mask(MaskExpr* e, Dest d) {
  vm::SiteData site;
  site.mask = true;
  for (TypeExpr* t : e->effects) {
    TypeNote* note = t->kind == TypeExprKind::kName ? as<NameType>(t)->note : nullptr;
    if (!note || !note->def) continue;
    site.name += (site.name.empty() ? "" : ", ") + std::string(p_.text(note->def->name));
    site.effects.push_back(p_.effect(note->def));
  }
  p_.module().sites.push_back(std::move(site));
  Region region{Region::Kind::kMask, take(), {}};
  at(e->span);
  emit(Op::MASK, {region.t, p_.module().sites.size() - 1});
  open(region);
  if (d.is_return()) {
    Reg r = take();
    lower(e->body, Dest::fresh_in(r));
    close();
    finish({r, true}, d);
  } else {
    lower(e->body, d);
    close();
  }
}

}  // namespace eddy::lang::lower
