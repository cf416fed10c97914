#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vm/ebc.h"
#include "vm/ebc_format.h"

namespace eddy::vm {

using namespace ebc;

namespace {

// Reads one section after the other. The first failure sticks: from then on everything reads as zero and
// every list as empty, so that the callers need not look after each step.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes), string_budget_(bytes.size() * 64) {}
  EbcResult read();

 private:
  bool failed() const { return !error_.empty(); }
  void fail(size_t at, std::string why) {
    if (failed()) return;
    error_ = std::move(why);
    error_at_ = at;
  }
  uint64_t fixed(size_t at, int size) const {
    uint64_t n = 0;
    for (int i = 0; i < size; ++i) n |= uint64_t{bytes_[at + i]} << (8 * i);
    return n;
  }

  uint8_t byte(uint8_t allowed = 0xff) {
    if (failed()) return 0;
    if (at_ >= end_) return fail(at_, "the section ends too early"), 0;
    uint8_t b = bytes_[at_++];
    if (b & ~allowed) return fail(at_ - 1, fmt::format("{} is no valid flag here", b)), 0;
    return b;
  }
  uint64_t number(uint64_t max) {
    size_t from = at_;
    uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
      uint8_t b = byte();
      if (failed()) return 0;
      if (shift == 63 && b > 1) return fail(from, "the number is too long"), 0;
      n |= uint64_t{b & 0x7fu} << shift;
      if (b & 0x80) continue;
      if (shift && !b) return fail(from, "the number is longer than it need be"), 0;
      break;
    }
    if (n > max) return fail(from, fmt::format("{} is too large, the limit is {}", n, max)), 0;
    return n;
  }
  int64_t signed_number(int64_t min, int64_t max) {
    size_t from = at_;
    int64_t n = unzigzag(number(UINT64_MAX));
    if (!failed() && (n < min || n > max)) fail(from, fmt::format("{} is out of range", n));
    return failed() ? 0 : n;
  }
  uint16_t short_number() { return static_cast<uint16_t>(number(UINT16_MAX)); }
  uint32_t long_number() { return static_cast<uint32_t>(number(UINT32_MAX)); }
  // How many items follow, of which each takes at least `least` bytes.
  size_t count(size_t least = 1) {
    size_t from = at_;
    uint64_t n = number(UINT32_MAX);
    if (!failed() && n > (end_ - at_) / least)
      fail(from, fmt::format("{} items do not fit in the section", n));
    return failed() ? 0 : n;
  }
  std::string string() {
    size_t from = at_;
    uint64_t n = number(UINT32_MAX);
    if (!failed() && n >= strings_.size()) fail(from, fmt::format("there is no string {}", n));
    if (failed()) return {};
    // One byte can name a long string again and again.
    if (strings_[n].size() > string_budget_)
      return fail(from, "the file's strings are repeated too often"), std::string();
    string_budget_ -= strings_[n].size();
    return std::string(strings_[n]);
  }
  Word word() {
    uint8_t mask = byte();
    Word w = 0;
    for (int i = 0; i < 8; ++i) {
      if (!(mask & (1 << i))) continue;
      uint8_t b = byte();
      if (!b) return fail(at_, "a zero byte is left out, not written"), 0;
      w |= Word{b} << (8 * i);
    }
    return w;
  }

  bool read_header();
  void open(Section id) {
    at_ = starts_[id];
    end_ = at_ + sizes_[id];
    section_ = id;
  }
  void close() {
    if (!failed() && at_ != end_) fail(at_, fmt::format("{} bytes too many in the section", end_ - at_));
    if (failed() && !located_) {
      error_ = fmt::format("section {}: {}", kSectionNames[section_], error_);
      located_ = true;
    }
  }
  void read_strings();
  void about(Module& m);
  void constants(Module& m);
  void types(Module& m);
  void effects(Module& m);
  void sites(Module& m);
  void functions(Module& m);
  void code(Module& m);
  void positions(Module& m);
  void names(std::vector<std::string>& list) {
    size_t n = count();
    for (size_t i = 0; i < n && !failed(); ++i) list.push_back(string());
  }

