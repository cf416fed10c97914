// Lines, and a tree of what was inlined.
#include "jit/debug/dwarf.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <map>

#include "vm/names.h"

namespace eddy::jit::debug {

std::string full_path(const std::string& file) {
  char buffer[PATH_MAX];
  return realpath(file.c_str(), buffer) ? buffer : file;
}

std::string working_folder() {
  char buffer[PATH_MAX];
  return getcwd(buffer, sizeof buffer) ? buffer : "/";
}

namespace {

enum Tag : unsigned { kCompileUnit = 0x11, kSubprogram = 0x2e, kInlinedSubroutine = 0x1d };
enum Attribute : unsigned {
  kName = 0x03,
  kStmtList = 0x10,
  kLowPc = 0x11,
  kHighPc = 0x12,
  kLanguage = 0x13,
  kCompDir = 0x1b,
  kInline = 0x20,
  kProducer = 0x25,
  kAbstractOrigin = 0x31,
  kDeclFile = 0x3a,
  kDeclLine = 0x3b,
  kRanges = 0x55,
  kCallColumn = 0x57,
  kCallFile = 0x58,
  kCallLine = 0x59,
};
enum Form : unsigned {
  kAddr = 0x01,
  kData2 = 0x05,
  kData8 = 0x07,
  kString = 0x08,
  kData1 = 0x0b,
  kUdata = 0x0f,
  kRef4 = 0x13,
  kSecOffset = 0x17
};
enum Abbreviation : unsigned { kUnitEntry = 1, kFunctionEntry, kAbstractEntry, kInlinedEntry };
constexpr unsigned kLanguageC = 0x02;

class Writer {
 public:
  explicit Writer(const CodeRegion& region) : r_(region), base_(reinterpret_cast<uint64_t>(region.code)) {}

  DebugSections write() {
    abbreviations();
    names_.push_back("");
    // Numbers are given to files as they are met, so the unit is written before the list of lines.
    unit();
    lines();
    return std::move(out_);
  }

 private:
  unsigned file_of(const vm::SourcePlace& place) {
    std::string path = place.known() ? full_path(place.file) : "eddy";
    auto [found, added] = files_.try_emplace(path, static_cast<unsigned>(names_.size()));
    if (added) names_.push_back(path);
    return found->second;
  }

  void abbreviations() {
    Bytes& b = out_.abbrev;
    auto entry = [&](unsigned code, unsigned tag, bool children,
                     std::initializer_list<std::pair<unsigned, unsigned>> attributes) {
      b.uleb(code);
      b.uleb(tag);
      b.u8(children);
      for (auto [attribute, form] : attributes) {
        b.uleb(attribute);
        b.uleb(form);
      }
      b.u16(0);
    };
    entry(kUnitEntry, kCompileUnit, true,
          {{kProducer, kString},
           {kLanguage, kData2},
           {kName, kString},
           {kCompDir, kString},
           {kLowPc, kAddr},
           {kHighPc, kData8},
           {kStmtList, kSecOffset}});
    entry(kFunctionEntry, kSubprogram, true,
          {{kName, kString}, {kDeclFile, kUdata}, {kDeclLine, kUdata}, {kLowPc, kAddr}, {kHighPc, kData8}});
    entry(kAbstractEntry, kSubprogram, false,
          {{kName, kString}, {kDeclFile, kUdata}, {kDeclLine, kUdata}, {kInline, kData1}});
    entry(kInlinedEntry, kInlinedSubroutine, true,
          {{kAbstractOrigin, kRef4},
           {kRanges, kSecOffset},
           {kCallFile, kUdata},
           {kCallLine, kUdata},
           {kCallColumn, kUdata}});
    b.u8(0);
  }

  void declaration(const vm::LoadedFunction& f) {
    vm::SourcePlace place = vm::source_place(f);
    out_.info.text(vm::display_name(f));
    out_.info.uleb(file_of(place));
    out_.info.uleb(place.line);
  }

