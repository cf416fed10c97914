// Register roles on x86-64, and the offsets that machine code uses.
//
//   rsp        the current frame's `function` word; `call` pushes the return address where the callee's frame
//              has its return-address slot
//   r15        Context*                 r14  the nursery's bump pointer (ctx.alloc_ptr while C++ runs)
//   rax rdx    scratch; rax carries results, rdx the callee's Function* in calls that do not know its entry
//   the rest   allocated; none survives a call. Arguments 0 to 5 travel in the first six, others in ctx.args.
//   xmm14 15   scratch; xmm0 … 13 allocated
#pragma once
#include <cstddef>

#include "runtime/context.h"
#include "runtime/frame.h"

namespace eddy::jit::x64 {

// Numbers in the instruction encoding.
enum Reg : int { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };
constexpr int kContext = r15, kAlloc = r14;
constexpr int kAllocatable[] = {rdi, rsi, rcx, r8, r9, r10, r11, rbx, rbp, r12, r13};
constexpr int kGprs = 11;
constexpr int kXmms = 14;
constexpr unsigned kRegisterArgs = 6;

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winvalid-offsetof"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
namespace at {
constexpr int alloc_ptr = offsetof(rt::Context, alloc_ptr), alloc_limit = offsetof(rt::Context, alloc_limit);
constexpr int stack_limit = offsetof(rt::Context, stack_limit), fiber = offsetof(rt::Context, fiber);
constexpr int top = offsetof(rt::Context, top), tag = offsetof(rt::Context, tag), cells = offsetof(rt::Context, cells);
constexpr int next_tag = offsetof(rt::Context, next_tag), epoch = offsetof(rt::Context, move_epoch);
constexpr int args = offsetof(rt::Context, args), args_live = offsetof(rt::Context, args_live);
constexpr int result = offsetof(rt::Context, result), callee = offsetof(rt::Context, callee);
constexpr int action = offsetof(rt::Context, action), host_sp = offsetof(rt::Context, host_sp);
constexpr int globals = offsetof(rt::Context, globals);
constexpr int fiber_sp = offsetof(rt::Fiber, sp), fiber_base = offsetof(rt::Fiber, base);
constexpr int fiber_records = offsetof(rt::Fiber, records);
constexpr int machine_entry = offsetof(rt::Function, machine_entry);
constexpr int params = offsetof(rt::Function, params), takes_self = offsetof(rt::Function, takes_self);
constexpr int values = offsetof(rt::Function, values);
}  // namespace at
#pragma GCC diagnostic pop
#pragma clang diagnostic pop

}  // namespace eddy::jit::x64
