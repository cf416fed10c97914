// Every form of instruction that the AArch64 back end emits, assembled and read back by another's disassembler: the
// assembler is a snapshot that is known to get some forms wrong. Displacements and constants at their limits are
// computed from what the disassembler says, not compared as text.
#include <gtest/gtest.h>

#include <capstone/capstone.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "tests/support/a64_forms.h"

namespace eddy::jit::a64 {
namespace {

using namespace asmjit::a64;
using asmjit::Imm;
constexpr uint64_t kBase = 0x100000;

class Errors : public asmjit::ErrorHandler {
 public:
  void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override { first += message; }
  std::string first;
};

struct Line {
  uint64_t address;
  std::string mnemonic, operands;
  std::string text() const { return operands.empty() ? mnemonic : mnemonic + " " + operands; }
};

struct Code {
  std::vector<uint8_t> bytes;
  std::vector<Line> lines;
  std::string errors;
};

Code assemble(const std::function<void(Assembler&)>& emit, Reach reach = Reach::Near) {
  Code out;
  Errors errors;
  asmjit::CodeHolder holder;
  holder.init(asmjit::Environment(asmjit::Arch::kAArch64));
  holder.setErrorHandler(&errors);
  Assembler a(&holder, reach);
  emit(a);
  size_t instructions = a.offset();
  a.literals();
  holder.flatten();
  holder.resolveUnresolvedLinks();
  holder.relocateToBase(kBase);
  out.bytes.resize(holder.codeSize());
  holder.copyFlattenedData(out.bytes.data(), out.bytes.size());
  csh handle;
  cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &handle);
  cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
  cs_insn* insns;
  size_t count = cs_disasm(handle, out.bytes.data(), std::min<size_t>(instructions, 64), kBase, 0, &insns);
  for (size_t i = 0; i < count; ++i) {
    std::string operands = insns[i].op_str;
    out.lines.push_back({insns[i].address, insns[i].mnemonic, operands});
  }
  cs_free(insns, count);
  cs_close(&handle);
  out.errors = errors.first;
  return out;
}

int64_t number(const std::string& text) {
  size_t at = text.rfind('#');
  return at == std::string::npos ? 0 : static_cast<int64_t>(std::stoull(text.substr(at + 1), nullptr, 0));
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

TEST(A64Forms, AreWhatTheyAreTakenFor) {
  for (const test::Form& form : test::a64_forms()) {
    Code code = assemble(form.emit);
    EXPECT_EQ(code.errors, "") << form.text;
    ASSERT_EQ(code.lines.size(), 1u) << form.text;
    EXPECT_EQ(trimmed(code.lines[0].text()), form.text);
  }
}

TEST(A64Forms, Branches) {
  const struct {
    CondCode cc;
    const char* name;
  } conditions[] = {{CondCode::kEQ, "eq"}, {CondCode::kNE, "ne"}, {CondCode::kLT, "lt"}, {CondCode::kLE, "le"},
                    {CondCode::kGT, "gt"}, {CondCode::kGE, "ge"}, {CondCode::kLO, "lo"}, {CondCode::kLS, "ls"},
                    {CondCode::kHI, "hi"}, {CondCode::kHS, "hs"}, {CondCode::kVS, "vs"}, {CondCode::kVC, "vc"},
                    {CondCode::kMI, "mi"}, {CondCode::kPL, "pl"}};
  for (auto [cc, name] : conditions)
    for (bool back : {false, true}) {
      CondCode c = cc;
      Code code = assemble([&](Assembler& a) {
        asmjit::Label to = a.newLabel();
        if (back) a.bind(to);
        if (back) a.brk(0);
        a.branch_if(c, to);
        if (!back) a.brk(0);
        if (!back) a.bind(to);
      });
      const Line& line = code.lines[back];
      EXPECT_EQ(line.mnemonic, std::string("b.") + name);
      EXPECT_EQ(static_cast<uint64_t>(number(line.operands)), back ? kBase : kBase + 8);
    }
}

// From the first instruction to behind `gap` bytes, the longest way that each reach allows.
TEST(A64Forms, EveryReachReaches) {
  struct Branch {
    std::function<void(Assembler&, asmjit::Label)> emit;
    Reach reach;
    size_t gap;
    std::vector<std::string> mnemonics;
  };
  auto eq = [](Assembler& a, asmjit::Label to) { a.branch_if(CondCode::kEQ, to); };
  auto zero = [](Assembler& a, asmjit::Label to) { a.branch_if_zero(x16, to); };
  auto not_zero = [](Assembler& a, asmjit::Label to) { a.branch_if_not_zero(w16, to); };
  auto odd = [](Assembler& a, asmjit::Label to) { a.branch_if_clear(x28, 0, to); };
  auto object = [](Assembler& a, asmjit::Label to) { a.branch_if_no_pointer(x28, to); };
  const Branch branches[] = {
      {eq, Reach::Near, kNearBytes - 8, {"b.eq"}},
      {eq, Reach::Middle, kMiddleBytes - 8, {"b.eq"}},
      {eq, Reach::Far, 4 << 20, {"b.ne", "b"}},
      {zero, Reach::Middle, kMiddleBytes - 8, {"cbz"}},
      {zero, Reach::Far, 4 << 20, {"cbnz", "b"}},
      {not_zero, Reach::Middle, kMiddleBytes - 8, {"cbnz"}},
      {not_zero, Reach::Far, 4 << 20, {"cbz", "b"}},
      {odd, Reach::Near, kNearBytes - 8, {"tbz"}},
      {odd, Reach::Middle, kMiddleBytes - 8, {"tst", "b.eq"}},
      {odd, Reach::Far, 4 << 20, {"tbnz", "b"}},
      {object, Reach::Near, kNearBytes - 12, {"tst", "b.ne"}},
      {object, Reach::Far, 4 << 20, {"tst", "b.eq", "b"}},
  };
  for (const Branch& branch : branches)
    for (bool back : {false, true}) {
      std::vector<uint8_t> gap(branch.gap - 4 * branch.mnemonics.size(), 0);
      Code code = assemble([&](Assembler& a) {
        asmjit::Label to = a.newLabel();
        if (back) {
          a.bind(to);
          a.embed(gap.data(), gap.size());
        }
        branch.emit(a, to);
        if (!back) {
          a.embed(gap.data(), gap.size());
          a.bind(to);
          a.brk(7);
        }
      }, branch.reach);
      ASSERT_EQ(code.errors, "") << branch.mnemonics.back();
      size_t start = back ? code.bytes.size() - 4 * branch.mnemonics.size() : 0;
      csh handle;
      cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &handle);
      cs_insn* insns;
      size_t count = cs_disasm(handle, code.bytes.data() + start, 4 * branch.mnemonics.size(), kBase + start, 0, &insns);
      ASSERT_EQ(count, branch.mnemonics.size());
      for (size_t i = 0; i < count; ++i) EXPECT_EQ(insns[i].mnemonic, branch.mnemonics[i]);
      uint64_t target = back ? kBase : kBase + code.bytes.size() - 4;
      EXPECT_EQ(static_cast<uint64_t>(number(insns[count - 1].op_str)), target) << insns[count - 1].mnemonic;
      if (branch.reach == Reach::Far) {
        EXPECT_EQ(static_cast<uint64_t>(number(insns[count - 2].op_str)), kBase + start + 4 * count);
      }
      cs_free(insns, count);
      cs_close(&handle);
    }
}

// What the instructions leave in the register, taken from their text.
uint64_t evaluate(const Code& code) {
  uint64_t value = 0xdeadbeefdeadbeef;
  for (const Line& line : code.lines) {
    unsigned shift = 0;
    std::string operands = line.operands;
    if (size_t at = operands.find(", lsl #"); at != std::string::npos) {
      shift = static_cast<unsigned>(std::stoul(operands.substr(at + 7)));
      operands.resize(at);
    }
    auto piece = static_cast<uint64_t>(number(operands));
    if (line.mnemonic == "movz") value = piece << shift;
    else if (line.mnemonic == "movn") value = ~(piece << shift);
    else if (line.mnemonic == "movk") value = (value & ~(uint64_t{0xffff} << shift)) | piece << shift;
    else if (line.mnemonic == "orr" || line.mnemonic == "mov") value = piece;
    else if (line.mnemonic == "ldr") std::memcpy(&value, code.bytes.data() + (piece - kBase), 8);
    else ADD_FAILURE() << line.text();
  }
  return value;
}

TEST(A64Forms, Constants) {
  std::vector<uint64_t> values = {0, 1, 2, 0xffff, 0x10000, 0xffff0000, 0x12345678, 0x7fffffff, 0x80000000, 0xffffffff,
                                  0x100000000, 0x1234567890ab, 0xffff00000000, 0x7fffffffffffffff, 0x8000000000000000,
                                  0xffffffffffffffff, 0xfffffffffffffffe, 0xffffffffffff0000, 0xffffffff00000000,
                                  0xffff0000ffffffff, 0x5555555555555555, 0x00ff00ff00ff00ff, 0xfff0000000000fff};
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) values.push_back(random() >> (random() % 64));
  for (uint64_t value : values)
    for (Reach reach : {Reach::Near, Reach::Far}) {
      Code code = assemble([&](Assembler& a) { a.constant(x5, static_cast<int64_t>(value)); }, reach);
      EXPECT_EQ(code.errors, "");
      EXPECT_EQ(evaluate(code), value) << std::hex << value;
      EXPECT_LE(code.lines.size(), reach == Reach::Near ? 2u : 4u);
    }
}

