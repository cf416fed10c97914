#include "lang/format.h"

#include "lang/format_impl.h"
#include "lang/parser.h"

namespace eddy::lang {

namespace {

bool is_separator(TokenKind kind) { return kind == TokenKind::kComma || kind == TokenKind::kSemicolon; }

bool is_closer(TokenKind kind) {
  return kind == TokenKind::kRightParen || kind == TokenKind::kRightBracket ||
         kind == TokenKind::kRightBrace || kind == TokenKind::kGreater;
}

/// Between two tokens of a type or pattern.
bool spaced(TokenKind before, TokenKind after) {
  using K = TokenKind;
  switch (after) {
    case K::kRightParen:
    case K::kRightBracket:
    case K::kRightBrace:
    case K::kComma:
    case K::kDot:
    case K::kLess:
    case K::kGreater:
    case K::kShr:
    case K::kColon:
    case K::kEllipsis:
      return false;
    case K::kLeftParen:
      if (before == K::kUpper || before == K::kLower || before == K::kKeyword_fn) return false;
      break;
    default:
      break;
  }
  switch (before) {
    case K::kLeftParen:
    case K::kLeftBracket:
    case K::kLeftBrace:
    case K::kLess:
    case K::kDot:
    case K::kDotDot:
    case K::kMinus:
    case K::kAt:
      return false;
    default:
      return true;
  }
}

}  // namespace

void Formatter::skip_separators() {
  while (is_separator(token().kind)) {
    last_end_ = token().end;
    cur_++;
  }
}

Layout* Formatter::take_any() {
  Layout* comments = comments_here();
  const Token& t = token();
  if (t.kind == K::kEnd) {
    lost_ = true;
    return b_->nothing();
  }
  last_end_ = t.end;
  cur_++;
  Layout* text = b_->text(file_.text(t.span()));
  return comments ? b_->concat({comments, text}) : text;
}

Layout* Formatter::take(K kind) {
  if (!at(kind)) skip_separators();
  if (at(kind)) return take_any();
  lost_ = true;
  return b_->nothing();
}

void Formatter::drop(K kind) {
  skip_separators();
  if (!at(kind)) {
    lost_ = true;
    return;
  }
  last_end_ = token().end;
  cur_++;
}

Layout* Formatter::copy(Pos end) {
  skip_separators();
  std::vector<Layout*> parts;
  K before = K::kEnd;
  while (token().begin < end && !lost_ && !at(K::kEnd)) {
    Token& t = tokens_[cur_];
    if (t.kind == K::kComma && is_closer(tokens_[cur_ + 1].kind)) {
      skip_separators();
      continue;
    }
    if (before != K::kEnd && t.end <= end && spaced(before, t.kind)) parts.push_back(b_->text(" "));
    if (t.end > end) {
      // `>>` or `>=`, of which only the `>` belongs here.
      if (Layout* comments = comments_here()) parts.push_back(comments);
      parts.push_back(b_->text(">"));
      t.kind = t.kind == K::kShr ? K::kGreater : K::kAssign;
      t.begin = end;
      t.flags = 0;
      last_end_ = end;
      break;
    }
    before = t.kind;
    parts.push_back(take_any());
  }
  return b_->concat(parts);
}

Layout* Formatter::verbatim(Pos end) {
  skip_separators();
  Layout* comments = comments_here();
  Pos begin = token().begin;
  while (token().begin < end && !at(K::kEnd)) cur_++;
  while (next_comment_ < comments_.size() && comments_[next_comment_].span.begin < end) next_comment_++;
  last_end_ = end;
  Layout* text = b_->text(file_.text(Span{begin, end}));
  return comments ? b_->concat({comments, text}) : text;
}

std::string_view Formatter::comment_text(const Comment& comment) const {
  std::string_view text = file_.text(comment.span);
  if (comment.kind != CommentKind::kBlock) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
      text.remove_suffix(1);
  }
  return text;
}

bool Formatter::blank_between(Pos from, Pos to) const {
  if (to <= from) return false;
  size_t newlines = 0;
  for (char c : file_.text(Span{from, to})) newlines += c == '\n';
  return newlines >= 2;
}

