// Literals and operators.
#include <iterator>

#include "tools/eddy-fuzz/generator.h"

namespace eddy::fuzz {

std::string Generator::int_literal() {
  // Where 62, 63 and 64 bits end, and small ones.
  static const char* const kEdges[] = {"4611686018427387903",
                                       "4611686018427387904",
                                       "(-4611686018427387904)",
                                       "(-4611686018427387905)",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "(-9223372036854775808)",
                                       "(-9223372036854775809)",
                                       "18446744073709551615",
                                       "18446744073709551616",
                                       "2305843009213693952",
                                       "(-2305843009213693952)",
                                       "4294967295",
                                       "(-4294967296)",
                                       "100000000000000000000",
                                       "(-340282366920938463463374607431768211456)"};
  if (random_.chance(22)) return kEdges[random_.below(std::size(kEdges))];
  int n = random_.chance(80) ? random_.between(-2, 6) : random_.between(-300, 1000);
  return n < 0 ? "(" + std::to_string(n) + ")" : std::to_string(n);
}

std::string Generator::float_literal() {
  static const char* const kValues[] = {"0.0",
                                        "(-0.0)",
                                        "1.0",
                                        "1.5",
                                        "(-2.25)",
                                        "0.1",
                                        "1e300",
                                        "(-1e300)",
                                        "5e-324",
                                        "(0.0 / 0.0)",
                                        "(1.0 / 0.0)",
                                        "(-1.0 / 0.0)",
                                        "4503599627370497.5",
                                        "1e15",
                                        "123456.789"};
  return kValues[random_.below(std::size(kValues))];
}

Tree Generator::literal(const Scope& scope, const Type& type, int depth) {
  auto part = [&](const Type& t) { return expression(scope, t, depth - 1); };
  switch (type.kind) {
    case Kind::Int:
      return Expr{type, int_literal()};
    case Kind::Float:
      return Expr{type, float_literal()};
    case Kind::Bool:
      return Expr{type, random_.chance(50) ? "true" : "false"};
    case Kind::Unit:
      return Expr{type, "()"};
    case Kind::Char: {
      static const char* const kChars[] = {"'a'", "'Z'", "'0'", "'\\n'", "'\\u{e9}'", "'\\u{1F600}'"};
      return Expr{type, kChars[random_.below(std::size(kChars))]};
    }
    case Kind::String: {
      static const char* const kStrings[] = {"\"\"",          "\"a\"",          "\"xyz\"", "\"h\\u{e9}llo\"",
                                             "\"two words\"", "\"\\u{1F600}!\""};
      return Expr{type, kStrings[random_.below(std::size(kStrings))]};
    }
    case Kind::Tuple: {
      Tree e = Expr{type, "("};
      for (size_t i = 0; i < type.args.size(); ++i) {
        if (i) add_part(*e, ", ");
        add_part(*e, part(type.args[i]));
      }
      add_part(*e, ")");
      return e;
    }
    case Kind::List:
    case Kind::Array: {
      Tree e = Expr{type, type.kind == Kind::List ? "[" : "#["};
      int count = random_.between(type.kind == Kind::List ? 0 : 1, 3);
      for (int i = 0; i < count; ++i) {
        if (i) add_part(*e, ", ");
        add_part(*e, part(type.args[0]));
      }
      add_part(*e, "]");
      return e;
    }
    case Kind::Option:
      if (!is_data(type) || random_.chance(30)) return Expr{type, "None"};
      return Expr{type, "Some(", part(type.args[0]), ")"};
    case Kind::Ref:
      return Expr{type, "ref(", part(type.args[0]), ")"};
    case Kind::Point:
      return Expr{type, "Point(", part(kInt), ", ", part(kFloat), ", ", part(kString), ")"};
    case Kind::Cell:
      return Expr{type, "Cell(", part(kInt), ", ", part(kFloat), ")"};
    case Kind::Bush:
      if (depth <= 0 || random_.chance(40)) return Expr{type, "Leaf"};
      return Expr{type, "Node(", part(type), ", ", part(kInt), ", ", part(type), ")"};
    case Kind::Function:
      return lambda(scope, type, depth);
    case Kind::Handler:
      return nullptr;
  }
  return nullptr;
}

Tree Generator::cut(const Type& type, Tree value) {
  const char* by = type == kInt              ? "clip("
                   : type == kString         ? "clip_text("
                   : type.kind == Kind::List ? "clip_list("
                                             : nullptr;
  if (!by) return value;
  return Expr{type, by, std::move(value), ")"};
}

Tree Generator::operation_of_type(const Scope& scope, const Type& type, int depth) {
  switch (type.kind) {
    case Kind::Int:
      return int_expression(scope, depth);
    case Kind::Float:
      return float_expression(scope, depth);
    case Kind::Bool:
      return bool_expression(scope, depth);
    case Kind::String:
      return string_expression(scope, depth);
    case Kind::List:
      switch (random_.weighted({30, 20, 20, 15})) {
        case 0:
          return cut(type, Expr{type, "(", expression(scope, type, depth - 1), " ++ ",
                                expression(scope, type, depth - 1), ")"});
        case 1:
          return Expr{type,
                      "[",
                      expression(scope, type.args[0], depth - 1),
                      ", ..",
                      expression(scope, type, depth - 1),
                      "]"};
        case 2:
          return Expr{type, "list.reverse(", expression(scope, type, depth - 1), ")"};
        default: {
          if (!is_data(type)) return nullptr;
          return Expr{type, "list.sort(", expression(scope, type, depth - 1), ")"};
        }
      }
    case Kind::Array:
      if (random_.chance(50))
        return Expr{type, "array(" + std::to_string(random_.between(0, 4)) + ", ",
                    expression(scope, type.args[0], depth - 1), ")"};
      return Expr{type, "array.copy(", expression(scope, type, depth - 1), ")"};
    default:
      return literal(scope, type, depth);
  }
}

Tree Generator::int_expression(const Scope& scope, int depth) {
  auto in = [&](const Type& t) { return expression(scope, t, depth - 1); };
  switch (random_.weighted({40, 14, 10, 8, 12, 8, 6, 10, 6, 8, 6, 5})) {
    case 0:
      return Expr{kInt, "(", in(kInt), random_.chance(55) ? " + " : " - ", in(kInt), ")"};
    case 1:
      return cut(kInt, Expr{kInt, "(", in(kInt), " * ", in(kInt), ")"});
    case 2: {
      const char* op = random_.chance(50) ? " / " : " % ";
      if (random_.chance(75)) return Expr{kInt, "(", in(kInt), op, random_.chance(50) ? "3" : "(-7)", ")"};
      return Expr{kInt, "(", in(kInt), op, in(kInt), ")"};
    }
    case 3:
      return Expr{kInt, "(-", in(kInt), ")"};
    case 4: {
      const char* const ops[] = {" & ", " | ", " ^ "};
      return Expr{kInt, "(", in(kInt), ops[random_.below(3)], in(kInt), ")"};
    }
    case 5:
      return Expr{kInt, "(", in(kInt), random_.chance(50) ? " << (" : " >> (", in(kInt), " & 63))"};
    case 6:
      return Expr{kInt, random_.chance(50) ? "abs(" : "id(", in(kInt), ")"};
    case 7: {
      const char* const calls[] = {"min(", "max(", "compare("};
      return Expr{kInt, calls[random_.below(3)], in(kInt), ", ", in(kInt), ")"};
    }
    case 8: {
      Type t = any_type();
      return Expr{kInt, "compare(", in(t), ", ", in(t), ")"};
    }
    case 9:
      switch (random_.below(4)) {
        case 0:
          return Expr{kInt, "string.length(", in(kString), ")"};
        case 1:
          return Expr{kInt, "list.length(", in(list_of(kInt)), ")"};
        case 2:
          return Expr{kInt, "array.length(", in(array_of(kFloat)), ")"};
        default:
          return Expr{kInt, random_.chance(50) ? "sum_bush(" : "depth_of(", in({Kind::Bush}), ")"};
      }
    case 10:
      return Expr{kInt, "int.bit_count(abs(", in(kInt), "))"};
    default: {
      Type t = any_type();
      return Expr{kInt, "(hash(", in(t), ") & 1023)"};
    }
  }
}

Tree Generator::float_expression(const Scope& scope, int depth) {
  auto in = [&](const Type& t) { return expression(scope, t, depth - 1); };
  switch (random_.weighted({50, 10, 12, 12, 8})) {
    case 0: {
      const char* const ops[] = {" + ", " - ", " * ", " / "};
      return Expr{kFloat, "(", in(kFloat), ops[random_.below(4)], in(kFloat), ")"};
    }
    case 1:
      return Expr{kFloat, "(-", in(kFloat), ")"};
    case 2:
      return Expr{kFloat, "int.to_float(", in(kInt), ")"};
    case 3: {
      const char* const calls[] = {"abs(", "float.sqrt(", "float.floor(", "float.trunc("};
      return Expr{kFloat, calls[random_.below(4)], in(kFloat), ")"};
    }
    default:
      return Expr{kFloat, random_.chance(50) ? "min(" : "max(", in(kFloat), ", ", in(kFloat), ")"};
  }
}

Tree Generator::bool_expression(const Scope& scope, int depth) {
  auto in = [&](const Type& t) { return expression(scope, t, depth - 1); };
  switch (random_.weighted({45, 15, 15, 25})) {
    case 0: {
      const char* const ops[] = {" < ", " <= ", " > ", " >= "};
      const Type& t = random_.chance(60)   ? kInt
                      : random_.chance(60) ? kFloat
                      : random_.chance(50) ? kString
                                           : kChar;
      return Expr{kBool, "(", in(t), ops[random_.below(4)], in(t), ")"};
    }
    case 1:
      return Expr{kBool, "(", in(kBool), random_.chance(50) ? " && " : " || ", in(kBool), ")"};
    case 2:
      return Expr{kBool, "(!", in(kBool), ")"};
    default: {
      Type t = any_type();
      return Expr{kBool, "(", in(t), random_.chance(50) ? " == " : " != ", in(t), ")"};
    }
  }
}

Tree Generator::string_expression(const Scope& scope, int depth) {
  auto in = [&](const Type& t) { return expression(scope, t, depth - 1); };
  switch (random_.weighted({40, 30, 10, 10, 10})) {
    case 0:
      return cut(kString, Expr{kString, "(", in(kString), " ++ ", in(kString), ")"});
    case 1:
      return cut(kString, Expr{kString, "show(", in(any_type()), ")"});
    case 2:
      return Expr{kString, random_.chance(50) ? "string.to_upper(" : "string.trim(", in(kString), ")"};
    case 3:
      return Expr{kString, "string.repeat(", in(kString), ", " + std::to_string(random_.below(4)) + ")"};
    default: {
      std::string from = std::to_string(random_.below(3));
      return Expr{kString, "string.slice(", in(kString),
                  ", " + from + ", " + std::to_string(random_.between(1, 4)) + ")"};
    }
  }
}

}  // namespace eddy::fuzz
