// `eddy explain`: how each clause and each perform of a program runs, and why.
#include "tools/eddy/explain.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <tuple>

#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/machine.h"
#include "tools/eddy/program.h"
#include "tools/eddy/signals.h"

namespace eddy::tool {

namespace {

// What the program prints is not what this command prints: it goes to standard error.
class OutputAside {
 public:
  OutputAside() : saved_(dup(1)) { dup2(2, 1); }
  ~OutputAside() {
    dup2(saved_, 1);
    close(saved_);
  }
  OutputAside(const OutputAside&) = delete;
  OutputAside& operator=(const OutputAside&) = delete;

 private:
  int saved_;
};

constexpr unsigned kArgumentsInRegisters = 6;  // of a call in machine code

bool of_the_library(const std::string& file) { return file.rfind("std/", 0) == 0; }

template <class Item>
void put_in_order(std::vector<Item>& items, bool all) {
  std::erase_if(items, [&](const Item& item) {
    return !item.place.known() || (!all && of_the_library(item.place.file));
  });
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::tie(a.place.file, a.place.line, a.place.column, a.name) <
           std::tie(b.place.file, b.place.line, b.place.column, b.name);
  });
}

void collect(const vm::LoadedModule& module, Explanation& e, const CompiledCode* code) {
  for (const rt::Site& site : module.sites) {
    if (site.mask) continue;
    for (const rt::Clause& clause : site.clauses) e.clauses.push_back(explain_clause(site, clause));
  }
  for (const vm::LoadedFunction& f : module.functions)
    for (const vm::Word* pc : vm::Instructions(f.linked)) {
      vm::Op op = vm::op_of(*pc);
      if (op == vm::Op::PERFORM || op == vm::Op::PERFORM_NAMED)
        e.performs.push_back(explain_perform(module, f, f.pc_of(pc), code));
    }
}

}  // namespace

void CompiledCode::added(const jit::debug::CodeRegion& region) {
  if (region.functions.empty()) return;
  for (const auto& f : region.functions) compiled.insert(f.function);
  for (const auto& f : region.functions) note_handlers(*f.function);
  for (const auto& f : region.functions)
    if (f.caller >= 0 && f.function->data && f.function->data->clause)
      inlined.insert({region.functions[static_cast<size_t>(f.caller)].function, f.call_pc});
}

// What the code generator goes by where a perform leaves the fiber or the stack.
void CompiledCode::note_handlers(const vm::LoadedFunction& f) {
  for (const vm::Word* pc : vm::Instructions(f.linked)) {
    if (vm::op_of(*pc) != vm::Op::PERFORM) continue;
    const auto* cell = reinterpret_cast<const vm::PerformCell*>(pc[1]);
    if (cell->clause && cell->seen_sites == 1 && cell->clause->params == cell->args &&
        cell->args + 2u <= kArgumentsInRegisters)
      direct.insert(cell);
  }
}

void CompiledCode::refused(const vm::LoadedFunction& function, const std::string& why) {
  refusals[&function] = why;
}

int explain(const Source& source, RunFlags flags, const std::vector<std::string>& arguments,
            const ExplainFlags& wanted) {
  start_clock(flags.timeout);
  std::optional<Program> program = load_program(source, wanted.run ? Wanted::Program : Wanted::Listing);
  if (!program) return kUsage;
  if (!wanted.run) flags.tier = "interp";
  CompiledCode code;
  MachineRun machine(flags, arguments, &code);
  machine.vm().context().stats->detailed = true;
  std::string problem;
  vm::LoadedModule* module = machine.vm().load(std::move(program->module), &problem);
  if (!module) {
    complain(problem);
    return kUsage;
  }
  program->compilation.reset();
  int status = kOk;
  if (wanted.run) {
    OutputAside aside;
    vm::RunResult result = machine.vm().initialise(module);
    if (result.outcome == vm::Outcome::Finished) result = machine.vm().run_main(module);
    status = machine.report(result, true);
  }
  stop_clock();
  Explanation e;
  e.ran = wanted.run;
  collect(*module, e, wanted.run ? &code : nullptr);
  put_in_order(e.clauses, wanted.all);
  put_in_order(e.performs, wanted.all);
  std::string text = wanted.json ? as_json(e) : as_text(e);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    complain("standard output: cannot be written");
    return kPanic;
  }
  return machine.finish(status);
}

}  // namespace eddy::tool
