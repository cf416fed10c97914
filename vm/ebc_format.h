// What the writer and the reader of .ebc files share.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace eddy::vm::ebc {

enum Section : uint32_t {
  Strings = 1,
  About,  // name, entry points, tests
  Files,
  Constants,
  Types,
  Effects,
  Natives,
  Globals,
  Sites,
  Functions,  // everything about them but their
  Code,       // words, and
  Positions,
  SectionEnd
};
constexpr uint32_t kSections = SectionEnd - 1;
constexpr std::array<const char*, SectionEnd> kSectionNames = {
    "",        "strings", "about", "files",     "constants", "types",    "effects",
    "natives", "globals", "sites", "functions", "code",      "positions"};

constexpr std::array<uint8_t, 6> kMagic = {'E', 'D', 'D', 'Y', 'B', 'C'};
constexpr size_t kSizeAt = 8, kChecksumAt = 12, kHeaderSize = 16;
constexpr size_t kTableEntrySize = 12;

// FNV-1a; finds torn and mistransmitted files, it does not keep anybody from making one.
inline uint32_t checksum(std::span<const uint8_t> bytes) {
  uint32_t h = 2166136261u;
  for (uint8_t b : bytes) h = (h ^ b) * 16777619u;
  return h;
}

constexpr uint64_t zigzag(int64_t n) {
  return (static_cast<uint64_t>(n) << 1) ^ static_cast<uint64_t>(n >> 63);
}
constexpr int64_t unzigzag(uint64_t n) { return static_cast<int64_t>(n >> 1) ^ -static_cast<int64_t>(n & 1); }

// Bits of a function's flags byte, and of a site's and a clause's.
constexpr uint8_t kTakesSelf = 1, kClause = 2, kFiberBase = 4, kHidden = 8, kFunctionFlags = 15;
constexpr uint8_t kNamed = 1, kMask = 2, kSiteFlags = 3;
constexpr uint8_t kPlain = 8, kKindMask = 7;

}  // namespace eddy::vm::ebc
