#include "jit/debug/frames.h"

#include <capstone/capstone.h>

#include <cstddef>
#include <limits>

#include "runtime/context.h"

namespace eddy::jit::debug {

namespace {

constexpr int32_t kUnknown = std::numeric_limits<int32_t>::min();

class Follower {
 public:
  Follower(const uint8_t* code, size_t size) : base_(reinterpret_cast<uint64_t>(code)), size_(size) {
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle_) != CS_ERR_OK) return;
    open_ = true;
    cs_option(handle_, CS_OPT_DETAIL, CS_OPT_ON);
    cs_option(handle_, CS_OPT_SKIPDATA, CS_OPT_ON);
    count_ = cs_disasm(handle_, code, size, base_, 0, &insns_);
    at_.assign(size, -1);
    before_.assign(count_, kUnknown);
    for (size_t i = 0; i < count_; ++i) at_[insns_[i].address - base_] = static_cast<int32_t>(i);
  }
  ~Follower() {
    if (insns_) cs_free(insns_, count_);
    if (open_) cs_close(&handle_);
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void enter(const Entry& entry) {
    come(entry.offset, entry.cfa);
    while (!work_.empty()) {
      size_t at = work_.back();
      work_.pop_back();
      follow(at);
    }
  }

  std::vector<FrameMove> moves() const {
    std::vector<FrameMove> out;
    for (size_t i = 0; i < count_; ++i) {
      int32_t cfa = before_[i];
      if (cfa == kUnknown || (!out.empty() && out.back().cfa == cfa)) continue;
      out.push_back({static_cast<uint32_t>(insns_[i].address - base_), cfa});
    }
    return out;
  }

 private:
  void come(uint64_t offset, int32_t cfa) {
    if (offset >= size_ || at_[offset] < 0) return;
    auto i = static_cast<size_t>(at_[offset]);
    if (before_[i] != kUnknown) return;
    before_[i] = cfa;
    work_.push_back(i);
  }

  static int32_t counted(int32_t cfa, int64_t change) {
    return cfa < 0 ? cfa : cfa + static_cast<int32_t>(change);
  }

  static int32_t after(const cs_insn& insn, int32_t cfa) {
    const cs_x86& x = insn.detail->x86;
    switch (insn.id) {
      case X86_INS_PUSH:
        return counted(cfa, 8);
      case X86_INS_POP:
        return counted(cfa, -8);
      default:
        break;
    }
    if (x.op_count < 2 || x.operands[0].type != X86_OP_REG || x.operands[0].reg != X86_REG_RSP) return cfa;
    const cs_x86_op& from = x.operands[1];
    switch (insn.id) {
      case X86_INS_SUB:
        return from.type == X86_OP_IMM ? counted(cfa, from.imm) : cfa;
      case X86_INS_ADD:
        return from.type == X86_OP_IMM ? counted(cfa, -from.imm) : cfa;
      case X86_INS_LEA:
        return from.mem.base == X86_REG_RSP ? counted(cfa, -from.mem.disp) : cfa;
      case X86_INS_MOV:
        if (from.type != X86_OP_MEM) return cfa;
        // To the host's stack, or to a fiber at a return address.
        if (from.mem.base == X86_REG_R15 && from.mem.disp == offsetof(rt::Context, host_sp))
          return kSavedOnFiber;
        if (from.mem.disp == offsetof(rt::Fiber, sp)) return 8;
        return cfa;
      default:
        return cfa;
    }
  }

  void follow(size_t i) {
    const cs_insn& insn = insns_[i];
    if (insn.id == 0) return;  // no instruction
    int32_t cfa = after(insn, before_[i]);
    // A return address that is pushed: control comes back there with the word gone.
    if (insn.id == X86_INS_LEA && insn.detail->x86.operands[1].mem.base == X86_REG_RIP && i + 1 < count_ &&
        insns_[i + 1].id == X86_INS_PUSH)
      come(static_cast<uint64_t>(static_cast<int64_t>(insn.address + insn.size - base_) +
                                 insn.detail->x86.operands[1].mem.disp),
           cfa);
    bool jump = cs_insn_group(handle_, &insn, CS_GRP_JUMP);
    if (jump && insn.detail->x86.op_count == 1 && insn.detail->x86.operands[0].type == X86_OP_IMM)
      come(static_cast<uint64_t>(insn.detail->x86.operands[0].imm) - base_, cfa);
    // An entry for the function itself.
    if (insn.id == X86_INS_CALL && insn.detail->x86.operands[0].type == X86_OP_IMM)
      come(static_cast<uint64_t>(insn.detail->x86.operands[0].imm) - base_, 8);
    bool ends = insn.id == X86_INS_JMP || insn.id == X86_INS_RET || insn.id == X86_INS_UD2;
    if (!ends && i + 1 < count_) come(insns_[i + 1].address - base_, cfa);
  }

  csh handle_ = 0;
  bool open_ = false;
  uint64_t base_;
  size_t size_;
  cs_insn* insns_ = nullptr;
  size_t count_ = 0;
  std::vector<int32_t> at_;      // by offset: the instruction there
  std::vector<int32_t> before_;  // by instruction: the state it finds
  std::vector<size_t> work_;
};

}  // namespace

std::vector<FrameMove> follow_frames(const uint8_t* code, size_t size, const std::vector<Entry>& entries) {
#if !defined(__x86_64__)
  return {};  // elsewhere machine code leaves the host's stack alone
#endif
  Follower follower(code, size);
  for (const Entry& entry : entries) follower.enter(entry);
  return follower.moves();
}

}  // namespace eddy::jit::debug
