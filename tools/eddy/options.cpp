#include "tools/eddy/options.h"

#include <CLI/CLI.hpp>

#include "jit/options.h"

namespace eddy::tool {

namespace {

// The library's own words name the largest double, digit by digit.
CLI::Validator number(const CLI::Range& range, const char* wanted) {
  return CLI::Validator(
      [=](std::string& text) {
        return range(text).empty() ? std::string() : text + " is not " + wanted;
      },
      "");
}

}  // namespace

void add_source_flags(CLI::App& command, Source& source) {
  command.add_option("--path", source.paths, "Search imports here too, after the importing file's folder")
      ->type_name("DIR")
      ->group("Source")
      ->allow_extra_args(false);
}

void add_run_flags(CLI::App& command, RunFlags& flags) {
  auto option = [&](const char* name, auto& value, const char* group, const char* type, const char* says) {
    return command.add_option(name, value, says)->group(group)->type_name(type);
  };
  option("--tier", flags.tier, "Compiler", "TIER",
         "auto: what is hot; interp: nothing; jit: every function before its first call")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "interp", "jit"}).description(""));
  option("--jit-threshold", flags.jit_threshold, "Compiler", "N", "Calls until a function is compiled")
      ->check(number(CLI::NonNegativeNumber, "a number, 0 or more"))
      ->default_str(std::to_string(jit::Options{}.jit_threshold));
  option("--osr-threshold", flags.osr_threshold, "Compiler", "N", "Iterations until a loop is compiled")
      ->check(number(CLI::NonNegativeNumber, "a number, 0 or more"))
      ->default_str(std::to_string(jit::Options{}.osr_threshold));
  option("--jit-filter", flags.jit_filter, "Compiler", "GLOB",
         "Compile only functions whose whole name matches this, such as 'parse_*'");
  std::vector<std::string> passes;
  passes.reserve(static_cast<size_t>(jit::Pass::Count));
  for (unsigned i = 0; i < static_cast<unsigned>(jit::Pass::Count); ++i)
    passes.push_back(jit::flag_of(static_cast<jit::Pass>(i)));
  option("--no-opt", flags.no_opt, "Compiler", "PASS,...",
         "Leave out passes of the compiler, to find what they do")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(passes));
  // A value is optional only behind `=`, so that these never take FILE for theirs.
  command.add_flag("--stats{table}", flags.stats, "Print what was counted, at exit; also --stats=json")
      ->check(CLI::IsMember({"table", "json"}).description(""))
      ->group("Insight");
  option("--trace", flags.trace, "Insight", "effects,calls,jit,gc",
         "One line an event on standard error; calls are traced in the interpreter")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"effects", "calls", "jit", "gc"}).description(""));
  option("--trace-format", flags.trace_format, "Insight", "FORMAT",
         "text; chrome: JSON for trace viewers, fibers as tracks, performs and resumes as arrows")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "chrome"}).description(""));
  option("--trace-file", flags.trace_file, "Insight", "FILE", "Write the trace there instead");
  option(
      "--profile", flags.profile, "Insight", "FILE",
      "Sample Eddy's stacks, through handlers and resumptions: folded stacks, or a flame graph in FILE.svg");
  option("--perf", flags.perf, "Insight", "map|jitdump",
         "Names for `perf`: /tmp/perf-PID.map; or jit-PID.dump with lines, for `perf inject --jit`")
      ->check(CLI::IsMember({"map", "jitdump"}).description(""));
  command.add_flag("--gdb", flags.gdb, "Tell gdb of machine code: names, lines, call frames")
      ->group("Insight");
  option("--log-level", flags.log_level, "Insight", "LEVEL",
         "The VM's own log: trace, debug, info, warn, error, off")
      ->capture_default_str()
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}).description(""));
  option("--max-heap", flags.max_heap, "Limits", "SIZE", "Limit of the heap (suffixes K, M, G)")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->default_str("none");
  option("--max-stack", flags.max_stack, "Limits", "SIZE",
         "Limit of one stack; all fibers together may have four times that")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->default_str("1G");
  option("--fuel", flags.fuel, "Limits", "N", "Stop after this many calls and loop rounds")
      ->default_str("none");
  option("--timeout", flags.timeout, "Limits", "SECONDS", "Stop after this time")
      ->check(number(CLI::PositiveNumber, "a number above 0"))
      ->default_str("none");
  command
      .add_flag("--gc-stress{1}", flags.gc_stress,
                "Collect at every allocation; --gc-stress=N: at every N-th")
      ->group("Testing");
  command.add_flag("--verify-heap", flags.verify_heap, "Check the whole heap after each collection")
      ->group("Testing");
  option("--seed", flags.seed, "Testing", "N",
         "Makes the system's entropy (std/random system, os.random) this sequence")
      ->each([&flags](const std::string&) { flags.has_seed = true; })
      ->default_str("none");
}

}  // namespace eddy::tool
