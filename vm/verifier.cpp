#include "vm/verifier.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/context.h"
#include "runtime/utf8.h"
#include "vm/verifier_internal.h"

namespace eddy::vm {

namespace verifying {

namespace {

bool valid_integer(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || (text[0] == '0' && (text.size() > 1 || negative))) return false;
  for (char c : text)
    if (c < '0' || c > '9') return false;
  return true;
}

class TableCheck {
 public:
  TableCheck(const Module& m, const NativeArity& arity, ModuleFacts& facts)
      : m_(m), arity_(arity), facts_(facts) {}
  std::optional<VerifyError> run() {
    (void)(names() && constants() && types() && effects() && natives() && functions() && sites() &&
           entries());
    return std::move(error_);
  }

 private:
  bool fail(std::string reason) {
    error_ = VerifyError{-1, 0, std::move(reason)};
    return false;
  }
  bool text(const std::string& s) {
    return rt::valid_utf8(s) || fail(fmt::format("a name is not valid UTF-8"));
  }
  bool names() {
    if (!text(m_.name)) return false;
    for (const auto* list : {&m_.files, &m_.natives, &m_.globals})
      for (const std::string& s : *list)
        if (!text(s)) return false;
    for (const Module::Test& t : m_.tests)
      if (!text(t.name)) return false;
    return true;
  }
  bool constants() {
    for (size_t i = 0; i < m_.constants.size(); ++i) {
      const ConstantData& c = m_.constants[i];
      if (c.kind > ConstantData::Kind::Float) return fail(fmt::format("constant {} has no valid kind", i));
      if (c.kind == ConstantData::Kind::String && !rt::valid_utf8(c.text))
        return fail(fmt::format("constant {} is not valid UTF-8", i));
      if (c.kind == ConstantData::Kind::Int && !valid_integer(c.text))
        return fail(fmt::format("constant {} is not a decimal number", i));
    }
    return true;
  }
  bool types() {
    for (const TypeData& t : m_.types) {
      if (!text(t.name)) return false;
      size_t end = facts_.constructors.size() + t.constructors.size();
      if (end + rt::con::FirstFree > UINT16_MAX) return fail("too many constructors");
      for (const ConstructorData& c : t.constructors) {
        if (!text(c.name)) return false;
        if (c.raw.size() != c.field_names.size())
          return fail(fmt::format("constructor {} does not say of each field whether it is raw", c.name));
        if (c.field_names.size() > UINT16_MAX)
          return fail(fmt::format("constructor {} has too many fields", c.name));
        for (const std::string& name : c.field_names)
          if (!text(name)) return false;
        facts_.constructors.push_back(&c);
        facts_.type_end.push_back(static_cast<uint16_t>(end + rt::con::FirstFree));
      }
    }
    return true;
  }
  bool effects() {
    if (m_.effects.size() > UINT16_MAX) return fail("too many effects");
    for (size_t i = 0; i < m_.effects.size(); ++i) {
      const EffectData& e = m_.effects[i];
      if (!text(e.name)) return false;
      if (e.operations.size() > UINT16_MAX)
        return fail(fmt::format("effect {} has too many operations", e.name));
      for (const OperationData& o : e.operations) {
        if (!text(o.name)) return false;
        if (o.params + 2u > rt::kMaxArgs)
          return fail(fmt::format("operation {} has too many parameters", o.name));
      }
    }
    return true;
  }
  bool natives() {
    for (const std::string& name : m_.natives) {
      int arity = arity_(name);
      if (arity < 0) return fail(fmt::format("there is no native \"{}\"", name));
      facts_.native_arity.push_back(arity);
    }
    return true;
  }
  bool functions() {
    facts_.clause_kind.assign(m_.functions.size(), -1);
    facts_.plain.assign(m_.functions.size(), false);
    for (const FunctionData& f : m_.functions)
      if (!text(f.name)) return false;
    return true;
  }
  bool sites() {
    for (size_t i = 0; i < m_.sites.size(); ++i) {
      const SiteData& s = m_.sites[i];
      if (!text(s.name)) return false;
      auto wrong = [&](std::string_view why) {
        return fail(fmt::format("site {} ({}): {}", i, s.name, why));
      };
      if (s.mask && (s.named || !s.clauses.empty())) return wrong("a mask has no name and no clauses");
      if (s.mask && s.effects.empty()) return wrong("a mask names an effect");
      if (s.named && s.effects.size() != 1) return wrong("a named handler handles one effect");
      size_t operations = 0;
      for (size_t k = 0; k < s.effects.size(); ++k) {
        if (s.effects[k] >= m_.effects.size()) return wrong("there is no such effect");
        for (size_t j = 0; j < k; ++j)
          if (s.effects[j] == s.effects[k]) return wrong("an effect is named twice");
        if (k > 64) return wrong("too many effects");
        operations += m_.effects[s.effects[k]].operations.size();
      }
      uint16_t captures = 0;
      bool capturing = false;
      for (size_t k = 0; k < s.clauses.size(); ++k) {
        const ClauseData& c = s.clauses[k];
        if (std::find(s.effects.begin(), s.effects.end(), c.effect) == s.effects.end())
          return wrong("a clause is for an effect that the site does not handle");
        if (c.operation >= m_.effects[c.effect].operations.size()) return wrong("there is no such operation");
        if (k && std::pair(s.clauses[k - 1].effect, s.clauses[k - 1].operation) >=
                     std::pair(c.effect, c.operation))
          return wrong("the clauses are not in the order of effects and operations");
        if (!clause(c, wrong)) return false;
        captures = std::max(captures, m_.functions[c.function].captures);
        capturing |= c.kind >= rt::ClauseKind::Once;
      }
      if (!s.mask && s.clauses.size() != operations) return wrong("an operation has no clause");
      facts_.site_env.push_back(captures);
      facts_.site_captures.push_back(capturing);
      facts_.site_user.push_back(-1);
    }
    return true;
  }
  template <class Wrong>
  bool clause(const ClauseData& c, Wrong wrong) {
    const OperationData& o = m_.effects[c.effect].operations[c.operation];
    if (c.kind > rt::ClauseKind::Multi) return wrong("a clause has no valid kind");
    if (c.function >= m_.functions.size()) return wrong("there is no such function");
    const FunctionData& f = m_.functions[c.function];
    if (!f.clause) return wrong(fmt::format("function {} is no clause", f.name));
    bool captures = c.kind >= rt::ClauseKind::Once;
    if (f.params != 1u + o.params + captures)
      return wrong(fmt::format("clause {} has {} parameters and needs {}", f.name, f.params,
                               1u + o.params + captures));
    if (c.kind == rt::ClauseKind::Multi && !o.multi)
      return wrong(fmt::format("operation {} is not resumed more than once", o.name));
    if (c.plain && c.kind != rt::ClauseKind::Tail) return wrong("only a tail clause can be plain");
    int& kind = facts_.clause_kind[c.function];
    if (kind >= 0 && kind != static_cast<int>(c.kind))
      return wrong(fmt::format("clause {} is used with different kinds", f.name));
    kind = static_cast<int>(c.kind);
    if (c.plain) facts_.plain[c.function] = true;
    return true;
  }
  bool entries() {
    auto entry = [&](int64_t index, unsigned params, std::string_view what) {
      if (index >= static_cast<int64_t>(m_.functions.size()))
        return fail(fmt::format("there is no {} function", what));
      const FunctionData& f = m_.functions[index];
      if (f.params != params || f.takes_self || f.clause || f.fiber_base)
        return fail(fmt::format("{} cannot be the {} function", f.name, what));
      return true;
    };
    if (m_.initialiser < -1 || m_.main < -1) return fail("an entry point is negative");
    if (m_.initialiser >= 0 && !entry(m_.initialiser, 0, "initialiser")) return false;
    if (m_.main >= 0 && !entry(m_.main, m_.main_takes_args, "main")) return false;
    for (const Module::Test& t : m_.tests)
      if (!entry(t.function, 0, "test")) return false;
    return true;
  }

