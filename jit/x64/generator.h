// Writes the stubs (jit/codegen/stubs.h). Rules:
//   1. C++ runs on the host stack only (ctx.host_sp), with rsp 16-aligned at the call.
//   2. Before C++ runs, alloc_ptr and the fiber's sp are in memory; afterwards both are read again.
//   3. r15 and r14 survive C++ calls (they are callee-saved there), nothing else is expected to.
//   4. The code knows no address but its own, relative to rip.
#pragma once
#define XBYAK_NO_EXCEPTION
#if !defined(__x86_64__)
#define XBYAK64  // compiled on every host, so that it stays compilable
#endif
#include <xbyak/xbyak.h>

#include "jit/codegen/assembled_stubs.h"
#include "jit/codegen/stub_calls.h"
#include "jit/x64/registers.h"

namespace eddy::jit::x64 {

class Generator : public Xbyak::CodeGenerator {
 public:
  explicit Generator(Watch watch);
  AssembledStubs assembled();

 private:
  using Reg64 = Xbyak::Reg64;
  using Label = Xbyak::Label;

  // stubs.cpp: in and out of machine code
  void make_entries();
  // switches.cpp: from one fiber to another
  void make_perform();
  void make_clause_end();
  void make_resume(bool last);
  void make_resume_taken();
  // fibers.cpp: fibers started, finished, copied
  void make_fiber_exit();
  void make_fiber_call();
  void make_abort_body();
  void make_fork();
  void resume_copy(const Label& other);

  template <class T>
  void start(T& slot) {
    align(16);
    slot = reinterpret_cast<T>(getSize());
  }
  Xbyak::Address context(int offset) { return ptr[ctx + offset]; }
  Xbyak::Address address_of(StubCall function) { return ptr[rip + calls_ + 8 * static_cast<int>(function)]; }
  void call_c(StubCall function) { call(address_of(function)); }
  // From a fiber: its sp and the bump pointer are written down.
  void to_host();
  void to_fiber(const Reg64& scratch);
  // What C++ does, for all that is unusual.
  void long_way(StubCall helper);
  void leave_fiber(const Reg64& fiber, const Reg64& scratch);
  // Leaves the tag alone.
  void enter_fiber(const Reg64& fiber, const Reg64& scratch);
  void make_current(const Reg64& fiber, const Reg64& scratch);  // as that, but for rsp
  void fresh_tag(const Reg64& scratch);
  // The first free fiber, where it serves. `bytes`: those its stack must have.
  void find_fiber(const Reg64& fiber, const Reg64& base, const Reg64& bytes, const Reg64& scratch, const Label& other);
  // Takes it.
  void take_fiber(const Reg64& fiber, const Reg64& scratch);
  // `bytes` of frames are going to run on a copy: more, so that there is room.
  void add_room(const Reg64& bytes);
  // `bytes` of frames; changes `left`, and registers for floats.
  void copy_frames(const Reg64& from, const Reg64& to, const Reg64& bytes, const Reg64& left);
  // All but `outer` of the node that a copy of `node`, whose stack ends at `base`, has; changes `slot`.
  void make_twin(const Reg64& twin, const Reg64& node, const Reg64& home, const Reg64& base, const Reg64& slot, const Reg64& scratch);
  void count_copy(const Reg64& bytes, const Reg64& scratch);
  void stamp_copied(const Reg64& source, const Reg64& copy, const Reg64& tag);
  void no_records_or_watermarks(const Reg64& fiber, const Label& other);
  // Ends the current fiber and enters its parent.
  void give_fiber_back(const Reg64& fiber, const Reg64& parent, const Reg64& scratch, const Label& other);

  const Reg64 ctx = Xbyak::util::r15, alloc = Xbyak::util::r14;
  const Reg64 argument[kRegisterArgs] = {Xbyak::util::rdi, Xbyak::util::rsi, Xbyak::util::rcx,
                                         Xbyak::util::r8,  Xbyak::util::r9,  Xbyak::util::r10};
  Label dispatch_, leave_, host_leave_, interpret_, action_, interp_return_, fiber_exit_, abort_body_, calls_;
  const Watch watch_;
  Stubs table_;  // holds offsets
};

}  // namespace eddy::jit::x64
