#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/machine.h"
#include "tools/eddy/program.h"

namespace eddy::tool {

int run(const Source& source, const RunFlags& flags, const std::vector<std::string>& arguments) {
  std::optional<Program> program = load_program(source, Wanted::Program);
  if (!program) return kUsage;
  MachineRun machine(flags, arguments);
  std::string problem;
  vm::LoadedModule* module = machine.vm().load(std::move(program->module), &problem);
  if (!module) {
    complain(problem);
    return kUsage;
  }
  program->compilation.reset();
  vm::RunResult result = machine.vm().initialise(module);
  if (result.outcome == vm::Outcome::Finished) result = machine.vm().run_main(module);
  return machine.finish(machine.report(result, true));
}

}  // namespace eddy::tool
