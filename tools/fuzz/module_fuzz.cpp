// Takes valid modules, damages them, and puts them through everything that a file from outside goes through:
// reader, verifier, both text forms, and, where the verifier accepts them, the machine with little fuel,
// memory and stack. Nothing may crash, hang or depend on the file's form.
//
//   eddy-module-fuzz [--compile] [--seed N] [--start I] [--count N] [--distinct N] [--state FILE] [--save FILE]
//                    [FILE.eas | FILE.ebc | DIRECTORY …]
//
// With --compile each is run a second time as machine code, and must do the same.
// Mutant I of seed N always is the same one: --start I --count 1 --save FILE keeps its module.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "jit/jit.h"
#include "tests/support/handler_programs.h"
#include "tests/support/run_text.h"
#include "tools/eddy-fuzz/random.h"
#include "tools/fuzz/long_run.h"
#include "vm/ebc_format.h"

namespace eddy {
namespace {

using vm::FunctionData;
using vm::Module;
using vm::OperandInfo;
using vm::Word;

fuzz::LongRun run("eddy-module-fuzz");

// What a damaged program may call: nothing that reaches outside, except that it may print.
int allowed_native(std::string_view name) {
  for (std::string_view outside : {"read", "exit", "args", "file", "os", "time"})
    if (name.starts_with(outside)) return -1;
  return test::native_arity(name);
}

class Mutator {
 public:
  explicit Mutator(uint64_t state) : random_(state) {}

  uint64_t below(uint64_t n) { return n ? random_.next() % n : 0; }
  bool one_in(unsigned n) { return below(n) == 0; }

  void mutate(Module& m) {
    for (uint64_t n = 1 + below(one_in(4) ? 12 : 3); n > 0; --n) {
      switch (below(12)) {
        case 0:
          site(m);
          break;
        case 1:
          header(m);
          break;
        case 2:
          tables(m);
          break;
        default:
          code(m);
          break;
      }
    }
  }
  void bytes(std::vector<uint8_t>& file) {
    for (uint64_t n = 1 + below(4); n > 0; --n) {
      size_t at = vm::ebc::kHeaderSize + below(file.size() - vm::ebc::kHeaderSize);
      switch (below(4)) {
        case 0:
          file[at] = static_cast<uint8_t>(random_.next());
          break;
        case 1:
          file[at] ^= static_cast<uint8_t>(1u << below(8));
          break;
        case 2:
          file[at] = static_cast<uint8_t>(file[at] + 1);
          break;
        default:
          file[at] = file[vm::ebc::kHeaderSize + below(file.size() - vm::ebc::kHeaderSize)];
          break;
      }
    }
    uint32_t sum = vm::ebc::checksum(std::span(file).subspan(vm::ebc::kHeaderSize));
    for (int i = 0; i < 4; ++i) file[vm::ebc::kChecksumAt + i] = static_cast<uint8_t>(sum >> (8 * i));
  }

 private:
  static std::vector<uint32_t> starts(const FunctionData& f) {
    std::vector<uint32_t> at;
    for (uint32_t pc = 0; pc < f.code.size(); pc += vm::length_of(f.code[pc])) {
      if (static_cast<unsigned>(vm::op_of(f.code[pc])) >= vm::kOpCount) break;
      at.push_back(pc);
    }
    return at;
  }
  static void set_field(Word* pc, char field, uint64_t v) {
    switch (field) {
      case 'A':
        *pc = (*pc & ~(Word{0xffff} << 16)) | (v & 0xffff) << 16;
        break;
      case 'B':
        *pc = (*pc & ~(Word{0xffff} << 32)) | (v & 0xffff) << 32;
        break;
      case 'C':
        *pc = (*pc & ~(Word{0xffff} << 48)) | v << 48;
        break;
      case 'D':
        *pc = (*pc & 0xffffffffu) | v << 32;
        break;
      case 'X':
        pc[1] = v;
        break;
      default:
        break;
    }
  }

