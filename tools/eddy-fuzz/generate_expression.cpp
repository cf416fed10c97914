// Expressions of a wanted type.
#include <algorithm>

#include "tools/eddy-fuzz/generator.h"

namespace eddy::fuzz {

const Variable* Generator::variable(const Scope& scope, const Type& type, bool mutable_only) {
  std::vector<const Variable*> found;
  for (const Variable& v : scope.variables)
    if (v.type == type && (v.mutable_ || !mutable_only)) found.push_back(&v);
  if (found.empty()) return nullptr;
  // The latest are the most interesting ones.
  size_t last = found.size() - 1;
  if (random_.chance(50))
    return found[last -
                 static_cast<size_t>(random_.below(static_cast<int>(std::min<size_t>(3, found.size()))))];
  return found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
}

Tree Generator::leaf(const Scope& scope, const Type& type) {
  if (random_.chance(75) || !is_data(type))
    if (const Variable* v = variable(scope, type)) return Expr{type, v->name};
  if (random_.chance(40))
    if (Tree t = try_projection(scope, type)) return t;
  return literal(scope, type, 0);
}

Tree Generator::expression(const Scope& scope, const Type& type, int depth) {
  if (depth <= 0 || !spend()) return leaf(scope, type);
  if (!is_data(type)) {
    if (random_.chance(60))
      if (const Variable* v = variable(scope, type)) return Expr{type, v->name};
    return literal(scope, type, depth);
  }
  for (int attempt = 0; attempt < 5; ++attempt) {
    Tree t;
    switch (random_.weighted({14, 22, 10, 10, 14, 7, 5, 4, 24})) {
      case 0:
        t = leaf(scope, type);
        break;
      case 1:
        t = operation_of_type(scope, type, depth);
        break;
      case 2:
        t = try_call(scope, type, depth);
        break;
      case 3:
        t = try_closure_call(scope, type, depth);
        break;
      case 4:
        t = try_perform(scope, type, depth);
        break;
      case 5:
        t = try_option(scope, type, depth);
        break;
      case 6:
        t = try_projection(scope, type);
        break;
      case 7:
        t = try_higher_order(scope, type, depth);
        break;
      default:
        t = try_common(scope, type, depth);
        break;
    }
    if (t) return t;
  }
  return leaf(scope, type);
}

// For where nothing around tells the type: `[]` or `None` could be of any, and so could what is made of its parts.
Tree Generator::typed(const Scope& scope, const Type& type, int depth) {
  std::string n = name("v");
  return Expr{type, "({\nlet " + n + ": " + type_text(type) + " = ", expression(scope, type, depth),
              "\n" + n + "\n})"};
}

Tree Generator::arguments(const Scope& scope, const std::vector<Type>& types, size_t from, int depth) {
  Tree list = Group{};
  for (size_t i = from; i < types.size(); ++i) {
    if (i) add_part(*list, ", ");
    Tree a = expression(scope, types[i], depth - 1);
    if (!a) return nullptr;
    add_part(*list, std::move(a));
  }
  return list;
}

Tree Generator::try_call(const Scope& scope, const Type& type, int depth) {
  std::vector<const Function*> found;
  for (size_t i = 0; i < scope.functions; ++i) {
    const Function& f = functions_[i];
    if (f.result == type && scope.allows(f.row)) found.push_back(&f);
  }
  if (scope.self && scope.self->result == type && scope.allows(scope.self->row))
    found.insert(found.end(), 2, scope.self);
  if (found.empty()) return nullptr;
  const Function& f = *found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
  if (&f == scope.self) {
    Tree e = Expr{type, f.name + "(" + scope.count + " - 1"};
    for (size_t i = 1; i < f.parameters.size(); ++i) {
      Tree a = expression(scope, f.parameters[i], std::min(depth - 1, 2));
      if (!a) return nullptr;
      add_part(*e, ", ");
      add_part(*e, cut(f.parameters[i], std::move(a)));
    }
    add_part(*e, ")");
    return e;
  }
  std::string head = f.name + "(";
  if (f.count >= 0) head += std::to_string(random_.between(0, f.count));
  Tree a = arguments(scope, f.parameters, f.count >= 0 ? 1 : 0, depth);
  if (!a) return nullptr;
  return Expr{type, head, std::move(a), ")"};
}

Tree Generator::try_closure_call(const Scope& scope, const Type& type, int depth) {
  // `resume` is one more closure.
  if (scope.resume && scope.resume->result == type && scope.allows(scope.resume->row) && random_.chance(60))
    return Expr{type, "resume(", expression(scope, scope.resume->parameter, depth - 1), ")"};
  std::vector<const Variable*> found;
  for (const Variable& v : scope.variables)
    if (v.type.kind == Kind::Function && v.type.args.back() == type && scope.allows(v.type.row))
      found.push_back(&v);
  if (found.empty()) return nullptr;
  const Variable& v = *found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
  std::vector<Type> parameters(v.type.args.begin(), v.type.args.end() - 1);
  Tree a = arguments(scope, parameters, 0, depth);
  if (!a) return nullptr;
  return Expr{type, v.name + "(", std::move(a), ")"};
}

Tree Generator::try_perform(const Scope& scope, const Type& type, int depth) {
  struct Found {
    std::string prefix;
    const Operation* operation;
  };
  std::vector<Found> found;
  auto look = [&](const std::string& prefix, size_t effect) {
    for (const Operation& o : effects_[effect].operations)
      if (o.free ? random_.chance(20) : o.result == type) found.push_back({prefix, &o});
  };
  for (size_t i = 0; i < effects_.size(); ++i)
    if (scope.handlers[i]) look(random_.chance(10) ? effects_[i].name + "." : "", i);
  for (const Variable& v : scope.variables)
    if (v.type.kind == Kind::Handler) look(v.name + ".", static_cast<size_t>(v.type.effect));
  if (found.empty()) return nullptr;
  const Found& f = found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
  Tree a = arguments(scope, f.operation->parameters, 0, depth);
  if (!a) return nullptr;
  std::string call = f.prefix + f.operation->name + "(";
  if (!f.operation->free) return Expr{type, call, std::move(a), ")"};
  return Expr{type,         "(if ",      expression(scope, kBool, depth - 1), " { " + call,
              std::move(a), ") } else ", block(scope, type, depth - 1, 0),    ")"};
}

Tree Generator::try_option(const Scope& scope, const Type& type, int depth) {
  std::vector<const Variable*> found;
  for (const Variable& v : scope.variables)
    if (v.type.kind == Kind::Option) found.insert(found.end(), is_data(v.type) ? 1 : 3, &v);
  if (found.empty()) return nullptr;
  const Variable& v = *found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
  Scope inner = scope;
  std::string n = name("o");
  inner.variables.push_back({n, v.type.args[0]});
  Tree some;
  // A resumption that the body it captured calls again goes on for ever but for the steps.
  if (v.type.args[0].kind == Kind::Function)
    if (Tree call = try_closure_call(inner, type, depth))
      some = Expr{type, "{\nstep()\n", std::move(call), "\n}"};
  if (v.type.args[0].kind == Kind::Handler) some = try_perform(inner, type, depth);
  if (!some) some = expression(inner, type, depth - 1);
  return Expr{type,
              "(match " + v.name + " {\nSome(" + n + ") => ",
              std::move(some),
              "\nNone => ",
              expression(scope, type, depth - 1),
              "\n})"};
}

Tree Generator::try_projection(const Scope& scope, const Type& type) {
  std::vector<std::string> found;
  for (const Variable& v : scope.variables) {
    const Type& t = v.type;
    if (t.kind == Kind::Tuple) {
      for (size_t i = 0; i < t.args.size(); ++i)
        if (t.args[i] == type) found.push_back(v.name + "." + std::to_string(i));
    } else if (t.kind == Kind::Point) {
      if (type == kInt) found.push_back(v.name + ".x");
      if (type == kFloat) found.push_back(v.name + ".y");
      if (type == kString) found.push_back(v.name + ".s");
    } else if (t.kind == Kind::Cell) {
      if (type == kInt) found.push_back(v.name + ".n");
      if (type == kFloat) found.push_back(v.name + ".f");
    } else if (t.kind == Kind::Ref && t.args[0] == type) {
      found.push_back(v.name + ".value");
    } else if (t.kind == Kind::Array && t.args[0] == type) {
      found.push_back(v.name + "[" + std::to_string(random_.chance(85) ? 0 : random_.below(4)) + "]");
    }
  }
  if (found.empty()) return nullptr;
  return Expr{type, found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))]};
}