  const Module& m_;
  const NativeArity& arity_;
  ModuleFacts& facts_;
  std::optional<VerifyError> error_;
};

}  // namespace

int ModuleFacts::fields(uint32_t id) const {
  if (id < rt::con::FirstFree) return rt::builtin_fields(id);
  id -= rt::con::FirstFree;
  return id < constructors.size() ? static_cast<int>(constructors[id]->field_names.size()) : -1;
}

bool ModuleFacts::raw_field(uint32_t id, unsigned i) const {
  return id >= rt::con::FirstFree && constructors[id - rt::con::FirstFree]->raw[i];
}

std::optional<VerifyError> check_tables(const Module& module, const NativeArity& arity, ModuleFacts& facts) {
  return TableCheck(module, arity, facts).run();
}

std::optional<VerifyError> FunctionVerifier::run() {
  if (check_header() && check_shape()) {
    find_blocks();
    if (uint64_t{blocks_.size()} * registers() > kMaxFlowBits)
      fail(0, "the function is too large");
    else if (find_regions()) {
      collect_writes();
      flow();
    }
  }
  return std::move(error_);
}

}  // namespace verifying

std::optional<VerifyError> verify(const Module& module, const NativeArity& native_arity) {
  verifying::ModuleFacts facts{module, {}, {}, {}, {}, {}, {}, {}, {}};
  if (auto error = verifying::check_tables(module, native_arity, facts)) return error;
  for (uint32_t i = 0; i < module.functions.size(); ++i)
    if (auto error = verifying::FunctionVerifier(facts, i).run()) return error;
  return std::nullopt;
}

std::string to_string(const VerifyError& error, const Module& module) {
  if (error.function < 0) return error.reason;
  const FunctionData& f = module.functions[error.function];
  std::string place;
  for (const PositionData& p : f.positions) {
    if (p.pc > error.pc) break;
    if (p.file < module.files.size())
      place = fmt::format(" ({}:{}:{})", module.files[p.file], p.line, p.column);
  }
  std::string_view op = error.pc < f.code.size() && static_cast<unsigned>(op_of(f.code[error.pc])) < kOpCount
                            ? info_of(op_of(f.code[error.pc])).name
                            : "?";
  return fmt::format("function {} ({}), word {}, {}{}: {}", error.function, f.name, error.pc, op, place,
                     error.reason);
}

}  // namespace eddy::vm