  void code(Module& m) {
    if (m.functions.empty()) return;
    FunctionData& f = m.functions[below(m.functions.size())];
    std::vector<uint32_t> at = starts(f);
    if (at.empty()) return;
    uint32_t pc = at[below(at.size())];
    unsigned length = vm::length_of(f.code[pc]);
    if (length > f.code.size() - pc) return;
    switch (below(8)) {
      case 0: {  // another opcode of the same length
        auto op = static_cast<vm::Op>(below(vm::kOpCount));
        if (vm::info_of(op).has_x == vm::info_of(vm::op_of(f.code[pc])).has_x &&
            vm::info_of(op).has_list == vm::info_of(vm::op_of(f.code[pc])).has_list)
          f.code[pc] = (f.code[pc] & ~Word{0xffff}) | static_cast<Word>(op);
        break;
      }
      case 1: {  // exchange two instructions of one length
        uint32_t other = at[below(at.size())];
        if (vm::length_of(f.code[other]) == length && other + length <= f.code.size())
          std::swap_ranges(f.code.begin() + pc, f.code.begin() + pc + length, f.code.begin() + other);
        break;
      }
      case 2: {  // copy one over another
        uint32_t other = at[below(at.size())];
        if (vm::length_of(f.code[other]) == length && other + length <= f.code.size())
          std::copy_n(f.code.begin() + other, length, f.code.begin() + pc);
        break;
      }
      case 3:  // nothing in its place
        for (unsigned i = 0; i < length; ++i)
          f.code[pc + i] = vm::encode(vm::Op::LOAD_UNIT, f.tagged ? f.tagged - 1u : 0);
        break;
      default:
        operand(m, f, pc);
    }
  }

  void operand(const Module& m, FunctionData& f, uint32_t at) {
    Word* pc = &f.code[at];
    const vm::OpInfo& info = vm::info_of(vm::op_of(*pc));
    if (info.operand_count == 0) return;
    const OperandInfo& o = info.operands[below(info.operand_count)];
    if (o.field == 'L') {
      unsigned items = vm::b_of(*pc);
      if (!items) return;
      unsigned i = static_cast<unsigned>(below(items));
      Word& w = f.code[static_cast<size_t>(vm::list_of(pc) - f.code.data()) + i / 4];
      Word reg = below(f.tagged + (one_in(4) ? f.raw : 0u));
      w = (w & ~(Word{0xffff} << (16 * (i % 4)))) | reg << (16 * (i % 4));
      return;
    }
    uint64_t v = 0;
    switch (o.role) {
      case 'w':
      case 'r':
      case 't':
        v = below(f.tagged);
        break;
      case 'W':
      case 'R':
      case 'z':
        v = f.tagged + below(f.raw);
        break;
      case 'j':
        v = below(f.code.size() + 2);
        break;
      case 'c':
        v = one_in(2) ? below(90) : 81 + below(8);
        break;
      case 'f':
        v = below(m.functions.size());
        break;
      case 's':
        v = below(m.sites.size());
        break;
      case 'e':
        v = below(m.effects.size());
        break;
      case 'k':
        v = below(m.constants.size());
        break;
      case 'g':
        v = below(m.globals.size());
        break;
      case 'n':
        v = below(m.natives.size());
        break;
      case 'q':
        v = below(6);
        break;
      default:
        v = one_in(3) ? random_.next() : below(6);
        break;
    }
    if (one_in(20)) v = random_.next() >> below(60);
    if (vm::length_of(*pc) <= f.code.size() - at) set_field(pc, o.field, v);
  }

  void site(Module& m) {
    if (m.sites.empty()) return;
    vm::SiteData& s = m.sites[below(m.sites.size())];
    switch (below(7)) {
      case 0:
        s.named = !s.named;
        break;
      case 1:
        s.mask = !s.mask;
        break;
      case 2:
        s.target = static_cast<uint32_t>(below(40));
        break;
      case 3:
        if (!s.effects.empty())
          s.effects[below(s.effects.size())] = static_cast<uint32_t>(below(m.effects.size()));
        break;
      default:
        if (s.clauses.empty()) break;
        vm::ClauseData& c = s.clauses[below(s.clauses.size())];
        switch (below(4)) {
          case 0:
            c.kind = static_cast<rt::ClauseKind>(below(5));
            break;
          case 1:
            c.plain = !c.plain;
            break;
          case 2:
            c.function = static_cast<uint32_t>(below(m.functions.size()));
            break;
          default:
            c.effect = static_cast<uint32_t>(below(m.effects.size()));
        }
    }
  }

