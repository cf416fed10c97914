#include "tools/eddy-fuzz/findings.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "lang/format.h"
#include "tools/eddy-fuzz/reduce.h"

namespace eddy::fuzz {

namespace fs = std::filesystem;

namespace {

std::string slug(const Verdict& v) {
  std::string text = v.mode.empty() ? v.problem : v.problem + " " + v.mode;
  std::string s;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      s += c;
    else if (!s.empty() && s.back() != '-')
      s += '-';
  }
  return s.substr(0, 80);
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

std::string formatted(const std::string& text) {
  lang::SourceMap sources;
  lang::Symbols symbols;
  lang::Diagnostics diagnostics;
  const lang::SourceFile* file = sources.add("program.eddy", text);
  lang::FormatResult r = lang::format_source(*file, symbols, diagnostics);
  return r.ok ? r.text : text;
}

void keep(const Findings& findings, Settings settings, uint64_t seed, Tree program, const Verdict& verdict) {
  fs::path folder = fs::path(findings.folder) / slug(verdict);
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  std::ofstream(folder / "seeds.txt", std::ios::app) << seed << "\n";
  int there = 0;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    there += entry.path().extension() == ".eddy";
  if (there >= findings.per_class) return;
  std::string name = std::to_string(seed);
  write(folder / (name + ".eddy"),
        text_of(*program));  // also says to the other workers that this one is taken
  Verdict last = verdict;
  if (findings.reduce_seconds > 0) {
    settings.seed = seed;
    settings.turns = 0;
    if (const Mode* mode = find_mode(verdict.mode)) {
      // Also what it is compared with, and what ran in its VM before it.
      const std::vector<const Mode*> all = settings.modes;
      settings.modes = {all[0]};
      auto own = std::find(all.begin(), all.end(), mode);
      for (auto m = all.begin() + 1; m < own; ++m)
        if ((mode->effects && (*m)->name == "effects") || (mode->fuel && (*m)->name == "fuel") ||
            (mode->group && (*m)->group == mode->group))
          settings.modes.push_back(*m);
      if (mode != settings.modes.back()) settings.modes.push_back(mode);
      settings.compare_with.clear();
    } else if (verdict.mode != "other") {
      settings.modes.resize(1);
      settings.compare_with.clear();
    } else {
      settings.modes.resize(1);
    }
    settings.seconds = std::min(settings.seconds, 4.0);
    auto shows = [&](const std::string& text) {
      Verdict v = judge(text, settings);
      if (v.problem != verdict.problem || v.mode != verdict.mode) return false;
      last = std::move(v);
      return true;
    };
    // The full list of modes may matter; where it does, the program stays as it is.
    if (shows(text_of(*program))) program = reduce(std::move(program), shows, findings.reduce_seconds);
    std::string text = text_of(*program), pretty = formatted(text);
    if (shows(pretty)) text = pretty;
    write(folder / (name + ".eddy"), text);
  }
  write(folder / (name + ".txt"), "seed " + name + "\nproblem: " + last.problem +
                                      (last.mode.empty() ? "" : " in mode " + last.mode) + "\n\n" +
                                      last.detail);
}

}  // namespace eddy::fuzz
