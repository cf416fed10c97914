// The forms of instructions that the AArch64 back end emits, with what Capstone says of each, and what makes two
// instructions the same form.
#pragma once
#include <cctype>
#include <functional>
#include <string>
#include <vector>

#include "jit/a64/macros.h"

namespace eddy::test {

struct Form {
  std::function<void(jit::a64::Assembler&)> emit;
  const char* text;
};

#define FORM(call, text) \
  { [](jit::a64::Assembler& a) { a.call; }, text }

inline std::vector<Form> a64_forms() {
  using namespace asmjit::a64;
  using asmjit::Imm;
  using jit::a64::CondCode;
  return {
      FORM(ldr(x0, ptr(x20, 8)), "ldr x0, [x20, #8]"),
      FORM(ldr(x0, ptr(x20)), "ldr x0, [x20]"),
      FORM(ldr(x28, ptr(x20, -8)), "ldur x28, [x20, #-8]"),
      FORM(ldr(x0, ptr(x20, -256)), "ldur x0, [x20, #-0x100]"),
      FORM(ldr(x0, ptr(x20, 255)), "ldur x0, [x20, #0xff]"),
      FORM(ldr(x0, ptr(x20, 32760)), "ldr x0, [x20, #0x7ff8]"),
      FORM(str(x30, ptr(x20, 32760)), "str x30, [x20, #0x7ff8]"),
      FORM(str(x13, ptr(x20, -256)), "stur x13, [x20, #-0x100]"),
      FORM(str(xzr, ptr(x19, 8)), "str xzr, [x19, #8]"),
      FORM(str(xzr, ptr(x17)), "str xzr, [x17]"),
      FORM(str(wzr, ptr(x19, 0x870)), "str wzr, [x19, #0x870]"),
      FORM(ldr(w16, ptr(x1, 4)), "ldr w16, [x1, #4]"),
      FORM(ldr(w16, ptr(x1, 16380)), "ldr w16, [x1, #0x3ffc]"),
      FORM(str(w16, ptr(x17, 4)), "str w16, [x17, #4]"),
      FORM(ldrb(w16, ptr(x28, 3)), "ldrb w16, [x28, #3]"),
      FORM(ldrb(w16, ptr(x28, 4095)), "ldrb w16, [x28, #0xfff]"),
      FORM(ldrb(w14, ptr(x0)), "ldrb w14, [x0]"),
      FORM(ldrb(w16, ptr(x16, x17)), "ldrb w16, [x16, x17]"),
      FORM(strb(w17, ptr(x19, 7)), "strb w17, [x19, #7]"),
      FORM(strb(w14, ptr(x0)), "strb w14, [x0]"),
      FORM(strb(wzr, ptr(x8, 0x38)), "strb wzr, [x8, #0x38]"),
      FORM(ldrh(w16, ptr(x17, 8190)), "ldrh w16, [x17, #0x1ffe]"),
      FORM(ldr(x28, ptr(x17, x16, lsl(3))), "ldr x28, [x17, x16, lsl #3]"),
      FORM(str(x28, ptr(x17, x16, lsl(3))), "str x28, [x17, x16, lsl #3]"),
      FORM(ldr(d29, ptr(x17, x16, lsl(3))), "ldr d29, [x17, x16, lsl #3]"),
      FORM(str(d29, ptr(x17, x16, lsl(3))), "str d29, [x17, x16, lsl #3]"),
      FORM(ldr(d0, ptr(x20, 32760)), "ldr d0, [x20, #0x7ff8]"),
      FORM(ldr(d0, ptr(x20, -256)), "ldur d0, [x20, #-0x100]"),
      FORM(str(d0, ptr(x20, -256)), "stur d0, [x20, #-0x100]"),
      FORM(str(d31, ptr(x20, -256)), "stur d31, [x20, #-0x100]"),
      FORM(str(x30, ptr_pre(x20, -8)), "str x30, [x20, #-8]!"),
      FORM(ldr(x30, ptr_post(x20, 8)), "ldr x30, [x20], #8"),
      FORM(ldr(w16, ptr(x3)), "ldr w16, [x3]"),
      FORM(ldr(w16, ptr(x20, -40)), "ldur w16, [x20, #-0x28]"),
      FORM(ldr(w16, ptr(x20, -256)), "ldur w16, [x20, #-0x100]"),
      FORM(str(x16, ptr(x20)), "str x16, [x20]"),
      FORM(str(xzr, ptr(x20, -256)), "stur xzr, [x20, #-0x100]"),
      FORM(str(d29, ptr(x28, 8)), "str d29, [x28, #8]"),
      FORM(str(d0, ptr(x20, 32760)), "str d0, [x20, #0x7ff8]"),
      FORM(stp(x14, x16, ptr(x17)), "stp x14, x16, [x17]"),
      FORM(stp(xzr, xzr, ptr(x7, 48)), "stp xzr, xzr, [x7, #0x30]"),
      FORM(ldp(x13, x14, ptr(x12, -16)), "ldp x13, x14, [x12, #-0x10]"),
      FORM(ldp(x13, x14, ptr(x12, -512)), "ldp x13, x14, [x12, #-0x200]"),
      FORM(ldp(x24, x25, ptr_pre(x12, -32)), "ldp x24, x25, [x12, #-0x20]!"),
      FORM(stp(x13, x14, ptr(x23, -16)), "stp x13, x14, [x23, #-0x10]"),
      FORM(stp(x24, x25, ptr_pre(x23, -32)), "stp x24, x25, [x23, #-0x20]!"),
      FORM(stp(x19, x20, ptr(sp, 16)), "stp x19, x20, [sp, #0x10]"),
      FORM(ldp(x27, x28, ptr(sp, 80)), "ldp x27, x28, [sp, #0x50]"),
      FORM(stp(x0, x1, ptr(x28, 504)), "stp x0, x1, [x28, #0x1f8]"),
      FORM(ldp(x14, x16, ptr(x16, 496)), "ldp x14, x16, [x16, #0x1f0]"),
      FORM(ldp(x14, x4, ptr(x16)), "ldp x14, x4, [x16]"),
      FORM(stp(x14, x16, ptr(x17, 16)), "stp x14, x16, [x17, #0x10]"),
      FORM(stp(x29, x30, ptr_pre(sp, -176)), "stp x29, x30, [sp, #-0xb0]!"),
      FORM(ldp(x29, x30, ptr_post(sp, 176)), "ldp x29, x30, [sp], #0xb0"),
      FORM(stp(d8, d9, ptr(sp, 96)), "stp d8, d9, [sp, #0x60]"),
      FORM(ldp(d14, d15, ptr(sp, 144)), "ldp d14, d15, [sp, #0x90]"),
      FORM(add(x20, x20, 4095), "add x20, x20, #0xfff"),
      FORM(add(x20, x20, 4096), "add x20, x20, #1, lsl #12"),
      FORM(sub(x20, x20, 0xfff000), "sub x20, x20, #0xfff, lsl #12"),
      FORM(add(x1, x2, x3), "add x1, x2, x3"),
      FORM(add(x1, x2, x3, lsl(3)), "add x1, x2, x3, lsl #3"),
      FORM(add(x28, x17, x16, lsl(8)), "add x28, x17, x16, lsl #8"),
      FORM(add(x16, x17, x28, asr(1)), "add x16, x17, x28, asr #1"),
      FORM(sub(x17, x17, x16, asr(63)), "sub x17, x17, x16, asr #63"),
      FORM(sub(x16, x28, 1), "sub x16, x28, #1"),
      FORM(add(w14, w14, 1), "add w14, w14, #1"),
      FORM(add(w14, w14, 4095), "add w14, w14, #0xfff"),
      FORM(sub(x16, x14, x16), "sub x16, x14, x16"),
      FORM(sub(x17, x17, x14, lsl(3)), "sub x17, x17, x14, lsl #3"),
      FORM(sub(w16, w16, Imm(9)), "sub w16, w16, #9"),
      FORM(adds(x27, x28, Imm(4094)), "adds x27, x28, #0xffe"),
      FORM(subs(x27, x28, Imm(2)), "subs x27, x28, #2"),
      FORM(adds(x27, x28, x16), "adds x27, x28, x16"),
      FORM(subs(x27, x28, x26), "subs x27, x28, x26"),
      FORM(cmp(x28, Imm(4095)), "cmp x28, #0xfff"),
      FORM(cmn(x28, Imm(4095)), "cmn x28, #0xfff"),
      FORM(cmp(x20, x16), "cmp x20, x16"),
      FORM(cmp(w16, 17), "cmp w16, #0x11"),
      FORM(cmp(w16, w15), "cmp w16, w15"),
      FORM(cmp(x14, x17, asr(63)), "cmp x14, x17, asr #63"),
      FORM(tst(x28, Imm(7)), "tst x28, #7"),
      FORM(tst(w14, Imm(0x7fffffff)), "tst w14, #0x7fffffff"),
      FORM(tst(x28, Imm(uint64_t{1} << 63)), "tst x28, #0x8000000000000000"),
      FORM(and_(w16, w28, 0xff), "and w16, w28, #0xff"),
      FORM(and_(w16, w16, Imm(12)), "and w16, w16, #0xc"),
      FORM(and_(x16, x16, Imm(1)), "and x16, x16, #1"),
      FORM(and_(x16, x16, Imm(0x1fffffff)), "and x16, x16, #0x1fffffff"),
      FORM(and_(x1, x2, x3), "and x1, x2, x3"),
      FORM(orr(x1, x2, x3), "orr x1, x2, x3"),
      FORM(orr(x1, x2, 1), "orr x1, x2, #1"),
      FORM(orr(w14, w14, Imm(0x20)), "orr w14, w14, #0x20"),
      FORM(eor(x1, x2, x3), "eor x1, x2, x3"),
      FORM(asr(x1, x2, 1), "asr x1, x2, #1"),
      FORM(asr(x1, x2, 63), "asr x1, x2, #0x3f"),
      FORM(asr(x1, x2, 0), "asr x1, x2, #0"),
      FORM(lsr(x1, x2, 1), "lsr x1, x2, #1"),
      FORM(lsr(x1, x2, 3), "lsr x1, x2, #3"),
      FORM(lsr(x1, x2, 63), "lsr x1, x2, #0x3f"),
      FORM(lsr(w16, w16, 8), "lsr w16, w16, #8"),
      FORM(lsl(x1, x2, 1), "lsl x1, x2, #1"),
      FORM(lsl(x1, x2, 61), "lsl x1, x2, #0x3d"),
      FORM(lsl(x17, x16, x14), "lsl x17, x16, x14"),
      FORM(asr(x14, x17, x14), "asr x14, x17, x14"),
      FORM(eor(x16, x1, x1, asr(63)), "eor x16, x1, x1, asr #63"),
      FORM(clz(x16, x16), "clz x16, x16"),
      FORM(mul(x17, x16, x17), "mul x17, x16, x17"),
      FORM(smulh(x14, x16, x17), "smulh x14, x16, x17"),
      FORM(sdiv(x17, x16, x14), "sdiv x17, x16, x14"),
      FORM(msub(x17, x17, x14, x16), "msub x17, x17, x14, x16"),
      FORM(csel(x1, x2, x16, CondCode::kGE), "csel x1, x2, x16, ge"),
      FORM(csel(x14, x14, xzr, CondCode::kEQ), "csel x14, x14, xzr, eq"),
      FORM(cset(x16, CondCode::kEQ), "cset x16, eq"),
      FORM(cset(x16, CondCode::kNE), "cset x16, ne"),
      FORM(cset(x16, CondCode::kLT), "cset x16, lt"),
      FORM(cset(x16, CondCode::kLE), "cset x16, le"),
      FORM(cset(x16, CondCode::kGT), "cset x16, gt"),
      FORM(cset(x16, CondCode::kGE), "cset x16, ge"),
      FORM(cset(x16, CondCode::kMI), "cset x16, mi"),
      FORM(cset(x16, CondCode::kLS), "cset x16, ls"),
      FORM(mov(x1, x2), "mov x1, x2"),
      FORM(mov(x29, sp), "mov x29, sp"),
      FORM(mov(x17, sp), "mov x17, sp"),
      FORM(movz(x1, 0xffff, 48), "movz x1, #0xffff, lsl #48"),
      FORM(movz(x16, 0xffff), "movz x16, #0xffff"),
      FORM(movz(x16, 0), "movz x16, #0"),
      FORM(movn(x16, 0), "movn x16, #0"),
      FORM(movn(x16, 0xbfc7), "movn x16, #0xbfc7"),
      FORM(orr(x16, xzr, Imm(0x7fffffff)), "orr x16, xzr, #0x7fffffff"),
      FORM(orr(x26, xzr, Imm(0x8000000000000003)), "orr x26, xzr, #0x8000000000000003"),
      FORM(movk(x1, 0x1234, 32), "movk x1, #0x1234, lsl #32"),
      FORM(movn(x1, 0xffff, 16), "movn x1, #0xffff, lsl #16"),
      FORM(movz(w17, 2), "movz w17, #0x2"),
      FORM(br(x16), "br x16"),
      FORM(blr(x16), "blr x16"),
      FORM(ret(x30), "ret"),
      FORM(brk(1), "brk #0x1"),
      FORM(nop(), "nop"),
      FORM(fmov(d1, d2), "fmov d1, d2"),
      FORM(fmov(d1, x16), "fmov d1, x16"),
      FORM(fmov(x16, d1), "fmov x16, d1"),
      FORM(fmov(d1, xzr), "fmov d1, xzr"),
      FORM(fadd(d1, d2, d29), "fadd d1, d2, d29"),
      FORM(fsub(d1, d2, d29), "fsub d1, d2, d29"),
      FORM(fmul(d1, d2, d29), "fmul d1, d2, d29"),
      FORM(fdiv(d1, d2, d29), "fdiv d1, d2, d29"),
      FORM(fneg(d1, d2), "fneg d1, d2"),
      FORM(fabs(d1, d2), "fabs d1, d2"),
      FORM(fsqrt(d1, d2), "fsqrt d1, d2"),
      FORM(frintm(d1, d2), "frintm d1, d2"),
      FORM(frintp(d1, d2), "frintp d1, d2"),
      FORM(frintz(d1, d2), "frintz d1, d2"),
      FORM(frinta(d1, d2), "frinta d1, d2"),
      FORM(cnt(v30.b8(), v30.b8()), "cnt v30.8b, v30.8b"),
      FORM(addv(b30, v30.b8()), "addv b30, v30.8b"),
      FORM(fmov(w16, s30), "fmov w16, s30"),
      FORM(scvtf(d1, x16), "scvtf d1, x16"),
      FORM(fcvtzs(x16, d1), "fcvtzs x16, d1"),
      FORM(fcmp(d1, d29), "fcmp d1, d29"),
  };
}
#undef FORM

// An instruction's text, be it from asmjit's log or Capstone's: numbers decimal, places to go to `@`.
inline std::string plain_text(const std::string& text) {
  static const std::vector<std::string> conditions = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                                      "hi", "ls", "ge", "lt", "gt", "le"};
  size_t start = std::min(text.find(' '), text.size());
  std::string mnemonic = text.substr(0, start), out;
  if (mnemonic == "ldur" || mnemonic == "stur") mnemonic = mnemonic == "ldur" ? "ldr" : "str";
  if (mnemonic == "b.hs" || mnemonic == "b.lo") mnemonic = mnemonic == "b.hs" ? "b.cs" : "b.cc";
  std::vector<std::string> words;  // numbers, names, and what is between
  for (size_t i = start; i < text.size();) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    size_t end = i;
    if (std::isalpha(c) || (c == '.')) {
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '.')) ++end;
      words.push_back(text.substr(i, end - i));
    } else if (std::isdigit(c) || (c == '-' && i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])))) {
      size_t used = 0;
      bool negative = c == '-';
      uint64_t value = std::stoull(text.substr(i + negative), &used, 0);
      end = i + negative + used;
      words.push_back(std::to_string(static_cast<int64_t>(negative ? 0 - value : value)));
    } else {
      end = i + 1;
      if (c != ' ' && c != '#' && c != ',') words.push_back(std::string(1, text[i]));
    }
    i = end;
  }
  bool goes = mnemonic[0] == 'b' && mnemonic != "br" && mnemonic != "blr" && mnemonic != "brk";
  bool addresses = goes || mnemonic == "adr" || mnemonic.starts_with("cb") || mnemonic.starts_with("tb");
  bool literal = mnemonic == "ldr" && words.size() >= 2 &&
                 (std::isdigit(static_cast<unsigned char>(words[1][0])) || (words.size() >= 4 && words[2][0] == 'L'));
  if (addresses || literal) {
    words.resize(goes ? 0 : mnemonic[0] == 't' ? 2 : 1);
    words.push_back("@");
  }
  if (mnemonic == "ret") words.clear();
  if (mnemonic[0] == 't' && mnemonic[1] == 'b') words[0][0] = 'w';  // the same instruction up to bit 31
  if (mnemonic.starts_with("mov") && words.size() == 3 && words[2] == "0") words.pop_back();
  // Twelve bits further left.
  if (words.size() == 5 && words[3] == "lsl" && words[4] == "12" && (mnemonic == "add" || mnemonic == "sub")) {
    words[2] = std::to_string(std::stoll(words[2]) * 4096);
    words.resize(3);
  }
  for (std::string& word : words) {
    if (word == "lsl" || word == "asr") continue;
    for (size_t i = 0; i < conditions.size(); ++i)
      if ((mnemonic == "cset" || mnemonic == "csel") && &word == &words.back() && word == conditions[i])
        word = std::to_string(i + 2);  // as asmjit numbers them
  }
  if (mnemonic == "orr" && words.size() == 3 && words[1] == "xzr") {  // Capstone knows no other move of such a constant
    mnemonic = "mov";
    words.erase(words.begin() + 1);
  }
  out = mnemonic;
  for (const std::string& word : words)
    if (word != "lsl" && word != "asr") out += " " + word;
  return out;
}

// The same without which registers, and which numbers but for their sign and whether they are 0.
inline std::string shape(const std::string& plain) {
  std::string out;
  bool first = true;
  for (size_t i = 0; i < plain.size();) {
    size_t end = std::min(plain.find(' ', i), plain.size());
    std::string word = plain.substr(i, end - i);
    bool wide = word.size() > 1 && std::isdigit(static_cast<unsigned char>(word[1]));
    if (first) out += word.starts_with("b.") ? "b.cond" : word;
    else if (wide && (word[0] == 'x' || word[0] == 'w' || word[0] == 'd')) out += std::string(" ") + word[0];
    else if (std::isdigit(static_cast<unsigned char>(word[0]))) out += " n";
    else if (word[0] == '-') out += " -n";
    else out += " " + word;
    first = false;
    i = end + 1;
  }
  return out;
}

}  // namespace eddy::test