  void header(Module& m) {
    if (m.functions.empty()) return;
    FunctionData& f = m.functions[below(m.functions.size())];
    auto step = [&](uint16_t& n) {
      n = static_cast<uint16_t>(one_in(10) ? random_.next() : n + below(5) - 2);
    };
    switch (below(9)) {
      case 0:
        step(f.params);
        break;
      case 1:
        step(f.tagged);
        break;
      case 2:
        step(f.raw);
        break;
      case 3:
        step(f.captures);
        break;
      case 4:
        f.takes_self = !f.takes_self;
        break;
      case 5:
        f.clause = !f.clause;
        break;
      case 6:
        f.fiber_base = !f.fiber_base;
        break;
      case 7:
        m.main = static_cast<int32_t>(below(m.functions.size()));
        break;
      default:
        std::swap(f.code, m.functions[below(m.functions.size())].code);
        break;
    }
  }

  void tables(Module& m) {
    switch (below(4)) {
      case 0:
        if (!m.effects.empty()) {
          vm::EffectData& e = m.effects[below(m.effects.size())];
          if (!e.operations.empty()) {
            vm::OperationData& o = e.operations[below(e.operations.size())];
            if (one_in(2))
              o.multi = !o.multi;
            else
              o.params = static_cast<uint16_t>(below(4));
          }
        }
        break;
      case 1:
        if (!m.natives.empty())
          m.natives[below(m.natives.size())] = rt::natives()[below(rt::natives().size())].name;
        break;
      case 2:
        if (!m.types.empty()) {
          vm::TypeData& t = m.types[below(m.types.size())];
          if (!t.constructors.empty()) {
            vm::ConstructorData& c = t.constructors[below(t.constructors.size())];
            if (!c.raw.empty() && one_in(2)) {
              size_t i = below(c.raw.size());
              c.raw[i] = !c.raw[i];
            } else {
              c.raw.push_back(one_in(2));
              c.field_names.emplace_back();
            }
          }
        }
        break;
      default:
        if (!m.constants.empty()) m.constants[below(m.constants.size())].text = one_in(2) ? "-7" : "x\xc3";
    }
  }

