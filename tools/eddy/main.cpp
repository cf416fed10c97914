// The command line: subcommands and their flags, and which function does the work.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "tools/eddy/commands.h"
#include "tools/eddy/crash.h"
#include "tools/eddy/files.h"
#include "tools/eddy/signals.h"

namespace eddy::tool {
namespace {

constexpr const char* kCommands[] = {"run", "check",   "build",  "test", "repl", "disasm",
                                     "asm", "explain", "verify", "fmt",  "doc",  "help"};

bool names_command(const std::string& word) {
  return std::any_of(std::begin(kCommands), std::end(kCommands),
                     [&](const char* known) { return word == known; });
}

// Everything the subcommands fill in.
struct Arguments {
  Source source;
  RunFlags flags;
  std::vector<std::string> files, rest;
  std::string output, function, filter;
  ExplainFlags explain;
  bool has_dashes = false;  // rest: what stood behind a `--`, which ends flags
  bool json = false, plain = false, check_only = false, machine_code = false, graph = false;
  std::string arch;
};

// Where `eddy run`'s own flags end: the file and what follows belong to the program.
void split_run_words(CLI::App& command, Arguments& a) {
  bool dashes = a.has_dashes && command.remaining().empty();  // what follows is no flag
  std::vector<std::string> after = std::move(a.rest);
  a.rest = command.remaining();
  if (a.has_dashes && !dashes) a.rest.push_back("--");
  a.rest.insert(a.rest.end(), after.begin(), after.end());
  if (const CLI::Option* code = command.get_option_no_throw("-e"); code && code->count() != 0) return;
  if (a.rest.empty()) throw CLI::RequiredError("FILE");
  a.source.file = a.rest[0];
  if (!dashes && a.source.file.size() > 1 && a.source.file[0] == '-')
    throw CLI::ExtrasError(command.get_name(), {a.source.file});
  a.rest.erase(a.rest.begin());
}

using Work = std::function<int()>;

// Adds every subcommand, and flags to the one that is meant; `work` becomes what the command line asks for.
void add_commands(CLI::App& app, const std::string& meant, Arguments& a, Work& work) {
  auto command = [&](const char* name, const char* says) {
    CLI::App* added = app.add_subcommand(name, says);
    return meant == name ? added : nullptr;
  };

  if (CLI::App* run_command =
          command("run", "Compile (or load .ebc) and run main: eddy run [FLAGS] FILE [ARGS]")) {
    run_command->footer(
        "FILE `-` is standard input. Flags stand before FILE; what follows it are the program's arguments.");
    run_command->prefix_command();
    run_command
        ->add_option("-e", a.source.expression,
                     "Run this expression, or these declarations, instead of a file")
        ->type_name("CODE")
        ->group("Source");
    add_source_flags(*run_command, a.source);
    add_run_flags(*run_command, a.flags);
    run_command->callback([&, run_command] {
      split_run_words(*run_command, a);
      a.source.is_expression = run_command->count("-e") != 0;
      work = [&] { return run(a.source, a.flags, a.rest); };
    });
  }
  if (CLI::App* check_command = command("check", "Parse and type-check")) {
    check_command->add_option("FILE", a.files, "Files to check (`-`: standard input)")->required();
    check_command->add_flag("--json", a.json, "One diagnostic a line on standard output, as JSON");
    add_source_flags(*check_command, a.source);
    check_command->callback([&] { work = [&] { return check(a.files, a.source.paths, a.json); }; });
  }
  if (CLI::App* build_command = command("build", "Write a verified module")) {
    build_command->add_option("FILE", a.source.file, "The program (`-`: standard input)")->required();
    build_command->add_option("-o,--output", a.output, "The module to write")
        ->required()
        ->type_name("OUT.ebc");
    add_source_flags(*build_command, a.source);
    build_command->callback([&] { work = [&] { return build(a.source, a.output); }; });
  }
  if (CLI::App* test_command = command("test", "Run every @test")) {
    test_command->add_option("PATH", a.files,
                             "Files, or folders with .eddy files (default: the current folder)");
    test_command->add_option("--filter", a.filter, "Only tests whose name contains this")->type_name("TEXT");
    add_source_flags(*test_command, a.source);
    add_run_flags(*test_command, a.flags);
    test_command->callback([&] { work = [&] { return test(a.files, a.source.paths, a.flags, a.filter); }; });
  }
  if (CLI::App* repl_command = command("repl", "Read, evaluate, print")) {
    add_source_flags(*repl_command, a.source);
    add_run_flags(*repl_command, a.flags);
    repl_command->callback([&] { work = [&] { return repl(a.flags, a.source.paths); }; });
  }
  if (CLI::App* disasm_command = command("disasm", "Show bytecode beside source lines")) {
    disasm_command->add_option("FILE", a.source.file, "Program or module")->required();
    disasm_command->add_option("--fn", a.function, "Only functions of this name")->type_name("NAME");
    disasm_command->add_flag("--plain", a.plain, "Exactly what `eddy asm` reads back to the same bytes");
    add_source_flags(*disasm_command, a.source);
    disasm_command->add_flag("--jit", a.machine_code, "The machine code of what the compiler makes of it");
    disasm_command
        ->add_option("--arch", a.arch, "With --jit: for x86-64 or aarch64 (default: this processor)")
        ->type_name("NAME");
    disasm_command->add_flag("--ir", a.graph, "The compiler's graph");
    disasm_command->callback([&] {
      work = [&] {
        return a.machine_code || a.graph ? list_compiled(a.source, a.function, a.graph, a.arch)
                                         : disassemble(a.source, a.function, a.plain);
      };
    });
  }
  if (CLI::App* explain_command = command(
          "explain",
          "How each handler clause and each perform runs, and why: eddy explain [FLAGS] FILE [ARGS]")) {
    explain_command->footer("What the program prints goes to standard error. Flags stand before FILE.");
    explain_command->prefix_command();
    explain_command->add_flag("--run", a.explain.run, "Run the program first, and say what each perform met");
    explain_command->add_flag("--json", a.explain.json, "One JSON object");
    explain_command->add_flag("--all", a.explain.all, "The library's clauses and performs, too");
    add_source_flags(*explain_command, a.source);
    add_run_flags(*explain_command, a.flags);
    explain_command->callback([&, explain_command] {
      split_run_words(*explain_command, a);
      work = [&] { return explain(a.source, a.flags, a.rest, a.explain); };
    });
  }
  if (CLI::App* asm_command = command("asm", "Assemble textual bytecode")) {
    asm_command->add_option("FILE", a.source.file, "The text (`-`: standard input)")
        ->required()
        ->type_name("FILE.eas");
    asm_command->add_option("-o,--output", a.output, "The module to write")->required()->type_name("OUT.ebc");
    asm_command->callback([&] { work = [&] { return assemble(a.source.file, a.output); }; });
  }
  if (CLI::App* verify_command = command("verify", "Run the verifier alone")) {
    verify_command->add_option("FILE", a.files, "Modules")->required()->type_name("FILE.ebc");
    verify_command->callback([&] { work = [&] { return verify(a.files); }; });
  }
  if (CLI::App* fmt_command = command("fmt", "Bring files into canonical layout")) {
    fmt_command->add_option("FILE", a.files, "Files to rewrite (`-`: standard input to standard output)")
        ->required();
    fmt_command->add_flag("--check", a.check_only,
                          "Change nothing, name the files that would change; status 1 if there are any");
    fmt_command->callback([&] { work = [&] { return format(a.files, a.check_only); }; });
  }
  if (CLI::App* doc_command =
          command("doc", "Doc comments and inferred signatures with effects, as Markdown")) {
    doc_command->add_option("FILE", a.files, "Files, or modules of the library such as std/list")->required();
    add_source_flags(*doc_command, a.source);
    doc_command->callback([&] { work = [&] { return document(a.files, a.source.paths); }; });
  }
}

}  // namespace

int command(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  report_crashes(argc, argv);
  catch_interrupts();

  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) words = {"--help"};
  bool asks_about_tool = words[0] == "--help" || words[0] == "-h" || words[0] == "--version";
  if (!names_command(words[0]) && !asks_about_tool) words.insert(words.begin(), "run");
  if (words[0] == "help") {
    words.erase(words.begin());
    words.push_back("--help");
  }

