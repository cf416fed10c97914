// Finds, reads and parses the modules of a program: the standard library's from the binary, others beside the
// importing file or on --path. Knows nothing of what is in them.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lang/checked.h"
#include "lang/diagnostics.h"
#include "lang/parser.h"
#include "lang/source.h"

namespace eddy::lang {

class ModuleLoader {
 public:
  ModuleLoader(Symbols& symbols, Arena& arena, SourceMap& sources, Diagnostics& diagnostics,
               std::vector<std::string> paths, bool whole_library)
      : symbols_(symbols),
        arena_(arena),
        sources_(sources),
        diagnostics_(diagnostics),
        paths_(std::move(paths)),
        whole_library_(whole_library) {}

  /// The program's own file, and everything it imports. Null where the text cannot be taken at all.
  ModuleInfo* load_root(std::string path, std::string text, ParseMode mode);
  /// std/NAME and everything it imports; null where there is none.
  ModuleInfo* load_std(std::string_view name);
  /// A function of such a module, whose tree has none; null where there is none of this name.
  FnDecl* library_function(const ModuleInfo* module, std::string_view name);
  /// The module an import names, which has been loaded with its importer; null after an error.
  ModuleInfo* imported(const ImportDecl* decl) const;

  /// Every module after those it imports. Grows when load_std finds new ones.
  const std::vector<ModuleInfo*>& order() const { return order_; }

 private:
  struct Entry {
    ModuleInfo* module = nullptr;
    bool loading = false;
  };
  ModuleInfo* load(const std::string& key, std::string name, const SourceFile* file, ParseMode mode,
                   const std_lib::EmbeddedModule* library = nullptr);
  ModuleInfo* load_import(ModuleInfo* from, const ImportDecl* decl);
  ModuleInfo* load_embedded(std::string_view name);
  void load_imports(ModuleInfo* module);
  void report_cycle(const ImportDecl* decl, const std::string& key);
  void report_missing(const ImportDecl* decl, const std::string& name, const std::vector<std::string>& tried,
                      bool is_std);

  Symbols& symbols_;
  Arena& arena_;
  SourceMap& sources_;
  Diagnostics& diagnostics_;
  std::vector<std::string> paths_;
  bool whole_library_;
  std::unordered_map<std::string, Entry> loaded_;
  std::unordered_map<const ImportDecl*, ModuleInfo*> imports_;
  std::vector<ModuleInfo*> order_;
  std::vector<std::unique_ptr<ModuleInfo>> owned_;
  std::vector<std::string> loading_;
};

/// The content of a file, or why there is none.
struct ReadResult {
  bool ok = false;
  std::string text;
  std::string error;
};
ReadResult read_source(const std::string& path);
ReadResult read_all(int fd);

}  // namespace eddy::lang
