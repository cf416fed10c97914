// Writes the stubs (jit/codegen/stubs.h). Rules:
//   1. C++ runs on the host's stack, which sp never leaves.
//   2. Before C++ runs, alloc_ptr and the fiber's sp are in memory; afterwards both are read again.
//   3. x19 to x21 survive C++ calls (they are callee-saved there), nothing else is expected to.
//   4. What is called stores x30 first; from then on x20 is on the return word.
//   5. The code knows no address but its own, relative to where it is.
#pragma once
#include "jit/a64/macros.h"
#include "jit/codegen/assembled_stubs.h"
#include "jit/codegen/stub_calls.h"

namespace eddy::jit::a64 {

class Generator {
 public:
  Generator(asmjit::CodeHolder& code, Watch watch);
  const Stubs& table() const { return table_; }  // holds offsets

 private:
  using Gp = aa::Gp;
  using Label = asmjit::Label;

  // stubs.cpp: in and out of machine code
  void make_entries();
  void make_calls();
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
  void resume_copy(Label other);

  template <class T>
  void start(T& slot) {
    a_.align(asmjit::AlignMode::kCode, 16);
    slot = reinterpret_cast<T>(a_.offset());
  }
  aa::Mem context(int offset, unsigned size = 8) { return a_.slot(ctx, offset, size); }
  aa::Mem argument(unsigned i) { return context(at::args + 8 * static_cast<int>(i)); }
  static Gp argument_register(unsigned i) { return aa::x(static_cast<uint32_t>(kAllocatable[i])); }
  void load_address(const Gp& to, StubCall function);
  void call_c(StubCall function);
  void set_action(rt::Action action);
  // From a fiber: its sp and the bump pointer are written down.
  void to_host();
  void to_fiber();
  // What C++ does, for all that is unusual.
  void long_way(StubCall helper);
  // These use x13 and x14.
  void leave_fiber(const Gp& fiber);
  void enter_fiber(const Gp& fiber);  // leaves the tag alone
  void make_current(const Gp& fiber);  // as that, but for x20
  void fresh_tag();
  void increment(const Gp& base, int offset);
  // The first free fiber, where it serves. `bytes`: those its stack must have.
  void find_fiber(const Gp& fiber, const Gp& base, const Gp& bytes, Label other);
  // Takes it.
  void take_fiber(const Gp& fiber);
  // `bytes` of frames are going to run on a copy: more, so that there is room.
  void add_room(const Gp& bytes);
  void copy_frames(const Gp& from, const Gp& to, const Gp& bytes);  // changes them, and x24 and x25
  // All but `outer` of the node that a copy of `node`, whose stack ends at `base`, has.
  void make_twin(const Gp& twin, const Gp& node, const Gp& home, const Gp& base);
  void count_copy(const Gp& bytes);
  void stamp_copied(const Gp& source, const Gp& copy, const Gp& tag);
  void no_records_or_watermarks(const Gp& fiber, Label other);
  // Ends the current fiber and enters its parent.
  void give_fiber_back(const Gp& fiber, const Gp& parent, Label other);

  const Gp ctx = aa::x19, stack = aa::x20, alloc = aa::x21;
  Assembler a_;
  Label dispatch_, host_leave_, leave_, action_, interp_return_, fiber_exit_, abort_body_, calls_;
  const Watch watch_;
  Stubs table_;
};

}  // namespace eddy::jit::a64
