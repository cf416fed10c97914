// Random modules for round-trip tests: every table filled, code made of well-formed instructions with
// operands of any sense or none. Not verified, not runnable.
#pragma once
#include <bit>
#include <random>
#include <string>

#include "vm/module.h"

namespace eddy::test {

class RandomModule {
 public:
  explicit RandomModule(uint64_t seed) : random_(seed) {}

  vm::Module make() {
    vm::Module m;
    m.name = text();
    times(3, [&] { m.files.push_back(text()); });
    times(6, [&] { m.constants.push_back(constant()); });
    times(4, [&] { m.types.push_back(type()); });
    times(3, [&] { m.effects.push_back(effect()); });
    times(3, [&] { m.natives.push_back(text() + std::to_string(below(1000))); });
    times(3, [&] { m.globals.push_back(text()); });
    times(4, [&] { m.sites.push_back(site(m)); });
    times(5, [&] { m.functions.push_back(function(m)); });
    auto index = [&] { return static_cast<int32_t>(below(m.functions.size() + 1)) - 1; };
    m.initialiser = index();
    m.main = index();
    m.main_takes_args = flip();
    times(2, [&] { m.tests.push_back({text(), below(4)}); });
    return m;
  }

  uint32_t below(size_t n) { return n ? static_cast<uint32_t>(random_() % n) : 0; }
  bool flip() { return random_() & 1; }

 private:
  template <class F>
  void times(unsigned most, F f) {
    for (uint32_t n = below(most + 1); n > 0; --n) f();
  }

  std::string text() {
    static const char* const kSome[] = {"",         "f",     "main.sum",  "std/exn.Exn", "raw",      "multi",
                                        "a b",      "\"q\"", "new\nline", "tab\t",       "\xc3\xa9", "\xff",
                                        "<fn 3:4>", "r1",    "plain",     "L2",          "Some",     "tuple2",
                                        "x_1",      "\\x41", "#1"};
    return kSome[below(std::size(kSome))];
  }

  vm::ConstantData constant() {
    switch (below(3)) {
      case 0:
        return {vm::ConstantData::Kind::String, text(), 0};
      case 1:
        return {vm::ConstantData::Kind::Int, (flip() ? "-" : "") + std::to_string(random_()) + "00000000000",
                0};
      default:
        return {vm::ConstantData::Kind::Float, "", number()};
    }
  }
  double number() {
    static const double kSome[] = {0.0, -0.0, 1.5, 1e300, -2.5e-310, 0.1, 3, 1.0 / 0.0};
    return kSome[below(std::size(kSome))];
  }
  vm::TypeData type() {
    vm::TypeData t{text(), {}};
    times(4, [&] {
      vm::ConstructorData& c = t.constructors.emplace_back();
      c.name = text();
      times(3, [&] {
        c.field_names.push_back(text());
        c.raw.push_back(flip());
      });
    });
    return t;
  }
  vm::EffectData effect() {
    vm::EffectData e{text(), {}};
    times(3, [&] { e.operations.push_back({text(), static_cast<uint16_t>(below(4)), flip()}); });
    return e;
  }
  vm::SiteData site(const vm::Module& m) {
    vm::SiteData s;
    s.name = text();
    s.named = flip();
    s.mask = flip();
    times(2, [&] { s.effects.push_back(below(m.effects.size() + 1)); });
    times(2, [&] {
      s.clauses.push_back({below(m.effects.size() + 1), static_cast<uint16_t>(below(3)),
                           static_cast<rt::ClauseKind>(below(5)), flip(), below(5)});
    });
    s.target = below(20);
    return s;
  }

  vm::FunctionData function(const vm::Module& m) {
    vm::FunctionData f;
    f.name = text();
    f.params = static_cast<uint16_t>(below(4));
    f.tagged = static_cast<uint16_t>(2 + below(300));
    f.raw = static_cast<uint16_t>(2 + below(5));
    f.captures = static_cast<uint16_t>(below(3));
    f.takes_self = flip();
    f.clause = flip();
    f.fiber_base = flip();
    f.hidden = flip();
    times(30, [&] { instruction(f, m); });
    uint32_t pc = 0;
    bool orderly = below(4) != 0;
    auto length = [&](size_t at) {
      return static_cast<unsigned>(vm::op_of(f.code[at])) < vm::kOpCount ? vm::length_of(f.code[at]) : 1;
    };
    for (size_t at = 0; at < f.code.size(); at += length(at)) {
      if (flip()) f.positions.push_back({static_cast<uint32_t>(at), below(4), below(100), below(80)});
      pc = static_cast<uint32_t>(at);
    }
    if (!orderly) f.positions.push_back({pc / 2, below(9), below(100), below(80)});
    return f;
  }

  void instruction(vm::FunctionData& f, const vm::Module& m) {
    if (below(40) == 0) {
      f.code.push_back(random_() << below(40));  // almost never an instruction
      if (static_cast<unsigned>(vm::op_of(f.code.back())) < vm::kOpCount) f.code.pop_back();
      return;
    }
    auto op = static_cast<vm::Op>(below(vm::kOpCount));
    const vm::OpInfo& info = vm::info_of(op);
    vm::Word first = static_cast<vm::Word>(op), x = 0;
    unsigned items = below(6);
    for (const vm::OperandInfo& o : info) {
      int64_t n = 0;
      switch (o.role) {
        case 'w':
        case 'r':
        case 't':
          n = below(f.tagged - (o.role == 't'));
          break;
        case 'W':
        case 'R':
        case 'z':
          n = f.tagged + below(f.raw - (o.role == 'z'));
          break;
        case 'i':
          n = static_cast<int64_t>(below(60000)) - 30000;
          break;
        case 'u':
          n = o.field == 'X' ? 0 : below(8);
          break;
        case 'j':
          n = static_cast<int64_t>(below(20)) - 5;
          break;
        case 'q':
          n = items;
          break;
        case 'F':
          n = static_cast<int64_t>(std::bit_cast<uint64_t>(number()));
          break;
        case 'c':
          n = below(90);
          break;
        case 's':
          n = below(m.sites.size() + 1);
          break;
        default:
          n = below(6);
          break;
      }
      auto bits = static_cast<vm::Word>(n);
      if (o.field == 'A') first |= (bits & 0xffff) << 16;
      if (o.field == 'B') first |= (bits & 0xffff) << 32;
      if (o.field == 'C') first |= (bits & 0xffff) << 48;
      if (o.field == 'D') first |= (bits & 0xffffffff) << 32;
      if (o.field == 'X') x = bits;
    }
    f.code.push_back(first);
    if (info.has_x) f.code.push_back(x);
    if (op == vm::Op::SWITCH)
      for (unsigned i = 0; i < vm::switch_words(items); ++i)
        f.code.push_back(below(9) | (2 * i + 1 < items ? vm::Word{below(9)} << 32 : 0));
    if (info.has_list)
      for (unsigned i = 0; i < items; i += 4) {
        vm::Word w = 0;
        for (unsigned k = i; k < items && k < i + 4; ++k) w |= vm::Word{below(f.tagged)} << (16 * (k - i));
        f.code.push_back(w);
      }
  }

  std::mt19937_64 random_;
};

}  // namespace eddy::test