/// Comments in a place that expects none: a line comment floats to the end of the line.
Layout* Formatter::comments_here() {
  if (!comment_waits()) return nullptr;
  std::vector<Layout*> parts;
  while (comment_waits()) {
    const Comment& c = comments_[next_comment_++];
    last_end_ = c.span.end;
    if (c.kind == CommentKind::kBlock) {
      parts.push_back(b_->text(comment_text(c)));
      parts.push_back(b_->text(" "));
    } else {
      parts.push_back(b_->suffix(comment_text(c), false));
    }
  }
  return b_->concat(parts);
}

/// Comments before a place where the line may break.
Layout* Formatter::comments_before_break() {
  bool found = false;
  std::vector<Layout*> parts;
  if (Layout* suffix = trailing(found)) parts.push_back(suffix);
  while (comment_waits()) {
    const Comment& c = comments_[next_comment_];
    if (c.kind == CommentKind::kBlock && file_.line(c.span.end) == file_.line(token().begin)) break;
    next_comment_++;
    last_end_ = c.span.end;
    parts.push_back(b_->hard_line());
    parts.push_back(b_->text(comment_text(c)));
    parts.back()->breaks = true;
  }
  return b_->concat(parts);
}

Formatter::Lead Formatter::lead() {
  skip_separators();
  Lead lead;
  lead.newline = token().newline_before();
  Pos first = comment_waits() ? comments_[next_comment_].span.begin : token().begin;
  lead.blank = blank_between(last_end_, first);
  if (!comment_waits()) return lead;
  std::vector<Layout*> parts;
  while (comment_waits()) {
    const Comment& c = comments_[next_comment_++];
    last_end_ = c.span.end;
    Pos next = comment_waits() ? comments_[next_comment_].span.begin : token().begin;
    parts.push_back(b_->text(comment_text(c)));
    bool same_line = c.kind == CommentKind::kBlock && file_.line(c.span.end) == file_.line(next);
    if (same_line) {
      parts.push_back(b_->text(" "));
    } else {
      lead.newline = true;
      if (blank_between(c.span.end, next)) parts.push_back(b_->hard_line());
      parts.push_back(b_->hard_line());
    }
  }
  lead.comments = b_->concat(parts);
  return lead;
}

Layout* Formatter::trailing(bool& found) {
  std::vector<Layout*> parts;
  auto gather = [&] {
    while (comment_waits()) {
      const Comment& c = comments_[next_comment_];
      if (c.span.begin > last_end_ && file_.line(c.span.begin) != file_.line(last_end_)) break;
      // A block comment before more on its line belongs to that, unless the list ends there.
      bool inline_block =
          c.kind == CommentKind::kBlock && !token().newline_before() && !is_separator(token().kind);
      if (inline_block && !is_closer(token().kind)) break;
      next_comment_++;
      if (c.span.end > last_end_) last_end_ = c.span.end;
      if (inline_block) {
        parts.push_back(b_->text(" "));
        parts.push_back(b_->text(comment_text(c)));
        continue;
      }
      parts.push_back(b_->suffix(comment_text(c), true));
      found = true;
    }
  };
  gather();
  while (is_separator(token().kind)) {
    skip_separators();
    gather();
  }
  return parts.empty() ? nullptr : b_->concat(parts);
}

Formatter::Braces Formatter::braces(size_t count, const std::function<Layout*(size_t)>& item,
                                    std::string_view flat_separator, Layout* head,
                                    std::string_view broken_separator) {
  bool force = false;
  std::vector<Layout*> outer;
  if (head != nullptr) {
    outer.push_back(head);
  } else {
    outer.push_back(take(K::kLeftBrace));
  }
  if (Layout* suffix = trailing(force)) outer.push_back(suffix);
  std::vector<Layout*> parts;
  for (size_t i = 0; i < count && !lost_; i++) {
    Lead before = lead();
    force |= before.newline;
    if (i > 0) {
      parts.push_back(b_->if_break(broken_separator, flat_separator));
      if (before.blank) parts.push_back(b_->blank());
    }
    parts.push_back(b_->line());
    if (before.comments) parts.push_back(before.comments);
    parts.push_back(item(i));
    bool found = false;
    if (Layout* suffix = trailing(found)) parts.push_back(suffix);
    force |= found;
  }
  skip_separators();
  while (comment_waits()) {
    const Comment& c = comments_[next_comment_++];
    if (count > 0 && blank_between(last_end_, c.span.begin)) parts.push_back(b_->blank());
    last_end_ = c.span.end;
    parts.push_back(b_->line());
    parts.push_back(b_->text(comment_text(c)));
    force = true;
  }
  if (parts.empty()) {
    outer.push_back(head ? b_->concat({b_->text(" "), take(K::kRightBrace)}) : take(K::kRightBrace));
    return {b_->concat(outer), false};
  }
  parts.push_back(b_->flush());
  Layout* inside = b_->concat(parts);
  force |= inside->has_hard;
  outer.push_back(b_->indent(inside));
  outer.push_back(b_->line());
  outer.push_back(take(K::kRightBrace));
  return {b_->concat(outer), force};
}

