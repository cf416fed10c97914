#pragma once

// A small layout language in the manner of Wadler and of Prettier: text with possible line breaks,
// in groups that are printed on one line if they fit and with all their breaks otherwise.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lang/arena.h"

namespace eddy::lang {

enum class LayoutKind : uint8_t {
  kText,  // may contain newlines (a multi-line string): printed as it is
  kConcat,
  kLine,      // a space, or a line break
  kSoftLine,  // nothing, or a line break
  kHardLine,  // always a line break
  kBlank,     // an empty line, where the group is broken
  kGroup,
  kIndent,
  kIfBreak,  // first child where the surrounding group is broken, else the second
  kSuffix,   // a comment that goes to the end of the line
  kFlush,    // where the group is broken a break follows, but waiting comments still belong here
};

struct Layout {
  LayoutKind kind = LayoutKind::kText;
  bool force = false;  // a group that is broken in any case
  bool block = false;  // a group that is a block in braces: what surrounds it need not break when it does
  bool has_block = false;
  bool no_hug = false;  // a concat within which no block may break while the group around it does not
  bool arrow = false;   // a group that begins with a break and would rather break there than in a block
  // What is inside must break outside of blocks of its own (a line comment, or a forced group): so must
  // all groups around it, up to a block.
  bool breaks = false;
  bool has_hard = false;        // contains a forced line break
  const Layout* hug = nullptr;  // a group inside that may break instead of this one
  std::string_view text;
  Slice<Layout*> children;
};

class LayoutBuilder {
 public:
  explicit LayoutBuilder(Arena& arena) : arena_(arena) {}

  Layout* text(std::string_view text) {
    Layout* l = make(LayoutKind::kText);
    l->text = text;
    return l;
  }
  Layout* line() { return make(LayoutKind::kLine); }
  Layout* soft_line() { return make(LayoutKind::kSoftLine); }
  Layout* hard_line() {
    Layout* l = make(LayoutKind::kHardLine);
    l->has_hard = true;
    return l;
  }
  Layout* flush() { return make(LayoutKind::kFlush); }
  Layout* blank() { return make(LayoutKind::kBlank); }
  /// `here`: a break follows at once, which a line comment forces. Else it floats to wherever the line ends.
  Layout* suffix(std::string_view text, bool here) {
    Layout* l = make(LayoutKind::kSuffix);
    l->text = text;
    l->breaks = here && text.substr(0, 2) == "//";
    return l;
  }
  Layout* concat(const std::vector<Layout*>& parts) {
    return with(LayoutKind::kConcat, parts.data(), parts.size());
  }
  Layout* concat(std::initializer_list<Layout*> parts) {
    return with(LayoutKind::kConcat, parts.begin(), parts.size());
  }
  /// A part of a group that is not its last: what breaks inside it breaks the group.
  Layout* part(Layout* inner) {
    Layout* l = concat({inner});
    l->no_hug = true;
    return l;
  }
  Layout* group(Layout* inner, bool force = false) {
    Layout* l = with(LayoutKind::kGroup, &inner, 1);
    l->force = force || inner->breaks;
    l->has_hard |= l->force;
    l->breaks = l->force;
    return l;
  }
  Layout* arrow(Layout* inner) {
    Layout* l = group(inner);
    l->arrow = true;
    return l;
  }
  Layout* block(Layout* inner, bool force) {
    Layout* l = group(inner, force);
    l->block = l->has_block = true;
    l->breaks = false;
    return l;
  }
  Layout* indent(Layout* inner) { return with(LayoutKind::kIndent, &inner, 1); }
  Layout* if_break(std::string_view broken, std::string_view flat) {
    Layout* both[] = {text(broken), text(flat)};
    return with(LayoutKind::kIfBreak, both, 2);
  }
  Layout* nothing() { return make(LayoutKind::kConcat); }

 private:
  Layout* make(LayoutKind kind) {
    Layout* l = arena_.make<Layout>();
    l->kind = kind;
    return l;
  }
  Layout* with(LayoutKind kind, Layout* const* parts, size_t count) {
    Layout* l = make(kind);
    l->children = arena_.copy(parts, count);
    for (size_t i = 0; i < count; i++) {
      l->has_hard |= parts[i]->has_hard;
      l->has_block |= parts[i]->has_block;
      l->breaks |= parts[i]->breaks;
    }
    return l;
  }

  Arena& arena_;
};

/// Appends the layout to `out`, which stands at the start of a line.
void print_layout(const Layout* layout, int width, std::string& out);

}  // namespace eddy::lang
