#include "lang/lower/program.h"

#include "lang/compile.h"
#include "lang/lower/lowering.h"

namespace eddy::lang {

std::optional<vm::Module> compile(Compilation& compilation) {
  if (!compilation.ok()) return {};
  lower::Program program(compilation);
  vm::Module module = program.run();
  if (!compilation.ok()) return {};
  return module;
}

}  // namespace eddy::lang

namespace eddy::lang::lower {

// --- what is asked for

uint32_t Program::reserve() {
  module_.functions.emplace_back();
  return static_cast<uint32_t>(module_.functions.size() - 1);
}

uint32_t Program::request(Work::Kind kind, void* subject, std::string name) {
  uint32_t index = reserve();
  work_.push_back({kind, index, subject, {}, 0, std::move(name), false});
  return index;
}

uint32_t Program::function(FunctionBinding* f) {
  auto [entry, fresh] = functions_.try_emplace(f, 0u);
  if (fresh) entry->second = request(f->is_memo ? Work::Kind::kMemoCache : Work::Kind::kFunction, f);
  return entry->second;
}

uint32_t Program::memo_body(FunctionBinding* f) {
  auto [entry, fresh] = memo_bodies_.try_emplace(f, 0u);
  if (fresh) entry->second = request(Work::Kind::kFunction, f);
  return entry->second;
}

uint32_t Program::unit(Unit* u) {
  if (u->function < 0) {
    u->function = reserve();
    plan_queue_.push_back(u);
  }
  return static_cast<uint32_t>(u->function);
}

uint32_t Program::default_value(Expr* value, Slice<Param> params, uint32_t index, std::string_view of) {
  auto [entry, fresh] = defaults_.try_emplace(value, 0u);
  if (fresh) {
    entry->second = request(Work::Kind::kDefault, value, std::string(of));
    work_.back().params = {params.data, std::min(index, params.size)};
  }
  return entry->second;
}

Unit* Program::local_default(const Expr* value) const {
  auto found = plan_->defaults.find(value);
  return found == plan_->defaults.end() ? nullptr : found->second;
}

uint32_t Program::wrapper(Binding* target, const Type* type) {
  // The same function of an Int or a Float.
  bool floats = false;
  if (target->kind == BindingKind::kFunction && static_cast<FunctionBinding*>(target)->intrinsic == "abs") {
    const Type* t = prune(const_cast<Type*>(type));
    floats = t->tag == TypeTag::Fn && is_float(t->param(0));
  }
  auto [entry, fresh] = wrappers_[floats].try_emplace(target, 0u);
  if (fresh) {
    entry->second = request(Work::Kind::kWrapper, target, std::string(text(target->name)));
    work_.back().floats = floats;
  }
  return entry->second;
}

// --- compiling it

vm::Module Program::run() {
  for (TypeDef* effect : program_.effects) {
    for (OperationBinding* op : effect->operations) has_multi_ |= op->multi;
  }
  module_.name = program_.root ? program_.root->name : "";
  if (program_.main) {
    module_.main = static_cast<int32_t>(function(program_.main));
    module_.main_takes_args = program_.main_takes_args;
  }
  for (FunctionBinding* test : program_.tests) {
    if (test->reachable && test->decl->params.empty())
      module_.tests.push_back({std::string(text(test->name)), function(test)});
  }
  drain();
  initialiser();
  mark_plain_clauses();
  return std::move(module_);
}

void Program::drain() {
  while (!work_.empty()) {
    Work work = std::move(work_.front());
    work_.pop_front();
    compile(work);
  }
}

void Program::compile(Work& work) {
  switch (work.kind) {
    case Work::Kind::kFunction: {
      auto* f = static_cast<FunctionBinding*>(work.subject);
      compile_function(std::string(text(f->name)), f->note, f->decl->params, f->decl->body,
                       f->decl->name.span, work.function);
      return;
    }
    case Work::Kind::kMemoCache:
      memo_cache(static_cast<FunctionBinding*>(work.subject), work.function);
      return;
    case Work::Kind::kDefault: {
      auto* value = static_cast<Expr*>(work.subject);
      compile_function(std::move(work.name), nullptr, work.params, value, value->span, work.function);
      return;
    }
    case Work::Kind::kWrapper: {
      Unit unit;
      unit.name = work.name;
      module_.functions[work.function] =
          Lowering(*this, unit).wrap(static_cast<Binding*>(work.subject), work.floats);
      return;
    }
  }
}

void Program::compile_function(std::string name, FnNote* note, Slice<Param> params, Expr* body, Span span,
                               uint32_t function) {
  Plan plan;
  plan_ = &plan;
  in_std_ = note && note->function && note->function->module && note->function->module->is_std;
  Scanner scanner(plan, {has_multi_, &compilation_.symbols});
  Unit* root = scanner.function(std::move(name), note, params, body, span);
  scanner.finish();
  root->function = function;
  plan_queue_.assign(1, root);
  for (size_t i = 0; i < plan_queue_.size(); ++i) {
    Unit* unit = plan_queue_[i];
    vm::FunctionData data = Lowering(*this, *unit).run();
    module_.functions[static_cast<size_t>(unit->function)] = std::move(data);
  }
  plan_queue_.clear();
  plan_ = nullptr;
}

// --- @memo: results live in a table of the library, by the tuple of the arguments

void Program::memo_cache(FunctionBinding* f, uint32_t function) {
  uint32_t cache = memo_global(f);
  vm::FunctionBuilder b{std::string(text(f->name))};
  Place at = place(f->decl->name.span.begin);
  b.position(at.file, at.line, at.column);
  uint32_t count = f->decl->params.size;
  b.data().params = static_cast<uint16_t>(count);
  std::vector<vm::Reg> args;
  args.reserve(count);
  for (uint32_t i = 0; i < count; ++i) args.push_back(b.take());
  vm::Reg key = count == 1 ? args[0] : b.take(), table = b.take(), result = b.take();
  if (count == 0) b.emit(vm::Op::LOAD_UNIT, {key});
  if (count > rt::con::MaxTuple)
    too_large(f->decl->name.span, "a @memo function cannot have so many parameters");
  if (count > 1) b.emit(vm::Op::MAKE, {key, rt::con::tuple(count)}, args);
  auto call = [&](FunctionBinding* callee, vm::Reg to, std::initializer_list<vm::Reg> list) {
    std::vector<vm::Reg> regs(list);
    if (!callee->native.empty())
      b.emit(vm::Op::NATIVE, {to, native(callee->native)}, regs);
    else
      b.emit(vm::Op::CALL, {to, this->function(callee)}, regs);
  };
  if (!program_.mutmap_get || !program_.mutmap_insert || !program_.mutmap_new) {
    too_large(f->decl->name.span, "@memo needs the module std/mutmap");
    return;
  }
  b.emit(vm::Op::LOAD_GLOBAL, {table, cache});
  call(program_.mutmap_get, result, {table, key});
  vm::Label miss = b.label();
  b.emit(vm::Op::JISNT, {result, rt::con::Some, miss});
  b.emit(vm::Op::GET, {result, result, 0});
  b.emit(vm::Op::RET, {result});
  b.bind(miss);
  b.emit(vm::Op::CALL, {result, memo_body(f)}, args);
  vm::Reg ignored = b.take();
  call(program_.mutmap_insert, ignored, {table, key, result});
  b.emit(vm::Op::RET, {result});
  module_.functions[function] = b.build(module_.sites);
}

// --- top-level constants

void Program::initialiser() {
  struct Init {
    LetDecl* decl;
    uint32_t function;
  };
  std::vector<Init> inits;
  for (const GlobalInit& init : program_.initialisers) {
    LetDecl* decl = init.decl;
    uint32_t index = reserve();
    std::string name = decl->pattern->kind == PatternKind::kVariable
                           ? std::string(text(as<VariablePattern>(decl->pattern)->name))
                           : std::string("let");
    compile_function(std::move(name), decl->note ? decl->note->unit : nullptr, {}, decl->value,
                     decl->value->span, index);
    inits.push_back({decl, index});
    drain();
  }
  if (inits.empty() && memos_.empty()) return;
  vm::FunctionBuilder b{"initialiser"};
  b.data().hidden = true;
  vm::Reg r = b.take();
  for (size_t i = 0; i < memos_.size(); ++i) {
    FunctionBinding* make = program_.mutmap_new;
    if (!make->native.empty())
      b.emit(vm::Op::NATIVE, {r, native(make->native)});
    else
      b.emit(vm::Op::CALL, {r, function(make)});
    b.emit(vm::Op::STORE_GLOBAL, {r, memo_global(memos_[i])});
    drain();
  }
  for (const Init& init : inits) {
    Place at = place(init.decl->span.begin);
    b.position(at.file, at.line, at.column);
    b.emit(vm::Op::CALL, {r, init.function});
    store_globals(b, init.decl->pattern, r);
  }
  b.emit(vm::Op::RET_UNIT);
  module_.initialiser = static_cast<int32_t>(reserve());
  module_.functions[static_cast<size_t>(module_.initialiser)] = b.build(module_.sites);
}

// A pattern that cannot fail, of globals.
void Program::store_globals(vm::FunctionBuilder& b, Pattern* p, vm::Reg r) {
  auto store = [&](Binding* binding) {
    if (binding && binding->kind == BindingKind::kGlobal)
      b.emit(vm::Op::STORE_GLOBAL, {r, global(static_cast<GlobalBinding*>(binding))});
  };
  auto part = [&](uint32_t con, uint32_t field, bool raw, Pattern* sub) {
    if (sub->kind == PatternKind::kWildcard) return;
    vm::Reg value = b.take();
    if (raw) {
      vm::Reg number = b.take(true);
      b.emit(vm::Op::GET_RC, {number, r, field, con});
      b.emit(vm::Op::BOX, {value, number});
      b.give(number);
    } else {
      b.emit(vm::Op::GET_C, {value, r, field, con});
    }
    store_globals(b, sub, value);
    b.give(value);
  };
  switch (p->kind) {
    case PatternKind::kVariable:
      store(as<VariablePattern>(p)->binding);
      return;
    case PatternKind::kAs:
      store(as<AsPattern>(p)->binding);
      store_globals(b, as<AsPattern>(p)->pattern, r);
      return;
    case PatternKind::kTuple: {
      auto* t = as<TuplePattern>(p);
      for (uint32_t i = 0; i < t->items.size; ++i) part(rt::con::tuple(t->items.size), i, false, t->items[i]);
      return;
    }
    case PatternKind::kConstructor: {
      auto* t = as<ConstructorPattern>(p);
      auto* c = static_cast<ConstructorBinding*>(t->binding);
      for (uint32_t i = 0; i < t->args.size; ++i) {
        int field = t->args[i].name.name ? c->field(t->args[i].name.name) : static_cast<int>(i);
        if (field < 0) continue;
        part(constructor(c), static_cast<uint32_t>(field),
             is_float(c->fields[static_cast<size_t>(field)].type), t->args[i].pattern);
      }
      return;
    }
    case PatternKind::kList:
      if (Pattern* rest = as<ListPattern>(p)->rest) store_globals(b, rest, r);
      return;
    default:
      return;
  }
}

// --- clauses that need no context of their own: no call, no perform, nothing that can panic

void Program::mark_plain_clauses() {
  auto plain = [&](const vm::FunctionData& f) {
    for (const vm::Word* pc : vm::Instructions(f.code)) {
      switch (vm::op_of(*pc)) {
        case vm::Op::MOVE:
        case vm::Op::MOVE_R:
        case vm::Op::LOAD_INT:
        case vm::Op::LOAD_K:
        case vm::Op::LOAD_UNIT:
        case vm::Op::LOAD_BOOL:
        case vm::Op::LOAD_CHAR:
        case vm::Op::LOAD_CON:
        case vm::Op::LOAD_FLOAT:
        case vm::Op::LOAD_FN:
        case vm::Op::ADD:
        case vm::Op::SUB:
        case vm::Op::MUL:
        case vm::Op::ADD_I:
        case vm::Op::SUB_I:
        case vm::Op::MUL_I:
        case vm::Op::NEG:
        case vm::Op::AND:
        case vm::Op::OR:
        case vm::Op::XOR:
        case vm::Op::ABS:
        case vm::Op::NOT:
        case vm::Op::BOX:
        case vm::Op::UNBOX:
        case vm::Op::FADD:
        case vm::Op::FSUB:
        case vm::Op::FMUL:
        case vm::Op::FDIV:
        case vm::Op::FREM:
        case vm::Op::FNEG:
        case vm::Op::FABS:
        case vm::Op::FSQRT:
        case vm::Op::INT_TO_FLOAT:
        case vm::Op::LT:
        case vm::Op::LE:
        case vm::Op::FEQ:
        case vm::Op::FLT:
        case vm::Op::FLE:
        case vm::Op::JMP:
        case vm::Op::JT:
        case vm::Op::JF:
        case vm::Op::JLT:
        case vm::Op::JLE:
        case vm::Op::JEQ_I:
        case vm::Op::JNE_I:
        case vm::Op::JLT_I:
        case vm::Op::JLE_I:
        case vm::Op::JGT_I:
        case vm::Op::JGE_I:
        case vm::Op::JFEQ:
        case vm::Op::JFNE:
        case vm::Op::JFLT:
        case vm::Op::JFNLT:
        case vm::Op::JFLE:
        case vm::Op::JFNLE:
        case vm::Op::JIS:
        case vm::Op::JISNT:
        case vm::Op::SWITCH:
        case vm::Op::MAKE:
        case vm::Op::GET:
        case vm::Op::GET_R:
        case vm::Op::GET_C:
        case vm::Op::GET_RC:
        case vm::Op::SET_C:
        case vm::Op::SET_RC:
        case vm::Op::MAKE_CELL:
        case vm::Op::GET_CELL:
        case vm::Op::SET_CELL:
        case vm::Op::MAKE_CLOSURE:
        case vm::Op::GET_UP:
        case vm::Op::RET:
        case vm::Op::RET_UNIT:
          break;
        default:
          return false;
      }
    }
    return true;
  };
  for (vm::SiteData& site : module_.sites) {
    for (vm::ClauseData& clause : site.clauses)
      clause.plain = clause.kind == rt::ClauseKind::Tail && plain(module_.functions[clause.function]);
  }
}

}  // namespace eddy::lang::lower
