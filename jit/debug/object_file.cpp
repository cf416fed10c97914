// An ELF file that describes code which is somewhere else in memory.
#include <elf.h>

#include "jit/debug/dwarf.h"
#include "jit/debug/gdb.h"

namespace eddy::jit::debug {

namespace {

struct Section {
  const char* name;
  uint32_t type;
  uint64_t flags = 0, address = 0, size = 0;
  Bytes content;
  uint32_t link = 0, info = 0;
  uint64_t entry_size = 0;
};

Bytes symbols(const CodeRegion& region, Bytes& names) {
  Bytes table;
  Elf64_Sym none{};
  table.append(&none, sizeof none);
  Elf64_Sym symbol{};
  symbol.st_name = static_cast<uint32_t>(names.size());
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbol.st_shndx = 1;
  symbol.st_value = reinterpret_cast<uint64_t>(region.code);
  symbol.st_size = region.size;
  table.append(&symbol, sizeof symbol);
  names.text(region.name);
  return table;
}

}  // namespace

Bytes object_file(const CodeRegion& region) {
  std::vector<Section> sections;
  sections.push_back({"", SHT_NULL, 0, 0, 0, {}, 0, 0, 0});
  sections.push_back({".text",
                      SHT_NOBITS,
                      SHF_ALLOC | SHF_EXECINSTR,
                      reinterpret_cast<uint64_t>(region.code),
                      region.size,
                      {},
                      0,
                      0,
                      0});
  Bytes names;
  names.u8(0);
  Bytes table = symbols(region, names);
  sections.push_back({".symtab", SHT_SYMTAB, 0, 0, 0, table, 3, 1, sizeof(Elf64_Sym)});
  sections.push_back({".strtab", SHT_STRTAB, 0, 0, 0, names, 0, 0, 0});
  size_t fde;
  Bytes frames =
      eh_frame(region, 0, static_cast<uint32_t>(region.size), {.absolute = true, .distance = 0}, &fde);
  frames.u32(0);
  sections.push_back({".eh_frame", SHT_PROGBITS, 0, 0, 0, frames, 0, 0, 0});
  if (!region.functions.empty()) {
    DebugSections d = debug_sections(region);
    sections.push_back({".debug_abbrev", SHT_PROGBITS, 0, 0, 0, d.abbrev, 0, 0, 0});
    sections.push_back({".debug_info", SHT_PROGBITS, 0, 0, 0, d.info, 0, 0, 0});
    sections.push_back({".debug_line", SHT_PROGBITS, 0, 0, 0, d.line, 0, 0, 0});
    sections.push_back({".debug_ranges", SHT_PROGBITS, 0, 0, 0, d.ranges, 0, 0, 0});
  }
  Bytes section_names;
  std::vector<uint32_t> name_at;
  sections.push_back({".shstrtab", SHT_STRTAB, 0, 0, 0, {}, 0, 0, 0});
  for (const Section& s : sections) {
    name_at.push_back(static_cast<uint32_t>(section_names.size()));
    section_names.text(s.name);
  }
  sections.back().content = section_names;

  Bytes body;
  std::vector<uint64_t> offsets;
  for (const Section& s : sections) {
    body.align(8);
    offsets.push_back(sizeof(Elf64_Ehdr) + body.size());
    body.append(s.content);
  }
  body.align(8);
  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_EXEC;
#if defined(__aarch64__)
  head.e_machine = EM_AARCH64;
#else
  head.e_machine = EM_X86_64;
#endif
  head.e_version = EV_CURRENT;
  head.e_shoff = sizeof head + body.size();
  head.e_ehsize = sizeof head;
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = static_cast<uint16_t>(sections.size());
  head.e_shstrndx = static_cast<uint16_t>(sections.size() - 1);
  Bytes out;
  out.append(&head, sizeof head);
  out.append(body);
  for (size_t i = 0; i < sections.size(); ++i) {
    const Section& s = sections[i];
    Elf64_Shdr h{};
    h.sh_name = name_at[i];
    h.sh_type = s.type;
    h.sh_flags = s.flags;
    h.sh_addr = s.address;
    h.sh_offset = i ? offsets[i] : 0;
    h.sh_size = s.content.size() ? s.content.size() : s.size;
    h.sh_link = s.link;
    h.sh_info = s.info;
    h.sh_addralign = i == 1 ? 16 : 1;
    h.sh_entsize = s.entry_size;
    out.append(&h, sizeof h);
  }
  return out;
}

}  // namespace eddy::jit::debug
