#include "lang/symbols.h"

namespace eddy::lang {

namespace {

constexpr size_t kInitialSlots = 1024;

struct Known {
  std::string_view text;
  uint32_t hash;
};
constexpr Known known(std::string_view text) { return {text, Symbols::hash(text)}; }

// In the order of their ids.
constexpr Known kKnown[] = {
#define EDDY_KEYWORD(NAME) known(#NAME),
    EDDY_KEYWORDS(EDDY_KEYWORD)
#undef EDDY_KEYWORD
#define EDDY_KNOWN(NAME, TEXT) known(TEXT),
        EDDY_KNOWN_SYMBOLS(EDDY_KNOWN)
#undef EDDY_KNOWN
};

}  // namespace

Symbols::Symbols() : slots_(kInitialSlots) {
  texts_.reserve(kInitialSlots / 2 + 1);
  texts_.push_back("");
  for (const Known& known : kKnown) intern(known.text, known.hash);
}

Symbol Symbols::intern(std::string_view text, uint32_t hash) {
  size_t mask = slots_.size() - 1;
  // FNV's low bits are its weakest; fold the high ones in.
  for (size_t i = (hash ^ (hash >> 15)) & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.id == 0) {
      slot = {hash, static_cast<uint32_t>(texts_.size())};
      texts_.push_back(arena_.copy(text));
      Symbol symbol{slot.id};
      if (texts_.size() * 2 > slots_.size()) rehash(slots_.size() * 2);
      return symbol;
    }
    if (slot.hash == hash && texts_[slot.id] == text) return {slot.id};
  }
}

void Symbols::rehash(size_t capacity) {
  std::vector<Slot> old(capacity);
  old.swap(slots_);
  size_t mask = capacity - 1;
  for (const Slot& slot : old) {
    if (slot.id == 0) continue;
    size_t i = (slot.hash ^ (slot.hash >> 15)) & mask;
    while (slots_[i].id != 0) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

}  // namespace eddy::lang
