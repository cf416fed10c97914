// The third pass: what every register holds, on every way. A register is readable (it holds a value), or
// hidden: unwritten, or written with something of the machine's own (a node, an environment, a record's
// context) that only certain instructions may touch. About readable ones the constructor may be known, about
// hidden ones what they are.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "vm/verifier_internal.h"

namespace eddy::vm::verifying {

namespace {

// What is known of a tagged register beyond being readable: 0, or a kind and a number.
using Fact = uint64_t;
enum class Known : uint8_t { Nothing, Constructor, Environment, FiberClosure };
constexpr Fact fact(Known kind, uint32_t number) { return static_cast<Fact>(kind) << 32 | number; }
constexpr Known kind_of(Fact f) { return static_cast<Known>(f >> 32); }
constexpr uint32_t number_of(Fact f) { return static_cast<uint32_t>(f); }

// The state on entry to a block. Facts are few: kept as pairs, sorted by register.
struct Entry {
  std::vector<uint64_t> readable;
  std::vector<std::pair<uint16_t, Fact>> facts;
  bool reached = false;
  bool aborted = false;  // ABORT_NOW may have run
  bool queued = false;
  uint16_t visits = 0;
};

// A block is worked off at most this often with facts; then what still changes is forgotten, so that long
// chains of moves around a loop cannot keep the verifier busy.
constexpr unsigned kPatience = 32;
constexpr uint64_t kWorkLimit = uint64_t{1} << 31;

}  // namespace

struct Flow {
  FunctionVerifier& v;
  const FunctionData& f;
  std::vector<Entry> entries;
  std::vector<uint32_t> heap;  // blocks to do, the first in the code on top
  uint64_t work = 0;

  // The state at the current instruction.
  std::vector<uint64_t> readable;
  std::vector<Fact> facts;
  std::vector<uint16_t> touched;  // registers whose fact may be other than 0
  bool aborted = false;
  // Slots of the open regions, for the region they were computed for.
  std::vector<bool> owned;
  int32_t owned_region = -1;

  explicit Flow(FunctionVerifier& verifier)
      : v(verifier),
        f(verifier.f_),
        entries(verifier.blocks_.size()),
        facts(f.tagged),
        owned(v.registers()) {}

  bool is_readable(unsigned reg) const { return readable[reg >> 6] >> (reg & 63) & 1; }
  void set_fact(unsigned reg, Fact x) {
    if (!facts[reg] && x) touched.push_back(static_cast<uint16_t>(reg));
    facts[reg] = x;
  }
  void set_readable(unsigned reg) {
    readable[reg >> 6] |= uint64_t{1} << (reg & 63);
    if (reg < f.tagged) set_fact(reg, 0);
  }
  void hide(unsigned reg, Fact x = 0) {
    readable[reg >> 6] &= ~(uint64_t{1} << (reg & 63));
    set_fact(reg, x);
  }

  bool run();
  void load(const Entry& e);
  void own_slots(int32_t region);
  bool step(uint32_t at);
  bool read_operands(uint32_t at);
  bool write_operands(uint32_t at);
  void learn(uint32_t at);
  void propagate(uint32_t block);
  void propagate_facts(Entry& e);
  void leave_block(const Block& block);
  void reach_target(const Region& region);
};

bool FunctionVerifier::flow() { return Flow(*this).run(); }

bool Flow::run() {
  size_t words = (v.registers() + 63u) / 64;
  readable.assign(words, 0);
  for (unsigned i = 0; i < f.params; ++i) set_readable(i);
  if (f.clause || f.fiber_base) hide(0);
  propagate(0);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    uint32_t index = heap.back();
    heap.pop_back();
    Entry& e = entries[index];
    e.queued = false;
    if (e.visits < kPatience) ++e.visits;
    const Block& block = v.blocks_[index];
    work += words + block.end - block.start;
    if (work > kWorkLimit) return v.fail(block.start, "the function is too complex");
    load(e);
    own_slots(block.region);
    for (uint32_t at = block.start; at < block.end; at += length_of(v.code_[at]))
      if (!step(at)) return false;
    leave_block(block);
  }
  return true;
}

