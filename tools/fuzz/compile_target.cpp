// Any program text: the checker and the lowering end with messages or with a module that verifies.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "lang/compile.h"
#include "lang/front_end.h"
#include "runtime/natives/natives.h"
#include "vm/verifier.h"

using namespace eddy;

namespace {

int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

[[noreturn]] void fail(const std::string& what, const std::string& text) {
  std::fprintf(stderr, "%s; the input is in fuzz-failure.eddy\n", what.c_str());
  std::ofstream("fuzz-failure.eddy", std::ios::binary) << text;
  std::abort();
}

bool parses(const std::string& text) {
  lang::SourceMap sources;
  lang::Symbols symbols;
  lang::Arena arena;
  lang::Diagnostics diagnostics;
  const lang::SourceFile* file = sources.add("fuzz.eddy", text);
  if (!file) return false;
  lang::parse(*file, symbols, arena, diagnostics, lang::ParseMode::kModule);
  if (!diagnostics.has_errors()) return true;
  lang::render(diagnostics, sources);
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  // What does not parse ends there, without the library: two in three, at a fifth of the time.
  if (!parses(text)) return 0;
  auto compilation = lang::check_text("fuzz.eddy", text);
  if (!compilation->ok()) {
    lang::render(compilation->diagnostics, compilation->sources);
    return 0;
  }
  auto module = lang::compile(*compilation);
  if (!module) {
    if (compilation->ok()) fail("not compiled, without an error", text);
    return 0;
  }
  if (auto error = vm::verify(*module, native_arity)) fail(vm::to_string(*error, *module), text);
  return 0;
}
