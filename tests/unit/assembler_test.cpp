#include "vm/assembler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/constructors.h"
#include "tests/support/random_module.h"
#include "vm/builder.h"
#include "vm/disassembler.h"
#include "vm/ebc.h"

namespace eddy::vm {
namespace {

Module assembled(std::string_view text) {
  AssembleResult r = assemble(text);
  EXPECT_TRUE(r.module) << r.line << ":" << r.column << ": " << r.error;
  return r.module.value_or(Module{});
}

std::string mistake(std::string_view text) {
  AssembleResult r = assemble(text);
  EXPECT_FALSE(r.module);
  return fmt::format("{}:{}: {}", r.line, r.column, r.error);
}

constexpr std::string_view kSum = R"(; sums the numbers up to its argument
module sum
main main
file "sum.eddy"
function sum params 1 {
  LOAD_INT r1, 0
loop:
  @ 0 3 5
  JLE_I r0, 0, done
  ADD r1, r1, r0
  SUB_I r0, r0, 1
  LOOP loop
done:
  RET r1
}
function main {
  LOAD_INT r0, 10
  CALL r0, sum (r0)
  NATIVE r0, println (r0)
  LOAD_K r0, "bye"
  LOAD_K r0, -123456789012345678901234567890
  LOAD_FLOAT f0, 1.5
  FADD f1, f0, f0
  BOX r0, f1
  RET_UNIT
}
)";

TEST(Assembler, WrittenByHand) {
  Module m = assembled(kSum);
  EXPECT_EQ(m.name, "sum");
  EXPECT_EQ(m.main, 1);
  ASSERT_EQ(m.functions.size(), 2u);
  const FunctionData& sum = m.functions[0];
  EXPECT_EQ(sum.tagged, 2);
  EXPECT_EQ(sum.raw, 0);
  ASSERT_EQ(sum.code.size(), 6u);
  EXPECT_EQ(sum.code[1], encode(Op::JLE_I, 0, 0, 4));
  EXPECT_EQ(sum.code[4], encode_d(Op::LOOP, 0, -3));
  ASSERT_EQ(sum.positions.size(), 1u);
  EXPECT_EQ(sum.positions[0], (PositionData{1, 0, 3, 5}));
  EXPECT_EQ(m.natives, (std::vector<std::string>{"println"}));
  ASSERT_EQ(m.constants.size(), 2u);
  EXPECT_EQ(m.constants[1].text, "-123456789012345678901234567890");
  EXPECT_EQ(m.functions[1].raw, 2);
}

TEST(Assembler, ListingsComeBack) {
  Module m = assembled(kSum);
  std::string plain = disassemble(m, {.plain = true});
  EXPECT_EQ(assembled(plain), m);
  EXPECT_EQ(disassemble(assembled(plain), {.plain = true}), plain);
  DisassembleOptions full;
  full.source_line = [](uint32_t, uint32_t line) {
    return fmt::format("  text of line {} ; and \"more\"", line);
  };
  std::string listing = disassemble(m, full);
  EXPECT_NE(listing.find("  ; sum.eddy:3  text of line 3"), std::string::npos) << listing;
  EXPECT_NE(listing.find("LOAD_K r0, #0  ; \"bye\""), std::string::npos) << listing;
  EXPECT_EQ(assembled(listing), m);
}

TEST(Assembler, HandlerSites) {
  Module m = assembled(R"(
effect State { get(0) put(1) }
effect State2 { multi get(0) }
site "the state" {
  handles State
  clause State get tail plain getter
  clause State put tail_or_abort putter
}
site out named { handles State2 clause State2 get multi picker }
site masked mask { handles State handles State2 }
function getter params 1 captures 1 self clause { GET_UP r1, 0 RET r1 }
function putter params 2 captures 1 self clause { ABORT_RET r1 }
function picker params 2 self clause { LOAD_UNIT r2 TAIL_RESUME r1, r2 }
function body {
  LOAD_INT r0, 1
  MAKE_ENV r1 (r0)
  HANDLE r2, r1, r3, "the state" -> aborted
  PERFORM r3, State, put (r0)
  MASK r4, masked
  MASK_END r4
  HANDLE_END r2
aborted:
  RET r3
}
)");
  ASSERT_EQ(m.sites.size(), 3u);
  EXPECT_EQ(m.sites[0].target, 12u);
  ASSERT_EQ(m.sites[0].clauses.size(), 2u);
  EXPECT_EQ(m.sites[0].clauses[0], (ClauseData{0, 0, rt::ClauseKind::Tail, true, 0}));
  EXPECT_EQ(m.sites[0].clauses[1], (ClauseData{0, 1, rt::ClauseKind::TailOrAbort, false, 1}));
  EXPECT_TRUE(m.sites[1].named);
  EXPECT_TRUE(m.sites[2].mask);
  EXPECT_EQ(m.sites[2].effects, (std::vector<uint32_t>{0, 1}));
  std::string plain = disassemble(m, {.plain = true});
  EXPECT_NE(plain.find("HANDLE r2, r1, r3, \"the state\" -> L12"), std::string::npos) << plain;
  EXPECT_NE(plain.find("PERFORM r3, State, put (r0)"), std::string::npos) << plain;
  EXPECT_EQ(assembled(plain), m);
}

TEST(Assembler, SwitchAndConstructors) {
  Module m = assembled(R"(
type Tree { Leaf Node(left, raw weight, "") }
function f params 1 {
  SWITCH r0, Leaf (leaf, node)
  JIS r0, Some, leaf
  MAKE r1, Node (r0, f0, r0)
  MAKE r1, tuple2 (r0, r1)
leaf:
  RET_UNIT
node:
  GET_RC f0, r0, 1, Node
  RET r0
}
)");
  EXPECT_EQ(c_of(m.functions[0].code[0]), rt::con::FirstFree);
  EXPECT_EQ(list_item(&m.functions[0].code[4], 1), 2u) << "f0 comes after the tagged registers";
  EXPECT_EQ(assembled(disassemble(m, {.plain = true})), m);
}

TEST(Assembler, MistakesHaveAPlace) {
  EXPECT_EQ(mistake("module x\nfrobnicate"), "2:1: `frobnicate` begins no declaration");
  EXPECT_EQ(mistake("function f {\n  RETT r0\n}"), "2:3: `RETT` is no instruction");
  EXPECT_EQ(mistake("function f {\n  RET f0\n}"), "2:7: f0 stands where a tagged register belongs");
  EXPECT_EQ(mistake("function f {\n  JMP away\n}"), "2:7: there is no label away");
  EXPECT_EQ(mistake("function f tagged 1 {\n  RET r1\n}"), "2:7: the function has no register r1");
  EXPECT_EQ(mistake("function f {\n  MOVE r1 r2\n}"), "2:11: expected `,`, not `r2`");
  EXPECT_EQ(mistake("function f { CALL r0, g }"), "1:23: there is no function \"g\"");
  EXPECT_EQ(mistake("function f { } function f { } main f"),
            "1:36: several functions have the name \"f\": refer to one by its number");
  EXPECT_EQ(mistake("function f { RET_UNIT"), "1:22: function f is not closed");
  EXPECT_EQ(mistake("file \"open\n"), "1:6: the string does not end on its line");
  EXPECT_EQ(mistake("function f { ADD_I r0, r0, 40000 }"), "1:28: 40000 is too large, the limit is 32767");
  EXPECT_EQ(mistake("function f { a: a: }"), "1:17: label a is there twice");
  EXPECT_EQ(mistake("function raw { }"), "1:10: as a name, \"raw\" must be quoted");
  EXPECT_EQ(mistake("effect E { op(70000) }"), "1:15: 70000 is too large, the limit is 65535");
  EXPECT_EQ(mistake("type T { A(x, }"), "1:15: expected a name, not `}`");
  EXPECT_EQ(mistake("%"), "1:1: a character that means nothing here");
}

TEST(Assembler, RandomModulesComeBack) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Module m = test::RandomModule(seed).make();
    std::string plain = disassemble(m, {.plain = true});
    AssembleResult r = assemble(plain);
    ASSERT_TRUE(r.module) << seed << ": " << r.line << ":" << r.column << ": " << r.error << "\n" << plain;
    ASSERT_EQ(write_ebc(*r.module), write_ebc(m)) << seed << "\n" << plain;
    AssembleResult listing = assemble(disassemble(m));
    ASSERT_TRUE(listing.module) << seed << ": " << listing.error;
    ASSERT_EQ(write_ebc(*listing.module), write_ebc(m)) << seed;
  }
}

// What is no integer is the verifier's to refuse; until then it is a constant like others.
TEST(Assembler, DamagedIntegersComeBack) {
  Module m = assembled(kSum);
  m.constants[0] = {.kind = ConstantData::Kind::Int, .text = "46\n11"};
  std::string listing = disassemble(m);
  EXPECT_NE(listing.find("LOAD_K r0, #0  ; \"46\\n11\""), std::string::npos) << listing;
  EXPECT_EQ(assembled(listing), m);
}

TEST(Assembler, OneInstruction) {
  Module m = assembled(kSum);
  InstructionPrinter printer(m);
  EXPECT_EQ(printer.print(0, 1), "JLE_I r0, 0, L5");
  EXPECT_EQ(printer.print(1, 1), "CALL r0, sum (r0)");
  EXPECT_EQ(printer.print(1, 2), "?") << "inside an instruction";
}

}  // namespace
}  // namespace eddy::vm
