// A stack for signal handlers of this thread, which may run while the stack pointer is on a fiber. There may be one already.
#pragma once

namespace eddy::jit {

class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_ = nullptr;  // of one made here
};

}  // namespace eddy::jit