void Flow::load(const Entry& e) {
  for (uint16_t reg : touched) facts[reg] = 0;
  touched.clear();
  readable = e.readable;
  for (auto [reg, x] : e.facts) set_fact(reg, x);
  aborted = e.aborted;
}

void Flow::own_slots(int32_t region) {
  if (region == owned_region) return;
  auto mark = [&](int32_t from, bool value) {
    for (int32_t r = from; r >= 0; r = v.regions_[r].parent) {
      ++work;
      const Region& open = v.regions_[r];
      Word w = v.code_[open.opener];
      owned[a_of(w)] = value;
      if (!region_has_record(open.kind)) continue;
      owned[a_of(w) + 1] = owned[b_of(w)] = owned[b_of(w) + 1] = value;
    }
  };
  mark(owned_region, false);
  mark(region, true);
  owned_region = region;
}

bool Flow::step(uint32_t at) {
  if (!read_operands(at)) return false;
  if (!write_operands(at)) return false;
  learn(at);
  return true;
}

bool Flow::read_operands(uint32_t at) {
  const Word* pc = &v.code_[at];
  Op op = op_of(*pc);
  if (closes_region(op)) return true;  // the region pass has seen to it that these are the opener's slots
  if (op == Op::HANDLE || op == Op::HANDLE_NAMED) {
    unsigned env = op == Op::HANDLE ? b_of(*pc) : c_of(*pc), captures = v.facts_.site_env[pc[1]];
    bool known = kind_of(facts[env]) == Known::Environment && number_of(facts[env]) >= captures;
    if (!known && (captures || !is_readable(env)))
      return v.fail(at, fmt::format("register {} holds no environment of {} captures", env, captures));
    return true;
  }
  if (op == Op::FIBER_CALL || op == Op::TAIL_FIBER) {
    unsigned closure = b_of(*pc);
    return kind_of(facts[closure]) == Known::FiberClosure ||
           v.fail(at, fmt::format("register {} holds no closure of a fiber base", closure));
  }
  bool good = true;
  visit_registers(
      pc,
      [&](unsigned reg, char) {
        if (op == Op::GET_UP && reg == 0) return;  // the function's own
        if (good && !is_readable(reg))
          good = v.fail(at, reg < f.tagged && facts[reg]
                                ? fmt::format("register {} holds something that is no value", reg)
                                : fmt::format("register {} has no value on some way here", reg));
      },
      [](unsigned, char) {});
  if (!good) return false;
  if (op == Op::GET || op == Op::GET_R) {
    Fact x = facts[b_of(*pc)];
    if (kind_of(x) != Known::Constructor)
      return v.fail(at, fmt::format("the constructor of register {} is not known here", b_of(*pc)));
    if (static_cast<int>(c_of(*pc)) >= v.facts_.fields(number_of(x)))
      return v.fail(at, fmt::format("there is no field {}", c_of(*pc)));
    if (v.facts_.raw_field(number_of(x), c_of(*pc)) != (op == Op::GET_R))
      return v.fail(at, op == Op::GET_R ? "the field is not raw" : "the field is raw");
  }
  bool resumes = op == Op::RET || op == Op::RET_UNIT || op == Op::ABORT_NOW;
  if (aborted && resumes) return v.fail(at, "after ABORT_NOW a clause ends with ABORT_RET or a tail call");
  return true;
}

bool Flow::write_operands(uint32_t at) {
  const Word* pc = &v.code_[at];
  Op op = op_of(*pc);
  bool good = true;
  auto check = [&](unsigned reg) {
    if (good && owned[reg]) good = v.fail(at, fmt::format("register {} belongs to an open region", reg));
  };
  visit_delivered(pc, check);
  Fact moved = op == Op::MOVE ? facts[b_of(*pc)] : 0;
  visit_registers(
      pc, [](unsigned, char) {},
      [&](unsigned reg, char) {
        check(reg);
        if (good) set_readable(reg);
      });
  if (!good) return false;
  unsigned a = a_of(*pc);
  switch (op) {
    case Op::MOVE:
      set_fact(a, moved);
      break;
    case Op::LOAD_CON:
      set_fact(a, fact(Known::Constructor, b_of(*pc)));
      break;
    case Op::MAKE:
      set_fact(a, fact(Known::Constructor, c_of(*pc)));
      break;
    case Op::MAKE_ENV:
      hide(a, fact(Known::Environment, b_of(*pc)));
      break;
    case Op::MAKE_CLOSURE:
      if (v.facts_.module.functions[pc[1]].fiber_base) hide(a, fact(Known::FiberClosure, 0));
      break;
    case Op::HANDLE:
    case Op::MASK:
      hide(a);
      break;
    case Op::ATTEMPT:
      hide(a);
      hide(a + 1);
      break;
    case Op::HANDLE_NAMED:
    case Op::DEFER:
    case Op::GUARD:
    case Op::EXIT_POINT:
      hide(a + 1);
      break;
    case Op::ABORT_NOW:
      aborted = true;
      break;
    default:
      break;
  }
  return true;
}