  std::span<const uint8_t> bytes_;
  size_t string_budget_;
  size_t at_ = 0, end_ = 0;
  Section section_ = Strings;
  std::array<size_t, SectionEnd> starts_{}, sizes_{};
  std::vector<std::string_view> strings_;
  std::vector<std::pair<size_t, size_t>> code_sizes_;  // words and positions of each function
  std::string error_;
  size_t error_at_ = 0;
  bool located_ = false;
};

bool Reader::read_header() {
  for (size_t i = 0; i < std::min(kMagic.size(), bytes_.size()); ++i)
    if (bytes_[i] != kMagic[i]) return fail(i, "this is no module file"), false;
  if (bytes_.size() < kHeaderSize + 4 + kSections * kTableEntrySize)
    return fail(bytes_.size(), "the file is too short"), false;
  if (fixed(kMagic.size(), 2) != kEbcVersion)
    return fail(kMagic.size(), fmt::format("the file has version {}, this program reads version {}",
                                           fixed(kMagic.size(), 2), kEbcVersion)),
           false;
  if (fixed(kSizeAt, 4) != bytes_.size())
    return fail(kSizeAt,
                fmt::format("the file says it has {} bytes, and has {}", fixed(kSizeAt, 4), bytes_.size())),
           false;
  if (fixed(kChecksumAt, 4) != checksum(bytes_.subspan(kHeaderSize)))
    return fail(kChecksumAt, "the checksum is wrong: the file is damaged"), false;
  if (fixed(kHeaderSize, 4) != kSections) return fail(kHeaderSize, "wrong number of sections"), false;
  size_t offset = kHeaderSize + 4 + kSections * kTableEntrySize;
  for (uint32_t id = Strings; id < SectionEnd; ++id) {
    size_t entry = kHeaderSize + 4 + (id - 1) * kTableEntrySize;
    if (fixed(entry, 4) != id)
      return fail(entry, fmt::format("section {} is expected here", kSectionNames[id])), false;
    if (fixed(entry + 4, 4) != offset)
      return fail(entry + 4, "the section does not begin where the one before ends"), false;
    starts_[id] = offset;
    sizes_[id] = fixed(entry + 8, 4);
    if (sizes_[id] > bytes_.size() - offset)
      return fail(entry + 8, "the section reaches beyond the file"), false;
    offset += sizes_[id];
  }
  if (offset != bytes_.size()) return fail(offset, "there are bytes after the last section"), false;
  return true;
}