TEST(A64Forms, LiteralsAreShared) {
  Code code = assemble([](Assembler& a) {
    a.constant(x5, 0x1234567890abcdef);
    a.constant(x6, 0x1234567890abcdef);
    a.constant(x7, 0x1234567890abcdee);
  });
  ASSERT_EQ(code.lines.size(), 3u);
  EXPECT_EQ(number(code.lines[0].operands), number(code.lines[1].operands));
  EXPECT_EQ(code.bytes.size(), 16u + 2 * 8);
}

TEST(A64Forms, AdditionsOfAnySize) {
  for (int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{4095}, int64_t{4096}, int64_t{4097}, int64_t{0xfff000}, int64_t{0xffffff},
                        int64_t{-1}, int64_t{-4095}, int64_t{-4096}, int64_t{-70000}, int64_t{-0xffffff}}) {
    Code code = assemble([&](Assembler& a) { a.add_to(x20, x20, bytes); });
    EXPECT_EQ(code.errors, "");
    int64_t sum = 0;
    for (const Line& line : code.lines) {
      std::string operands = line.operands;
      bool high = operands.find(", lsl #12") != std::string::npos;
      if (high) operands.resize(operands.find(", lsl #12"));
      int64_t step = number(operands) << (high ? 12 : 0);
      sum += line.mnemonic == "sub" ? -step : step;
    }
    EXPECT_EQ(sum, bytes);
  }
  // Beyond, through x15.
  Code code = assemble([](Assembler& a) { a.add_to(x20, x19, int64_t{1} << 24); });
  ASSERT_EQ(code.lines.size(), 2u);
  EXPECT_EQ(code.lines[1].text(), "add x20, x19, x15");
}