Tree Generator::try_higher_order(const Scope& scope, const Type& type, int depth) {
  if (!is_data(type)) return nullptr;
  Type element = scalar_type();
  if (type.kind == Kind::List && random_.chance(50)) {
    Type f = function_of({element}, type.args[0], scope.row());
    return Expr{
        type, "list.map(", expression(scope, list_of(element), depth - 1), ", ", lambda(scope, f, depth - 1),
        ")"};
  }
  if (type.kind == Kind::Array && random_.chance(50)) {
    Type f = function_of({element}, type.args[0], scope.row());
    return Expr{type,
                "array.map(",
                expression(scope, array_of(element), depth - 1),
                ", ",
                lambda(scope, f, depth - 1),
                ")"};
  }
  if (random_.chance(60)) {
    Type f = function_of({type, element}, type, scope.row());
    return Expr{type,
                "list.fold(",
                expression(scope, list_of(element), depth - 1),
                ", ",
                expression(scope, type, depth - 1),
                ", ",
                lambda(scope, f, depth - 1),
                ")"};
  }
  Type f = function_of({element}, type, scope.row());
  return Expr{type, "(", lambda(scope, f, depth - 1), ")(", expression(scope, element, depth - 1), ")"};
}

Tree Generator::lambda(const Scope& scope, const Type& type, int depth) {
  Scope inner = scope;
  for (size_t i = 0; i < kMaxEffects; ++i) inner.handlers[i] = scope.handlers[i] && (type.row >> i & 1);
  inner.returns = type.args.back();
  inner.in_loop = false;
  inner.breaks.reset();
  std::string head = "fn(";
  for (size_t i = 0; i + 1 < type.args.size(); ++i) {
    std::string n = name("x");
    head += (i ? ", " : "") + n + ": " + type_text(type.args[i]);
    inner.variables.push_back({n, type.args[i]});
  }
  head += "): " + type_text(type.args.back()) + " ";
  return Expr{type, head, block(inner, type.args.back(), depth - 1, random_.weighted({50, 30, 20}))};
}