// What an instruction that falls through has found out about its operands.
void Flow::learn(uint32_t at) {
  const Word* pc = &v.code_[at];
  switch (op_of(*pc)) {
    case Op::JISNT:
      set_fact(a_of(*pc), fact(Known::Constructor, b_of(*pc)));
      break;
    case Op::GET_C:
      if (a_of(*pc) == b_of(*pc)) break;
      [[fallthrough]];
    case Op::GET_RC:
      set_fact(b_of(*pc), fact(Known::Constructor, static_cast<uint32_t>(pc[1])));
      break;
    case Op::SET_C:
    case Op::SET_RC:
      set_fact(a_of(*pc), fact(Known::Constructor, static_cast<uint32_t>(pc[1])));
      break;
    default:
      break;
  }
}

void Flow::leave_block(const Block& block) {
  const Word* pc = &v.code_[block.last];
  Op op = op_of(*pc);
  unsigned a = a_of(*pc);
  if (!info_of(op).ends) propagate(v.block_at(block.end));
  Fact before = info_of(op).jumps && (op == Op::JIS || op == Op::JISNT || op == Op::SWITCH) ? facts[a] : 0;
  // Falling through JISNT says what A is, jumping says nothing new; what was known from before is not worth
  // keeping.
  unsigned i = 0;
  visit_jumps(pc, [&](int64_t offset) {
    if (op == Op::JIS) set_fact(a, fact(Known::Constructor, b_of(*pc)));
    if (op == Op::JISNT) set_fact(a, 0);
    if (op == Op::SWITCH) set_fact(a, fact(Known::Constructor, c_of(*pc) + i));
    propagate(v.block_at(static_cast<uint32_t>(block.last + offset)));
    if (op == Op::SWITCH) set_fact(a, before);
    ++i;
  });
  if (block.opens >= 0 && v.regions_[block.opens].target >= 0) reach_target(v.regions_[block.opens]);
}

void Flow::reach_target(const Region& region) {
  const Word* pc = &v.code_[region.opener];
  for (size_t w = 0; w < region.hidden.size(); ++w) readable[w] &= ~region.hidden[w];
  for (uint16_t reg : touched)
    if (region.written[reg >> 6] >> (reg & 63) & 1) facts[reg] = 0;
  visit_delivered(pc, [&](unsigned reg) { set_readable(reg); });
  propagate(static_cast<uint32_t>(region.target));
}

void Flow::propagate(uint32_t block) {
  Entry& e = entries[block];
  bool changed = false;
  if (!e.reached) {
    e.reached = changed = true;
    e.readable = readable;
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (uint16_t reg : touched)
      if (facts[reg]) e.facts.push_back({reg, facts[reg]});
    e.aborted = aborted;
  } else {
    for (size_t w = 0; w < readable.size(); ++w) {
      changed |= (e.readable[w] & ~readable[w]) != 0;
      e.readable[w] &= readable[w];
    }
    size_t before = e.facts.size();
    std::erase_if(e.facts, [&](auto& known) { return facts[known.first] != known.second; });
    if (e.facts.size() != before) {
      changed = true;
      if (e.visits >= kPatience) e.facts.clear();
    }
    if (aborted && !e.aborted) e.aborted = changed = true;
  }
  work += readable.size() + e.facts.size();
  if (!changed || e.queued) return;
  e.queued = true;
  heap.push_back(block);
  std::push_heap(heap.begin(), heap.end(), std::greater<>());
}

}  // namespace eddy::vm::verifying
