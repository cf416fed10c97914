// The process and the machine.
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime/natives/define.h"
#include "runtime/natives/state.h"
#include "runtime/utf8.h"

extern char** environ;

namespace eddy::rt {

namespace {

Value args(Context& ctx, Value*) {
  std::vector<std::string> texts;
  texts.reserve(ctx.arguments.size());
  for (const std::string& text : ctx.arguments) texts.push_back(repair_utf8(text));
  return make_text_list(ctx, texts);
}

Value exit_program(Context& ctx, Value* args) {
  int64_t status = args[0].is_small() ? args[0].small() : static_cast<int64_t>(as<BigInt>(args[0])->limbs[0]);
  ctx.exiting = true;
  ctx.exit_status = static_cast<int>(status & 255);
  return kNull;
}

// A name or value for the C library, which ends it at the first zero byte.
bool has_zero(Value s) { return string_view_of(s).find('\0') != std::string_view::npos; }

Value env(Context& ctx, Value* args) {
  if (has_zero(args[0])) return make_none();
  const char* value = std::getenv(std::string(string_view_of(args[0])).c_str());
  return value ? make_some(ctx, make_string(ctx, repair_utf8(value))) : make_none();
}

Value set_env(Context& ctx, Value* args) {
  if (has_zero(args[0]) || has_zero(args[1])) return panic(ctx, "zero byte in an environment variable");
  std::string name(string_view_of(args[0])), value(string_view_of(args[1]));
  if (setenv(name.c_str(), value.c_str(), 1) != 0) return panic(ctx, name + ": " + std::strerror(errno));
  return kUnit;
}

Value env_names(Context& ctx, Value*) {
  std::vector<std::string> names;
  for (char** at = environ; at && *at; ++at) {
    std::string_view entry = *at;
    names.push_back(repair_utf8(entry.substr(0, entry.find('='))));
  }
  std::sort(names.begin(), names.end());
  return make_text_list(ctx, names);
}

Value cwd(Context& ctx, Value*) {
  char* path = getcwd(nullptr, 0);
  if (!path) return panic(ctx, std::string("current directory: ") + std::strerror(errno));
  std::string text = repair_utf8(path);
  std::free(path);
  return make_string(ctx, text);
}

Value pid(Context&, Value*) { return small_int(getpid()); }
Value platform(Context& ctx, Value*) { return make_string(ctx, "linux"); }

Value arch(Context& ctx, Value*) {
#if defined(__x86_64__)
  return make_string(ctx, "x86-64");
#elif defined(__aarch64__)
  return make_string(ctx, "aarch64");
#else
  return make_string(ctx, "unknown");
#endif
}

Value cpu_count(Context&, Value*) { return small_int(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); }

// SplitMix64.
uint64_t draw(uint64_t& seed) {
  uint64_t z = seed += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Value random(Context& ctx, Value*) {
  uint64_t bits = 0;
  if (auto& seed = native_state(ctx).seed) bits = draw(*seed);
  else if (getrandom(&bits, sizeof bits, 0) != sizeof bits) return panic(ctx, std::string("entropy: ") + std::strerror(errno));
  return small_int(static_cast<int64_t>(bits >> 2));
}

const Native table[] = {
    define<"", args>("args"),
    define<"i", exit_program>("exit", kNoAllocation),
    define<"s", env>("os.env"),
    define<"ss", set_env>("os.set_env", kNoAllocation),
    define<"", env_names>("os.env_names"),
    define<"", cwd>("os.cwd"),
    define<"", pid>("os.pid", kNoAllocation),
    define<"", platform>("os.platform"),
    define<"", arch>("os.arch"),
    define<"", cpu_count>("os.cpu_count", kNoAllocation),
    define<"", random>("os.random", kNoAllocation),
};

}  // namespace

const std::span<const Native> os_natives = table;

}  // namespace eddy::rt
