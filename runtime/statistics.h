// What a run counts, for --stats. The interpreter and machine code bump the fields of Statistics; fibers and
// collections are counted where they happen and gathered when printing.
#pragma once
#include <array>
#include <cstdint>
#include <string>

namespace eddy::rt {

struct Context;

enum class ResumeShape : uint8_t { Tail, NonTail, Escaped, Dropped, Copied };
constexpr unsigned kClauseKinds = 5, kResumeShapes = 5, kDeoptReasons = 16;

struct Statistics {
  // Performs by the kind of the clause that ran (runtime/handler.h), and how the handler was found.
  std::array<uint64_t, kClauseKinds> performs{};
  uint64_t named_performs = 0;  // among them, to named handlers
  uint64_t inlined_performs = 0; // among them, those of clauses inlined or called without a search in machine code
  uint64_t cache_hits = 0, cache_misses = 0;
  uint64_t megamorphic_sites = 0;
  std::array<uint64_t, kResumeShapes> resumes{};
  uint64_t captures = 0;

  uint64_t interpreter_ns = 0, machine_ns = 0, compile_ns = 0;
  uint64_t longest_compile_ns = 0;  // of one function
  uint64_t functions_compiled = 0, loops_compiled = 0, recompiled = 0, refused = 0, code_bytes = 0;
  // Seen when stacks grew and at performs that met a new handler; the true peaks may lie a little higher.
  uint64_t peak_frames = 0, peak_handlers = 0;
  uint64_t frames_taken_over = 0;  // frames of the interpreter that go on in machine code when they are returned to
  // Set before anything is loaded: machine code times itself and counts what it would otherwise do unseen.
  bool detailed = false;
  std::array<uint64_t, kDeoptReasons> deopts{};
  // Set by the JIT; a reason without a name is not printed.
  std::array<const char*, kDeoptReasons> deopt_names{};
};

// Everything counted, as an aligned table or as one JSON object.
std::string statistics_table(const Context& ctx);
std::string statistics_json(const Context& ctx);

}  // namespace eddy::rt
