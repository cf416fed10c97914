#include <csignal>
#include <cstdio>
#include <cstring>

#include <CLI/CLI.hpp>

#include "tools/eddy/commands.h"

namespace eddy::tool {
namespace {

// `eddy FILE …` is `eddy run FILE …`: true where the first word is a subcommand or asks about the tool itself.
bool names_command(const char* word) {
  for (const char* known : {"run", "check", "build", "test", "repl", "disasm", "asm", "verify", "fmt", "doc", "--help",
                            "-h", "--version", "help"})
    if (std::strcmp(word, known) == 0) return true;
  return false;
}

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && !names_command(words[0].c_str())) words.insert(words.begin(), "run");

  CLI::App app("Eddy: a virtual machine for effect handlers", "eddy");
  app.set_version_flag("--version", "eddy " EDDY_VERSION);
  app.require_subcommand(1);
  app.footer("`eddy FILE` is short for `eddy run FILE`; `eddy COMMAND --help` tells more.");

  int status = kOk;
  Source source;
  RunFlags flags;
  std::vector<std::string> files;
  std::string output, function, filter;
  bool json = false, plain = false, check_only = false;

  CLI::App* run_command = app.add_subcommand("run", "Compile (or load .ebc) and run main");
  run_command->usage("eddy run [FLAGS] FILE [ARGS…]   (FILE `-`: standard input)\neddy run [FLAGS] -e CODE [ARGS…]");
  run_command->prefix_command();
  run_command->add_option("-e", source.expression, "Run this expression, or these declarations")->type_name("CODE");
  add_source_flags(*run_command, source);
  add_run_flags(*run_command, flags);
  run_command->callback([&] {
    std::vector<std::string> rest = run_command->remaining();
    if (!rest.empty() && rest[0] == "--") rest.erase(rest.begin());
    if (run_command->count("-e") == 0) {
      if (rest.empty()) throw CLI::RequiredError("FILE");
      source.file = rest[0];
      if (source.file.size() > 1 && source.file[0] == '-') throw CLI::ExtrasError("run", {source.file});
      rest.erase(rest.begin());
    }
    status = run(source, flags, rest);
  });

  CLI::App* check_command = app.add_subcommand("check", "Parse and type-check");
  check_command->add_option("FILE", files, "Files to check")->required();
  check_command->add_flag("--json", json, "One diagnostic a line, as JSON");
  add_source_flags(*check_command, source);
  check_command->callback([&] { status = check(files, source.paths, json); });

  CLI::App* build_command = app.add_subcommand("build", "Write a verified module");
  build_command->add_option("FILE", source.file, "The program")->required();
  build_command->add_option("-o,--output", output, "The module to write")->required()->type_name("OUT.ebc");
  add_source_flags(*build_command, source);
  build_command->callback([&] { status = build(source, output); });

  CLI::App* test_command = app.add_subcommand("test", "Run every @test");
  test_command->add_option("PATH", files, "Files or folders (default: the current folder)");
  test_command->add_option("--filter", filter, "Only tests whose name contains this")->type_name("TEXT");
  add_source_flags(*test_command, source);
  add_run_flags(*test_command, flags);
  test_command->callback([&] { status = test(files, source.paths, flags, filter); });

  CLI::App* repl_command = app.add_subcommand("repl", "Read, evaluate, print");
  add_source_flags(*repl_command, source);
  add_run_flags(*repl_command, flags);
  repl_command->callback([&] { status = repl(flags, source.paths); });

  CLI::App* disasm_command = app.add_subcommand("disasm", "Show bytecode beside source lines");
  disasm_command->add_option("FILE", source.file, "Program or module")->required();
  disasm_command->add_option("--fn", function, "Only functions of this name")->type_name("NAME");
  disasm_command->add_flag("--plain", plain, "Exactly what `eddy asm` reads back to the same bytes");
  add_source_flags(*disasm_command, source);
  disasm_command->callback([&] { status = disassemble(source, function, plain); });

  CLI::App* asm_command = app.add_subcommand("asm", "Assemble textual bytecode");
  asm_command->add_option("FILE", source.file, "The text")->required()->type_name("FILE.eas");
  asm_command->add_option("-o,--output", output, "The module to write")->required()->type_name("OUT.ebc");
  asm_command->callback([&] { status = assemble(source.file, output); });

  CLI::App* verify_command = app.add_subcommand("verify", "Run the verifier alone");
  verify_command->add_option("FILE", files, "Modules")->required()->type_name("FILE.ebc");
  verify_command->callback([&] { status = verify(files); });

  CLI::App* fmt_command = app.add_subcommand("fmt", "Bring files into canonical layout");
  fmt_command->add_option("FILE", files, "Files to rewrite (`-`: standard input to standard output)")->required();
  fmt_command->add_flag("--check", check_only, "Change nothing; status 1 where a file would change");
  fmt_command->callback([&] { status = format(files, check_only); });

  CLI::App* doc_command = app.add_subcommand("doc", "Doc comments and inferred signatures, as Markdown");
  doc_command->add_option("FILE", files, "Files")->required();
  add_source_flags(*doc_command, source);
  doc_command->callback([&] { status = document(files, source.paths); });

  try {
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? kOk : kUsage;
  }
  return status;
}

}  // namespace
}  // namespace eddy::tool

int main(int argc, char** argv) { return eddy::tool::main(argc, argv); }
