#include "jit/x64/features.h"

#include "jit/x64/generator.h"  // how Xbyak is included

#ifdef __x86_64__
#include <xbyak/xbyak_util.h>
#endif

namespace eddy::jit::x64 {

Features features() {
#ifdef __x86_64__
  // Asking takes its time, in a virtual machine above all.
  static const Features here = [] {
    using Xbyak::util::Cpu;
    Cpu cpu;
    return Features{cpu.has(Cpu::tSSE41), cpu.has(Cpu::tPOPCNT), cpu.has(Cpu::tBMI2)};
  }();
  return here;
#else
  return {true, true, true};
#endif
}

}  // namespace eddy::jit::x64
