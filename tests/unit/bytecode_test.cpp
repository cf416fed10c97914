// The opcode table keeps the rules that its readers rely on.
#include "vm/bytecode.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "vm/registers.h"

namespace eddy::vm {
namespace {

TEST(Bytecode, OperandsAreWellFormed) {
  std::set<std::string_view> names;
  for (const OpInfo& info : kOps) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.doc.empty()) << info.name;
    std::set<char> fields;
    for (const OperandInfo& o : info) {
      EXPECT_TRUE(fields.insert(o.field).second) << info.name << ": field " << o.field << " has two meanings";
      EXPECT_NE(std::string_view("wWrRmMiujkfcgsenqFtz").find(o.role), std::string_view::npos) << info.name;
      EXPECT_NE(std::string_view("ABCDXL").find(o.field), std::string_view::npos) << info.name;
    }
    EXPECT_FALSE(fields.count('D') && (fields.count('B') || fields.count('C')))
        << info.name << ": D is B and C";
    bool counted = info.find('q') != nullptr;
    EXPECT_EQ(info.has_list || info.name == "SWITCH", counted) << info.name << ": a list has its length in B";
    if (counted) EXPECT_EQ(info.find('q')->field, 'B') << info.name;
    // Jumps that fall through or not; SWITCH's are in its table.
    EXPECT_EQ(info.jumps, info.name == "SWITCH" || (info.find('j') && info.find('j')->field != 'X'))
        << info.name;
  }
}

TEST(Bytecode, FieldsComeBack) {
  Word w = encode(Op::ADD, 0xfedc, 0x8001, 0xffff);
  EXPECT_EQ(op_of(w), Op::ADD);
  EXPECT_EQ(a_of(w), 0xfedcu);
  EXPECT_EQ(b_of(w), 0x8001u);
  EXPECT_EQ(c_of(w), 0xffffu);
  EXPECT_EQ(bi_of(w), -32767);
  EXPECT_EQ(ci_of(w), -1);
  EXPECT_EQ(d_of(encode_d(Op::LOAD_INT, 3, -5)), -5);
  EXPECT_EQ(d_of(encode_d(Op::LOAD_INT, 3, INT32_MIN)), INT32_MIN);
}

TEST(Bytecode, Lengths) {
  EXPECT_EQ(length_of(encode(Op::MOVE)), 1u);
  EXPECT_EQ(length_of(encode(Op::LOAD_K)), 2u);
  EXPECT_EQ(length_of(encode(Op::CALL, 0, 0)), 2u);
  EXPECT_EQ(length_of(encode(Op::CALL, 0, 4)), 3u);
  EXPECT_EQ(length_of(encode(Op::CALL, 0, 5)), 4u);
  EXPECT_EQ(length_of(encode(Op::NATIVE, 0, 5)), 3u);
  EXPECT_EQ(length_of(encode(Op::SWITCH, 0, 3, 0)), 3u);
}

// What writes record slots opens a region, and an END with the same name closes it.
TEST(Bytecode, RegionsHaveEnds) {
  std::set<RegionKind> opened, closed;
  for (unsigned i = 0; i < kOpCount; ++i) {
    auto op = static_cast<Op>(i);
    RegionKind kind;
    if (opens_region(op, &kind)) {
      EXPECT_TRUE(opened.insert(kind).second) << kOps[i].name;
      EXPECT_EQ(region_has_record(kind), info_of(op).find('t') != nullptr) << kOps[i].name;
    }
    if (closes_region(op, &kind)) EXPECT_TRUE(closed.insert(kind).second) << kOps[i].name;
    if (info_of(op).find('t')) EXPECT_TRUE(opens_region(op) || closes_region(op)) << kOps[i].name;
    if (kOps[i].name.ends_with("_END") && !kOps[i].internal) EXPECT_TRUE(closes_region(op)) << kOps[i].name;
  }
  EXPECT_EQ(opened, closed);
}

// The table in docs/bytecode.md is this one.
std::string opcode_table() {
  std::string out = "\n| instruction | operands | flags | |\n| --- | --- | --- | --- |\n";
  for (const OpInfo& info : kOps) {
    if (info.internal) continue;  // the loader's business, never in a file
    out += "| `" + std::string(info.name) + "` | ";
    for (const OperandInfo& o : info)
      out += std::string(o.field == info.operands[0].field ? "" : " ") + o.field + o.role;
    out += " | ";
    for (auto [flag, letter] : {std::pair{info.suspends, 'S'},
                                {info.allocates, 'A'},
                                {info.jumps, 'J'},
                                {info.ends, 'E'},
                                {info.profiled, 'P'}})
      if (flag) out += letter;
    std::string doc(info.doc);
    for (size_t at = 0; (at = doc.find('|', at)) != std::string::npos; at += 2) doc.insert(at, 1, '\\');
    out += " | " + doc + " |\n";
  }
  return out + "\n";
}

TEST(Bytecode, DocumentedTable) {
  const char* path = EDDY_SOURCE_DIR "/docs/bytecode.md";
  std::ifstream in(path);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  size_t begin = text.find("<!-- opcodes:"), end = text.find("<!-- end of opcodes -->");
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  begin = text.find('\n', begin) + 1;
  if (std::getenv("EDDY_UPDATE_GOLDEN")) {
    text.replace(begin, end - begin, opcode_table());
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), opcode_table()) << "EDDY_UPDATE_GOLDEN=1 writes it anew";
}

}  // namespace
}  // namespace eddy::vm
