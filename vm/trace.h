// What a run tells of itself while it runs: a line an event, or a file for trace viewers (chrome://tracing,
// Perfetto). An event costs the same however many there were before, and nothing is kept of it.
#pragma once
#include <chrono>
#include <cstdio>
#include <string>

#include "runtime/context.h"
#include "vm/loaded.h"

namespace eddy::vm {

class Trace {
 public:
  enum class Format : uint8_t { Text, Chrome };
  // To `out`, which is closed in the end where `owned`.
  Trace(std::FILE* out, bool owned, Format format);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  bool effects = false, calls = false;  // set before the VM is made

  void effect(rt::Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause,
              const rt::Fiber* other);
  void call(rt::Context& ctx, const LoadedFunction& function, const rt::Value* arguments);
  void line(const std::string& text);  // of the compiler, the collector
  // Ends the file; false where something could not be written.
  bool finish();

 private:
  double now();
  void event(const std::string& json);
  void run_on(rt::Context& ctx, uint32_t fiber);
  void chrome_effect(rt::Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause,
                     const rt::Fiber* other);

  std::FILE* out_;
  bool owned_, open_ = true, first_ = true, good_ = true;
  Format format_;
  std::chrono::steady_clock::time_point start_;
  double last_ = 0;       // microseconds
  uint32_t running_ = 0;  // the fiber whose track is being drawn; 0: none yet
  uint64_t arrows_ = 0;
};

// An rt::EffectObserver for ctx.trace.
void trace_effect(rt::Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause,
                  const rt::Fiber* other);

const char* kind_name(rt::ClauseKind kind);

}  // namespace eddy::vm
