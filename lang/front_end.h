// The one way into the front end: a program's text in, diagnostics and a checked program out.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lang/arena.h"
#include "lang/checked.h"
#include "lang/diagnostics.h"
#include "lang/parser.h"
#include "lang/source.h"
#include "lang/symbols.h"

namespace eddy::lang {

struct FrontEndOptions {
  std::vector<std::string> paths;  // --path: folders searched after the importing file's own
  ParseMode mode = ParseMode::kModule;
  bool whole_library = false;  // its modules are read whole, with their comments
  bool need_main = false;  // a program without `main` is an error
  bool tests = false;      // @test functions are roots of reachability
  bool check_all = true;   // user functions that nothing reaches are checked too
};

/// Owns everything that a compilation's trees, types and diagnostics point into.
struct Compilation {
  Symbols symbols;
  Arena arena;
  SourceMap sources;
  Diagnostics diagnostics;
  CheckedProgram program;
  std::shared_ptr<void> state;  // the checker: modules and scopes live in it

  bool ok() const { return !diagnostics.has_errors(); }
};

/// `path` names the file in messages and is where its imports are looked up; `text` is its content.
std::unique_ptr<Compilation> check_text(std::string path, std::string text,
                                        const FrontEndOptions& options = {});
/// Reads the file first; a file that cannot be read is a diagnostic.
std::unique_ptr<Compilation> check_file(const std::string& path, const FrontEndOptions& options = {});

}  // namespace eddy::lang
