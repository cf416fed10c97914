#include "vm/names.h"

namespace eddy::vm {

namespace {

const rt::Site* first_site(const LoadedFunction& f) {
  for (const Word* pc : Instructions(f.linked))
    if (op_of(*pc) == Op::HANDLE || op_of(*pc) == Op::HANDLE_NAMED) return reinterpret_cast<const rt::Site*>(pc[1]);
  return nullptr;
}

// The function that closes over this one: a handled body's is where the `handle` is written.
const LoadedFunction* maker_of(const LoadedFunction& f) {
  for (const LoadedFunction& other : f.module->functions)
    for (const Word* pc : Instructions(other.linked))
      if (op_of(*pc) == Op::MAKE_CLOSURE && reinterpret_cast<const rt::Function*>(pc[1]) == &f) return &other;
  return nullptr;
}

}  // namespace

std::string display_name(const LoadedFunction& function) {
  constexpr int kLevels = 3;  // bodies in bodies; a module may even claim that one makes itself
  std::string name;
  const LoadedFunction* f = &function;
  for (int level = 0; f && level < kLevels; ++level) {
    if (level) name += " in ";
    if (!f->module || !f->data) return name + f->name;
    if (f->data->clause) return name + "handler " + f->name;
    if (!f->data->fiber_base) return name + f->name;
    const rt::Site* site = first_site(*f);
    name += site ? "handle " + site->name : f->name;
    f = maker_of(*f);
  }
  return name;
}

SourcePlace source_place(const LoadedFunction& function, uint32_t pc) {
  if (!function.module || !function.data) return {};
  PositionData p = function.position_at(pc);
  if (!p.line && pc == 0 && !function.data->positions.empty()) p = function.data->positions[0];
  if (!p.line || p.file >= function.module->source.files.size()) return {};
  return {function.module->source.files[p.file], p.line, p.column};
}

std::string to_string(const SourcePlace& place) {
  if (!place.known()) return "";
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

}  // namespace eddy::vm
