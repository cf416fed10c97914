// Declarations. Functions' bodies are read when all tables are known: see assembler_code.cpp.
#include "vm/assembler.h"

#include <fmt/format.h>

#include "vm/assembler_internal.h"

namespace eddy::vm {

namespace assembling {

bool Parser::fail(const Token& at, std::string why) {
  if (!failed_) {
    failed_ = true;
    error_ = std::move(why);
    error_line_ = at.line;
    error_column_ = at.column;
  }
  return false;
}

const Token& Parser::next() {
  const Token& t = tokens_[at_];
  if (t.kind != Token::Kind::End && t.kind != Token::Kind::Bad)
    ++at_;
  else if (t.kind == Token::Kind::Bad)
    fail(t, t.text);
  return t;
}

bool Parser::take(std::string_view mark) {
  if (!peek().is(mark)) return false;
  ++at_;
  return true;
}

bool Parser::take_word(std::string_view word) {
  if (!peek().is_word(word)) return false;
  ++at_;
  return true;
}

bool Parser::expect(std::string_view mark) {
  if (take(mark)) return true;
  const Token& t = next();
  return fail(t, fmt::format("expected `{}`, not {}", mark, describe(t)));
}

std::string Parser::describe(const Token& t) const {
  switch (t.kind) {
    case Token::Kind::End:
      return "the end of the text";
    case Token::Kind::Quoted:
      return "a string";
    default:
      return fmt::format("`{}`", t.text);
  }
}

std::string Parser::name() {
  const Token& t = next();
  if (t.kind == Token::Kind::Quoted || (t.kind == Token::Kind::Word && !text::is_keyword(t.text)))
    return t.text;
  fail(t, t.kind == Token::Kind::Word ? fmt::format("as a name, \"{}\" must be quoted", t.text)
                                      : fmt::format("expected a name, not {}", describe(t)));
  return {};
}

std::string Parser::string() {
  const Token& t = next();
  if (t.kind != Token::Kind::Quoted) fail(t, fmt::format("expected a string in quotes, not {}", describe(t)));
  return t.text;
}

uint64_t Parser::number(uint64_t max) {
  const Token& t = next();
  std::string_view s = t.text;
  uint64_t n = 0;
  bool hex = s.starts_with("0x"), good = t.kind == Token::Kind::Number;
  for (char c : hex ? s.substr(2) : s) {
    unsigned digit = c >= '0' && c <= '9' ? c - '0' : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
    if (digit > 15) good = false;
    if (!good) break;
    uint64_t base = hex ? 16 : 10;
    if (n > (max - digit) / base)
      return fail(t, fmt::format("{} is too large, the limit is {}", t.text, max)), 0;
    n = n * base + digit;
  }
  if (!good || (hex && s.size() == 2))
    return fail(t, fmt::format("expected a number, not {}", describe(t))), 0;
  return n;
}

int64_t Parser::signed_number(int64_t min, int64_t max) {
  Token& t = tokens_[at_];
  bool negative = t.kind == Token::Kind::Number && t.text.starts_with('-');
  if (!negative) return static_cast<int64_t>(number(static_cast<uint64_t>(max)));
  t.text.erase(0, 1);
  int64_t n = static_cast<int64_t>(number(uint64_t{0} - static_cast<uint64_t>(min)));
  t.text.insert(0, "-");
  return -n;
}

uint64_t Parser::float_bits() {
  if (take_word("bits")) return number(UINT64_MAX);
  const Token& t = next();
  char* end = nullptr;
  double d = std::strtod(t.text.c_str(), &end);
  if (t.kind != Token::Kind::Number || *end)
    return fail(t, fmt::format("expected a float, not {}", describe(t))), 0;
  return std::bit_cast<uint64_t>(d);
}

Ref Parser::ref() {
  Ref r{at_, false, 0};
  if (take("#")) {
    r.indexed = true;
    r.index = number(UINT64_MAX);
  } else {
    name();
  }
  return r;
}

int64_t Parser::resolve(const Ref& r, const text::Names& names, const char* what) {
  if (r.indexed) return static_cast<int64_t>(r.index);
  const Token& t = tokens_[r.token];
  int64_t found = names.find(t.text);
  if (found < 0)
    fail(t, found == -1
                ? fmt::format("there is no {} \"{}\"", what, t.text)
                : fmt::format("several {}s have the name \"{}\": refer to one by its number", what, t.text));
  return found < 0 ? 0 : found;
}

uint32_t Parser::resolve_short(const Ref& r, const text::Names& names, const char* what) {
  auto index = static_cast<uint64_t>(resolve(r, names, what));
  if (index > UINT32_MAX) fail(tokens_[r.token], fmt::format("the number of a {} is too large", what));
  return static_cast<uint32_t>(index);
}

void Parser::constant() {
  ConstantData c;
  if (take_word("string")) {
    c.text = string();
  } else if (take_word("int")) {
    c.kind = ConstantData::Kind::Int;
    const Token& t = next();
    if (t.kind != Token::Kind::Number && t.kind != Token::Kind::Quoted) fail(t, "expected a whole number");
    c.text = t.text;
  } else if (take_word("float")) {
    c.kind = ConstantData::Kind::Float;
    c.number = std::bit_cast<double>(float_bits());
  } else {
    fail(next(), "a constant is a string, an int or a float");
  }
  m_.constants.push_back(std::move(c));
}

void Parser::type() {
  TypeData t;
  t.name = name();
  expect("{");
  while (!failed_ && !take("}")) {
    ConstructorData& c = t.constructors.emplace_back();
    c.name = name();
    if (!take("(")) continue;
    do {
      c.raw.push_back(take_word("raw"));
      c.field_names.push_back(name());
    } while (!failed_ && take(","));
    expect(")");
  }
  m_.types.push_back(std::move(t));
}

void Parser::effect() {
  EffectData e;
  e.name = name();
  expect("{");
  while (!failed_ && !take("}")) {
    OperationData& o = e.operations.emplace_back();
    o.multi = take_word("multi");
    o.name = name();
    expect("(");
    o.params = static_cast<uint16_t>(number(UINT16_MAX));
    expect(")");
  }
  m_.effects.push_back(std::move(e));
}

void Parser::site() {
  SiteData s;
  PendingSite pending;
  s.name = name();
  s.named = take_word("named");
  s.mask = take_word("mask");
  expect("{");
  while (!failed_ && !take("}")) {
    if (take_word("handles")) {
      pending.effects.push_back(ref());
    } else if (take_word("target")) {
      s.target = static_cast<uint32_t>(number(UINT32_MAX));
    } else if (take_word("clause")) {
      PendingClause& c = pending.clauses.emplace_back();
      c.effect = ref();
      c.operation = ref();
      const Token& kind = next();
      size_t k = 0;
      while (k < text::kClauseKinds.size() && !kind.is_word(text::kClauseKinds[k])) ++k;
      if (k == text::kClauseKinds.size()) fail(kind, fmt::format("{} is no kind of clause", describe(kind)));
      c.kind = static_cast<rt::ClauseKind>(k);
      c.plain = take_word("plain");
      c.function = ref();
    } else {
      fail(next(), "a site has handles, clause and target lines");
    }
  }
  m_.sites.push_back(std::move(s));
  sites_.push_back(std::move(pending));
}

void Parser::function() {
  FunctionData f;
  Body body;
  f.name = name();
  auto count = [&] { return static_cast<uint16_t>(number(UINT16_MAX)); };
  while (!failed_ && !peek().is("{")) {
    if (take_word("params"))
      f.params = count();
    else if (take_word("tagged"))
      body.tagged_given = true, f.tagged = count();
    else if (take_word("raw"))
      body.raw_given = true, f.raw = count();
    else if (take_word("captures"))
      f.captures = count();
    else if (take_word("self"))
      f.takes_self = true;
    else if (take_word("clause"))
      f.clause = true;
    else if (take_word("base"))
      f.fiber_base = true;
    else if (take_word("hidden"))
      f.hidden = true;
    else
      fail(
          next(),
          "expected `{` or something about the function: params tagged raw captures self clause base hidden");
  }
  expect("{");
  body.first = at_;
  while (!failed_ && !take("}")) {
    const Token& t = next();
    if (t.kind == Token::Kind::End) fail(t, fmt::format("function {} is not closed", f.name));
  }
  m_.functions.push_back(std::move(f));
  bodies_.push_back(body);
}

void Parser::declaration() {
  if (take_word("module"))
    m_.name = name();
  else if (take_word("initialiser"))
    initialiser_ = ref();
  else if (take_word("main")) {
    if (!peek().is_word("args")) main_ = ref();
    m_.main_takes_args = take_word("args");
  } else if (take_word("test")) {
    std::string test_name = name();
    m_.tests.push_back({std::move(test_name), 0});
    tests_.push_back(ref());
  } else if (take_word("file"))
    m_.files.push_back(string());
  else if (take_word("constant"))
    constant();
  else if (take_word("type"))
    type();
  else if (take_word("effect"))
    effect();
  else if (take_word("native"))
    m_.natives.push_back(name());
  else if (take_word("global"))
    m_.globals.push_back(name());
  else if (take_word("site"))
    site();
  else if (take_word("function"))
    function();
  else {
    const Token& t = next();
    fail(t, fmt::format("{} begins no declaration", describe(t)));
  }
}

void Parser::resolve_sites() {
  std::vector<text::Names> operations;
  operations.reserve(m_.effects.size());
  for (const EffectData& e : m_.effects) operations.push_back(text::operation_names(e));
  for (size_t i = 0; i < sites_.size(); ++i) {
    for (const Ref& e : sites_[i].effects)
      m_.sites[i].effects.push_back(resolve_short(e, names_->effects, "effect"));
    for (const PendingClause& p : sites_[i].clauses) {
      ClauseData c;
      c.effect = resolve_short(p.effect, names_->effects, "effect");
      static const text::Names kNone;
      uint32_t o = resolve_short(p.operation, c.effect < operations.size() ? operations[c.effect] : kNone,
                                 "operation");
      if (o > UINT16_MAX) fail(tokens_[p.operation.token], "the operation's number is too large");
      c.operation = static_cast<uint16_t>(o);
      c.kind = p.kind;
      c.plain = p.plain;
      c.function = resolve_short(p.function, names_->functions, "function");
      m_.sites[i].clauses.push_back(c);
    }
  }
}

AssembleResult Parser::run() {
  while (!failed_ && peek().kind != Token::Kind::End) declaration();
  if (!failed_) {
    names_.emplace(m_);
    auto entry = [&](const Ref& r) {
      uint32_t index = resolve_short(r, names_->functions, "function");
      if (index > INT32_MAX) fail(tokens_[r.token], "the function's number is too large");
      return static_cast<int32_t>(index);
    };
    if (initialiser_) m_.initialiser = entry(*initialiser_);
    if (main_) m_.main = entry(*main_);
    for (size_t i = 0; i < tests_.size(); ++i)
      m_.tests[i].function = resolve_short(tests_[i], names_->functions, "function");
    resolve_sites();
    for (size_t i = 0; i < bodies_.size() && !failed_; ++i) body(i);
  }
  if (failed_) return {std::nullopt, error_line_, error_column_, std::move(error_)};
  return {std::move(m_), 0, 0, {}};
}

}  // namespace assembling

AssembleResult assemble(std::string_view text) { return assembling::Parser(text).run(); }

}  // namespace eddy::vm
