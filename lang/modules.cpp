#include "lang/modules.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "std/embedded.h"

namespace eddy::lang {

namespace {
constexpr size_t kReadBytes = 1 << 16;
constexpr size_t kImportDepth = 256;  // longest chain of imports followed

std::vector<Span> spans(const SourceFile& file, std::span<const std_lib::Part> parts) {
  std::vector<Span> spans;
  spans.reserve(parts.size());
  for (std_lib::Part p : parts) spans.push_back({file.pos(p.begin), file.pos(p.end)});
  return spans;
}
}

ReadResult read_all(int fd) {
  ReadResult result;
  struct stat info {};
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    result.error = "it is a directory";
    return result;
  }
  // As much as a file holds, and a byte to see that it ends there; of a pipe, piece by piece.
  auto step = static_cast<uint64_t>(info.st_size) + 1;
  size_t read = 0;
  for (ssize_t n = 1; n != 0; step = kReadBytes) {
    if (read + step > SourceMap::kCapacity / 2) {
      result.error = "it is too large";
      break;
    }
    if (read == result.text.size()) result.text.resize(read + step);
    n = ::read(fd, result.text.data() + read, result.text.size() - read);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      result.error = std::strerror(errno);
      break;
    }
    read += static_cast<size_t>(n);
    result.ok = n == 0;
  }
  result.text.resize(read);
  return result;
}

ReadResult read_source(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {false, {}, std::strerror(errno)};
  ReadResult result = read_all(fd);
  ::close(fd);
  return result;
}

// `file`: null where it did not fit.
ModuleInfo* ModuleLoader::load(const std::string& key, std::string name, const SourceFile* file, ParseMode mode,
                               const std_lib::EmbeddedModule* library) {
  if (!file) {
    diagnostics_.error({}, fmt::format("`{}` is too large", name));
    return nullptr;
  }
  owned_.push_back(std::make_unique<ModuleInfo>());
  ModuleInfo* module = owned_.back().get();
  module->file = file;
  module->is_std = key.rfind("std:", 0) == 0;
  module->is_prelude = key == "std:prelude";
  if (library && !whole_library_) {
    module->library = library;
    module->tree = parse_parts(*file, spans(*file, library->declarations), symbols_, arena_, diagnostics_);
  } else {
    module->tree = parse(*file, symbols_, arena_, diagnostics_, mode).module;
  }
  size_t slash = name.rfind('/');
  module->short_name = symbols_.intern(slash == std::string::npos ? name : name.substr(slash + 1));
  module->name = std::move(name);
  loaded_[key] = {module, true};
  loading_.push_back(key);
  load_imports(module);
  loading_.pop_back();
  loaded_[key].loading = false;
  module->index = static_cast<uint32_t>(order_.size());
  order_.push_back(module);
  return module;
}

ModuleInfo* ModuleLoader::load_root(std::string path, std::string text, ParseMode mode) {
  std::string key = "file:" + std::filesystem::path(path).lexically_normal().string();
  std::string name = std::filesystem::path(path).stem().string();
  // A file of the library itself: it keeps its privileges, and is not loaded a second time.
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules()) {
    if (m.name == name && m.text == text) return load_embedded(name);
  }
  return load(key, std::move(name), sources_.add(std::move(path), std::move(text)), mode);
}

ModuleInfo* ModuleLoader::load_std(std::string_view name) { return load_embedded(name); }

ModuleInfo* ModuleLoader::load_embedded(std::string_view name) {
  std::string key = fmt::format("std:{}", name);
  if (auto it = loaded_.find(key); it != loaded_.end()) return it->second.module;
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules()) {
    if (m.name == name) {
      return load(key, fmt::format("std/{}", name),
                  sources_.add_static(fmt::format("std/{}.eddy", name), m.text, m.lines), ParseMode::kModule, &m);
    }
  }
  return nullptr;
}

FnDecl* ModuleLoader::library_function(const ModuleInfo* module, std::string_view name) {
  const std_lib::EmbeddedFunction* f = module->library ? module->library->function(name) : nullptr;
  if (!f) return nullptr;
  Module* tree = parse_parts(*module->file, spans(*module->file, {&f->part, 1}), symbols_, arena_, diagnostics_);
  return as<FnDecl>(tree->decls[0]);
}