// The address that a slot is read from: large frames, and frames of inlined functions below this one.
TEST(A64Forms, SlotsOfAnyDistance) {
  for (int64_t offset : {int64_t{0}, int64_t{8}, int64_t{32760}, int64_t{32768}, int64_t{524280}, int64_t{-8}, int64_t{-256},
                         int64_t{-264}, int64_t{-4096}, int64_t{-4104}, int64_t{-40000}, int64_t{0x812340}})
    for (unsigned size : {8u, 4u}) {
      Code code = assemble([&](Assembler& a) {
        Mem slot = a.slot(x20, offset, size);
        if (size == 8) a.ldr(x0, slot);
        else a.ldr(w0, slot);
      });
      EXPECT_EQ(code.errors, "") << offset;
      int64_t address = 0;
      for (size_t i = 0; i + 1 < code.lines.size(); ++i) {
        std::string operands = code.lines[i].operands;
        bool high = operands.find(", lsl #12") != std::string::npos;
        if (high) operands.resize(operands.find(", lsl #12"));
        int64_t step = number(operands) << (high ? 12 : 0);
        address += code.lines[i].mnemonic == "sub" ? -step : step;
      }
      std::string last = code.lines.back().operands;
      if (size_t at = last.find('#'); at != std::string::npos) {
        bool negative = last[at + 1] == '-';
        auto low = static_cast<int64_t>(std::stoull(last.substr(at + 1 + negative), nullptr, 0));
        address += negative ? -low : low;
      }
      EXPECT_EQ(address, offset);
      EXPECT_NE(last.find(code.lines.size() > 1 ? "[x15" : "[x20"), std::string::npos) << last;
    }
}

TEST(A64Forms, ComparisonsWithAnyConstant) {
  auto text = [](int64_t bits) {
    Code code = assemble([&](Assembler& a) { a.compare(x3, bits); });
    EXPECT_EQ(code.errors, "");
    return code.lines.back().text();
  };
  EXPECT_EQ(text(0), "cmp x3, #0");
  EXPECT_EQ(text(4095), "cmp x3, #0xfff");
  EXPECT_EQ(text(4096), "cmp x3, x15");
  EXPECT_EQ(text(-1), "cmn x3, #1");
  EXPECT_EQ(text(-4095), "cmn x3, #0xfff");
  EXPECT_EQ(text(-4096), "cmp x3, x15");
}

// The no-op behind a call: nothing but its displacement, which is the index.
TEST(A64Forms, SafepointsAreNoOps) {
  for (uint32_t index : {0u, 1u, 3u, 4u, 0x7ffffu, 0x80000u, kMaxSafepoints - 1}) {
    uint32_t word = safepoint_word(index);
    EXPECT_EQ(word & kSafepointMask, kSafepointWord & kSafepointMask);
    EXPECT_EQ((word >> 5 & 0x7ffff) << 2 | (word >> 29 & 3), index);
    csh handle;
    cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &handle);
    cs_insn* insn;
    ASSERT_EQ(cs_disasm(handle, reinterpret_cast<uint8_t*>(&word), 4, kBase, 1, &insn), 1u);
    EXPECT_EQ(std::string(insn->mnemonic), "adr");
    EXPECT_EQ(std::string(insn->op_str).substr(0, 4), "xzr,");
    cs_free(insn, 1);
    cs_close(&handle);
  }
}

}  // namespace
}  // namespace eddy::jit::a64