Layout* Formatter::comma_list(K open, K close, size_t count, const std::function<Layout*(size_t)>& item,
                              bool trailing_comma) {
  bool force = false;
  std::vector<Layout*> outer = {take(open)};
  if (Layout* suffix = trailing(force)) outer.push_back(suffix);
  std::vector<Layout*> parts;
  for (size_t i = 0; i < count && !lost_; i++) {
    Lead before = lead();
    parts.push_back(i > 0 ? b_->line() : b_->soft_line());
    if (before.comments) {
      parts.push_back(before.comments);
      force |= before.comments->has_hard;
    }
    Layout* element = item(i);
    if (i + 1 < count) {
      force |= element->has_hard;
      element = b_->part(element);
    }
    parts.push_back(element);
    if (i + 1 < count) {
      parts.push_back(b_->text(","));
    } else if (trailing_comma) {
      parts.push_back(b_->if_break(",", ""));
    }
    if (Layout* suffix = trailing(force)) parts.push_back(suffix);
  }
  skip_separators();
  while (comment_waits()) {
    const Comment& c = comments_[next_comment_++];
    last_end_ = c.span.end;
    parts.push_back(parts.empty() ? b_->soft_line() : b_->line());
    parts.push_back(b_->text(comment_text(c)));
    force |= c.kind != CommentKind::kBlock;
  }
  if (parts.empty()) {
    outer.push_back(take(close));
    return b_->concat(outer);
  }
  parts.push_back(b_->flush());
  outer.push_back(b_->indent(b_->concat(parts)));
  outer.push_back(b_->soft_line());
  outer.push_back(take(close));
  return b_->group(b_->concat(outer), force);
}

bool Formatter::run(const Module& module, std::string& out) {
  bool first = true;
  auto begin_arena = [&] {
    b_.reset();
    arena_.emplace();
    b_.emplace(*arena_);
  };
  for (const Decl* d : module.decls) {
    begin_arena();
    Lead before = lead();
    if (before.blank && !first) out += '\n';
    std::vector<Layout*> parts;
    if (before.comments) parts.push_back(before.comments);
    parts.push_back(decl(d));
    bool found = false;
    if (Layout* suffix = trailing(found)) parts.push_back(suffix);
    if (lost_) return false;
    print_layout(b_->concat(parts), kFormatWidth, out);
    out += '\n';
    first = false;
  }
  begin_arena();
  skip_separators();
  while (comment_waits()) {
    const Comment& c = comments_[next_comment_++];
    if (!first && blank_between(last_end_, c.span.begin)) out += '\n';
    out += comment_text(c);
    out += '\n';
    last_end_ = c.span.end;
    first = false;
  }
  return at(K::kEnd) && !lost_;
}

FormatResult format_source(const SourceFile& file, Symbols& symbols, Diagnostics& diagnostics) {
  Arena arena;
  ParseResult parsed = parse(file, symbols, arena, diagnostics);
  if (!parsed.ok) return {};
  Diagnostics ignored;
  Tokens tokens = lex(file, symbols, ignored);
  FormatResult result;
  result.ok = true;
  result.text.reserve(file.text().size() + file.text().size() / 8);
  std::string_view text = file.text();
  // What the lexer passes over before the first token.
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (text.substr(0, 2) == "#!") {
    result.text += text.substr(0, text.find('\n'));
    result.text += '\n';
  }
  if (!Formatter(file, std::move(tokens)).run(*parsed.module, result.text)) result.text = file.text();
  return result;
}

}  // namespace eddy::lang
