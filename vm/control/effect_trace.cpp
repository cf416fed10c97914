// --trace=effects: one line an event.
#include <array>
#include <cstdio>

#include "vm/control/control.h"
#include "vm/trace.h"

namespace eddy::vm {

const char* kind_name(rt::ClauseKind kind) {
  static constexpr std::array kKinds = {"tail", "abort", "tail or abort", "once", "multi"};
  return kKinds[static_cast<unsigned>(kind)];
}

std::string effect_line(Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause) {
  std::string fiber = std::to_string(ctx.fiber->id), here = current_place(ctx);
  switch (event) {
    case rt::EffectEvent::Perform:
      return "perform " + clause->name + " in fiber " + fiber + " at " + here + " → handler at " + place_of(site) + ", " +
             kind_name(clause->kind);
    case rt::EffectEvent::Resume: return "resume → fiber " + fiber + " at " + here;
    case rt::EffectEvent::Drop: return "drop → fiber " + fiber + " at " + here;
  }
  return "";
}

void print_effect(Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause, const rt::Fiber*) {
  std::fprintf(stderr, "%s\n", effect_line(ctx, event, site, clause).c_str());
}

}  // namespace eddy::vm
