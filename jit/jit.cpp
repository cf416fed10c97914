#include "jit/jit.h"

#include "jit/compiler.h"

namespace eddy::jit {

namespace {
constexpr size_t kLittleCode = 256 << 10;  // where things are left to chance
}

bool available() { return host_target() != nullptr; }
bool known_arch(const std::string& arch) { return target_named(arch) != nullptr; }

namespace {
Watch watch_of(const rt::Context& ctx) {
  if (ctx.on_effect) return Watch::Effects;
  return ctx.stats->detailed || ctx.trace ? Watch::Counts : Watch::Nothing;
}
}  // namespace

std::unique_ptr<vm::Tier> attach(vm::Vm& vm, const Options& options) {
  if (options.tier == TierMode::Interp) return nullptr;
  const Target* target = host_target();
  if (!target) return nullptr;
  auto memory = std::make_unique<CodeMemory>(options.chaos ? kLittleCode : options.code_bytes, options.anonymous_code);
  if (!memory->exists()) return nullptr;
  std::optional<StubCode> stubs = place_stubs(target->stubs(watch_of(vm.context())), *memory, Compiler::on_leaving);
  if (!stubs) return nullptr;
  return std::make_unique<Compiler>(vm.context(), options, *target, std::move(memory), *stubs);
}

bool compile(vm::Tier& tier, vm::LoadedFunction& function, std::string* why) {
  return static_cast<Compiler&>(tier).compile(function, why);
}
std::string listing(vm::Tier& tier, vm::LoadedFunction& function, const char* arch) {
  auto& compiler = static_cast<Compiler&>(tier);
  return arch ? compiler.list_for(function, *target_named(arch)) : compiler.list(function);
}
std::string ir_listing(vm::Tier& tier, vm::LoadedFunction& function) { return static_cast<Compiler&>(tier).list_ir(function); }

}  // namespace eddy::jit