Tree Generator::try_common(const Scope& scope, const Type& type, int depth) {
  switch (random_.weighted({22, 18, 16, 8, 22, 8, 6, 3, 3})) {
    case 0:
      return Expr{type,
                  "(if ",
                  expression(scope, kBool, depth - 1),
                  " ",
                  block(scope, type, depth - 1, random_.below(2)),
                  " else ",
                  block(scope, type, depth - 1, random_.below(2)),
                  ")"};
    case 1:
      return matching(scope, type, depth);
    case 2:
      return Expr{type, "(", block(scope, type, depth - 1, random_.between(1, 3)), ")"};
    case 3: {
      Scope inner = scope;
      inner.returns = type;
      inner.in_loop = false;
      inner.breaks.reset();
      std::string n = name("r");
      std::string fail = is_data(type) ? simplest(type) : "panic(\"no data\")";
      return Expr{
          type,
          "(match attempt(fn(): " + type_text(type) + " ",
          block(inner, type, depth - 1, random_.between(0, 2)),
          ") {\nOk(" + n + ") => " + n + "\nErr(" + n + ") => { println(\"caught \" ++ " + n + ".message)\n",
          Expr{type, fail},
          " }\n})"};
    }
    case 4:
      return handle(scope, type, depth);
    case 5:
      return loop_expression(scope, type, depth);
    case 6: {
      std::vector<size_t> found;
      for (size_t i = 0; i < effects_.size(); ++i)
        if (scope.handlers[i]) found.push_back(i);
      if (found.empty()) return nullptr;
      size_t e = found[static_cast<size_t>(random_.below(static_cast<int>(found.size())))];
      Scope inner = scope;
      --inner.handlers[e];
      return Expr{type, "(mask<" + effects_[e].name + "> ", block(inner, type, depth - 1, random_.below(2)),
                  ")"};
    }
    case 7:  // not bare: where its type is Never, nothing says of what type a larger expression is
      return Expr{type,
                  "(if ",
                  expression(scope, kBool, depth - 1),
                  " { panic(\"" + name("panic ") + "\") } else ",
                  block(scope, type, depth - 1, 0),
                  ")"};
    default:
      if (!scope.returns || !random_.chance(50)) return nullptr;
      return Expr{type,
                  "(if ",
                  expression(scope, kBool, depth - 1),
                  " { return ",
                  expression(scope, *scope.returns, depth - 1),
                  " } else ",
                  block(scope, type, depth - 1, 0),
                  ")"};
  }
}

