#include "vm/trace.h"

#include <fmt/format.h>

#include "runtime/object.h"
#include "runtime/show.h"
#include "vm/control/control.h"

namespace eddy::vm {

namespace {

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else
      out += c;
  }
  return out + '"';
}

// What can be shown in a few letters, whatever the heap holds.
std::string brief(rt::Context& ctx, rt::Value v) {
  constexpr size_t kLongest = 40;
  if (v.is_ptr() && (!rt::is_kind(v, rt::Kind::String) || rt::string_view_of(v).size() > kLongest))
    return "…";
  std::string text;
  return rt::append_show(ctx, text, v) ? text : "…";
}

}  // namespace

Trace::Trace(std::FILE* out, bool owned, Format format)
    : out_(out), owned_(owned), format_(format), start_(std::chrono::steady_clock::now()) {
  if (format_ == Format::Chrome) std::fputs("[\n", out_);
}

Trace::~Trace() { finish(); }

bool Trace::finish() {
  if (!open_) return good_;
  open_ = false;
  if (format_ == Format::Chrome) {
    if (running_) event(fmt::format(R"({{"ph":"E","pid":1,"tid":{},"ts":{:.3f}}})", running_, now()));
    std::fputs("\n]\n", out_);
  }
  good_ &= std::ferror(out_) == 0;
  good_ &= (owned_ ? std::fclose(out_) : std::fflush(out_)) == 0;
  return good_;
}

// Later than whatever was told before, so that nothing changes places.
double Trace::now() {
  double t = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start_).count();
  return last_ = std::max(t, last_ + 0.001);
}

void Trace::event(const std::string& json) {
  if (!first_) std::fputs(",\n", out_);
  first_ = false;
  std::fputs(json.c_str(), out_);
}

void Trace::line(const std::string& text) {
  if (format_ == Format::Text) {
    std::fputs((text + "\n").c_str(), out_);
    return;
  }
  event(fmt::format(R"({{"name":{},"ph":"i","s":"p","pid":1,"tid":0,"ts":{:.3f}}})", json_text(text), now()));
}

// The track of one fiber ends for now, another's goes on.
void Trace::run_on(rt::Context&, uint32_t fiber) {
  if (running_ == fiber) return;
  if (running_) event(fmt::format(R"({{"ph":"E","pid":1,"tid":{},"ts":{:.3f}}})", running_, now()));
  event(fmt::format(R"({{"name":"fiber {0}","ph":"B","pid":1,"tid":{0},"ts":{1:.3f}}})", fiber, now()));
  running_ = fiber;
}

void Trace::chrome_effect(rt::Context& ctx, rt::EffectEvent what, const rt::Site* site,
                          const rt::Clause* clause, const rt::Fiber* other) {
  auto arrow = [&](char end, uint64_t id, uint32_t fiber, const char* name) {
    event(fmt::format(
        R"({{"name":"{}","cat":"control","ph":"{}","bp":"e","id":{},"pid":1,"tid":{},"ts":{:.3f}}})", name,
        end, id, fiber, now()));
  };
  auto point = [&](const std::string& name, uint32_t fiber, const std::string& arguments) {
    event(fmt::format(R"({{"name":{},"ph":"i","s":"t","pid":1,"tid":{},"ts":{:.3f},"args":{{{}}}}})",
                      json_text(name), fiber, now(), arguments));
  };
  uint32_t here = ctx.fiber->id;
  std::string at = "\"at\":" + json_text(current_place(ctx));
  if (what == rt::EffectEvent::Perform) {
    run_on(ctx, here);
    point("perform " + clause->name, here,
          at + ",\"handler\":" + json_text(place_of(site)) + ",\"kind\":\"" + kind_name(clause->kind) + "\"");
    if (!other || other->id == here) return;
    uint64_t id = ++arrows_;
    arrow('s', id, here, "perform");
    run_on(ctx, other->id);
    arrow('f', id, other->id, "perform");
    return;
  }
  const char* name = what == rt::EffectEvent::Resume ? "resume" : "drop";
  uint64_t id = ++arrows_;
  if (other && other->id != here) {
    run_on(ctx, other->id);
    arrow('s', id, other->id, name);
  }
  run_on(ctx, here);
  if (other && other->id != here) arrow('f', id, here, name);
  point(name, here, at);
}

void Trace::effect(rt::Context& ctx, rt::EffectEvent what, const rt::Site* site, const rt::Clause* clause,
                   const rt::Fiber* other) {
  if (format_ == Format::Text)
    line(effect_line(ctx, what, site, clause));
  else
    chrome_effect(ctx, what, site, clause, other);
}

void Trace::call(rt::Context& ctx, const LoadedFunction& function, const rt::Value* arguments) {
  if (function.hidden) return;
  std::string text = "call " + function.name + "(";
  for (unsigned i = function.takes_self ? 1 : 0, n = 0; i < function.params; ++i, ++n)
    text += (n ? ", " : "") + brief(ctx, arguments[i]);
  text += ")";
  std::string from = caller_place(ctx);
  uint32_t fiber = ctx.fiber->id;
  if (format_ == Format::Text) return line(text + " in fiber " + std::to_string(fiber) + " from " + from);
  run_on(ctx, fiber);
  event(fmt::format(R"({{"name":{},"ph":"i","s":"t","pid":1,"tid":{},"ts":{:.3f},"args":{{"from":{}}}}})",
                    json_text(text), fiber, now(), json_text(from)));
}

void trace_effect(rt::Context& ctx, rt::EffectEvent event, const rt::Site* site, const rt::Clause* clause,
                  const rt::Fiber* other) {
  static_cast<Trace*>(ctx.trace)->effect(ctx, event, site, clause, other);
}

}  // namespace eddy::vm
