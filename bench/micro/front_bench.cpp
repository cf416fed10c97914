// Lines a second through the front end. The program is the one that EDDY_PROGRAM names:
//   bench/large_program.py FOLDER --lines 200000 && EDDY_PROGRAM=FOLDER/main.eddy build/release/bench/front_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>

#include "lang/compile.h"
#include "lang/front_end.h"

namespace eddy::lang {
namespace {

enum class Until { Check, Lower };

void front_end(benchmark::State& state, Until until) {
  const char* path = std::getenv("EDDY_PROGRAM");
  if (!path) return state.SkipWithError("EDDY_PROGRAM names no program");
  int64_t lines = 0;
  for (auto _ : state) {
    FrontEndOptions options;
    options.need_main = true;
    auto compilation = check_file(path, options);
    if (until == Until::Lower) benchmark::DoNotOptimize(compile(*compilation));
    if (!compilation->ok()) return state.SkipWithError("the program does not compile");
    for (const auto& file : compilation->sources.files())
      lines += std::count(file->text().begin(), file->text().end(), '\n');
  }
  state.SetItemsProcessed(lines);
}

BENCHMARK_CAPTURE(front_end, parse_and_check, Until::Check)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(front_end, parse_check_and_lower, Until::Lower)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace eddy::lang
