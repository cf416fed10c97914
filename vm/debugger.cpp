#include "vm/debugger.h"

#include "vm/tier.h"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

using eddy::rt::Context;
using eddy::rt::Fiber;
using eddy::rt::Stubs;
using namespace eddy::vm;

extern "C" {

__attribute__((used, visibility("default"))) Context* eddy_debug_context = nullptr;

// "name=offset" pairs; the script reads it as text, so that it needs no types. Nobody else does: the linker must not drop it.
struct EddyDebugField {
  const char* name;
  uint64_t value;
};
#define FIELD(type, field) {#type "." #field, offsetof(type, field)}
__attribute__((used, retain, visibility("default"))) extern const EddyDebugField eddy_debug_layout[] = {
    FIELD(Context, fiber),
    {"Context.interp_return", offsetof(Context, stubs) + offsetof(Stubs, interp_return)},
    {"Context.fiber_exit", offsetof(Context, stubs) + offsetof(Stubs, fiber_exit)},
    {"Context.vm_exit", offsetof(Context, stubs) + offsetof(Stubs, vm_exit)},
    {"Context.watermark", offsetof(Context, stubs) + offsetof(Stubs, watermark)},
    FIELD(Context, tier),
    FIELD(Fiber, parent),
    FIELD(Fiber, sp),
    FIELD(Fiber, base),
    FIELD(Fiber, limit),
    FIELD(Fiber, id),
    FIELD(LoadedFunction, frame_size),
    FIELD(LoadedFunction, name),
    FIELD(LoadedFunction, hidden),
    FIELD(LoadedFunction, module),
    FIELD(LoadedFunction, data),
    FIELD(LoadedFunction, linked),
    {"FunctionData.positions", offsetof(FunctionData, positions)},
    {"LoadedModule.files", offsetof(LoadedModule, source) + offsetof(Module, files)},
    {"sizeof.string", sizeof(std::string)},
    {"sizeof.PositionData", sizeof(PositionData)},
    {"Tier.safepoints", offsetof(Tier, safepoints)},
    {"sizeof.Safepoint", sizeof(Safepoint)},
    FIELD(Safepoint, function),
    FIELD(Safepoint, pc),
    FIELD(Safepoint, destination),
    FIELD(Safepoint, callers),
    FIELD(Tier, callers),
    {"sizeof.InlinedCaller", sizeof(InlinedCaller)},
    FIELD(InlinedCaller, function),
    FIELD(InlinedCaller, pc),
    FIELD(InlinedCaller, destination),
    FIELD(InlinedCaller, words),
    {nullptr, 0},
};
#undef FIELD
}

namespace eddy::vm {

void show_to_debuggers(rt::Context* ctx) { eddy_debug_context = ctx; }
void hide_from_debuggers(rt::Context* ctx) {
  if (eddy_debug_context == ctx) eddy_debug_context = nullptr;
}

}  // namespace eddy::vm