  fuzz::Random random_;
};

std::vector<Module> seeds;

void add_seed(const std::string& text, const std::string& name) {
  std::string problem;
  std::optional<Module> m = test::checked_module(text, &problem);
  if (!m) {
    fmt::print(stderr, "{}: {}\n", name, problem);
    std::exit(2);
  }
  seeds.push_back(std::move(*m));
}

void add_handler_seeds() {
  using namespace test::handlers;
  for (Kind kind : {Kind::TailPlain, Kind::Tail, Kind::TailOrAbort, Kind::Abort, Kind::Once, Kind::Multi})
    for (Use use : {Use::AtOnce, Use::NotTail, Use::Twice, Use::Never, Use::NeverNow, Use::Later})
      for (bool named : {false, true})
        for (int wrap = 0; wrap < 7; ++wrap) {
          bool possible = kind == Kind::Abort ? use == Use::Never
                          : kind == Kind::TailOrAbort
                              ? use == Use::AtOnce || use == Use::Never || use == Use::NeverNow
                          : captures(kind) ? true
                                           : use == Use::AtOnce;
          if (!possible) continue;
          Case c{kind, use, named, static_cast<Wrap>(wrap), 2, 1};
          c.from = static_cast<From>(wrap);
          add_seed(text_of(c), describe(c));
        }
}

void add_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (path.extension() != ".ebc") return add_seed(text, path.string());
  vm::EbcResult r = vm::read_ebc({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  if (r.module) seeds.push_back(std::move(*r.module));
}

void add_path(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return add_file(path);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.path().extension() == ".eas" || entry.path().extension() == ".ebc")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) add_file(file);
}

struct Totals {
  uint64_t read = 0, verified = 0, finished = 0;
} totals;

bool with_compiler = false;

// Under a limit of fuel the compiler does not inline, so what is known to end is compiled without one, half the time.
std::string run_tier(Module m, uint64_t choice, bool compiled) {
  vm::VmOptions options;
  options.fuel = compiled && choice % 2 ? 0 : 2000;
  options.max_stack = 4 << 20;
  options.heap.max_heap_bytes = 32 << 20;
  options.heap.nursery_bytes = 1 << 16;
  options.heap.stress = choice % 3 == 0 ? 1 : 0;
  options.heap.verify = choice % 6 == 0;
  std::unique_ptr<vm::Tier> tier;  // outlives the machine
  vm::Vm machine(options);
  if (compiled) {
    jit::Options how;
    how.tier = choice % 4 < 2 ? jit::TierMode::Jit : jit::TierMode::Auto;
    how.jit_threshold = how.osr_threshold = 2;
    tier = jit::attach(machine, how);
    if (!tier) return "limit";
  }
  std::string problem;
  vm::LoadedModule* loaded = machine.load(std::move(m), &problem);
  if (!loaded) return "not loaded";
  vm::RunResult start = machine.initialise(loaded);
  if (start.outcome != vm::Outcome::Finished) return test::outcome_text(start);
  return test::outcome_text(machine.run_main(loaded));
}

void count(const std::string& outcome) {
  totals.finished += outcome != "limit" && !outcome.starts_with("panic");
}

// Both forms of the module are the same one; what the verifier accepts runs to some end.
void exercise(const Module& m, uint64_t choice, const char* save) {
  std::vector<uint8_t> file = vm::write_ebc(m);
  if (!run.fresh(fuzz::hash_of(file.data(), file.size()))) return;
  if (save)
    std::ofstream(save, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  vm::EbcResult read = vm::read_ebc(file);
  if (!read.module) return;  // strings repeated beyond the limit
  ++totals.read;
  if (choice % 16 == 0) {
    vm::AssembleResult text = vm::assemble(vm::disassemble(*read.module));
    if (!text.module) run.complain("the listing cannot be read back: " + text.error);
    if (vm::write_ebc(*text.module) != vm::write_ebc(*read.module))
      run.complain("the listing reads back differently");
  }
  if (vm::verify(*read.module, allowed_native)) return;
  ++totals.verified;
  if (read.module->main < 0 || read.module->main_takes_args) return;
  if (!with_compiler) {
    count(run_tier(std::move(*read.module), choice, false));
    return;
  }
  std::string interpreted = run_tier(*read.module, choice, false);
  count(interpreted);
  if (interpreted == "limit") return;
  std::string compiled = run_tier(std::move(*read.module), choice, true);
  // Where memory ends is not the same everywhere, nor how a program is told that it is ill-typed.
  for (const std::string* s : {&interpreted, &compiled})
    if (*s == "limit" || s->starts_with("panic: out of memory") || s->starts_with("panic: stack overflow") ||
        s->starts_with("panic: expected") || s->find(" takes ") != std::string::npos)
      return;
  if (interpreted != compiled)
    run.complain("interpreted \"" + interpreted + "\", compiled \"" + compiled + "\"");
}

int mutate_all(int argc, char** argv) {
  const char* save = nullptr;
  add_handler_seeds();
  for (int i = 1; i < argc; ++i) {
    if (run.take(argc, argv, i)) continue;
    if (std::strcmp(argv[i], "--compile") == 0) {
      with_compiler = jit::available();
    } else if (std::strcmp(argv[i], "--save") == 0 && i + 1 < argc) {
      save = argv[++i];
    } else if (argv[i][0] == '-') {
      fmt::print(stderr, "usage: eddy-module-fuzz [flags] [FILE|FOLDER …]\n{}{}", fuzz::LongRun::help(),
                 "  --compile       run what is accepted as machine code too\n"
                 "  --save FILE     keep the mutant\n");
      return 2;
    } else {
      add_path(argv[i]);
    }
  }
  run.total("readable", &totals.read);
  run.total("accepted", &totals.verified);
  run.total("finished", &totals.finished);
  return run.go([&](uint64_t index) {
    Mutator mutator(run.random_state(index));
    const Module& origin = seeds[mutator.below(seeds.size())];
    uint64_t choice = mutator.below(1000);
    if (choice % 8 == 0) {
      std::vector<uint8_t> file = vm::write_ebc(origin);
      mutator.bytes(file);
      vm::EbcResult r = vm::read_ebc(file);
      if (r.module) exercise(*r.module, choice, save);
    } else {
      Module m = origin;
      mutator.mutate(m);
      exercise(m, choice, save);
    }
  });
}

}  // namespace
}  // namespace eddy

int main(int argc, char** argv) { return eddy::mutate_all(argc, argv); }
