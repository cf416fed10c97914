// fmt and doc: what makes text of text.
#include <cstdio>

#include "lang/doc.h"
#include "lang/format.h"
#include "lang/front_end.h"
#include "std/embedded.h"
#include "tools/eddy/commands.h"
#include "tools/eddy/files.h"
#include "tools/eddy/program.h"

namespace eddy::tool {

namespace {

void print_diagnostics(const lang::Diagnostics& diagnostics, const lang::SourceMap& sources) {
  lang::RenderOptions options;
  options.color = standard_error_has_color();
  std::string text = lang::render(diagnostics, sources, options);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

// The text of a module of the library named like "std/list"; empty where there is none.
std::string_view library_text(const std::string& name) {
  if (name.rfind("std/", 0) != 0) return {};
  for (const std_lib::EmbeddedModule& m : std_lib::embedded_modules())
    if (name.compare(4, std::string::npos, m.name) == 0) return m.text;
  return {};
}

// "shapes/circle.eddy" is the module `circle`, "std/list" the module `std/list`.
std::string title_of(const std::string& file) {
  std::string name = file;
  if (library_text(file).empty()) {
    name = name.substr(name.find_last_of('/') + 1);
    if (size_t dot = name.rfind(".eddy"); dot != std::string::npos) name.resize(dot);
    if (name == "-") name = "standard input";
  }
  return name;
}

}  // namespace

int format(const std::vector<std::string>& files, bool check_only) {
  int status = kOk;
  for (const std::string& file : files) {
    std::string text;
    if (!read_file(file, &text)) {
      status = kUsage;
      continue;
    }
    lang::Symbols symbols;
    lang::SourceMap sources;
    lang::Diagnostics diagnostics;
    const lang::SourceFile* source = sources.add(file == "-" ? "<stdin>" : file, text);
    lang::FormatResult result;
    if (source) result = lang::format_source(*source, symbols, diagnostics);
    if (!source || !result.ok) {
      if (source)
        print_diagnostics(diagnostics, sources);
      else
        complain(file + ": too large");
      status = kUsage;
      continue;
    }
    if (check_only) {
      if (result.text == text) continue;
      std::printf("%s\n", file.c_str());
      if (status == kOk) status = kPanic;
    } else if (file == "-" || result.text != text) {
      if (!write_file(file, result.text)) status = kUsage;
    }
  }
  return written_out(status);
}

int document(const std::vector<std::string>& files, const std::vector<std::string>& paths) {
  lang::FrontEndOptions options;
  options.paths = paths;
  options.whole_library = true;
  int status = kOk;
  for (const std::string& file : files) {
    std::string text(library_text(file));
    if (text.empty() && !read_file(file, &text)) {
      status = kUsage;
      continue;
    }
    auto compilation = lang::check_text(file == "-" ? "<stdin>" : file, std::move(text), options);
    report(*compilation);
    if (!compilation->ok()) {
      status = kUsage;
      continue;
    }
    lang::DocOptions doc;
    doc.title = title_of(file);
    doc.type_of = [&](const lang::Decl& decl, size_t variable) {
      return lang::checked_type_of(compilation->symbols, decl, variable);
    };
    std::string markdown = lang::document(*compilation->program.root->tree, compilation->symbols, doc);
    std::fwrite(markdown.data(), 1, markdown.size(), stdout);
  }
  return written_out(status);
}

}  // namespace eddy::tool
