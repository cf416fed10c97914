#include "vm/asm_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/constructors.h"
#include "runtime/utf8.h"

namespace eddy::vm::text {

bool is_keyword(std::string_view word) {
  static constexpr std::array<std::string_view, 4> kWords = {"args", "multi", "plain", "raw"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

std::string quote(std::string_view s) {
  bool text = rt::valid_utf8(s);
  std::string out = "\"";
  for (char c : s) {
    auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !text))
          out += fmt::format("\\x{:02x}", byte);
        else
          out += c;
    }
  }
  return out += '"';
}

std::string name(std::string_view s) {
  bool bare =
      !s.empty() && starts_word(s[0]) && std::all_of(s.begin(), s.end(), continues_word) && !is_keyword(s);
  return bare ? std::string(s) : quote(s);
}

void Names::add(std::string_view name, uint32_t index) {
  auto [at, fresh] = by_name_.try_emplace(std::string(name), index);
  if (!fresh) at->second = -2;
  by_index_.emplace(index, name);
  next_ = index + 1;
}

int64_t Names::find(std::string_view name) const {
  auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? -1 : found->second;
}

std::string Names::show(uint64_t index) const {
  if (index <= UINT32_MAX) {
    auto found = by_index_.find(static_cast<uint32_t>(index));
    if (found != by_index_.end() && find(found->second) >= 0) return name(found->second);
  }
  return fmt::format("#{}", index);
}

void add_constructors(Names& names, const Module& module) {
  std::vector<rt::ConInfo> known = rt::builtin_constructors();
  for (uint32_t id = 0; id < rt::con::FirstFree && id < known.size(); ++id) {
    if (id >= rt::con::tuple(2))
      names.add(fmt::format("tuple{}", id - rt::con::tuple(0)), id);
    else if (!known[id].name.empty())
      names.add(known[id].name, id);
  }
  uint32_t id = rt::con::FirstFree;
  for (const TypeData& type : module.types)
    for (const ConstructorData& c : type.constructors) names.add(c.name, id++);
}

ModuleNames::ModuleNames(const Module& module) {
  for (const FunctionData& f : module.functions) functions.add(f.name);
  for (const EffectData& e : module.effects) effects.add(e.name);
  for (const std::string& n : module.natives) natives.add(n);
  for (const std::string& n : module.globals) globals.add(n);
  for (const SiteData& s : module.sites) sites.add(s.name);
  add_constructors(constructors, module);
}

Names operation_names(const EffectData& effect) {
  Names names;
  for (const OperationData& o : effect.operations) names.add(o.name);
  return names;
}

std::vector<OperandInfo> text_operands(Op op) {
  std::vector<OperandInfo> out;
  for (const OperandInfo& o : info_of(op)) {
    if (o.role == 'q' || (o.role == 'u' && o.field == 'X')) continue;
    auto before = o.role == 'e' ? std::find_if(out.begin(), out.end(), [](auto& p) { return p.field == 'C'; })
                                : out.end();
    out.insert(before, o);
  }
  return out;
}

}  // namespace eddy::vm::text
