#include <bit>
#include <unordered_map>

#include "vm/ebc.h"
#include "vm/ebc_format.h"

namespace eddy::vm {

using namespace ebc;

namespace {

class Writer {
 public:
  std::vector<uint8_t> write(const Module& m);

 private:
  void byte(uint8_t b) { out_->push_back(b); }
  void number(uint64_t n) {
    for (; n >= 0x80; n >>= 7) byte(static_cast<uint8_t>(n) | 0x80);
    byte(static_cast<uint8_t>(n));
  }
  void signed_number(int64_t n) { number(zigzag(n)); }
  void string(const std::string& s) {
    auto [at, fresh] = string_ids_.try_emplace(s, strings_.size());
    if (fresh) strings_.push_back(&at->first);
    number(at->second);
  }
  // Most bytes of most words are zero: one byte says which are not, and those follow.
  void word(Word w) {
    uint8_t mask = 0;
    for (int i = 0; i < 8; ++i) mask |= static_cast<uint8_t>(((w >> (8 * i)) & 0xff) != 0) << i;
    byte(mask);
    for (int i = 0; i < 8; ++i)
      if (mask & (1 << i)) byte(static_cast<uint8_t>(w >> (8 * i)));
  }

  void about(const Module& m);
  void constants(const Module& m);
  void types(const Module& m);
  void effects(const Module& m);
  void sites(const Module& m);
  void functions(const Module& m);
  void names(const std::vector<std::string>& list) {
    number(list.size());
    for (const std::string& s : list) string(s);
  }

  std::vector<uint8_t>* out_ = nullptr;
  std::unordered_map<std::string, size_t> string_ids_;
  std::vector<const std::string*> strings_;
};

void Writer::about(const Module& m) {
  string(m.name);
  signed_number(m.initialiser);
  signed_number(m.main);
  byte(m.main_takes_args);
  number(m.tests.size());
  for (const Module::Test& t : m.tests) {
    string(t.name);
    number(t.function);
  }
}

void Writer::constants(const Module& m) {
  number(m.constants.size());
  for (const ConstantData& c : m.constants) {
    byte(static_cast<uint8_t>(c.kind));
    if (c.kind == ConstantData::Kind::Float)
      word(std::bit_cast<uint64_t>(c.number));
    else
      string(c.text);
  }
}

void Writer::types(const Module& m) {
  number(m.types.size());
  for (const TypeData& t : m.types) {
    string(t.name);
    number(t.constructors.size());
    for (const ConstructorData& c : t.constructors) {
      string(c.name);
      number(c.field_names.size());
      for (size_t i = 0; i < c.field_names.size(); ++i) {
        string(c.field_names[i]);
        byte(i < c.raw.size() && c.raw[i]);
      }
    }
  }
}

void Writer::effects(const Module& m) {
  number(m.effects.size());
  for (const EffectData& e : m.effects) {
    string(e.name);
    number(e.operations.size());
    for (const OperationData& o : e.operations) {
      string(o.name);
      number(o.params);
      byte(o.multi);
    }
  }
}

void Writer::sites(const Module& m) {
  number(m.sites.size());
  for (const SiteData& s : m.sites) {
    string(s.name);
    byte((s.named ? kNamed : 0) | (s.mask ? kMask : 0));
    number(s.effects.size());
    for (uint32_t e : s.effects) number(e);
    number(s.clauses.size());
    for (const ClauseData& c : s.clauses) {
      number(c.effect);
      number(c.operation);
      byte(static_cast<uint8_t>(c.kind) | (c.plain ? kPlain : 0));
      number(c.function);
    }
    number(s.target);
  }
}

void Writer::functions(const Module& m) {
  number(m.functions.size());
  for (const FunctionData& f : m.functions) {
    string(f.name);
    number(f.params);
    number(f.tagged);
    number(f.raw);
    number(f.captures);
    byte((f.takes_self ? kTakesSelf : 0) | (f.clause ? kClause : 0) | (f.fiber_base ? kFiberBase : 0) |
         (f.hidden ? kHidden : 0));
    number(f.code.size());
    number(f.positions.size());
  }
}

std::vector<uint8_t> Writer::write(const Module& m) {
  std::array<std::vector<uint8_t>, SectionEnd> sections;
  auto section = [&](Section id) { out_ = &sections[id]; };
  section(About);
  about(m);
  section(Files);
  names(m.files);
  section(Constants);
  constants(m);
  section(Types);
  types(m);
  section(Effects);
  effects(m);
  section(Natives);
  names(m.natives);
  section(Globals);
  names(m.globals);
  section(Sites);
  sites(m);
  section(Functions);
  functions(m);
  section(Code);
  for (const FunctionData& f : m.functions)
    for (Word w : f.code) word(w);
  section(Positions);
  for (const FunctionData& f : m.functions) {
    PositionData before;
    for (const PositionData& p : f.positions) {
      signed_number(static_cast<int64_t>(p.pc) - before.pc);
      signed_number(static_cast<int64_t>(p.file) - before.file);
      signed_number(static_cast<int64_t>(p.line) - before.line);
      signed_number(static_cast<int64_t>(p.column) - before.column);
      before = p;
    }
  }
  section(Strings);  // last: the others have collected them
  number(strings_.size());
  for (const std::string* s : strings_) {
    number(s->size());
    out_->insert(out_->end(), s->begin(), s->end());
  }

  std::vector<uint8_t> file(kMagic.begin(), kMagic.end());
  out_ = &file;
  auto fixed = [&](uint64_t n, int bytes) {
    for (int i = 0; i < bytes; ++i) byte(static_cast<uint8_t>(n >> (8 * i)));
  };
  size_t offset = kHeaderSize + 4 + kSections * kTableEntrySize, size = offset;
  for (const auto& s : sections) size += s.size();
  fixed(kEbcVersion, 2);
  fixed(size, 4);
  fixed(0, 4);
  fixed(kSections, 4);
  for (uint32_t id = Strings; id < SectionEnd; ++id) {
    fixed(id, 4);
    fixed(offset, 4);
    fixed(sections[id].size(), 4);
    offset += sections[id].size();
  }
  for (const auto& s : sections) file.insert(file.end(), s.begin(), s.end());
  uint32_t sum = checksum(std::span(file).subspan(kHeaderSize));
  for (int i = 0; i < 4; ++i) file[kChecksumAt + i] = static_cast<uint8_t>(sum >> (8 * i));
  return file;
}

}  // namespace

std::vector<uint8_t> write_ebc(const Module& module) { return Writer().write(module); }

}  // namespace eddy::vm
