// Statements and blocks.
#include <algorithm>

#include "tools/eddy-fuzz/generator.h"

namespace eddy::fuzz {

Tree Generator::block(const Scope& outer, const Type& type, int depth, int statements, bool with_step) {
  Scope scope = outer;
  Tree b = Expr{type, "{\n"};
  if (with_step) add_part(*b, Item{"step()\n"});
  for (int i = 0; i < statements && spend(); ++i) add_part(*b, statement(scope, depth));
  Tree value = expression(scope, type, depth);
  if (!value) value = leaf(scope, type);
  add_part(*b, std::move(value));
  add_part(*b, "\n}");
  return b;
}

// Where only IO may be performed, and nothing left.
Scope Generator::pure(const Scope& scope) const {
  Scope inner = scope;
  inner.handlers.fill(0);
  inner.returns.reset();
  inner.in_loop = false;
  inner.breaks.reset();
  inner.resume.reset();
  std::erase_if(inner.variables, [](const Variable& v) {
    return v.type.kind == Kind::Handler || v.type == option_of(handler_of(v.type.effect));
  });
  return inner;
}

Tree Generator::print(const Scope& scope, int depth) {
  std::string tag = name("t");
  if (random_.chance(25)) return Item{"println(\"" + tag + "\")\n"};
  if (random_.chance(30)) {
    std::vector<std::string> names;
    for (const Variable& v : scope.variables)
      if (is_data(v.type)) names.push_back(v.name);
    if (!names.empty())
      return Item{"println(\"" + tag + " ${" +
                  names[static_cast<size_t>(random_.below(static_cast<int>(names.size())))] + "}\")\n"};
  }
  return Item{"println((\"" + tag + "\", ", expression(scope, any_type(), depth - 1), "))\n"};
}

Tree Generator::statement(Scope& scope, int depth) {
  for (;;) {
    switch (random_.weighted({20, 16, 14, 14, 8, 8, 8, 7, 8, 5, 4})) {
      case 0:
        return print(scope, depth);
      case 1:
      case 2: {
        bool is_var = random_.chance(50);
        Type t = any_type();
        Tree value = expression(scope, t, depth - 1);
        std::string n = name(is_var ? "v" : "l");
        scope.variables.push_back({n, t, is_var});
        // Of an empty list or None, the context may not tell the type.
        return Item{std::string(is_var ? "var " : "let ") + n + ": " + type_text(t) + " = ", std::move(value),
                    "\n"};
      }
      case 3:
        if (Tree t = store(scope, depth)) return t;
        break;
      case 4:
        return loop_statement(scope, depth);
      case 5: {
        Tree e = Item{"if ", expression(scope, kBool, depth - 1), " ",
                      block(scope, kUnit, depth - 1, random_.between(1, 2))};
        if (random_.chance(40)) {
          add_part(*e, " else ");
          add_part(*e, block(scope, kUnit, depth - 1, 1));
        }
        add_part(*e, "\n");
        return e;
      }
      case 6:
        return defer(scope, depth);
      case 7: {
        std::vector<Type> parameters;
        int count = random_.below(3);
        parameters.reserve(static_cast<size_t>(count));
        for (int i = 0; i < count; ++i) parameters.push_back(scalar_type());
        Type f = function_of(parameters, any_type(), scope.row());
        Tree value = lambda(scope, f, depth - 1);
        std::string n = name("g");
        scope.variables.push_back({n, f});
        return Item{"let " + n + " = ", std::move(value), "\n"};
      }
      case 8:
        if (Tree t = jump(scope, depth)) return t;
        break;
      case 9: {
        // A resumption given up, or whatever other function is held.
        std::vector<const Variable*> found;
        for (const Variable& v : scope.variables)
          if (v.type.kind == Kind::Option && v.type.args[0].kind == Kind::Function &&
              v.type.args[0].args.size() == 2)
            found.push_back(&v);
        if (found.empty()) break;
        const Variable& v = *found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
        if (!scope.allows(v.type.args[0].row)) break;
        std::string n = name("d");
        return Item{"match " + v.name + " {\nSome(" + n + ") => drop(" + n + ")\nNone => ()\n}\n"};
      }
      default:
        return Item{expression(scope, kUnit, depth), "\n"};
    }
    if (!spend()) return print(scope, 0);
  }
}

Tree Generator::store(const Scope& scope, int depth) {
  for (int tries = 0; tries < 4 && !scope.variables.empty(); ++tries) {
    const Variable& v =
        scope.variables[static_cast<size_t>(random_.below(static_cast<int>(scope.variables.size())))];
    auto value = [&](const Type& t) { return expression(scope, t, depth - 1); };
    if (v.mutable_ && is_data(v.type)) {
      if (v.type == kInt && random_.chance(40))
        return Item{v.name + (random_.chance(50) ? " += " : " -= "), cut(kInt, value(kInt)), "\n"};
      if (v.type == kFloat && random_.chance(40))
        return Item{v.name + (random_.chance(50) ? " += " : " *= "), value(kFloat), "\n"};
      return Item{v.name + " = ", cut(v.type, value(v.type)), "\n"};
    }
    if (v.type.kind == Kind::Cell) {
      if (random_.chance(50))
        return Item{v.name + (random_.chance(50) ? ".n = " : ".n += "), cut(kInt, value(kInt)), "\n"};
      return Item{v.name + (random_.chance(50) ? ".f = " : ".f += "), value(kFloat), "\n"};
    }
    if (v.type.kind == Kind::Ref && is_data(v.type))
      return Item{v.name + ".value = ", cut(v.type.args[0], value(v.type.args[0])), "\n"};
    if (v.type.kind == Kind::Array && is_data(v.type)) {
      std::string at = v.name + "[" + std::to_string(random_.chance(85) ? 0 : random_.below(4)) + "]";
      if (v.type.args[0] == kFloat && random_.chance(40)) return Item{at + " += ", value(kFloat), "\n"};
      return Item{at + " = ", cut(v.type.args[0], value(v.type.args[0])), "\n"};
    }
  }
  return nullptr;
}

Tree Generator::jump(const Scope& scope, int depth) {
  auto test = [&] { return expression(scope, kBool, std::min(depth - 1, 2)); };
  switch (random_.below(3)) {
    case 0:
      if (!scope.returns) return nullptr;
      return Item{"if ", test(), " { return ", expression(scope, *scope.returns, depth - 1), " }\n"};
    case 1:
      if (!scope.in_loop) return nullptr;
      if (scope.breaks)
        return Item{"if ", test(), " { break ", expression(scope, *scope.breaks, depth - 1), " }\n"};
      return Item{"if ", test(), " { break }\n"};
    default:
      if (!scope.in_loop) return nullptr;
      return Item{"if ", test(), " { continue }\n"};
  }
}

Tree Generator::defer(const Scope& scope, int depth) {
  std::string tag = name("defer ");
  if (random_.chance(65)) {
    std::vector<std::string> names;
    for (const Variable& v : scope.variables)
      if (is_data(v.type)) names.push_back(v.name);
    std::string shown =
        names.empty()
            ? ""
            : " ${" + names[static_cast<size_t>(random_.below(static_cast<int>(names.size())))] + "}";
    return Item{"defer println(\"" + tag + shown + "\")\n"};
  }
  Scope inner = pure(scope);
  return Item{"defer ", block(inner, kUnit, std::min(depth - 1, 2), random_.between(1, 2)), "\n"};
}

Tree Generator::loop_statement(Scope& scope, int depth) {
  Scope inner = scope;
  inner.in_loop = true;
  inner.breaks.reset();
  std::string n = name("i");
  int statements = random_.between(1, 3);
  auto body = [&] { return block(inner, kUnit, depth - 1, statements, true); };
  switch (random_.weighted({30, 18, 14, 8, 30})) {
    case 0: {
      inner.variables.push_back({n, kInt});
      std::string range = random_.chance(50) ? "0.." : "1..=";
      return Item{
          "for " + n + " in " + range + std::to_string(random_.chance(85) ? random_.between(1, 5) : 40) + " ",
          body(), "\n"};
    }
    case 1: {
      std::string limit = std::to_string(random_.between(1, 6));
      scope.variables.push_back({n, kInt});
      inner.variables.push_back({n, kInt});
      return Group{"var " + n + " = 0\n",
                   Item{"while " + n + " < " + limit + " {\n" + n + " += 1\n", body(), "\n}\n"}};
    }
    case 2: {
      bool list = random_.chance(50);
      Type of = scalar_type();
      Type many = list ? list_of(of) : array_of(of);
      Tree over = expression(scope, many, depth - 1);
      inner.variables.push_back({n, of});
      // Of an empty one, nothing else may tell the type.
      std::string o = name("o");
      return Group{Item{"let " + o + ": " + type_text(many) + " = ", std::move(over), "\n"},
                   Item{"for " + n + " in " + o + " ", body(), "\n"}};
    }
    case 3: {
      Tree over = expression(scope, kString, depth - 1);
      inner.variables.push_back({n, kChar});
      // Of an operation of State<s>, nothing else may tell it in a local function.
      std::string o = name("o");
      return Group{Item{"let " + o + ": String = ", std::move(over), "\n"},
                   Item{"for " + n + " in " + o + " ", body(), "\n"}};
    }
    default: {
      // A generator; where the program has no effect Emit of its own number, it only emits by itself.
      Scope generator = scope;
      generator.returns = kUnit;
      generator.in_loop = false;
      generator.breaks.reset();
      for (size_t i = 0; i < effects_.size(); ++i)
        if (effects_[i].name == "Emit") ++generator.handlers[i];
      std::string g = name("gen"), j = name("j");
      Tree emits = Item{"emit(", expression(generator, kInt, 2), ")\n"};
      Scope in_for = generator;
      in_for.in_loop = true;
      in_for.variables.push_back({j, kInt});
      Tree more = Item{"for " + j + " in 0.." + std::to_string(random_.between(1, 4)) + " {\nstep()\n",
                       print(in_for, 1), statement(in_for, depth - 1), Item{"emit(" + j + ")\n"}, "}\n"};
      Tree first = statement(generator, depth - 1);
      Tree last = statement(generator, depth - 1);
      inner.variables.push_back({n, kInt});
      return Group{Item{"let " + g + " = fn(): Unit {\n", std::move(first), std::move(emits), std::move(more),
                        std::move(last), "()\n}\n"},
                   Item{"for " + n + " in " + g + " ", body(), "\n"}};
    }
  }
}

Tree Generator::loop_expression(const Scope& scope, const Type& type, int depth) {
  Scope inner = scope;
  inner.in_loop = true;
  inner.breaks = type;
  std::string n = name("c");
  inner.variables.push_back({n, kInt});
  Tree e = Expr{type,
                "({\nvar " + n + " = 0\nloop {\nstep()\n" + n + " += 1\nif " + n + " > " +
                    std::to_string(random_.between(1, 4)) + " { break ",
                expression(inner, type, depth - 1), " }\n"};
  int statements = random_.between(1, 2);
  for (int i = 0; i < statements; ++i) add_part(*e, statement(inner, depth - 1));
  add_part(*e, "}\n})");
  return e;
}

}  // namespace eddy::fuzz
