// The module's tables: constants, constructors, effects, places.
#include <bit>

#include "lang/lower/program.h"
#include "runtime/collections.h"

namespace eddy::lang::lower {

namespace {

// Mutable collections are records whose content the machine knows to print and compare.
uint16_t known_record(const TypeDef* type, std::string_view name) {
  if (!type->module || !type->module->is_std) return 0;
  if (name == "Queue" && type->module->name == "std/queue") return rt::con::QueueRing;
  if (name == "MutMap" && type->module->name == "std/mutmap") return rt::con::HashTable;
  return 0;
}

// Ids of the prelude's constructors that the machine itself knows.
uint16_t known_constructor(const ConstructorBinding* c, std::string_view name) {
  switch (c->type_def->builtin) {
    case BuiltinType::kOption:
      return name == "None" ? rt::con::None : rt::con::Some;
    case BuiltinType::kResult:
      return name == "Ok" ? rt::con::Ok : rt::con::Err;
    case BuiltinType::kList:
      return name == "Nil" ? rt::con::Nil : rt::con::Cons;
    case BuiltinType::kPanic:
      return rt::con::Panic;
    case BuiltinType::kRef:
      return rt::con::Ref;
    case BuiltinType::kRange:
      return name == "Range" ? rt::con::Range : rt::con::RangeInclusive;
    case BuiltinType::kMap:
      return rt::con::MapTree;
    case BuiltinType::kSet:
      return rt::con::SetTree;
    default:
      return known_record(c->type_def, name);
  }
}

std::string qualified(const ModuleInfo* module, std::string_view name) {
  std::string out = module ? module->name + "." : std::string();
  out += name;
  return out;
}

}  // namespace

uint16_t Program::constructor(ConstructorBinding* c) {
  if (uint16_t known = known_constructor(c, text(c->name))) return known;
  auto [entry, fresh] = types_.try_emplace(c->type_def, next_constructor_);
  if (fresh) {
    vm::TypeData data;
    data.name = text(c->type_def->name);
    for (ConstructorBinding* one : c->type_def->constructors) {
      vm::ConstructorData d;
      d.name = text(one->name);
      for (const FieldDef& f : one->fields) {
        d.field_names.emplace_back(text(f.name));
        d.raw.push_back(is_float(f.type));
      }
      data.constructors.push_back(std::move(d));
    }
    next_constructor_ += static_cast<uint32_t>(data.constructors.size());
    module_.types.push_back(std::move(data));
    if (next_constructor_ > 65000) too_large(c->span, "the program has too many constructors");
  }
  return static_cast<uint16_t>(entry->second + c->index);
}

uint32_t Program::effect(TypeDef* effect) {
  auto [entry, fresh] = effects_.try_emplace(effect, module_.effects.size());
  if (fresh) {
    vm::EffectData data;
    data.name = qualified(effect->module, text(effect->name));
    for (OperationBinding* op : effect->operations)
      data.operations.push_back(
          {std::string(text(op->name)), static_cast<uint16_t>(op->params.size), op->multi});
    module_.effects.push_back(std::move(data));
  }
  return entry->second;
}

uint32_t Program::string(std::string_view text) {
  auto [entry, fresh] = strings_.try_emplace(std::string(text), module_.constants.size());
  if (fresh) module_.constants.push_back({vm::ConstantData::Kind::String, std::string(text), 0});
  return entry->second;
}

uint32_t Program::integer(std::string decimal) {
  auto [entry, fresh] = integers_.try_emplace(decimal, module_.constants.size());
  if (fresh) module_.constants.push_back({vm::ConstantData::Kind::Int, std::move(decimal), 0});
  return entry->second;
}

uint16_t Program::native(std::string_view name) {
  auto [entry, fresh] = natives_.try_emplace(name, static_cast<uint16_t>(module_.natives.size()));
  if (fresh) module_.natives.emplace_back(name);
  return entry->second;
}

uint32_t Program::global(GlobalBinding* g) {
  auto [entry, fresh] = globals_.try_emplace(g, module_.globals.size());
  if (fresh) module_.globals.push_back(qualified(g->module, text(g->name)));
  return entry->second;
}

uint32_t Program::memo_global(FunctionBinding* f) {
  auto [entry, fresh] = memo_globals_.try_emplace(f, module_.globals.size());
  if (fresh) {
    module_.globals.push_back("cache of " + qualified(f->module, text(f->name)));
    memos_.push_back(f);
  }
  return entry->second;
}

Place Program::place(Pos pos) {
  auto& last = last_place_;
  if (!last.file || !last.file->contains(pos)) {
    const SourceFile* file = compilation_.sources.find(pos);
    if (!file) return {};
    auto [entry, fresh] = files_.try_emplace(file, module_.files.size());
    if (fresh) module_.files.push_back(file->path());
    last.file = file;
    last.index = entry->second;
    last.line_begin = last.line_end = 0;
  }
  if (pos < last.line_begin || pos >= last.line_end) {
    last.line = last.file->line(pos);
    last.line_begin = last.file->line_start(last.line);
    last.line_end = last.line_begin + static_cast<Pos>(last.file->line_text(last.line).size()) + 1;
    last.at = last.line_begin;
    last.column = 1;
  }
  // From the place before, in either direction: an operator comes after its right operand.
  const char* text = last.file->data();
  auto starts_char = [&](Pos at) {
    return (static_cast<unsigned char>(text[last.file->offset(at)]) & 0xc0) != 0x80;
  };
  while (last.at < pos) {
    if (starts_char(++last.at)) ++last.column;
  }
  while (last.at > pos) {
    if (starts_char(last.at--)) --last.column;
  }
  return {last.index, last.line, last.column};
}

void Program::too_large(Span at, std::string what) { compilation_.diagnostics.error(at, std::move(what)); }

}  // namespace eddy::lang::lower
