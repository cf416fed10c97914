#include "vm/loader.h"

#include <algorithm>

#include "runtime/bigint.h"
#include "runtime/heap.h"
#include "runtime/natives/natives.h"
#include "vm/liveness.h"

namespace eddy::vm {

void PerformCell::meets(rt::Site* site, const rt::Clause* its_clause) {
  seen = site;
  clause = its_clause;
  plain = clause->kind == rt::ClauseKind::Tail && clause->plain ? clause->function : nullptr;
  if (seen_sites > 3) return;
  for (unsigned i = 0; i < seen_sites && i < 3; ++i)
    if (others[i] == site) return;
  if (seen_sites < 3) others[seen_sites] = site;
  ++seen_sites;
}

LoadedFunction::LoadedFunction() = default;
LoadedFunction::~LoadedFunction() = default;

PositionData LoadedFunction::position_at(uint32_t pc) const {
  if (!data) return {};
  const auto& all = data->positions;
  auto after = std::upper_bound(all.begin(), all.end(), pc, [](uint32_t p, const PositionData& d) { return p < d.pc; });
  return after == all.begin() ? PositionData{} : *(after - 1);
}

namespace {

class Loader {
 public:
  Loader(rt::Context& ctx, Module&& module) : ctx_(ctx) {
    out_->source = std::move(module);
  }

  std::unique_ptr<LoadedModule> run(std::string* problem) {
    if (!intern_constructors(problem) || !find_natives(problem)) return nullptr;
    intern_effects();
    if (ctx_.effect_names.size() > kMaxEffects) {
      *problem = "too many effects";
      return nullptr;
    }
    out_->first_global = static_cast<uint32_t>(ctx_.globals.size());
    ctx_.globals.resize(ctx_.globals.size() + source().globals.size(), rt::kHole);
    make_functions();
    make_sites();
    if (!make_constants(problem)) return nullptr;
    for (LoadedFunction& f : out_->functions) link(f);
    return std::move(out_);
  }

 private:
  const Module& source() const { return out_->source; }

  // A type that an earlier module declared in the same way is the same type.
  bool find_type(const TypeData& type) {
    const auto& all = ctx_.constructors;
    for (size_t first = rt::con::FirstFree; first + type.constructors.size() <= all.size(); ++first) {
      if (all[first].index != 0 || all[first].type_name != type.name) continue;
      bool same = true;
      for (size_t i = 0; i < type.constructors.size() && same; ++i) {
        const ConstructorData& c = type.constructors[i];
        const rt::ConInfo& known = all[first + i];
        same = known.type_name == type.name && known.index == i && known.name == c.name &&
               known.field_names == c.field_names && (known.raw.empty() ? !has_raw(c) : known.raw == c.raw);
      }
      if (!same) continue;
      for (size_t i = 0; i < type.constructors.size(); ++i) constructors_.push_back(static_cast<uint16_t>(first + i));
      return true;
    }
    return false;
  }
  static bool has_raw(const ConstructorData& c) { return std::find(c.raw.begin(), c.raw.end(), true) != c.raw.end(); }

  bool intern_constructors(std::string* problem) {
    bool first_module = ctx_.constructors.size() == rt::con::FirstFree;
    for (const TypeData& type : source().types) {
      if (!first_module && find_type(type)) continue;
      uint16_t index = 0;
      for (const ConstructorData& c : type.constructors) {
        rt::ConInfo info;
        info.name = c.name;
        info.type_name = type.name;
        info.index = index++;
        info.fields = static_cast<uint16_t>(c.field_names.size());
        if (has_raw(c)) info.raw = c.raw;
        info.field_names = c.field_names;
        constructors_.push_back(static_cast<uint16_t>(ctx_.constructors.size()));
        ctx_.constructors.push_back(std::move(info));
      }
    }
    if (ctx_.constructors.size() < 65536) return true;
    *problem = "too many constructors";
    return false;
  }

