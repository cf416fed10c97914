// check, build, asm, verify, disasm: what handles programs without running them.
#include <cstdio>
#include <map>

#include "lang/front_end.h"
#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/program.h"
#include "vm/assembler.h"
#include "vm/disassembler.h"
#include "vm/ebc.h"

namespace eddy::tool {

namespace {
bool write_module(const std::string& path, const vm::Module& module) {
  std::vector<uint8_t> bytes = vm::write_ebc(module);
  return write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
}  // namespace

int check(const std::vector<std::string>& files, const std::vector<std::string>& paths, bool json) {
  lang::FrontEndOptions options;
  options.paths = paths;
  int status = kOk;
  for (const std::string& file : files) {
    std::string text;
    if (!read_file(file, &text)) {
      status = kUsage;
      continue;
    }
    auto compilation = lang::check_text(file == "-" ? "<stdin>" : file, std::move(text), options);
    if (json) {
      std::string lines = lang::render_json(compilation->diagnostics, compilation->sources);
      std::fwrite(lines.data(), 1, lines.size(), stdout);
    } else {
      report(*compilation);
    }
    if (!compilation->ok()) status = kUsage;
  }
  return written_out(status);
}

int build(const Source& source, const std::string& output) {
  std::optional<Program> program = load_program(source, Wanted::Program);
  return program && write_module(output, program->module) ? kOk : kUsage;
}

int assemble(const std::string& file, const std::string& output) {
  std::string text;
  if (!read_file(file, &text)) return kUsage;
  vm::AssembleResult result = vm::assemble(text);
  if (!result.module) {
    std::fprintf(stderr, "%s:%u:%u: error: %s\n", file.c_str(), result.line, result.column,
                 result.error.c_str());
    return kUsage;
  }
  if (!verify_module(*result.module, file)) return kUsage;
  return write_module(output, *result.module) ? kOk : kUsage;
}

int verify(const std::vector<std::string>& files) {
  int status = kOk;
  for (const std::string& file : files) {
    std::string bytes;
    if (!read_file(file, &bytes)) {
      status = kUsage;
      continue;
    }
    vm::EbcResult read = vm::read_ebc({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    if (!read.module) complain(file + ": offset " + std::to_string(read.offset) + ": " + read.error);
    if (!read.module || !verify_module(*read.module, file)) status = kUsage;
  }
  return status;
}

int disassemble(const Source& source, const std::string& function, bool plain) {
  std::optional<Program> program = load_program(source, Wanted::Listing);
  if (!program) return kUsage;
  vm::DisassembleOptions options;
  options.plain = plain;
  if (!function.empty()) options.filter = [&](const vm::FunctionData& f) { return f.name == function; };
  std::map<std::string, const lang::SourceFile*> texts;
  if (program->compilation)
    for (const auto& f : program->compilation->sources.files()) texts[f->path()] = f.get();
  const vm::Module& module = program->module;
  options.source_line = [&](uint32_t file, uint32_t line) -> std::string {
    auto found = texts.find(module.files[file]);
    return found == texts.end() || line > found->second->line_count()
               ? ""
               : std::string(found->second->line_text(line));
  };
  std::string text = vm::disassemble(module, options);
  if (text.empty() && !function.empty()) {
    complain("there is no function `" + function + "` in what this program reaches");
    return kUsage;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return written_out(kOk);
}

}  // namespace eddy::tool
