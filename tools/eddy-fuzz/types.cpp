#include "tools/eddy-fuzz/types.h"

namespace eddy::fuzz {

bool is_data(const Type& type) {
  if (type.kind == Kind::Function || type.kind == Kind::Handler) return false;
  for (const Type& a : type.args)
    if (!is_data(a)) return false;
  return true;
}

std::string simplest(const Type& type) {
  switch (type.kind) {
    case Kind::Int:
      return "0";
    case Kind::Float:
      return "0.0";
    case Kind::Bool:
      return "true";
    case Kind::Char:
      return "'a'";
    case Kind::String:
      return "\"\"";
    case Kind::Unit:
      return "()";
    case Kind::List:
      return "[]";
    case Kind::Option:
      return "None";
    case Kind::Array:
      return "#[" + simplest(type.args[0]) + "]";
    case Kind::Ref:
      return "ref(" + simplest(type.args[0]) + ")";
    case Kind::Point:
      return "Point(0, 0.0, \"\")";
    case Kind::Cell:
      return "Cell(0, 0.0)";
    case Kind::Bush:
      return "Leaf";
    case Kind::Tuple: {
      std::string text = "(";
      for (size_t i = 0; i < type.args.size(); ++i) text += (i ? ", " : "") + simplest(type.args[i]);
      return text + ")";
    }
    case Kind::Function:
    case Kind::Handler:
      break;
  }
  return "";
}

}  // namespace eddy::fuzz
