#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eddy::lang {

/// A place in some loaded file: one number for file and offset (see SourceMap). 0 is nowhere.
using Pos = uint32_t;

/// Half-open range of places within one file.
struct Span {
  Pos begin = 0;
  Pos end = 0;

  explicit operator bool() const { return begin != 0; }
  bool operator==(const Span&) const = default;
};

/// The smallest span that covers both.
inline Span join(Span a, Span b) {
  if (!a) return b;
  if (!b) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

/// Lines and columns count from 1; a column counts characters (code points), not bytes.
struct LineColumn {
  uint32_t line = 0;
  uint32_t column = 0;
};

/// The text of one file. Positions in it are `base + byte offset`, and `base + size` is its end.
/// A NUL follows the text in memory.
class SourceFile {
 public:
  SourceFile(std::string path, std::string text, Pos base);
  /// Of a text that outlives the file, with a NUL behind it, and where its lines start.
  SourceFile(std::string path, std::string_view text, std::span<const uint32_t> lines, Pos base);
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;

  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }
  const char* data() const { return text_.data(); }
  Pos base() const { return base_; }
  Pos end() const { return base_ + static_cast<Pos>(text_.size()); }
  bool contains(Pos pos) const { return pos >= base_ && pos <= end(); }
  Pos pos(size_t offset) const { return base_ + static_cast<Pos>(offset); }
  uint32_t offset(Pos pos) const { return pos - base_; }
  std::string_view text(Span span) const { return text().substr(span.begin - base_, span.end - span.begin); }

  LineColumn locate(Pos pos) const;
  /// 1-based line number alone; cheaper than locate.
  uint32_t line(Pos pos) const;
  uint32_t line_count() const;
  /// A line's text without its line ending.
  std::string_view line_text(uint32_t line) const;
  Pos line_start(uint32_t line) const;

 private:
  std::span<const uint32_t> lines() const;

  std::string path_;
  std::string owned_;
  std::string_view text_;
  Pos base_;
  mutable std::vector<uint32_t> found_lines_;
  mutable std::span<const uint32_t> line_starts_;  // of a text of its own, found on first use
  mutable uint32_t last_line_ = 1;                 // found last: most questions are about the lines after it
};

/// All files of one compilation. Gives each a range of positions of its own.
class SourceMap {
 public:
  /// Total size of all files; more than this does not fit positions.
  static constexpr uint64_t kCapacity = (uint64_t{1} << 32) - 16;

  /// Null when positions are exhausted (4 GiB of source).
  const SourceFile* add(std::string path, std::string text);
  /// The same for a text that outlives the map, with a NUL behind it, and where its lines start.
  const SourceFile* add_static(std::string path, std::string_view text, std::span<const uint32_t> lines);
  /// Null for position 0 or one that belongs to no file.
  const SourceFile* find(Pos pos) const;
  const std::vector<std::unique_ptr<SourceFile>>& files() const { return files_; }

 private:
  template <typename... Text>
  const SourceFile* add_file(std::string path, size_t size, Text... text);

  std::vector<std::unique_ptr<SourceFile>> files_;  // ordered by base
  uint64_t next_base_ = 1;
};

}  // namespace eddy::lang
