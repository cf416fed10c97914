// Run by the build: writes the stubs of every instruction set as a C++ source.
#include <cstdio>

#include "jit/codegen/assembled_stubs.h"

namespace eddy::jit {

namespace {

template <class T>
void write_array(FILE* out, const char* type, const char* name, Watch watch, const std::vector<T>& values) {
  std::fprintf(out, "const %s %s_%d[] = {", type, name, static_cast<int>(watch));
  for (size_t i = 0; i < values.size(); ++i) std::fprintf(out, "%s%u,", i % 32 ? "" : "\n", values[i]);
  std::fprintf(out, "\n};\n");
}

bool write_images(FILE* out, const char* processor, AssembledStubs (*assemble)(Watch)) {
  std::fprintf(out, "namespace %s {\nnamespace {\n", processor);
  for (Watch watch : kWatches) {
    AssembledStubs stubs = assemble(watch);
    if (!stubs.failure.empty()) {
      std::fprintf(stderr, "the stubs for %s: %s\n", processor, stubs.failure.c_str());
      return false;
    }
    write_array(out, "uint8_t", "code", watch, stubs.code);
    write_array(out, "uint16_t", "entries", watch, stubs.entries);
  }
  std::fprintf(out, "constexpr StubImage images[] = {{code_0, entries_0}, {code_1, entries_1}, {code_2, entries_2}};\n}\n"
                    "const StubImage& stub_image(Watch watch) { return images[static_cast<int>(watch)]; }\n}\n");
  return true;
}

bool write_source(const char* path) {
  FILE* out = std::fopen(path, "w");
  if (!out) {
    std::perror(path);
    return false;
  }
  std::fprintf(out, "#include \"jit/codegen/stubs.h\"\n\nnamespace eddy::jit {\n");
  bool good = write_images(out, "x64", x64::assemble_stubs) && write_images(out, "a64", a64::assemble_stubs);
  std::fprintf(out, "}\n");
  good &= !std::ferror(out);
  return std::fclose(out) == 0 && good;
}

}  // namespace

}  // namespace eddy::jit

int main(int, char** argv) { return eddy::jit::write_source(argv[1]) ? 0 : 1; }