void Reader::read_strings() {
  size_t n = count();
  for (size_t i = 0; i < n && !failed(); ++i) {
    size_t size = count();
    if (failed()) break;
    strings_.emplace_back(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    at_ += size;
  }
}

void Reader::about(Module& m) {
  m.name = string();
  m.initialiser = static_cast<int32_t>(signed_number(-1, INT32_MAX));
  m.main = static_cast<int32_t>(signed_number(-1, INT32_MAX));
  m.main_takes_args = byte(1);
  size_t n = count(2);
  for (size_t i = 0; i < n && !failed(); ++i) {
    std::string name = string();
    m.tests.push_back({std::move(name), long_number()});
  }
}

void Reader::constants(Module& m) {
  size_t n = count(2);
  for (size_t i = 0; i < n && !failed(); ++i) {
    ConstantData c;
    uint8_t kind = byte(3);
    if (kind > 2) fail(at_ - 1, "there is no such kind of constant");
    c.kind = static_cast<ConstantData::Kind>(kind);
    if (c.kind == ConstantData::Kind::Float)
      c.number = std::bit_cast<double>(word());
    else
      c.text = string();
    m.constants.push_back(std::move(c));
  }
}

void Reader::types(Module& m) {
  size_t n = count(2);
  for (size_t i = 0; i < n && !failed(); ++i) {
    TypeData& t = m.types.emplace_back();
    t.name = string();
    size_t constructors = count(2);
    for (size_t k = 0; k < constructors && !failed(); ++k) {
      ConstructorData& c = t.constructors.emplace_back();
      c.name = string();
      size_t fields = count(2);
      for (size_t f = 0; f < fields && !failed(); ++f) {
        c.field_names.push_back(string());
        c.raw.push_back(byte(1));
      }
    }
  }
}

void Reader::effects(Module& m) {
  size_t n = count(2);
  for (size_t i = 0; i < n && !failed(); ++i) {
    EffectData& e = m.effects.emplace_back();
    e.name = string();
    size_t operations = count(3);
    for (size_t k = 0; k < operations && !failed(); ++k) {
      OperationData& o = e.operations.emplace_back();
      o.name = string();
      o.params = short_number();
      o.multi = byte(1);
    }
  }
}

void Reader::sites(Module& m) {
  size_t n = count(5);
  for (size_t i = 0; i < n && !failed(); ++i) {
    SiteData& s = m.sites.emplace_back();
    s.name = string();
    uint8_t flags = byte(kSiteFlags);
    s.named = flags & kNamed;
    s.mask = flags & kMask;
    size_t effects = count();
    for (size_t k = 0; k < effects && !failed(); ++k) s.effects.push_back(long_number());
    size_t clauses = count(4);
    for (size_t k = 0; k < clauses && !failed(); ++k) {
      ClauseData& c = s.clauses.emplace_back();
      c.effect = long_number();
      c.operation = short_number();
      uint8_t kind = byte(kKindMask | kPlain);
      if ((kind & kKindMask) > static_cast<unsigned>(rt::ClauseKind::Multi))
        fail(at_ - 1, "there is no such kind of clause");
      c.kind = static_cast<rt::ClauseKind>(kind & kKindMask);
      c.plain = kind & kPlain;
      c.function = long_number();
    }
    s.target = long_number();
  }
}

void Reader::functions(Module& m) {
  size_t n = count(8);
  for (size_t i = 0; i < n && !failed(); ++i) {
    FunctionData& f = m.functions.emplace_back();
    f.name = string();
    f.params = short_number();
    f.tagged = short_number();
    f.raw = short_number();
    f.captures = short_number();
    uint8_t flags = byte(kFunctionFlags);
    f.takes_self = flags & kTakesSelf;
    f.clause = flags & kClause;
    f.fiber_base = flags & kFiberBase;
    f.hidden = flags & kHidden;
    size_t words = long_number();
    code_sizes_.push_back({words, long_number()});
  }
}

void Reader::code(Module& m) {
  for (size_t i = 0; i < m.functions.size() && !failed(); ++i) {
    for (size_t k = 0; k < code_sizes_[i].first && !failed(); ++k) m.functions[i].code.push_back(word());
  }
}

void Reader::positions(Module& m) {
  for (size_t i = 0; i < m.functions.size() && !failed(); ++i) {
    int64_t pc = 0, file = 0, line = 0, column = 0;
    auto step = [&](int64_t& n) { n += signed_number(-n, static_cast<int64_t>(UINT32_MAX) - n); };
    for (size_t k = 0; k < code_sizes_[i].second && !failed(); ++k) {
      step(pc);
      step(file);
      step(line);
      step(column);
      m.functions[i].positions.push_back({static_cast<uint32_t>(pc), static_cast<uint32_t>(file),
                                          static_cast<uint32_t>(line), static_cast<uint32_t>(column)});
    }
  }
}

EbcResult Reader::read() {
  Module m;
  if (read_header()) {
    struct Step {
      Section section;
      void (Reader::*read)(Module&);
    };
    static constexpr Step kSteps[] = {{About, &Reader::about}, {Constants, &Reader::constants},
                                      {Types, &Reader::types}, {Effects, &Reader::effects},
                                      {Sites, &Reader::sites}, {Functions, &Reader::functions},
                                      {Code, &Reader::code},   {Positions, &Reader::positions}};
    open(Strings);
    read_strings();
    close();
    for (auto [section, list] : {std::pair{Files, &m.files}, {Natives, &m.natives}, {Globals, &m.globals}}) {
      if (failed()) break;
      open(section);
      names(*list);
      close();
    }
    for (const Step& step : kSteps) {
      if (failed()) break;
      open(step.section);
      (this->*step.read)(m);
      close();
    }
  }
  if (failed()) return {std::nullopt, error_at_, std::move(error_)};
  return {std::move(m), 0, {}};
}

}  // namespace

EbcResult read_ebc(std::span<const uint8_t> bytes) { return Reader(bytes).read(); }

bool looks_like_ebc(std::span<const uint8_t> bytes) {
  return bytes.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), bytes.begin());
}

}  // namespace eddy::vm
