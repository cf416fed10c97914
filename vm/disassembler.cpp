#include "vm/disassembler.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>

#include "runtime/constructors.h"
#include "vm/asm_text.h"
#include "vm/registers.h"

namespace eddy::vm {

namespace {

constexpr std::string_view kIndent = "  ";

std::string show_float(uint64_t bits) {
  double d = std::bit_cast<double>(bits);
  if (!std::isfinite(d)) return fmt::format("bits 0x{:x}", bits);
  return fmt::format("{}", d);  // the shortest that reads back the same
}

class Printer {
 public:
  Printer(const Module& m, const DisassembleOptions& options)
      : m_(m), options_(options), names_(m), site_users_(m.sites.size()) {
    for (uint32_t f = 0; f < m.functions.size(); ++f) count_sites(f);
  }

  std::string module();
  std::string instruction(uint32_t function, uint32_t pc);

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void count_sites(uint32_t function);
  void tables();
  void types();
  void effects();
  void site(uint32_t index);
  void function(uint32_t index);
  void enter(uint32_t index);  // finds the function's instructions and labels
  bool positions_inline() const;
  void position(const PositionData& p, const PositionData* before);
  bool regular(uint32_t at) const;  // the text form keeps all of it
  void instruction(uint32_t at);
  void operand(uint32_t at, const OperandInfo& o);
  std::string reg(unsigned r, bool raw) const {
    return raw ? fmt::format("f{}", r - f_->tagged) : fmt::format("r{}", r);
  }
  bool is_label_place(int64_t at) const {
    return at >= 0 && at < static_cast<int64_t>(f_->code.size()) && starts_[at];
  }
  // A site whose target stands at its instruction.
  bool target_at_instruction(uint64_t site) const {
    return site < m_.sites.size() && site_users_[site].count == 1 && site_users_[site].labelled;
  }

  struct SiteUser {
    uint32_t count = 0;
    bool labelled = false;
  };

