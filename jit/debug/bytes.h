// Growing binary data: what DWARF, ELF and jitdump are written with.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace eddy::jit::debug {

class Bytes {
 public:
  size_t size() const { return data_.size(); }
  const std::vector<uint8_t>& data() const { return data_; }

  void u8(unsigned v) { data_.push_back(static_cast<uint8_t>(v)); }
  void u16(unsigned v) { raw(static_cast<uint16_t>(v)); }
  void u32(uint32_t v) { raw(v); }
  void u64(uint64_t v) { raw(v); }
  void uleb(uint64_t v) {
    do {
      unsigned byte = v & 0x7f;
      v >>= 7;
      u8(byte | (v ? 0x80 : 0));
    } while (v);
  }
  void sleb(int64_t v) {
    for (;;) {
      unsigned byte = v & 0x7f;
      v >>= 7;
      bool done = (v == 0 && !(byte & 0x40)) || (v == -1 && (byte & 0x40));
      u8(byte | (done ? 0 : 0x80));
      if (done) return;
    }
  }
  void text(std::string_view s) {
    append(s.data(), s.size());
    u8(0);
  }
  void append(const void* from, size_t size) {
    auto* p = static_cast<const uint8_t*>(from);
    data_.insert(data_.end(), p, p + size);
  }
  void append(const Bytes& other) { append(other.data_.data(), other.size()); }
  void align(size_t to, uint8_t with = 0) {
    while (data_.size() % to) u8(with);
  }
  // Overwrites what was written before.
  void put_u32(size_t at, uint32_t v) { std::memcpy(data_.data() + at, &v, sizeof v); }

 private:
  template <class T>
  void raw(T v) {
    append(&v, sizeof v);
  }
  std::vector<uint8_t> data_;
};

}  // namespace eddy::jit::debug
