// `eddy disasm --jit` and `--ir`: what the compiler makes of functions that have not run.
#include <cstdio>

#include "jit/jit.h"
#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/program.h"

namespace eddy::tool {

int list_compiled(const Source& source, const std::string& function, bool graph, const std::string& arch) {
  if (!arch.empty() && !jit::known_arch(arch)) {
    complain("there is no compiler for `" + arch + "`: x86-64 and aarch64 are known");
    return kUsage;
  }
  std::optional<Program> program = load_program(source, Wanted::Listing);
  if (!program) return kUsage;
  jit::Options options;
  options.tier = jit::TierMode::Jit;
  std::unique_ptr<vm::Tier> tier;  // outlives the VM
  vm::Vm vm(vm::VmOptions{});
  tier = jit::attach(vm, options);
  if (!tier) {
    complain("there is no compiler for this processor");
    return kUsage;
  }
  std::string problem;
  vm::LoadedModule* module = vm.load(std::move(program->module), &problem);
  if (!module) {
    complain(problem);
    return kUsage;
  }
  bool found = false;
  for (vm::LoadedFunction& f : module->functions) {
    if (!function.empty() && f.name != function) continue;
    found = true;
    std::string text = "function " + f.name + "\n", why;
    if (!arch.empty() && !graph)
      text += jit::listing(*tier, f, arch.c_str());
    else if (!jit::compile(*tier, f, &why))
      text += "  stays interpreted: " + why + "\n";
    else
      text += graph ? jit::ir_listing(*tier, f) : jit::listing(*tier, f);
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  if (found) return kOk;
  complain("there is no function `" + function + "` in what this program reaches");
  return kUsage;
}

}  // namespace eddy::tool
