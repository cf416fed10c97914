// The reasons, in words.
#include <fmt/format.h>

#include <iterator>

#include "jit/build/switching.h"
#include "tools/eddy/explain.h"
#include "vm/trace.h"

namespace eddy::tool {

namespace {

const char* why_of(const rt::Clause& clause) {
  switch (clause.kind) {
    case rt::ClauseKind::Tail:
      return clause.plain ? "It resumes as the last thing on every path, and performs, calls and fails "
                            "nowhere: it is called "
                            "in place like a function, without a change of context."
                          : "It resumes as the last thing on every path: it is called in place, above a "
                            "frame that keeps the "
                            "performer's context, for it may itself perform, call or fail.";
    case rt::ClauseKind::Abort:
      return "It never resumes: the stack is unwound to the handler first, then it runs. Nothing is "
             "captured.";
    case rt::ClauseKind::TailOrAbort:
      return "It resumes as the last thing on some paths and not at all on others, and the resumption never "
             "escapes: it runs in "
             "place until that is decided. Nothing is captured.";
    case rt::ClauseKind::Once:
      return "It uses `resume` otherwise than as its last call: the handled body has its own fiber, "
             "performing detaches it, and "
             "resuming links it back. Nothing is copied.";
    case rt::ClauseKind::Multi:
      return "Its operation may resume more than once: the handled body has its own fiber, performing "
             "detaches it; a resumption "
             "that is not the last runs on a copy.";
  }
  return "";
}

std::string place_of_site(const rt::Site& site) {
  return vm::to_string(vm::source_place(*vm::loaded(site.owner), site.pc));
}

bool is_fiber_kind(rt::ClauseKind kind) {
  return kind == rt::ClauseKind::Once || kind == rt::ClauseKind::Multi;
}

std::string operation_name(const vm::LoadedModule& module, const vm::PerformCell& cell,
                           const vm::LoadedFunction& f, uint32_t pc) {
  // The file's own numbers say which of its effects it is.
  if (f.data && pc + 1 < f.data->code.size() && f.data->code[pc + 1] < module.source.effects.size()) {
    const vm::EffectData& effect = module.source.effects[f.data->code[pc + 1]];
    if (cell.operation < effect.operations.size())
      return effect.short_name() + "." + effect.operations[cell.operation].name;
  }
  return "operation " + std::to_string(cell.operation);
}

void explain_machine_code(PerformItem& item, const vm::LoadedFunction& f, uint32_t pc,
                          const vm::PerformCell& cell, const CompiledCode& code) {
  bool captures = cell.clause && is_fiber_kind(cell.clause->kind);
  bool aborts = cell.clause && cell.clause->kind == rt::ClauseKind::Abort;
  if (item.count == 0) {
    item.machine_code = "never performed";
    item.why = "control never came here";
  } else if (code.inlined.count({&f, pc})) {
    item.machine_code = "inlined";
    item.why = item.in_line < item.count
                   ? "the others were performed before the code was made, or met another handler"
                   : "";
  } else if (item.in_line) {
    item.machine_code = "called in place";
    item.why = "the clause is too large to be inlined, recursive, or opens a region of its own";
  } else if (!code.compiled.count(&f)) {
    item.machine_code = "interpreted";
    auto refused = code.refusals.find(&f);
    item.why = refused != code.refusals.end()
                   ? "the compiler refused " + item.function + ": " + refused->second
                   : item.function + " has not become hot enough to be compiled";
  } else if (captures && !item.named && code.direct.count(&cell) &&
             cell.clause->kind == rt::ClauseKind::Once &&
             jit::resumes_first(*vm::loaded(cell.clause->function))) {
    item.machine_code = "resumed in line";
    item.why =
        "the clause resumes before it does anything else: its frame is laid below the handled body, which "
        "goes on "
        "at once; no fiber is left, and nothing captured";
  } else if (captures && !item.named && code.direct.count(&cell)) {
    item.machine_code = "captured in line";
    item.why =
        "the code checks that this handler is on top, changes fibers itself and enters the clause; "
        "what it does not expect goes through the runtime";
  } else if (aborts && !item.named && cell.seen && cell.seen->returns && code.direct.count(&cell)) {
    item.machine_code = "aborted in line";
    item.why =
        "the code checks that this handler is on top and nothing has to be cleaned up, drops the "
        "frames and enters the clause; what it does not expect goes through the runtime";
  } else {
    item.machine_code = "by the runtime";
    if (item.named)
      item.why =
          "the clause is no tail clause, or too many different handlers answer here: the handler is looked "
          "up";
    else if (cell.seen_sites > 3)
      item.why = "too many different handlers answer here";
    else if (cell.seen_sites > 1 && captures)
      item.why = "several handlers answer here, and the clause captures";
    else if (aborts && cell.seen && !cell.seen->returns)
      item.why = "the clause aborts, and its handler goes on with what it gives: the stack is unwound first";
    else
      item.why = "the handler was not known yet when the code was made";
  }
}

}  // namespace

ClauseItem explain_clause(const rt::Site& site, const rt::Clause& clause) {
  ClauseItem item;
  item.place = vm::source_place(*vm::loaded(clause.function));
  item.handler = vm::source_place(*vm::loaded(site.owner), site.pc);
  item.name = clause.name;
  item.kind = vm::kind_name(clause.kind);
  item.why = why_of(clause);
  item.plain = clause.plain;
  item.named = site.named;
  item.fiber = site.needs_fiber;
  if (site.needs_fiber && !is_fiber_kind(clause.kind))
    for (const rt::Clause& other : site.clauses)
      if (is_fiber_kind(other.kind)) {
        item.why += fmt::format(" (The body has a fiber of its own because of {}.)", other.name);
        break;
      }
  return item;
}

PerformItem explain_perform(const vm::LoadedModule& module, const vm::LoadedFunction& f, uint32_t pc,
                            const CompiledCode* code) {
  const auto& cell = *reinterpret_cast<const vm::PerformCell*>(f.linked[pc + 1]);
  PerformItem item;
  item.place = vm::source_place(f, pc);
  item.named = vm::op_of(f.linked[pc]) == vm::Op::PERFORM_NAMED;
  item.name = operation_name(module, cell, f, pc);
  item.function = vm::display_name(f);
  for (const rt::Site& site : module.sites) {
    if (site.mask || site.named != item.named) continue;
    if (const rt::Clause* clause = site.find(cell.effect, cell.operation))
      item.candidates.push_back(std::string(vm::kind_name(clause->kind)) + " at " +
                                vm::to_string(vm::source_place(*vm::loaded(clause->function))));
  }
  if (!code) return item;
  item.count = cell.count + cell.inlined;
  item.misses = cell.misses;
  item.in_line = cell.inlined;
  for (unsigned i = 0; i < cell.seen_sites && i < std::size(cell.others); ++i)
    item.met.push_back(place_of_site(*cell.others[i]));
  if (item.count == 0)
    item.cache = "never performed";
  else if (cell.seen_sites > std::size(cell.others))
    item.cache = "many handlers";
  else if (cell.seen_sites == 1)
    item.cache = "one handler";
  else
    item.cache = std::to_string(cell.seen_sites) + " handlers";
  explain_machine_code(item, f, pc, cell, *code);
  return item;
}

}  // namespace eddy::tool