  bool find_natives(std::string* problem) {
    for (const std::string& name : source().natives) {
      const rt::Native* native = rt::find_native(name);
      if (!native) {
        *problem = "there is no native `" + name + "`";
        return false;
      }
      natives_.push_back(static_cast<uint16_t>(native - rt::natives().data()));
    }
    return true;
  }

  void intern_effects() {
    for (const EffectData& e : source().effects) {
      auto& names = ctx_.effect_names;
      auto found = std::find(names.begin(), names.end(), e.name);
      effects_.push_back(static_cast<uint32_t>(found - names.begin()));
      if (found == names.end()) names.push_back(e.name);
    }
  }

  void make_functions() {
    for (const FunctionData& data : source().functions) {
      LoadedFunction& f = out_->functions.emplace_back();
      f.module = out_.get();
      f.data = &data;
      f.name = data.name;
      f.params = data.params;
      f.tagged = data.tagged;
      f.raw = data.raw;
      f.captures = data.captures;
      f.takes_self = data.takes_self;
      f.fiber_base = data.fiber_base;
      f.hidden = data.hidden;
      f.linked = data.code;
      f.code = f.linked.data();
      f.settle();
      ctx_.functions.push_back(&f);
    }
    for (LoadedFunction& f : out_->functions) {
      if (f.takes_self) continue;
      auto* closure = static_cast<rt::Closure*>(ctx_.heap->allocate(rt::Kind::Closure, 0, sizeof(rt::Closure)));
      closure->function = &f;
      f.closure = rt::ptr_value(closure);
    }
  }

  void make_sites() {
    for (const SiteData& data : source().sites) {
      rt::Site& site = out_->sites.emplace_back();
      site.id = static_cast<uint32_t>(out_->sites.size());
      site.name = data.name;
      site.named = data.named;
      site.mask = data.mask;
      for (uint32_t e : data.effects) site.effects.push_back(effects_[e]);
      for (const ClauseData& c : data.clauses) {
        rt::Clause clause;
        clause.effect = effects_[c.effect];
        clause.operation = c.operation;
        clause.kind = c.kind;
        clause.plain = c.plain;
        clause.in_place = c.kind == rt::ClauseKind::Tail || c.kind == rt::ClauseKind::TailOrAbort;
        clause.params = source().effects[c.effect].operations[c.operation].params;
        clause.name = source().effects[c.effect].short_name() + "." + source().effects[c.effect].operations[c.operation].name;
        clause.function = &out_->functions[c.function];
        out_->functions[c.function].once = c.kind == rt::ClauseKind::Once;
        site.needs_fiber |= c.kind == rt::ClauseKind::Once || c.kind == rt::ClauseKind::Multi;
        site.clauses.push_back(clause);
      }
    }
  }

  bool make_constants(std::string* problem) {
    out_->constants.resize(source().constants.size(), rt::kUnit);
    ctx_.heap->add_roots(&out_->constants, [](void* owner, void* data, rt::Heap::RootVisitor visit) {
      for (rt::Value& v : *static_cast<std::vector<rt::Value>*>(owner)) visit(data, &v);
    });
    for (size_t i = 0; i < source().constants.size(); ++i) {
      const ConstantData& c = source().constants[i];
      rt::Value v = rt::kNull;
      switch (c.kind) {
        case ConstantData::Kind::String: v = rt::new_string(ctx_, c.text); break;
        case ConstantData::Kind::Float: v = rt::new_float(ctx_, c.number); break;
        case ConstantData::Kind::Int: rt::int_parse(ctx_, c.text, 10, false, &v); break;
      }
      if (v == rt::kNull) {
        *problem = "a constant does not fit into memory";
        return false;
      }
      out_->constants[i] = v;
    }
    return true;
  }

  uint64_t constructor(uint64_t c) const { return c < rt::con::FirstFree ? c : constructors_[c - rt::con::FirstFree]; }