  // What follows a file are the program's arguments: there is nothing to parse, which would take a third of a start.
  if (words[0] == "run" && words.size() > 1 && (words[1] == "-" || !words[1].starts_with('-')) &&
      !words[1].empty()) {
    Source source;
    source.file = words[1];
    return run(source, {}, {words.begin() + 2, words.end()});
  }

  const std::ios_base::Init streams;
  CLI::App app("Eddy: a virtual machine for effect handlers", "eddy");
  app.set_version_flag("--version", "eddy " EDDY_VERSION);
  app.require_subcommand(1);
  app.footer("`eddy FILE [ARGS]` is short for `eddy run FILE [ARGS]`; `eddy COMMAND --help` tells more.");
  Arguments arguments;
  Work work;
  const std::string meant = words[0];
  if (meant == "run") {
    auto dashes = std::find(words.begin(), words.end(), "--");
    arguments.has_dashes = dashes != words.end();
    if (arguments.has_dashes) arguments.rest.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  add_commands(app, meant, arguments, work);
  try {
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0) {
      std::string text = e.what();
      complain(text);
      std::fprintf(stderr, "`eddy --help` lists the commands, `eddy COMMAND --help` a command's flags.\n");
      return kUsage;
    }
    if (argc < 2) {  // asked for nothing: wrong use, so nothing for standard output
      std::fprintf(stderr, "%s", app.help().c_str());
      return kUsage;
    }
    app.exit(e, std::cout, std::cerr);
    std::cout.flush();
    if (!std::cout) {
      complain("standard output: cannot be written");
      return kPanic;
    }
    return kOk;
  }
  return work();
}

}  // namespace eddy::tool
