#include "tools/eddy/program.h"

#include <cstdio>

#include "lang/compile.h"
#include "runtime/natives/natives.h"
#include "tools/eddy/files.h"
#include "vm/ebc.h"
#include "vm/verifier.h"

namespace eddy::tool {

namespace {

int native_arity(std::string_view name) {
  const rt::Native* native = rt::find_native(name);
  return native ? native->arity : -1;
}

std::optional<Program> load_module_file(const std::string& path, const std::string& bytes, Wanted wanted) {
  vm::EbcResult read = vm::read_ebc({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (!read.module) {
    complain(path + ": offset " + std::to_string(read.offset) + ": " + read.error);
    return std::nullopt;
  }
  if (!verify_module(*read.module, path)) return std::nullopt;
  if (wanted == Wanted::Program && read.module->main < 0) {
    complain(path + ": this module has no `main`");
    return std::nullopt;
  }
  return Program{std::move(*read.module), nullptr};
}

}  // namespace

void report(const lang::Compilation& compilation) {
  if (compilation.diagnostics.empty()) return;
  lang::RenderOptions options;
  options.color = standard_error_has_color();
  std::string text = lang::render(compilation.diagnostics, compilation.sources, options);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool verify_module(const vm::Module& module, const std::string& name) {
  auto error = vm::verify(module, native_arity);
  if (error) complain(name + ": " + vm::to_string(*error, module));
  return !error;
}

std::optional<Program> load_program(const Source& source, Wanted wanted) {
  lang::FrontEndOptions options;
  options.paths = source.paths;
  options.need_main = wanted == Wanted::Program;
  options.tests = wanted == Wanted::Tests;
  Program program;
  if (source.is_expression) {
    options.mode = lang::ParseMode::kScript;
    program.compilation = lang::check_text("-e", source.expression, options);
  } else {
    std::string text;
    if (!read_file(source.file, &text)) return std::nullopt;
    if (vm::looks_like_ebc({reinterpret_cast<const uint8_t*>(text.data()), text.size()}))
      return load_module_file(source.file, text, wanted);
    program.compilation =
        lang::check_text(source.file == "-" ? "<stdin>" : source.file, std::move(text), options);
  }
  report(*program.compilation);
  if (!program.compilation->ok()) return std::nullopt;
  std::optional<vm::Module> module = lang::compile(*program.compilation);
  if (!module) {
    report(*program.compilation);
    return std::nullopt;
  }
  program.module = std::move(*module);
  if (!verify_module(program.module, source.file + ": internal error: the compiler made this"))
    return std::nullopt;
  return program;
}

}  // namespace eddy::tool
