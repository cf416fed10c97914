#include "tools/eddy/options.h"

#include <CLI/CLI.hpp>

namespace eddy::tool {

void add_source_flags(CLI::App& command, Source& source) {
  command.add_option("--path", source.paths, "Search imports here too")->type_name("DIR")->group("Source")->allow_extra_args(false);
}

void add_run_flags(CLI::App& command, RunFlags& flags) {
  command.add_option("--stats", flags.stats, "Print what was counted, at exit")
      ->type_name("table|json")->expected(0, 1)->default_str("table")->check(CLI::IsMember({"table", "json"}))->group("Insight");
  command.add_option("--log-level", flags.log_level, "The VM's own log")
      ->capture_default_str()->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))->group("Insight");
  command.add_option("--max-heap", flags.max_heap, "Limit of the heap, 0: none (suffixes K, M, G)")
      ->transform(CLI::AsSizeValue(false))->type_name("SIZE")->group("Limits");
  command.add_option("--max-stack", flags.max_stack, "Limit of all stacks together")
      ->transform(CLI::AsSizeValue(false))->type_name("SIZE")->default_str("1G")->group("Limits");
  command.add_option("--fuel", flags.fuel, "Stop after this many calls and loop rounds, 0: never")->type_name("N")->group("Limits");
  command.add_option("--timeout", flags.timeout, "Stop after this time")->type_name("SECONDS")->check(CLI::PositiveNumber)->group("Limits");
  command.add_option("--gc-stress", flags.gc_stress, "Collect at every N-th allocation")
      ->type_name("N")->expected(0, 1)->default_str("1")->group("Testing");
  command.add_flag("--verify-heap", flags.verify_heap, "Check the whole heap after each collection")->group("Testing");
}

}  // namespace eddy::tool
