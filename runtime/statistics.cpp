#include "runtime/statistics.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "runtime/context.h"
#include "runtime/fiber_pool.h"
#include "runtime/heap.h"

namespace eddy::rt {

namespace {

enum class Unit : uint8_t { Count, Bytes, Nanoseconds };

struct Row {
  const char* section;
  std::string label;
  uint64_t value;
  Unit unit = Unit::Count;
};

std::vector<Row> rows_of(const Context& ctx) {
  std::vector<Row> rows;
  const char* section = "";
  auto add = [&](std::string label, uint64_t value, Unit unit = Unit::Count) {
    rows.push_back({section, std::move(label), value, unit});
  };
  if (const Statistics* s = ctx.stats) {
    section = "time";
    add("interpreter", s->interpreter_ns, Unit::Nanoseconds);
    add("machine code", s->machine_ns, Unit::Nanoseconds);
    add("compiling", s->compile_ns, Unit::Nanoseconds);
    add("longest compilation", s->longest_compile_ns, Unit::Nanoseconds);
    section = "compiled";
    add("functions", s->functions_compiled);
    add("loops", s->loops_compiled);
    add("again", s->recompiled);
    add("refused", s->refused);
    add("code", s->code_bytes, Unit::Bytes);
    section = "performs";
    const char* kinds[kClauseKinds] = {"tail", "abort", "tail or abort", "once", "multi"};
    for (unsigned i = 0; i < kClauseKinds; ++i) add(kinds[i], s->performs[i]);
    add("to named handlers", s->named_performs);
    add("in line in machine code", s->inlined_performs);
    section = "handler cache";
    add("hits", s->cache_hits);
    add("misses", s->cache_misses);
    add("megamorphic sites", s->megamorphic_sites);
    section = "resumes";
    const char* shapes[kResumeShapes] = {"tail", "not tail", "escaped", "dropped", "on a copy"};
    for (unsigned i = 0; i < kResumeShapes; ++i) add(shapes[i], s->resumes[i]);
    section = "handlers";
    add("captures", s->captures);
    add("peak", s->peak_handlers);
    section = "frames";
    add("peak", s->peak_frames);
    add("taken over", s->frames_taken_over);
    section = "deoptimisations";
    for (unsigned i = 0; i < kDeoptReasons; ++i)
      if (s->deopt_names[i]) add(s->deopt_names[i], s->deopts[i]);
  }
  if (ctx.fibers) {
    const FiberPool::Counters& f = ctx.fibers->counters;
    const FiberSupply& supply = ctx.fiber_supply;
    section = "fibers";
    add("made", supply.made);
    add("reused", ctx.fibers->reused());
    add("copied", supply.copied);
    add("copied for captures", supply.bytes_copied, Unit::Bytes);
    add("grown", f.grown);
    add("cut down", f.cut);
    add("peak", ctx.fibers->count());
    add("peak of their stacks", f.peak_bytes, Unit::Bytes);
  }
  if (ctx.heap) {
    Heap::Counters h = ctx.heap->counters();
    section = "collector";
    add("minor collections", h.minor);
    add("major collections", h.major);
    add("pauses", h.total_pause_ns, Unit::Nanoseconds);
    add("longest pause", h.max_pause_ns, Unit::Nanoseconds);
    add("allocated", h.bytes_allocated, Unit::Bytes);
    add("promoted", h.bytes_promoted, Unit::Bytes);
    add("old space", h.old_bytes, Unit::Bytes);
    add("peak", h.peak_bytes, Unit::Bytes);
    add("fibers scanned", h.fibers_scanned);
    add("fibers collected", h.fibers_collected);
    add("frames scanned", h.frames_scanned);
  }
  return rows;
}

std::string scaled(double value, std::initializer_list<const char*> units, double step) {
  auto unit = units.begin();
  while (value >= step && std::next(unit) != units.end()) {
    value /= step;
    ++unit;
  }
  return fmt::format("{:.2f} {}", value, *unit);
}

std::string human(const Row& row) {
  switch (row.unit) {
    case Unit::Nanoseconds: return scaled(static_cast<double>(row.value), {"ns", "us", "ms", "s"}, 1000);
    case Unit::Bytes:
      if (row.value < 1024) return fmt::format("{} B", row.value);
      return scaled(static_cast<double>(row.value), {"B", "KiB", "MiB", "GiB"}, 1024);
    case Unit::Count: break;
  }
  std::string digits = fmt::format("{}", row.value);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i && (digits.size() - i) % 3 == 0) grouped += ' ';
    grouped += digits[i];
  }
  return grouped;
}

std::string key_of(std::string_view label) {
  std::string key;
  for (char c : label) key += c == ' ' ? '_' : c;
  return key;
}

}  // namespace

std::string statistics_table(const Context& ctx) {
  std::vector<Row> rows = rows_of(ctx);
  size_t labels = 0, values = 0;
  for (const Row& row : rows) {
    labels = std::max(labels, row.label.size());
    values = std::max(values, human(row).size());
  }
  std::string text;
  std::string_view section;
  for (const Row& row : rows) {
    if (section != row.section) fmt::format_to(std::back_inserter(text), "{}\n", section = row.section);
    fmt::format_to(std::back_inserter(text), "  {:<{}}  {:>{}}\n", row.label, labels, human(row), values);
  }
  return text;
}

std::string statistics_json(const Context& ctx) {
  std::string text = "{";
  std::string_view section;
  for (const Row& row : rows_of(ctx)) {
    bool first = section != row.section;
    if (first) {
      text += section.empty() ? "" : "}, ";
      fmt::format_to(std::back_inserter(text), "\"{}\": {{", key_of(row.section));
      section = row.section;
    }
    const char* suffix = row.unit == Unit::Bytes ? "_bytes" : row.unit == Unit::Nanoseconds ? "_ns" : "";
    fmt::format_to(std::back_inserter(text), "{}\"{}{}\": {}", first ? "" : ", ", key_of(row.label), suffix, row.value);
  }
  text += section.empty() ? "}\n" : "}}\n";
  return text;
}

}  // namespace eddy::rt
