#include "lang/source.h"

#include <algorithm>
#include <cstring>

namespace eddy::lang {

SourceFile::SourceFile(std::string path, std::string text, Pos base)
    : path_(std::move(path)), owned_(std::move(text)), text_(owned_), base_(base) {}

SourceFile::SourceFile(std::string path, std::string_view text, std::span<const uint32_t> lines, Pos base)
    : path_(std::move(path)), text_(text), base_(base), line_starts_(lines) {}

std::span<const uint32_t> SourceFile::lines() const {
  if (!line_starts_.empty()) return line_starts_;
  found_lines_.push_back(0);
  const char* begin = text_.data();
  const char* end = begin + text_.size();
  for (const char* at = begin; at < end;) {
    const void* newline = std::memchr(at, '\n', end - at);
    if (newline == nullptr) break;
    at = static_cast<const char*>(newline) + 1;
    found_lines_.push_back(static_cast<uint32_t>(at - begin));
  }
  return line_starts_ = found_lines_;
}

uint32_t SourceFile::line(Pos pos) const {
  std::span<const uint32_t> starts = lines();
  uint32_t at = offset(pos);
  if (starts[last_line_ - 1] <= at) {
    for (uint32_t line = last_line_; line < last_line_ + 4; line++) {
      if (line == starts.size() || starts[line] > at) return last_line_ = line;
    }
  }
  auto after = std::upper_bound(starts.begin(), starts.end(), at);
  return last_line_ = static_cast<uint32_t>(after - starts.begin());
}

LineColumn SourceFile::locate(Pos pos) const {
  uint32_t line = this->line(pos);
  uint32_t column = 1;
  uint32_t stop = std::min<uint32_t>(offset(pos), static_cast<uint32_t>(text_.size()));
  for (uint32_t i = lines()[line - 1]; i < stop; i++) {
    if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) column++;
  }
  return {line, column};
}

uint32_t SourceFile::line_count() const { return static_cast<uint32_t>(lines().size()); }

Pos SourceFile::line_start(uint32_t line) const { return base_ + lines()[line - 1]; }

std::string_view SourceFile::line_text(uint32_t line) const {
  std::span<const uint32_t> starts = lines();
  size_t begin = starts[line - 1];
  size_t end = line < starts.size() ? starts[line] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r') end--;
  return text().substr(begin, end - begin);
}

template <typename... Text>
const SourceFile* SourceMap::add_file(std::string path, size_t size, Text... text) {
  if (next_base_ + size + 1 > kCapacity) return nullptr;
  files_.push_back(
      std::make_unique<SourceFile>(std::move(path), std::move(text)..., static_cast<Pos>(next_base_)));
  next_base_ += size + 1;  // a file's end is a position too
  return files_.back().get();
}

const SourceFile* SourceMap::add(std::string path, std::string text) {
  size_t size = text.size();
  return add_file(std::move(path), size, std::move(text));
}

const SourceFile* SourceMap::add_static(std::string path, std::string_view text,
                                        std::span<const uint32_t> lines) {
  return add_file(std::move(path), text.size(), text, lines);
}

const SourceFile* SourceMap::find(Pos pos) const {
  if (pos == 0) return nullptr;
  auto after = std::upper_bound(files_.begin(), files_.end(), pos,
                                [](Pos p, const std::unique_ptr<SourceFile>& f) { return p < f->base(); });
  if (after == files_.begin()) return nullptr;
  const SourceFile* file = (after - 1)->get();
  return file->contains(pos) ? file : nullptr;
}

}  // namespace eddy::lang
