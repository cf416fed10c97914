#include "jit/debug/describe.h"

#include <algorithm>
#include <map>

#include "jit/debug/frames.h"
#include "vm/control/pseudo.h"
#include "vm/names.h"

namespace eddy::jit::debug {

namespace {

class Describer {
 public:
  explicit Describer(CodeRegion& region) : r_(region) { known_[{region.functions[0].function, nullptr}] = 0; }

  // Index of the function that the instruction belongs to, as it was inlined there.
  uint32_t function_of(const Origin* origin) {
    auto key = std::make_pair(origin->function, origin->caller);
    auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    CodeRegion::Inlined entry{origin->function, -1, 0};
    if (origin->caller) {  // inlining is a few levels deep
      entry.caller = static_cast<int>(function_of(origin->caller));
      entry.call_pc = origin->caller->function->pc_of(origin->caller->pc);
    }
    r_.functions.push_back(entry);
    return known_[key] = static_cast<uint32_t>(r_.functions.size() - 1);
  }

 private:
  CodeRegion& r_;
  std::map<std::pair<const vm::LoadedFunction*, const Origin*>, uint32_t> known_;
};

}  // namespace

CodeRegion region_of(const Graph& graph, const CodegenResult& result, const void* code) {
  CodeRegion region;
  region.name = vm::display_name(*graph.function);
  region.code = static_cast<const uint8_t*>(code);
  region.size = result.size;
  region.functions.push_back({graph.function, -1, 0});
  Describer describer(region);
  if (result.positions.empty() || result.positions[0].offset)
    region.lines.push_back({0, 0, graph.osr ? graph.function->pc_of(graph.osr) : 0});
  for (const CodegenResult::Position& p : result.positions) {
    const Origin* origin = p.origin;
    uint32_t function = describer.function_of(origin);
    CodeRegion::Line line{static_cast<uint32_t>(p.offset), function, origin->function->pc_of(origin->pc)};
    if (!region.lines.empty() && region.lines.back().function == function &&
        region.lines.back().pc == line.pc)
      continue;
    region.lines.push_back(line);
  }
  // Also those that nothing is left of: what they do may be done elsewhere, or be known.
  for (const Origin& origin : graph.origin_store) describer.function_of(&origin);
  // In the middle it is entered with its frame laid out.
  auto frame = static_cast<int32_t>(graph.function->frame_words()) * 8;
  std::vector<Entry> entries{{0, graph.osr ? frame : 8}};
  if (result.checked_entry) entries.push_back({static_cast<uint32_t>(result.checked_entry), 8});
  if (result.forked_site) entries.push_back({static_cast<uint32_t>(result.forked_site), frame});
  if (result.resuming_entry) entries.push_back({static_cast<uint32_t>(result.resuming_entry), 8});
  if (result.returned_site) entries.push_back({static_cast<uint32_t>(result.returned_site), frame});
  region.moves = follow_frames(region.code, region.size, entries);
  return region;
}

std::vector<CodeRegion> stub_regions(const StubCode& stubs) {
  const Stubs& t = stubs.table;
  struct Stub {
    const char* name;
    const void* start;
    int32_t cfa;
    bool returned_to = false;
  };
  // Some addresses have two names; the first is taken.
  std::vector<Stub> all = {
      {"enter machine code", reinterpret_cast<const void*>(t.enter), 8},
      {"interpreted frame", t.interp_return, kInterpreted, true},
      {"end of clause", t.clause_end, static_cast<int32_t>(vm::ClauseFrame::kWords) * 8, true},
      {"end of fiber", t.fiber_exit, kFiberEnd, true},
      {"end of program", t.vm_exit, kVmEnd, true},
      {"watermark", t.watermark, kInterpreted, true},
      {"call the interpreter", t.call_interpreter, 8},
      {"leave for the interpreter", t.leave_in_place, 8},
      {"call runtime (value)", t.call_value, 8},
      {"call runtime (control)", t.call_action, 8},
      {"call runtime", t.call_plain, 8},
      {"perform", t.perform, 8},
      {"perform for a known handler", t.perform_known, 8},
      {"resume", t.resume_keep, 8},
      {"resume last", t.resume_last, 8},
      {"resume in tail position", t.tail_resume_keep, 8},
      {"resume last in tail position", t.tail_resume_last, 8},
      {"start a fiber", t.fiber_call, 8},
      {"abort a fiber's body", t.abort_body, 8},
      {"finish a fiber", t.finish_fiber, 8},
      {"fork", t.fork, 8},
  };
  std::sort(all.begin(), all.end(), [](const Stub& a, const Stub& b) { return a.start < b.start; });
  std::vector<CodeRegion> out;
  const uint8_t* end = stubs.code + stubs.size;
  // A frame that waits is looked up by the byte before its return address, which so has to belong to the
  // piece.
  auto early = [&](const Stub& stub) { return stub.returned_to && stub.start > stubs.code ? 1u : 0u; };
  for (size_t i = 0; i < all.size(); ++i) {
    auto* start = static_cast<const uint8_t*>(all[i].start);
    if (!start || start < stubs.code || start >= end) continue;
    CodeRegion region;
    region.name = std::string("eddy: ") + all[i].name;
    region.code = start - early(all[i]);
    auto* next = i + 1 < all.size() ? static_cast<const uint8_t*>(all[i + 1].start) - early(all[i + 1]) : end;
    if (next <= start) continue;
    region.size = static_cast<size_t>(next - region.code);
    region.moves = follow_frames(start, static_cast<size_t>(next - start), {{0, all[i].cfa}});
    for (FrameMove& move : region.moves)
      if (move.offset) move.offset += early(all[i]);
    out.push_back(std::move(region));
  }
  return out;
}

}  // namespace eddy::jit::debug