  void link(LoadedFunction& f) {
    std::vector<Word>& code = f.linked;
    for (size_t at = 0; at < code.size();) {
      Word* pc = &code[at];
      unsigned length = length_of(*pc);
      Op op = op_of(*pc);
      for (const OperandInfo& o : info_of(op)) {
        auto set = [&](uint64_t v) {
          if (o.field == 'X') pc[1] = v;
          else if (o.field == 'B') *pc = (*pc & ~(Word{0xffff} << 32)) | (v << 32);
          else if (o.field == 'C') *pc = (*pc & ~(Word{0xffff} << 48)) | (v << 48);
          else *pc = (*pc & 0xffffffffu) | (v << 32);
        };
        auto value = static_cast<uint64_t>(field_value(pc, o));
        switch (o.role) {
          case 'k': set(reinterpret_cast<uint64_t>(&out_->constants[value])); break;
          case 'f': set(reinterpret_cast<uint64_t>(&out_->functions[value])); break;
          case 'c': set(constructor(value)); break;
          case 'g': set(value + out_->first_global); break;
          case 'n': set(natives_[value]); break;
          case 's': {
            rt::Site& site = out_->sites[value];
            site.owner = &f;
            site.pc = static_cast<uint32_t>(at);
            const OperandInfo* result = op == Op::HANDLE ? &info_of(op).operands[2] : nullptr;
            site.node_slot = static_cast<uint16_t>(a_of(*pc));
            unsigned destination = op == Op::HANDLE_NAMED ? a_of(*pc) + 1 : result ? c_of(*pc) : 0;
            if (!site.mask) {
              const Word* target = code.data() + source().sites[value].target;
              site.resume = rt::pack_resume(target, destination);
              site.returns = op_of(*target) == Op::RET && a_of(*target) == destination;
            }
            set(reinterpret_cast<uint64_t>(&site));
            break;
          }
          case 'e': {
            PerformCell& cell = out_->performs.emplace_back();
            cell.effect = effects_[value];
            cell.cached = &ctx_.cells[cell.effect];
            cell.operation = static_cast<uint16_t>(c_of(*pc));
            cell.args = static_cast<uint16_t>(b_of(*pc) - (op == Op::PERFORM_NAMED));
            set(reinterpret_cast<uint64_t>(&cell));
            break;
          }
          case 'u':
            if (o.field != 'X') break;
            if (op == Op::CALL_CLOSURE || op == Op::TAIL_CLOSURE) set(reinterpret_cast<uint64_t>(&out_->calls.emplace_back()));
            else set(reinterpret_cast<uint64_t>(&out_->resumes.emplace_back()));
            break;
          default: break;
        }
      }
      if (op == Op::CALL) quicken_call(pc);
      if (op == Op::RET || op == Op::RET_UNIT) *pc = (*pc & 0xffffffffu) | (Word{f.frame_words()} << 32);
      at += length;
    }
  }

  // CALL with few arguments gets an opcode of its own and the callee's frame size in C.
  static void quicken_call(Word* pc) {
    static constexpr Op kByCount[] = {Op::CALL_0, Op::CALL_1, Op::CALL_2, Op::CALL_3, Op::CALL_4};
    uint32_t size = reinterpret_cast<rt::Function*>(pc[1])->frame_size;
    if (b_of(*pc) < std::size(kByCount) && size <= 0xffff)
      *pc = encode(kByCount[b_of(*pc)], a_of(*pc), b_of(*pc), size);
  }

  rt::Context& ctx_;
  std::unique_ptr<LoadedModule> out_ = std::make_unique<LoadedModule>();
  std::vector<uint16_t> constructors_;  // the VM's ids of the module's
  std::vector<uint16_t> natives_;
  std::vector<uint32_t> effects_;
};

}  // namespace

std::unique_ptr<LoadedModule> load(rt::Context& ctx, Module module, std::string* problem) {
  return Loader(ctx, std::move(module)).run(problem);
}

}  // namespace eddy::vm
