// Register roles on x86-64.
//
//   rsp        the current frame's `function` word; `call` pushes the return address where the callee's frame
//              has its return-address slot
//   r15        Context*                 r14  the nursery's bump pointer (ctx.alloc_ptr while C++ runs)
//   rax rdx    scratch; rax carries results, rdx the callee's Function* in calls that do not know its entry
//   the rest   allocated; none survives a call. Arguments 0 to 5 travel in the first six, others in ctx.args.
//   xmm14 15   scratch; xmm0 … 13 allocated
#pragma once
#include "jit/codegen/offsets.h"

namespace eddy::jit::x64 {

// Numbers in the instruction encoding.
enum Reg : int { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };
constexpr int kContext = r15, kAlloc = r14;
constexpr int kAllocatable[] = {rdi, rsi, rcx, r8, r9, r10, r11, rbx, rbp, r12, r13};
constexpr int kGprs = 11;
constexpr int kXmms = 14;
constexpr unsigned kRegisterArgs = 6;

// Behind each call stands a no-op of seven bytes that holds the safepoint's index. Its third byte says whether a Float may
// come back in xmm0, rax being 0 then, or in an object only.
constexpr uint8_t kTaggedResult = 0x80, kAnyResult = 0x81;

}  // namespace eddy::jit::x64
