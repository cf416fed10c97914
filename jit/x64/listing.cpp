#include "jit/x64/listing.h"

#include <cstring>

#include <capstone/capstone.h>
#include <fmt/format.h>

#include "jit/x64/registers.h"

namespace eddy::jit::x64 {

std::string disassemble(const void* code, size_t common, size_t size, uint64_t address, const vm::Tier& tier) {
  csh handle;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) return "no disassembler\n";
  std::string out;
  cs_insn* insn;
  uint64_t base = address;
  size_t count = cs_disasm(handle, static_cast<const uint8_t*>(code), size, base, 0, &insn);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* bytes = insn[i].bytes;
    if (insn[i].address - base == common) out += fmt::format("  {:5x}  ; rare from here on\n", common);
    // The no-op behind a call says where the frame is.
    if (insn[i].size == 7 && bytes[0] == 0x0f && bytes[1] == 0x1f && (bytes[2] == kTaggedResult || bytes[2] == kAnyResult)) {
      uint32_t index;
      std::memcpy(&index, bytes + 3, sizeof index);
      const vm::Safepoint& s = tier.safepoints[index];
      out += fmt::format("  {:5x}  ; {} at {}\n", insn[i].address - base, s.function->name, s.function->pc_of(s.pc));
      continue;
    }
    out += fmt::format("  {:5x}  {} {}\n", insn[i].address - base, insn[i].mnemonic, insn[i].op_str);
  }
  cs_free(insn, count);
  cs_close(&handle);
  return out;
}

}  // namespace eddy::jit::x64