  const Module& m_;
  const DisassembleOptions& options_;
  text::ModuleNames names_;
  std::vector<SiteUser> site_users_;
  std::string out_;
  const FunctionData* f_ = nullptr;
  std::vector<bool> starts_, labels_;
};

// Splits the code into instructions as far as it can be: words that begin none become .word lines.
void Printer::enter(uint32_t index) {
  f_ = &m_.functions[index];
  const auto& code = f_->code;
  starts_.assign(code.size(), false);
  labels_.assign(code.size(), false);
  for (size_t at = 0; at < code.size();) {
    starts_[at] = true;
    bool known = static_cast<unsigned>(op_of(code[at])) < kOpCount;
    unsigned length = known ? length_of(code[at]) : 1;
    at += length <= code.size() - at ? length : 1;
  }
}

void Printer::count_sites(uint32_t index) {
  enter(index);
  for (uint32_t at = 0; at < f_->code.size(); ++at) {
    if (!starts_[at] || static_cast<unsigned>(op_of(f_->code[at])) >= kOpCount || at + 1 >= f_->code.size())
      continue;
    const Word* pc = &f_->code[at];
    if (!info_of(op_of(*pc)).find('s') || pc[1] >= m_.sites.size()) continue;
    SiteUser& user = site_users_[pc[1]];
    ++user.count;
    user.labelled = op_of(*pc) != Op::MASK && is_label_place(m_.sites[pc[1]].target) && regular(at);
  }
}

bool Printer::regular(uint32_t at) const {
  const auto& code = f_->code;
  const Word* pc = &code[at];
  if (static_cast<unsigned>(op_of(*pc)) >= kOpCount) return false;
  const OpInfo& info = info_of(op_of(*pc));
  if (info.internal || length_of(*pc) > code.size() - at) return false;
  Word used = 0xffff;
  for (const OperandInfo& o : info) {
    if (o.field == 'A') used |= Word{0xffff} << 16;
    if (o.field == 'B') used |= Word{0xffff} << 32;
    if (o.field == 'C') used |= Word{0xffff} << 48;
    if (o.field == 'D') used |= Word{0xffffffff} << 32;
    uint64_t n = o.field == 'L' ? 0 : static_cast<uint64_t>(field_value(pc, o));
    bool good = true;
    switch (o.role) {
      case 'w':
      case 'r':
      case 't':
        good = n + (o.role == 't') < f_->tagged;
        break;
      case 'W':
      case 'R':
      case 'z':
        good = n >= f_->tagged && n + (o.role == 'z') < static_cast<unsigned>(f_->tagged + f_->raw);
        break;
      case 'u':
        good = o.field != 'X' || n == 0;
        break;
      case 'j':
        good = is_label_place(static_cast<int64_t>(at) + static_cast<int64_t>(n));
        break;
      case 'm':
      case 'M':
        for (unsigned i = 0; i < b_of(*pc); ++i)
          good &=
              list_item(list_of(pc), i) < static_cast<unsigned>(f_->tagged + (o.role == 'M' ? f_->raw : 0));
        break;
      default:
        break;
    }
    if (!good) return false;
  }
  if (*pc & ~used) return false;
  unsigned items = b_of(*pc);
  if (op_of(*pc) == Op::SWITCH) {
    bool good = items % 2 == 0 || !(pc[1 + items / 2] >> 32);
    visit_jumps(pc, [&](int64_t offset) { good &= is_label_place(at + offset); });
    return good;
  }
  return !info.has_list || items % 4 == 0 || !(list_of(pc)[items / 4] >> (16 * (items % 4)));
}

std::string Printer::module() {
  if (!options_.filter) tables();
  for (uint32_t i = 0; i < m_.functions.size(); ++i)
    if (!options_.filter || options_.filter(m_.functions[i])) function(i);
  return std::move(out_);
}

void Printer::tables() {
  put("module {}\n", text::name(m_.name));
  if (m_.initialiser >= 0)
    put("initialiser {}\n", names_.functions.show(static_cast<uint64_t>(m_.initialiser)));
  if (m_.main >= 0)
    put("main {}{}\n", names_.functions.show(static_cast<uint64_t>(m_.main)),
        m_.main_takes_args ? " args" : "");
  else if (m_.main_takes_args)
    put("main args\n");
  for (const Module::Test& t : m_.tests)
    put("test {} {}\n", text::name(t.name), names_.functions.show(t.function));
  for (const std::string& s : m_.files) put("file {}\n", text::quote(s));
  for (const ConstantData& c : m_.constants) {
    switch (c.kind) {
      case ConstantData::Kind::String:
        put("constant string {}\n", text::quote(c.text));
        break;
      case ConstantData::Kind::Int:
        put("constant int {}\n", text::quote(c.text));
        break;
      case ConstantData::Kind::Float:
        put("constant float {}\n", show_float(std::bit_cast<uint64_t>(c.number)));
        break;
    }
  }
  types();
  effects();
  for (const std::string& s : m_.natives) put("native {}\n", text::name(s));
  for (const std::string& s : m_.globals) put("global {}\n", text::name(s));
  for (uint32_t i = 0; i < m_.sites.size(); ++i) site(i);
}

void Printer::types() {
  for (const TypeData& t : m_.types) {
    put("type {} {{", text::name(t.name));
    for (const ConstructorData& c : t.constructors) {
      put("\n{}{}", kIndent, text::name(c.name));
      if (c.field_names.empty()) continue;
      for (size_t i = 0; i < c.field_names.size(); ++i)
        put("{}{}{}", i ? ", " : "(", i < c.raw.size() && c.raw[i] ? "raw " : "",
            text::name(c.field_names[i]));
      put(")");
    }
    put("\n}}\n");
  }
}

void Printer::effects() {
  for (const EffectData& e : m_.effects) {
    put("effect {} {{", text::name(e.name));
    for (const OperationData& o : e.operations)
      put("\n{}{}{}({})", kIndent, o.multi ? "multi " : "", text::name(o.name), o.params);
    put("\n}}\n");
  }
}

void Printer::site(uint32_t index) {
  const SiteData& s = m_.sites[index];
  put("site {}{}{} {{", text::name(s.name), s.named ? " named" : "", s.mask ? " mask" : "");
  if (!options_.plain) put("  ; #{}", index);
  for (uint32_t e : s.effects) put("\n{}handles {}", kIndent, names_.effects.show(e));
  for (const ClauseData& c : s.clauses) {
    std::string operation = c.effect < m_.effects.size()
                                ? text::operation_names(m_.effects[c.effect]).show(c.operation)
                                : fmt::format("#{}", c.operation);
    put("\n{}clause {} {} {}{} {}", kIndent, names_.effects.show(c.effect), operation,
        text::kClauseKinds[static_cast<size_t>(c.kind)], c.plain ? " plain" : "",
        names_.functions.show(c.function));
  }
  if (s.target && !target_at_instruction(index)) put("\n{}target {}", kIndent, s.target);
  put("\n}}\n");
}

// Positions stand between the instructions where each belongs to one.
bool Printer::positions_inline() const {
  for (size_t i = 0; i < f_->positions.size(); ++i) {
    uint32_t pc = f_->positions[i].pc;
    if (pc >= starts_.size() || !starts_[pc] || (i && pc <= f_->positions[i - 1].pc)) return false;
  }
  return true;
}

void Printer::position(const PositionData& p, const PositionData* before) {
  bool new_line = !before || before->file != p.file || before->line != p.line;
  if (!options_.plain && new_line && p.file < m_.files.size()) {
    std::string comment = fmt::format("{}:{}", m_.files[p.file], p.line);
    std::string line = options_.source_line ? options_.source_line(p.file, p.line) : "";
    size_t from = line.find_first_not_of(" \t");
    if (from != std::string::npos)
      comment += "  " + line.substr(from, line.find_last_not_of(" \t\r\n") + 1 - from);
    for (char& c : comment)
      if (c == '\n' || c == '\r') c = ' ';
    put("{}; {}", kIndent, comment);
    put("\n");
  }
  put("{}@ {} {} {}\n", kIndent, p.file, p.line, p.column);
}

void Printer::function(uint32_t index) {
  enter(index);
  const FunctionData& f = *f_;
  put("function {} params {} tagged {} raw {}", text::name(f.name), f.params, f.tagged, f.raw);
  if (f.captures) put(" captures {}", f.captures);
  put("{}{}{}{} {{", f.takes_self ? " self" : "", f.clause ? " clause" : "", f.fiber_base ? " base" : "",
      f.hidden ? " hidden" : "");
  put("{}\n", options_.plain ? "" : fmt::format("  ; #{}", index));
  for (uint32_t at = 0; at < f.code.size(); ++at) {
    if (!starts_[at] || !regular(at)) continue;
    const Word* pc = &f.code[at];
    visit_jumps(pc, [&](int64_t offset) { labels_[at + offset] = true; });
    Op op = op_of(*pc);
    if (op == Op::ATTEMPT || op == Op::EXIT_POINT) labels_[at + static_cast<int64_t>(pc[1])] = true;
    if (info_of(op).find('s') && target_at_instruction(pc[1])) labels_[m_.sites[pc[1]].target] = true;
  }
  bool inline_positions = positions_inline();
  size_t next = 0;
  for (uint32_t at = 0; at < f.code.size();) {
    if (labels_[at]) put("L{}:\n", at);
    if (inline_positions && next < f.positions.size() && f.positions[next].pc == at) {
      position(f.positions[next], next ? &f.positions[next - 1] : nullptr);
      ++next;
    }
    if (regular(at)) {
      put("{}", kIndent);
      instruction(at);
      put("\n");
      at += length_of(f.code[at]);
    } else {
      do put("{}.word 0x{:x}\n", kIndent, f.code[at++]);
      while (at < f.code.size() && !starts_[at]);
    }
  }
  if (!inline_positions)
    for (const PositionData& p : f.positions)
      put("{}.position {} {} {} {}\n", kIndent, p.pc, p.file, p.line, p.column);
  put("}}\n");
}

std::string Printer::instruction(uint32_t function, uint32_t pc) {
  enter(function);
  if (pc >= f_->code.size() || !starts_[pc] || !regular(pc)) return "?";
  out_.clear();
  instruction(pc);
  return std::move(out_);
}

void Printer::instruction(uint32_t at) {
  const Word* pc = &f_->code[at];
  Op op = op_of(*pc);
  put("{}", info_of(op).name);
  const char* separator = " ";
  for (const OperandInfo& o : text::text_operands(op)) {
    bool list = o.role == 'm' || o.role == 'M';
    if (!(list && b_of(*pc) == 0)) put("{}", list ? " " : separator);
    operand(at, o);
    separator = ", ";
  }
  if (op == Op::SWITCH) {
    put(" (");
    separator = "";
    visit_jumps(pc, [&](int64_t offset) {
      put("{}L{}", separator, at + offset);
      separator = ", ";
    });
    put(")");
  }
  if (info_of(op).find('s') && target_at_instruction(pc[1])) put(" -> L{}", m_.sites[pc[1]].target);
  if (options_.plain) return;
  if (op == Op::LOAD_K && pc[1] < m_.constants.size()) {
    const ConstantData& c = m_.constants[pc[1]];
    // Before the module is verified, an integer may be any text, over several lines, too.
    bool digits =
        c.kind == ConstantData::Kind::Int && c.text.find_first_not_of("-0123456789") == std::string::npos;
    std::string value = digits                                ? c.text.substr(0, 60)
                        : c.kind != ConstantData::Kind::Float ? text::quote(c.text.substr(0, 60))
                                                              : show_float(std::bit_cast<uint64_t>(c.number));
    put("  ; {}", value);
  }
  if (info_of(op).find('s') && pc[1] < m_.sites.size() && names_.sites.show(pc[1])[0] == '#')
    put("  ; {}", text::name(m_.sites[pc[1]].name));
}

void Printer::operand(uint32_t at, const OperandInfo& o) {
  const Word* pc = &f_->code[at];
  int64_t n = o.field == 'L' ? 0 : field_value(pc, o);
  auto index = static_cast<uint64_t>(n);
  switch (o.role) {
    case 'w':
    case 'r':
    case 't':
      return put("{}", reg(static_cast<unsigned>(n), false));
    case 'W':
    case 'R':
    case 'z':
      return put("{}", reg(static_cast<unsigned>(n), true));
    case 'm':
    case 'M':
      for (unsigned i = 0, count = b_of(*pc); i < count; ++i) {
        unsigned r = list_item(list_of(pc), i);
        put("{}{}{}", i ? ", " : "(", reg(r, r >= f_->tagged), i + 1 == count ? ")" : "");
      }
      return;
    case 'i':
      return put("{}", o.field == 'D' ? int64_t{d_of(*pc)} : n);
    case 'u':
      if (const OperandInfo* e = info_of(op_of(*pc)).find('e')) {
        uint64_t effect = static_cast<uint64_t>(field_value(pc, *e));
        if (effect < m_.effects.size())
          return put("{}", text::operation_names(m_.effects[effect]).show(index));
        return put("#{}", n);
      }
      return put("{}", n);
    case 'j':
      return put("L{}", static_cast<int64_t>(at) + n);
    case 'k':
      return put("#{}", index);
    case 'f':
      return put("{}", names_.functions.show(index));
    case 'c':
      return put("{}", names_.constructors.show(index));
    case 'g':
      return put("{}", names_.globals.show(index));
    case 's':
      return put("{}", names_.sites.show(index));
    case 'e':
      return put("{}", names_.effects.show(index));
    case 'n':
      return put("{}", names_.natives.show(index));
    case 'F':
      return put("{}", show_float(pc[1]));
    default:
      return;
  }
}

}  // namespace

std::string disassemble(const Module& module, const DisassembleOptions& options) {
  return Printer(module, options).module();
}

struct InstructionPrinter::State {
  DisassembleOptions options;
  Printer printer;
  explicit State(const Module& m) : printer(m, options) {}
};

InstructionPrinter::InstructionPrinter(const Module& module) : state_(new State(module)) {}
InstructionPrinter::~InstructionPrinter() { delete state_; }
std::string InstructionPrinter::print(uint32_t function, uint32_t pc) const {
  return state_->printer.instruction(function, pc);
}

}  // namespace eddy::vm