void ModuleLoader::load_imports(ModuleInfo* module) {
  for (Decl* decl : module->tree->decls) {
    if (decl->kind != DeclKind::kImport) continue;
    const ImportDecl* import = as<ImportDecl>(decl);
    if (import->path.empty()) continue;
    ModuleInfo* found = load_import(module, import);
    imports_[import] = found;
    if (!found) continue;
    bool known = false;
    for (ModuleInfo* m : module->imports) known |= m == found;
    if (!known) module->imports.push_back(found);
  }
}

ModuleInfo* ModuleLoader::load_import(ModuleInfo* from, const ImportDecl* decl) {
  std::string name;
  for (const Ident& part : decl->path) {
    if (!name.empty()) name += '/';
    name += symbols_.text(part.name);
  }
  if (loading_.size() > kImportDepth) {
    diagnostics_.error(decl->span, "imports are nested too deeply")
        .note(fmt::format("a chain of imports may be {} modules long", kImportDepth));
    return nullptr;
  }
  if (decl->path[0].name == sym::std_) {
    std::string_view rest = std::string_view(name).substr(std::min<size_t>(name.size(), 4));
    std::string key = fmt::format("std:{}", rest);
    if (auto it = loaded_.find(key); it != loaded_.end()) {
      if (it->second.loading) {
        report_cycle(decl, key);
        return nullptr;
      }
      return it->second.module;
    }
    ModuleInfo* module = load_embedded(rest);
    if (!module) report_missing(decl, name, {}, true);
    return module;
  }
  namespace fs = std::filesystem;
  std::vector<fs::path> folders;
  folders.push_back(fs::path(from->file->path()).parent_path());
  for (const std::string& p : paths_) folders.emplace_back(p);
  std::vector<std::string> tried;
  for (const fs::path& folder : folders) {
    std::string path = (folder / (name + ".eddy")).lexically_normal().string();
    std::string key = "file:" + path;
    if (auto it = loaded_.find(key); it != loaded_.end()) {
      if (it->second.loading) {
        report_cycle(decl, key);
        return nullptr;
      }
      return it->second.module;
    }
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      tried.push_back(path);
      continue;
    }
    ReadResult read = read_source(path);
    if (!read.ok) {
      diagnostics_.error(decl->span, fmt::format("cannot read the module `{}`", name))
          .here(fmt::format("`{}`: {}", path, read.error));
      return nullptr;
    }
    return load(key, name, sources_.add(path, std::move(read.text)), ParseMode::kModule);
  }
  report_missing(decl, name, tried, false);
  return nullptr;
}

void ModuleLoader::report_cycle(const ImportDecl* decl, const std::string& key) {
  std::string chain;
  bool inside = false;
  for (const std::string& k : loading_) {
    inside |= k == key;
    if (inside) chain += loaded_[k].module->name + " → ";
  }
  chain += loaded_[key].module->name;
  diagnostics_.error(decl->span, "modules import each other in a circle")
      .here("this import closes the circle")
      .note(chain)
      .help("move what both need into a module of its own");
}

void ModuleLoader::report_missing(const ImportDecl* decl, const std::string& name,
                                  const std::vector<std::string>& tried, bool is_std) {
  for (const Ident& part : decl->path) {
    if (!part.name) return;  // the parser has said that it is no name
  }
  Diagnostic& d = diagnostics_.error(decl->span, fmt::format("there is no module `{}`", name));
  std::vector<std::string_view> names;
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules()) names.push_back(m.name);
  if (is_std) {
    d.here("not in the standard library");
    std::string_view near = closest(name.size() > 4 ? std::string_view(name).substr(4) : "", names);
    if (!near.empty()) d.help(fmt::format("did you mean `std/{}`?", near));
    return;
  }
  for (const std::string& t : tried) d.note(fmt::format("looked for `{}`", t));
  for (std::string_view known : names) {
    if (known == name) d.help(fmt::format("the standard library's is `import std/{}`", name));
  }
}

ModuleInfo* ModuleLoader::imported(const ImportDecl* decl) const {
  auto it = imports_.find(decl);
  return it == imports_.end() ? nullptr : it->second;
}

}  // namespace eddy::lang