Tree Generator::matching(const Scope& scope, const Type& type, int depth) {
  auto arm = [&](const Scope& inner) { return expression(inner, type, depth - 1); };
  auto with = [&](std::initializer_list<Variable> variables) {
    Scope inner = scope;
    inner.variables.insert(inner.variables.end(), variables);
    return inner;
  };
  std::string a = name("m"), b = name("m");
  switch (random_.below(6)) {
    case 0:
      return Expr{
          type,
          "(match ",
          expression(scope, kInt, depth - 1),
          " {\n",
          Item{"0 => ", arm(scope), "\n"},
          Item{"1 | 2 => ", arm(scope), "\n"},
          Item{"4611686018427387904 => ", arm(scope), "\n"},
          Item{a + " if ", expression(with({{a, kInt}}), kBool, 1), " => ", arm(with({{a, kInt}})), "\n"},
          Item{"_ => ", arm(scope), "\n"},
          "})"};
    case 1: {
      Type of = scalar_type();
      return Expr{type,
                  "(match ",
                  typed(scope, option_of(of), depth - 1),
                  " {\nSome(" + a + ") => ",
                  arm(with({{a, of}})),
                  "\nNone => ",
                  arm(scope),
                  "\n})"};
    }
    case 2: {
      Type of = scalar_type();
      return Expr{type,
                  "(match ",
                  typed(scope, list_of(of), depth - 1),
                  " {\n[] => ",
                  arm(scope),
                  "\n",
                  Item{"[" + a + "] => ", arm(with({{a, of}})), "\n"},
                  "[" + a + ", .." + b + "] => ",
                  arm(with({{a, of}, {b, list_of(of)}})),
                  "\n})"};
    }
    case 3: {
      Type bush{Kind::Bush};
      return Expr{type,
                  "(match ",
                  expression(scope, bush, depth - 1),
                  " {\nLeaf => ",
                  arm(scope),
                  "\n",
                  Item{"Node(Leaf, " + a + ", _) => ", arm(with({{a, kInt}})), "\n"},
                  "Node(" + b + ", " + a + ", _) => ",
                  arm(with({{a, kInt}, {b, bush}})),
                  "\n})"};
    }
    case 4: {
      Type tuple{Kind::Tuple, {scalar_type(), kBool}};
      return Expr{type,
                  "(match ",
                  expression(scope, tuple, depth - 1),
                  " {\n(" + a + ", true) => ",
                  arm(with({{a, tuple.args[0]}})),
                  "\n(_, false) as " + b + " => ",
                  arm(with({{b, tuple}})),
                  "\n})"};
    }
    default:
      return Expr{type,
                  "(match ",
                  expression(scope, kString, depth - 1),
                  " {\n",
                  Item{"\"a\" => ", arm(scope), "\n"},
                  Item{"\"\" => ", arm(scope), "\n"},
                  a + " => ",
                  arm(with({{a, kString}})),
                  "\n})"};
  }
}

}  // namespace eddy::fuzz
