#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "lang/source.h"

namespace eddy::lang {

enum class Severity : uint8_t { kError, kWarning };

/// A secondary place with a remark: "the bracket opened here".
struct Label {
  Span span;
  std::string text;
};

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string message;
  Span span;         // the primary place; empty for "no place" (a missing file, say)
  std::string text;  // remark beside the primary caret; often empty
  std::vector<Label> labels;
  std::vector<std::string> notes;
  std::vector<std::string> helps;

  // Builders, so that a report reads as one expression.
  Diagnostic& here(std::string remark) {
    text = std::move(remark);
    return *this;
  }
  Diagnostic& label(Span at, std::string remark) {
    labels.push_back({at, std::move(remark)});
    return *this;
  }
  Diagnostic& note(std::string remark) {
    notes.push_back(std::move(remark));
    return *this;
  }
  Diagnostic& help(std::string advice) {
    helps.push_back(std::move(advice));
    return *this;
  }
};

/// What a compilation has to say. References returned by error() and warning() stay valid.
class Diagnostics {
 public:
  Diagnostic& error(Span span, std::string message) {
    return add(Severity::kError, span, std::move(message));
  }
  Diagnostic& warning(Span span, std::string message) {
    return add(Severity::kWarning, span, std::move(message));
  }

  size_t error_count() const { return errors_; }
  bool has_errors() const { return errors_ != 0; }
  bool empty() const { return items_.empty(); }
  const std::deque<Diagnostic>& items() const { return items_; }
  /// Sorted by place, repetitions removed.
  std::vector<const Diagnostic*> sorted() const;

 private:
  Diagnostic& add(Severity severity, Span span, std::string message);

  // Hostile input can be wrong at every byte; nobody reads more than this.
  static constexpr size_t kMostKept = 1000;

  std::deque<Diagnostic> items_;
  Diagnostic surplus_;
  size_t errors_ = 0;
};

struct RenderOptions {
  bool color = false;
  size_t max_errors = 50;  // the rest is counted, not shown
};

/// One diagnostic the way a person reads it, ending in a newline.
std::string render(const Diagnostic& diagnostic, const SourceMap& sources, const RenderOptions& options = {});
/// All of them with blank lines between.
std::string render(const Diagnostics& diagnostics, const SourceMap& sources,
                   const RenderOptions& options = {});
/// One JSON object on one line, without the newline.
std::string render_json(const Diagnostic& diagnostic, const SourceMap& sources);
/// One object a line.
std::string render_json(const Diagnostics& diagnostics, const SourceMap& sources);

/// The candidate most like `name`, if one is close enough to be what was meant; else empty.
std::string_view closest(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace eddy::lang
