#include "lang/format_layout.h"

#include "lang/unicode.h"

namespace eddy::lang {

namespace {

constexpr int kIndentWidth = 2;

int text_width(std::string_view text) {
  int width = 0;
  for (size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      width++;
      at++;
      continue;
    }
    Decoded d = decode_utf8(text, at);
    width += display_width(d.code);
    at += d.length;
  }
  return width;
}

struct Item {
  const Layout* layout;
  int indent;
  bool broken;
};

/// What fits() looks at.
struct Probe {
  const Layout* layout;
  bool broken;
  bool hug;
};

class Printer {
 public:
  Printer(int width, std::string& out) : width_(width), out_(out) {}

  void run(const Layout* root) {
    stack_.push_back({root, 0, true});
    while (!stack_.empty()) {
      Item item = stack_.back();
      stack_.pop_back();
      step(item);
    }
    flush_suffixes(0);
  }

 private:
  void step(Item item) {
    const Layout& l = *item.layout;
    switch (l.kind) {
      case LayoutKind::kText:
        put(l.text);
        break;
      case LayoutKind::kConcat:
        for (size_t i = l.children.size; i > 0; i--)
          stack_.push_back({l.children[i - 1], item.indent, item.broken});
        break;
      case LayoutKind::kLine:
        if (item.broken) {
          newline(item.indent);
        } else {
          put(" ");
        }
        break;
      case LayoutKind::kSoftLine:
        if (item.broken) newline(item.indent);
        break;
      case LayoutKind::kHardLine:
        newline(item.indent);
        break;
      case LayoutKind::kBlank:
        if (item.broken) blank_ = true;
        break;
      case LayoutKind::kGroup: {
        bool broken = l.force;
        if (!hugged_.empty() && hugged_.back() == &l) {
          hugged_.pop_back();
          broken = true;
        }
        if (!broken && (item.broken || l.has_hard || l.has_block)) broken = must_break(l, item);
        stack_.push_back({l.children[0], item.indent, broken});
        break;
      }
      case LayoutKind::kIndent:
        // On one line nothing is indented: what breaks inside hangs from the line's own start.
        stack_.push_back(
            {l.children[0], item.broken ? item.indent + kIndentWidth : item.indent, item.broken});
        break;
      case LayoutKind::kIfBreak:
        stack_.push_back({l.children[item.broken ? 0 : 1], item.indent, item.broken});
        break;
      case LayoutKind::kFlush:
        if (item.broken) flush_suffixes(item.indent);
        break;
      case LayoutKind::kSuffix:
        suffixes_.push_back(l.text);
        break;
    }
  }

  bool must_break(const Layout& group, const Item& item) {
    Item flat{group.children[0], item.indent, false};
    int left = width_ - column_;
    if (group.block || (!group.has_block && !group.hug)) return !fits(flat, left, false);
    if (group.arrow || group.hug) {
      if (fits(flat, left, false)) return false;
    }
    // Within a line that goes on, only blocks may break.
    if (group.arrow && item.broken) {
      // The break itself counts as a space in the flat layout.
      if (fits(flat, width_ - item.indent - kIndentWidth + 1, false)) return true;
    }
    if (group.has_block && fits(flat, left, true)) return false;
    if (group.hug == nullptr || !fits(flat, left, false, group.hug)) return true;
    hugged_.push_back(group.hug);
    return false;
  }

  /// Whether `item` and what follows it, up to the first line break there can be, fit on the current
  /// line. With `hug` that may be a break in a block of the item, or in the group `target`. What follows
  /// may break in any block of its own.
  bool fits(Item item, int left, bool hug, const Layout* target = nullptr) {
    size_t rest = stack_.size();
    scratch_.clear();
    scratch_.push_back({item.layout, item.broken, hug});
    while (left >= 0) {
      if (scratch_.empty()) {
        if (rest == 0) return true;
        rest--;
        scratch_.push_back({stack_[rest].layout, stack_[rest].broken, true});
      }
      Probe next = scratch_.back();
      scratch_.pop_back();
      const Layout& l = *next.layout;
      switch (l.kind) {
        case LayoutKind::kText: {
          size_t newline = l.text.find('\n');
          if (newline != std::string_view::npos) return text_width(l.text.substr(0, newline)) <= left;
          left -= text_width(l.text);
          break;
        }
        case LayoutKind::kConcat:
          for (size_t i = l.children.size; i > 0; i--) {
            scratch_.push_back({l.children[i - 1], next.broken, next.hug && !l.no_hug});
          }
          break;
        case LayoutKind::kLine:
          if (next.broken) return true;
          left--;
          break;
        case LayoutKind::kSoftLine:
          if (next.broken) return true;
          break;
        case LayoutKind::kHardLine:
          return true;
        case LayoutKind::kGroup: {
          bool broken = l.force || next.broken || (next.hug && l.block) || &l == target;
          scratch_.push_back({l.children[0], broken, next.hug});
          break;
        }
        case LayoutKind::kIndent:
          scratch_.push_back({l.children[0], next.broken, next.hug});
          break;
        case LayoutKind::kIfBreak:
          scratch_.push_back({l.children[next.broken ? 0 : 1], next.broken, next.hug});
          break;
        case LayoutKind::kBlank:
        case LayoutKind::kFlush:
        case LayoutKind::kSuffix:
          break;
      }
    }
    return false;
  }

  void put(std::string_view text) {
    if (text.empty()) return;
    if (pending_indent_ > 0) {
      out_.append(static_cast<size_t>(pending_indent_), ' ');
      pending_indent_ = 0;
    }
    out_ += text;
    size_t last = text.rfind('\n');
    column_ = last == std::string_view::npos ? column_ + text_width(text) : text_width(text.substr(last + 1));
  }

  void flush_suffixes(int indent) {
    bool line_comment = false;
    for (std::string_view suffix : suffixes_) {
      if (line_comment) {
        out_ += '\n';
        pending_indent_ = indent;
      } else if (!out_.empty() && out_.back() != '\n') {
        put(" ");
      }
      put(suffix);
      line_comment = suffix.substr(0, 2) == "//";
    }
    suffixes_.clear();
  }

  void newline(int indent) {
    flush_suffixes(indent);
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    out_ += '\n';
    if (blank_) out_ += '\n';
    blank_ = false;
    column_ = indent;
    pending_indent_ = indent;
  }

  int width_;
  std::string& out_;
  int column_ = 0;
  int pending_indent_ = 0;  // written with the next text, so that empty lines stay empty
  bool blank_ = false;
  std::vector<Item> stack_;
  std::vector<Probe> scratch_;
  std::vector<const Layout*> hugged_;  // groups that are to break when their turn comes
  std::vector<std::string_view> suffixes_;
};

}  // namespace

void print_layout(const Layout* layout, int width, std::string& out) { Printer(width, out).run(layout); }

}  // namespace eddy::lang