  void unit() {
    Bytes& b = out_.info;
    b.u32(0);
    b.u16(4);
    b.u32(0);
    b.u8(8);
    b.uleb(kUnitEntry);
    b.text("eddy");
    b.u16(kLanguageC);
    b.text(full_path(vm::source_place(*r_.functions[0].function).file));
    b.text(working_folder());
    b.u64(base_);
    b.u64(r_.size);
    b.u32(0);
    for (size_t i = 1; i < r_.functions.size(); ++i) {
      const vm::LoadedFunction* f = r_.functions[i].function;
      if (abstract_.count(f)) continue;
      abstract_[f] = static_cast<uint32_t>(b.size());
      b.uleb(kAbstractEntry);
      declaration(*f);
      b.u8(1);
    }
    b.uleb(kFunctionEntry);
    declaration(*r_.functions[0].function);
    b.u64(base_);
    b.u64(r_.size);
    inlined_in(0);
    b.u8(0);
    b.u8(0);
    b.put_u32(0, static_cast<uint32_t>(b.size() - 4));
  }

  bool inside(uint32_t function, uint32_t ancestor) const {
    for (int at = static_cast<int>(function); at >= 0; at = r_.functions[static_cast<size_t>(at)].caller)
      if (at == static_cast<int>(ancestor)) return true;
    return false;
  }

  // Inlining is a few levels deep.
  void inlined_in(int caller) {
    for (size_t i = 1; i < r_.functions.size(); ++i) {
      const CodeRegion::Inlined& f = r_.functions[i];
      if (f.caller != caller) continue;
      vm::SourcePlace call = vm::source_place(*r_.functions[static_cast<size_t>(caller)].function, f.call_pc);
      auto ranges = static_cast<uint32_t>(out_.ranges.size());
      if (!write_ranges(static_cast<uint32_t>(i))) continue;
      Bytes& b = out_.info;
      b.uleb(kInlinedEntry);
      b.u32(abstract_[f.function]);
      b.u32(ranges);
      b.uleb(file_of(call));
      b.uleb(call.line);
      b.uleb(call.column);
      inlined_in(static_cast<int>(i));
      b.u8(0);
    }
  }

  bool write_ranges(uint32_t function) {
    bool any = false;
    for (size_t i = 0; i < r_.lines.size(); ++i) {
      if (!inside(r_.lines[i].function, function)) continue;
      uint64_t start = r_.lines[i].offset;
      while (i + 1 < r_.lines.size() && inside(r_.lines[i + 1].function, function)) ++i;
      uint64_t end = i + 1 < r_.lines.size() ? r_.lines[i + 1].offset : r_.size;
      if (start == end) continue;
      out_.ranges.u64(start);
      out_.ranges.u64(end);
      any = true;
    }
    if (!any) return false;
    out_.ranges.u64(0);
    out_.ranges.u64(0);
    return true;
  }

  Bytes line_program() {
    Bytes p;
    p.u8(0);  // the address
    p.uleb(9);
    p.u8(2);
    p.u64(base_);
    uint64_t address = 0;
    int64_t line = 1;
    for (const CodeRegion::Line& row : r_.lines) {
      vm::SourcePlace place = vm::source_place(*r_.functions[row.function].function, row.pc);
      if (!place.known()) continue;
      p.u8(2);
      p.uleb(row.offset - address);
      p.u8(4);
      p.uleb(file_of(place));
      p.u8(5);
      p.uleb(place.column);
      p.u8(3);
      p.sleb(int64_t{place.line} - line);
      p.u8(1);
      address = row.offset;
      line = place.line;
    }
    p.u8(2);
    p.uleb(r_.size - address);
    p.u8(0);
    p.u8(1);
    p.u8(1);
    return p;
  }

  void lines() {
    Bytes program = line_program(), head;
    head.u8(1);  // bytes of the shortest instruction
    head.u8(1);
    head.u8(1);  // rows are statements
    head.u8(static_cast<uint8_t>(-3));
    head.u8(12);
    head.u8(13);
    for (unsigned operands : {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}) head.u8(operands);
    head.u8(0);
    for (size_t i = 1; i < names_.size(); ++i) {
      head.text(names_[i]);
      head.u8(0);
      head.u8(0);
      head.u8(0);
    }
    head.u8(0);
    Bytes& b = out_.line;
    b.u32(static_cast<uint32_t>(6 + head.size() + program.size()));
    b.u16(4);
    b.u32(static_cast<uint32_t>(head.size()));
    b.append(head);
    b.append(program);
  }

  const CodeRegion& r_;
  uint64_t base_;
  DebugSections out_;
  std::map<std::string, unsigned> files_;
  std::vector<std::string> names_;
  std::map<const vm::LoadedFunction*, uint32_t> abstract_;
};

}  // namespace

DebugSections debug_sections(const CodeRegion& region) { return Writer(region).write(); }

}  // namespace eddy::jit::debug
