#include <fmt/format.h>

#include <algorithm>

#include "vm/assembler_internal.h"
#include "vm/registers.h"

namespace eddy::vm::assembling {

namespace {

const std::map<std::string, Op, std::less<>>& mnemonics() {
  static const auto* table = [] {
    auto* t = new std::map<std::string, Op, std::less<>>;
    for (unsigned i = 0; i < kOpCount; ++i) t->emplace(std::string(kOps[i].name), static_cast<Op>(i));
    return t;
  }();
  return *table;
}

}  // namespace

void Parser::body(size_t index) {
  FunctionData& f = m_.functions[index];
  labels_.clear();
  tagged_ = raw_ = 0;
  measuring_ = true;
  body_pass(index);
  if (failed_) return;
  const Token& at = tokens_[bodies_[index].first];
  tagged_ = std::max<uint32_t>(tagged_, f.params);
  if (bodies_[index].tagged_given) tagged_ = f.tagged;
  if (bodies_[index].raw_given) raw_ = f.raw;
  if (tagged_ + raw_ > UINT16_MAX + 1u && !(bodies_[index].tagged_given && bodies_[index].raw_given)) {
    fail(at, "too many registers");
    return;
  }
  f.tagged = static_cast<uint16_t>(tagged_);
  f.raw = static_cast<uint16_t>(raw_);
  measuring_ = false;
  body_pass(index);
  f.code = std::move(code_);
}

void Parser::body_pass(size_t index) {
  FunctionData& f = m_.functions[index];
  at_ = bodies_[index].first;
  code_.clear();
  f.positions.clear();
  auto position = [&](uint32_t pc) {
    PositionData p{pc};
    for (uint32_t* n : {&p.file, &p.line, &p.column}) *n = static_cast<uint32_t>(number(UINT32_MAX));
    f.positions.push_back(p);
  };
  while (!failed_ && !take("}")) {
    if (take("@")) {
      position(static_cast<uint32_t>(code_.size()));
    } else if (take_word(".position")) {
      position(static_cast<uint32_t>(number(UINT32_MAX)));
    } else if (take_word(".word")) {
      write(number(UINT64_MAX));
    } else if (peek().kind == Token::Kind::Word && tokens_[at_ + 1].is(":")) {
      const Token& t = next();
      next();
      bool fresh = labels_.try_emplace(t.text, static_cast<uint32_t>(code_.size())).second;
      if (measuring_ && !fresh) fail(t, fmt::format("label {} is there twice", t.text));
    } else {
      instruction();
    }
  }
}

int64_t Parser::reg(char role) {
  const Token& t = next();
  std::string_view s = t.text;
  bool is_raw = s.starts_with('f');
  bool good = t.kind == Token::Kind::Word && s.size() > 1 && s.size() < 7 && (is_raw || s.starts_with('r')) &&
              std::all_of(s.begin() + 1, s.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!good) return fail(t, fmt::format("expected a register, not {}", describe(t))), 0;
  uint32_t n = 0;
  for (char c : s.substr(1)) n = n * 10 + static_cast<uint32_t>(c - '0');
  bool want_raw = role == 'W' || role == 'R' || role == 'z';
  if (role != 'M' && is_raw != want_raw)
    return fail(t, fmt::format("{} stands where a {} register belongs", t.text, want_raw ? "raw" : "tagged")),
           0;
  uint32_t last = n + (role == 't' || role == 'z');
  uint32_t& count = is_raw ? raw_ : tagged_;
  if (last > UINT16_MAX) return fail(t, fmt::format("there is no register {}", t.text)), 0;
  if (measuring_)
    count = std::max(count, last + 1);
  else if (last >= count)
    return fail(t, fmt::format("the function has no register {}{}", is_raw ? 'f' : 'r', last)), 0;
  return is_raw && !measuring_ ? tagged_ + n : n;
}

int64_t Parser::label_distance(uint32_t bits) {
  const Token& t = next();
  if (t.kind != Token::Kind::Word) return fail(t, fmt::format("expected a label, not {}", describe(t))), 0;
  if (measuring_) return 0;
  auto found = labels_.find(t.text);
  if (found == labels_.end()) return fail(t, fmt::format("there is no label {}", t.text)), 0;
  int64_t distance = static_cast<int64_t>(found->second) - static_cast<int64_t>(code_.size());
  int64_t limit = int64_t{1} << (bits - 1);
  if (distance < -limit || distance >= limit)
    return fail(t, fmt::format("label {} is too far away for this jump", t.text)), 0;
  return distance;
}

// A constant by number, or a literal, which is added to the constants where they have none like it.
int64_t Parser::constant_operand() {
  const Token& t = peek();
  ConstantData c;
  if (t.is("#")) return resolve(ref(), {}, "constant");
  if (t.kind == Token::Kind::Quoted) {
    c.text = next().text;
  } else if (t.kind == Token::Kind::Number && t.text.find_first_of(".eE") == std::string::npos) {
    c.kind = ConstantData::Kind::Int;
    c.text = next().text;
  } else {
    c.kind = ConstantData::Kind::Float;
    c.number = std::bit_cast<double>(float_bits());
  }
  if (measuring_) return 0;
  auto found = std::find(m_.constants.begin(), m_.constants.end(), c);
  if (found != m_.constants.end()) return found - m_.constants.begin();
  m_.constants.push_back(std::move(c));
  return static_cast<int64_t>(m_.constants.size()) - 1;
}

// A native that is used by name need not be declared.
int64_t Parser::native_operand() {
  Ref r = ref();
  if (failed_ || r.indexed) return static_cast<int64_t>(r.index);
  const std::string& native = tokens_[r.token].text;
  if (int64_t found = names_->natives.find(native); found != -1) return resolve(r, names_->natives, "native");
  if (measuring_) return 0;
  names_->natives.add(native);
  m_.natives.push_back(native);
  return static_cast<int64_t>(m_.natives.size()) - 1;
}

int64_t Parser::operand(Op op, const OperandInfo& o) {
  auto index = [&](const text::Names& names, const char* what) { return resolve(ref(), names, what); };
  switch (o.role) {
    case 'w':
    case 'r':
    case 't':
    case 'W':
    case 'R':
    case 'z':
    case 'm':
    case 'M':
      return reg(o.role);
    case 'i':
      return o.field == 'D' ? signed_number(INT32_MIN, INT32_MAX) : signed_number(INT16_MIN, INT16_MAX);
    case 'u':
      if (info_of(op).find('e')) {
        if (effect_index_ >= m_.effects.size()) return index({}, "operation");
        return index(text::operation_names(m_.effects[effect_index_]), "operation");
      }
      return static_cast<int64_t>(number(UINT16_MAX));
    case 'j':
      return label_distance(o.field == 'C' ? 16 : 32);
    case 'k':
      return constant_operand();
    case 'f':
      return index(names_->functions, "function");
    case 'c':
      return index(names_->constructors, "constructor");
    case 'g':
      return index(names_->globals, "global");
    case 's':
      return index(names_->sites, "site");
    case 'n':
      return native_operand();
    case 'e': {
      int64_t e = index(names_->effects, "effect");
      effect_index_ = static_cast<size_t>(e);
      return e;
    }
    case 'F':
      return static_cast<int64_t>(float_bits());
    default:
      return 0;
  }
}

void Parser::instruction() {
  const Token& t = next();
  auto found = t.kind == Token::Kind::Word ? mnemonics().find(t.text) : mnemonics().end();
  if (found == mnemonics().end()) {
    fail(t, fmt::format("{} is no instruction", describe(t)));
    return;
  }
  Op op = found->second;
  const OpInfo& info = info_of(op);
  Word first = static_cast<Word>(op), x = 0;
  std::vector<uint16_t> list;
  std::vector<int64_t> jumps;
  auto put = [&](const Token& at, char field, int64_t n) {
    bool fits = field == 'X' ||
                (field == 'D' ? n >= INT32_MIN && n <= UINT32_MAX : n >= INT16_MIN && n <= UINT16_MAX);
    if (!fits) fail(at, fmt::format("{} does not fit into the instruction", n));
    Word bits = static_cast<Word>(n);
    if (field == 'A')
      first |= (bits & 0xffff) << 16;
    else if (field == 'B')
      first |= (bits & 0xffff) << 32;
    else if (field == 'C')
      first |= (bits & 0xffff) << 48;
    else if (field == 'D')
      first |= (bits & 0xffffffff) << 32;
    else
      x = bits;
  };
  bool comma = false;
  for (const OperandInfo& o : text::text_operands(op)) {
    if (failed_) return;
    if (o.role == 'm' || o.role == 'M') {
      if (!take("(") || take(")")) continue;
      do list.push_back(static_cast<uint16_t>(operand(op, o)));
      while (!failed_ && take(","));
      expect(")");
    } else {
      if (comma) expect(",");
      const Token& at = peek();
      put(at, o.field, operand(op, o));
      comma = true;
    }
  }
  if (op == Op::SWITCH) {
    expect("(");
    if (!take(")")) {
      do jumps.push_back(label_distance(32));
      while (!failed_ && take(","));
      expect(")");
    }
  }
  size_t items = op == Op::SWITCH ? jumps.size() : list.size();
  if (items > UINT16_MAX) fail(t, "the list is too long");
  if (info.find('q')) put(t, 'B', static_cast<int64_t>(items));
  if (take("->")) {
    if (!info.find('s'))
      fail(t, "only a handler has a target");
    else if (x >= m_.sites.size())
      fail(t, "there is no such site");
    else
      m_.sites[x].target = static_cast<uint32_t>(static_cast<int64_t>(code_.size()) + label_distance(32));
  }
  if (failed_) return;
  write(first);
  if (info.has_x) write(x);
  for (size_t i = 0; i < jumps.size(); i += 2)
    write(static_cast<uint32_t>(jumps[i]) |
          (i + 1 < jumps.size() ? static_cast<Word>(static_cast<uint32_t>(jumps[i + 1])) << 32 : 0));
  for (size_t i = 0; i < list.size(); i += 4) {
    Word w = 0;
    for (size_t k = i; k < list.size() && k < i + 4; ++k) w |= static_cast<Word>(list[k]) << (16 * (k - i));
    write(w);
  }
}

}  // namespace eddy::vm::assembling
