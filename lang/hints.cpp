// What a report advises beyond what it found wrong.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <unordered_map>
#include <vector>

#include "lang/checker.h"
#include "std/embedded.h"

namespace eddy::lang {

// A value of type `t` stands where its kind cannot.
void Checker::hint_type(Diagnostic& d, Type* t) {
  t = prune(t);
  if (t->tag == TypeTag::Con && (t->def == option_def_ || t->def == result_def_)) {
    d.help("take the value out with `match`, `.unwrap()` or `.or(…)`");
  } else if (t->tag == TypeTag::Rigid && !t->is_row && t->name) {
    hint_rigid(d, t);
  }
}

// `string` written for `String` is a type variable.
void Checker::hint_rigid(Diagnostic& d, Type* t) {
  std::string upper(text(Symbol{t->name}));
  if (upper.empty()) return;
  upper[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(upper[0])));
  if (module_type(module_, symbols_.intern(upper)))
    d.help(fmt::format("a lower-case name in a type is a type variable: did you mean `{}`?", upper));
}

// Who handles an effect of the library's.
std::string Checker::library_handler(const TypeDef* effect) const {
  if (!effect->module || !effect->module->is_std) return {};
  std::string_view name = text(effect->name);
  if (name == "Async") return "run it in a scheduler: `async.run(fn() { … })`";
  if (name == "Exn") return "catch it: `exn.catch(fn() => …)`, from `import std/exn`";
  if (name == "State") return "give it a state: `state.run_state(init, fn() => …)`";
  if (name == "Choice") return "ask for its solutions: `choice.all(fn() => …)` or `choice.first(fn() => …)`";
  if (name == "Emit") return "run over what it emits: `for x in fn() => … { }`";
  return {};
}

namespace {
constexpr const char* kAtHand[] = {"list", "string", "int", "float", "array", "option", "char", "result"};
}

// What a module of the library exports. Loaded once a thread: who checks many programs, such as a shell, has many
// that name nothing.
const std::vector<std::string>& Checker::library_values(std::string_view module) {
  thread_local std::unordered_map<std::string_view, std::vector<std::string>> known;
  auto [place, is_new] = known.try_emplace(module);
  std::vector<std::string>& names = place->second;
  if (ModuleInfo* m = is_new ? std_module(module) : nullptr) {
    for (auto& entry : own_values(m).slots())
      if (entry.key && !is_private(entry.value)) names.emplace_back(text(entry.key));
    std::sort(names.begin(), names.end());
  }
  return names;
}

// Where a name that is not in scope might be found.
void Checker::hint_unknown(Diagnostic& d, Symbol symbol) {
  std::string name(text(symbol));
  if (name == "null" || name == "nil" || name == "undefined") {
    d.help("there is no such value: what may be missing is an Option, `None` or `Some(…)`");
    return;
  }
  std::string lower = name;
  lower[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(lower[0])));
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules()) {
    if (m.name != lower) continue;
    d.help(fmt::format("the library's module of this name has to be imported: `import std/{}`", lower));
    return;
  }
  auto in_library = [&](const char* module) {
    const std::vector<std::string>& names = library_values(module);
    return std::binary_search(names.begin(), names.end(), name);
  };
  for (const char* module : kAtHand) {
    if (!in_library(module)) continue;
    d.help(fmt::format("`{0}.{1}` is in the library: call it so, or as a method, `x.{1}(…)`", module, name));
    return;
  }
  for (auto& entry : scope_of(module_).modules.slots()) {
    if (!entry.key || !entry.value || !exported_value(entry.value, symbol)) continue;
    d.help(fmt::format("`{0}.{1}` is in a module that is imported: call it so, or `import {2} {{ {1} }}`",
                       text(entry.key), name, entry.value->name));
    return;
  }
  std::string_view near = closest(name, visible_values());
  if (!near.empty() && near != name) {
    d.help(fmt::format("did you mean `{}`?", near));
    return;
  }
  for (const char* module : {"exn", "async", "state", "iter", "choice", "map", "set", "file", "time"}) {
    if (!in_library(module)) continue;
    d.help(fmt::format("`{0}.{1}` is in the library: `import std/{0}`", module, name));
    return;
  }
  for (const char* module : kAtHand) {
    const std::vector<std::string>& all = library_values(module);
    near = closest(name, Names(all.begin(), all.end()));
    if (near.empty()) continue;
    d.help(fmt::format("`{0}.{1}` is in the library: call it so, or as a method, `x.{1}(…)`", module, near));
    return;
  }
}

}  // namespace eddy::lang
