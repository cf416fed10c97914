// --trace=effects: one line an event on standard error.
#include <array>
#include <cstdio>

#include "vm/control/control.h"

namespace eddy::vm {

void print_effect(Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause) {
  static constexpr std::array kKinds = {"tail", "abort", "tail or abort", "once", "multi"};
  unsigned fiber = ctx.fiber->id;
  std::string here = current_place(ctx);
  switch (event) {
    case rt::EffectEvent::Perform:
      std::fprintf(stderr, "perform %s in fiber %u at %s → handler at %s, %s\n", clause->name.c_str(), fiber, here.c_str(),
                   place_of(site).c_str(), kKinds[static_cast<unsigned>(clause->kind)]);
      break;
    case rt::EffectEvent::Resume:
      std::fprintf(stderr, "resume → fiber %u at %s\n", fiber, here.c_str());
      break;
    case rt::EffectEvent::Drop:
      std::fprintf(stderr, "drop → fiber %u at %s\n", fiber, here.c_str());
      break;
  }
}

}  // namespace eddy::vm
