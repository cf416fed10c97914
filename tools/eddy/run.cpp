#include "tools/eddy/commands.h"
#include "tools/eddy/ending.h"
#include "tools/eddy/files.h"
#include "tools/eddy/machine.h"
#include "tools/eddy/program.h"
#include "tools/eddy/signals.h"

namespace eddy::tool {

int run(const Source& source, const RunFlags& flags, const std::vector<std::string>& arguments) {
  start_clock(flags.timeout);
  std::optional<Program> program = load_program(source, Wanted::Program);
  if (!program) return kUsage;
  MachineRun machine(flags, arguments);
  std::string problem;
  vm::LoadedModule* module = machine.vm().load(std::move(program->module), &problem);
  if (!module) {
    complain(problem);
    return kUsage;
  }
  bool is_script = program->compilation && !program->compilation->program.script.empty();
  program->compilation.reset();
  vm::RunResult result = machine.vm().initialise(module);
  if (result.outcome == vm::Outcome::Finished) result = machine.vm().run_main(module);
  // The value of an expression is nobody's exit status.
  bool is_status = !source.is_expression || !is_script;
  int status = machine.report(result, is_status);
  stop_clock();
  status = machine.finish(status);
  return machine.is_listened_to() ? status : leave(status);
}

}  // namespace eddy::tool
