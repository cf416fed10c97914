#include "lang/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace eddy::lang {

Diagnostic& Diagnostics::add(Severity severity, Span span, std::string message) {
  if (severity == Severity::kError) errors_++;
  if (items_.size() >= kMostKept) return surplus_ = Diagnostic{};
  Diagnostic& d = items_.emplace_back();
  d.severity = severity;
  d.message = std::move(message);
  d.span = span;
  return d;
}

std::vector<const Diagnostic*> Diagnostics::sorted() const {
  std::vector<const Diagnostic*> out;
  out.reserve(items_.size());
  for (const Diagnostic& d : items_) out.push_back(&d);
  auto key = [](const Diagnostic* d) {
    return std::tuple<Pos, Severity, Pos, const std::string&>(d->span.begin, d->severity, d->span.end,
                                                              d->message);
  };
  std::sort(out.begin(), out.end(), [&](const Diagnostic* a, const Diagnostic* b) {
    auto x = key(a), y = key(b);
    return x != y ? x < y : a->text < b->text;
  });
  out.erase(std::unique(out.begin(), out.end(),
                        [&](const Diagnostic* a, const Diagnostic* b) { return key(a) == key(b); }),
            out.end());
  return out;
}

namespace {

/// Optimal string alignment distance, given up (limit + 1) once it is out of reach.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  size_t width = a.size() + 1;
  std::vector<size_t> rows(3 * width);
  size_t* before = rows.data();
  size_t* last = before + width;
  size_t* now = last + width;
  for (size_t i = 0; i < width; i++) last[i] = i;
  for (size_t j = 1; j <= b.size(); j++) {
    now[0] = j;
    size_t best = j;
    for (size_t i = 1; i < width; i++) {
      size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[i] = std::min({last[i] + 1, now[i - 1] + 1, last[i - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[i] = std::min(now[i], before[i - 2] + 1);
      }
      best = std::min(best, now[i]);
    }
    if (best > limit) return limit + 1;
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[a.size()];
}

}  // namespace

std::string_view closest(std::string_view name, const std::vector<std::string_view>& candidates) {
  constexpr size_t kLongestName = 64;
  if (name.size() < 2 || name.size() > kLongestName) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    if (candidate == name || candidate.size() < 2) continue;
    size_t distance = edit_distance(name, candidate, best_distance);
    if (distance < best_distance || (distance == best_distance && !best.empty() && candidate < best)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace eddy::lang
