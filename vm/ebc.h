// The binary module file (.ebc). docs/bytecode.md describes the format; all numbers are little-endian.
//
//   header    "EDDYBC", u16 version, u32 size of the file, u32 checksum of everything after the header
//   table     u32 number of sections, then for each: u32 id, u32 offset, u32 size
//   sections  each once, in the order of Section, one after the other without gaps
//
// Inside sections numbers are LEB128, signed ones zigzag; strings are indexes into the section Strings.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vm/module.h"

namespace eddy::vm {

constexpr uint16_t kEbcVersion = 1;

std::vector<uint8_t> write_ebc(const Module& module);

struct EbcResult {
  std::optional<Module> module;
  size_t offset = 0;  // of the byte that is wrong
  std::string error;  // why, where there is no module
};

// Any bytes may be given. What comes out is well-formed as data; whether it may run is the verifier's to say.
// Memory is bounded by a small multiple of the input's size.
EbcResult read_ebc(std::span<const uint8_t> bytes);

// True where the bytes begin like a module file of any version.
bool looks_like_ebc(std::span<const uint8_t> bytes);

}  // namespace eddy::vm
