// Any bytes: the parser ends with a tree or with messages, both of which can be shown, and what it
// accepts the formatter prints so that it is accepted again, unchanged in meaning.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "lang/format.h"
#include "lang/parser.h"
#include "tests/unit/lang_tree.h"

using namespace eddy::lang;

namespace {

[[noreturn]] void fail(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s; the input is in fuzz-failure.eddy\n", what);
  std::ofstream("fuzz-failure.eddy", std::ios::binary) << text;
  std::abort();
}

struct Front {
  SourceMap sources;
  Symbols symbols;
  Arena arena;
  Diagnostics diagnostics;
  ParseResult result;

  Front(const std::string& text, ParseMode mode) {
    result = parse(*sources.add("fuzz.eddy", text), symbols, arena, diagnostics, mode);
  }
  std::string tree() { return TreeText(symbols).module(*result.module); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  Front script(text, ParseMode::kScript);
  if (script.result.ok) script.tree();
  Front module(text, ParseMode::kModule);
  if (!module.result.ok) {
    if (!module.diagnostics.has_errors()) fail("rejected without an error", text);
    RenderOptions color;
    color.color = true;
    render(module.diagnostics, module.sources, color);
    render_json(module.diagnostics, module.sources);
    return 0;
  }
  FormatResult formatted = format_source(*module.sources.files()[0], module.symbols, module.diagnostics);
  if (!formatted.ok) fail("parsed, but not formatted", text);
  Front again(formatted.text, ParseMode::kModule);
  if (!again.result.ok) fail("formatted text does not parse", text);
  if (again.tree() != module.tree()) fail("formatting changed the tree", text);
  FormatResult twice = format_source(*again.sources.files()[0], again.symbols, again.diagnostics);
  if (twice.text != formatted.text) fail("formatting twice differs", text);
  return 0;
}
