#include "jit/a64/listing.h"

#include <cstring>
#include <span>

#include <capstone/capstone.h>
#include <fmt/format.h>

#include "jit/a64/registers.h"

namespace eddy::jit::a64 {

namespace {
// Of `ldr x, literal` at `at`, what it loads, where that is listed too.
std::string constant_of(uint32_t word, std::span<const uint8_t> code, size_t at) {
  if ((word & 0xff000000) != 0x58000000) return "";
  size_t from = at + static_cast<size_t>(int64_t{static_cast<int32_t>(word << 8) >> 13} * 4);  // a distance in words, with its sign
  uint64_t value;
  if (from + sizeof value > code.size()) return "";
  std::memcpy(&value, code.data() + from, sizeof value);
  return fmt::format("  ; 0x{:x}", value);
}
}  // namespace

std::string disassemble(const void* code, size_t common, size_t size, uint64_t address, const vm::Tier& tier) {
  csh handle;
  if (cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &handle) != CS_ERR_OK) return "no disassembler\n";
  std::string out;
  const auto* bytes = static_cast<const uint8_t*>(code);
  for (size_t at = 0; at + 4 <= size; at += 4) {
    if (at == common) out += fmt::format("  {:5x}  ; rare from here on\n", at);
    uint32_t word;
    std::memcpy(&word, bytes + at, 4);
    // The no-op behind a call says where the frame is.
    if ((word & kSafepointMask) == (kSafepointWord & kSafepointMask)) {
      const vm::Safepoint& s = tier.safepoints[(word >> 5 & 0x7ffff) << 2 | (word >> 29 & 3)];
      out += fmt::format("  {:5x}  ; {} at {}\n", at, s.function->name, s.function->pc_of(s.pc));
      continue;
    }
    cs_insn* insn;
    if (cs_disasm(handle, bytes + at, 4, address + at, 1, &insn) == 1) {
      out += fmt::format("  {:5x}  {} {}{}\n", at, insn->mnemonic, insn->op_str, constant_of(word, {bytes, size}, at));
      cs_free(insn, 1);
    } else {
      out += fmt::format("  {:5x}  .word 0x{:08x}\n", at, word);
    }
  }
  cs_close(&handle);
  return out;
}

}  // namespace eddy::jit::a64
