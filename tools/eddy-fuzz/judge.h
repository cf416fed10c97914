// Runs one program's text in every mode and says what is wrong with it.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "tools/eddy-fuzz/modes.h"
#include "tools/eddy-fuzz/turns.h"

namespace eddy::fuzz {

struct Settings {
  std::vector<const Mode*> modes;  // the first is what the others are compared with
  uint64_t seed = 1;               // of the program: decides what the modes leave open
  unsigned turns = 0;              // how many of the modes' turns each program gets; 0: all
  double seconds = 20;             // of processor time a mode may take
  bool mutants = false;            // may be rejected, and may run for ever
  std::string compare_with;        // another `eddy`, by path: runs the text too
};

struct Verdict {
  std::string problem;  // its class: what is compared while reducing; empty: none
  std::string mode;     // where it shows
  std::string detail;
  bool ended_early = false;             // ran out of memory, or of time in a mode that is slow by nature
  bool rejected = false;                // of mutants: did not compile, or ran too long
  bool panicked = false, left = false;  // how it ended: a panic, or `exit`
  uint64_t ran = 0;                     // bits of the modes that were run to the end
  std::string example_output;
};

// In a child process: a crash is a verdict.
Verdict judge(const std::string& text, const Settings& settings);
// What came of many programs, counted in memory that processes share.
struct Tally {
  std::atomic<uint64_t> done, early, rejected, panicked, left;
  std::atomic<uint64_t> of_mode[kMaxModes];  // runs

  void count_runs(uint64_t ran) {
    for (size_t i = 0; ran >> i; ++i) of_mode[i] += ran >> i & 1;
  }
  uint64_t runs() const {
    uint64_t sum = 0;
    for (const auto& n : of_mode) sum += n;
    return sum;
  }
};

// Judges the programs of the seeds from settings.seed up to `end` one after the other in one child process,
// which is several times faster than one for each. Ends at the first that something is wrong with or that
// ends the child, or where `stop` says so, and says at which seed: that one is not counted, and the verdict
// says what was seen. What ran before it may have had its share in that: judge it alone.
uint64_t judge_in_turn(Settings settings, uint64_t end,
                       const std::function<std::string(uint64_t seed)>& text_of,
                       const std::function<bool()>& stop, Tally& tally, Verdict& verdict);
// Does the same in this process. Under an emulator, children then find translated what they share with this
// program.
void rehearse(const std::string& text, const Settings& settings);

}  // namespace eddy::fuzz
