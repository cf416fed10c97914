// The whole program: its effects, its functions, main.
#include "tools/eddy-fuzz/generator.h"

namespace eddy::fuzz {

namespace {

// Declarations that every program may use; the reducer takes out what it does not.
const char* const kDeclarations[] = {
    "type Point(x: Int, y: Float, s: String)\n",
    "type Cell(var n: Int, var f: Float)\n",
    "type Bush { Leaf  Node(l: Bush, v: Int, r: Bush) }\n",
    "let steps = ref(0)\n",
    "fn clip(n: Int): Int => if abs(n) > 340282366920938463463374607431768211456 { n % 18446744073709551629 "  // NOLINT(bugprone-suspicious-missing-comma)
    "} else { n }\n",
    "fn clip_text(s: String): String => if s.length() > 40 { s.slice(0, 12) } else { s }\n",
    "fn clip_list(xs: List<a>): List<a> => xs.take(6)\n",
    "fn sum_bush(t: Bush): Int => match t { Leaf => 0  Node(l, v, r) => sum_bush(l) + v + sum_bush(r) }\n",
    "fn depth_of(t: Bush): Int => match t { Leaf => 0  Node(l, _, r) => 1 + max(depth_of(l), depth_of(r)) "
    "}\n",
    "fn resume_with(k: fn(a): b / e, v: a): b / e => k(v)\n",
    "fn resume_later(k: fn(a): b / e, v: a): fn(): b / e => fn() => k(v)\n",
};

}  // namespace

std::string Generator::row_text(Row row) const {
  std::string text = "{IO";
  for (size_t i = 0; i < effects_.size(); ++i)
    if (row >> i & 1) text += ", " + effects_[i].type;
  return text + "}";
}

std::string Generator::type_text(const Type& type, bool rows) const {
  switch (type.kind) {
    case Kind::Int:
      return "Int";
    case Kind::Float:
      return "Float";
    case Kind::Bool:
      return "Bool";
    case Kind::Char:
      return "Char";
    case Kind::String:
      return "String";
    case Kind::Unit:
      return "Unit";
    case Kind::Point:
      return "Point";
    case Kind::Cell:
      return "Cell";
    case Kind::Bush:
      return "Bush";
    case Kind::List:
      return "List<" + type_text(type.args[0], rows) + ">";
    case Kind::Option:
      return "Option<" + type_text(type.args[0], rows) + ">";
    case Kind::Array:
      return "Array<" + type_text(type.args[0], rows) + ">";
    case Kind::Ref:
      return "Ref<" + type_text(type.args[0], rows) + ">";
    case Kind::Handler:
      return effects_[static_cast<size_t>(type.effect)].type;
    case Kind::Tuple:
    case Kind::Function: {
      bool function = type.kind == Kind::Function;
      size_t count = type.args.size() - (function ? 1 : 0);
      std::string text = function ? "fn(" : "(";
      for (size_t i = 0; i < count; ++i) text += (i ? ", " : "") + type_text(type.args[i], rows);
      text += ")";
      if (!function) return text;
      text += ": " + type_text(type.args.back(), rows);
      return rows ? text + " / " + row_text(type.row) : text;
    }
  }
  return "";
}

Type Generator::scalar_type() {
  switch (random_.weighted({40, 14, 10, 14, 3, 4})) {
    case 0:
      return kInt;
    case 1:
      return kFloat;
    case 2:
      return kBool;
    case 3:
      return kString;
    case 4:
      return kChar;
    default:
      return kUnit;
  }
}

Type Generator::any_type(int depth) {
  if (depth <= 0 || random_.chance(66)) return scalar_type();
  switch (random_.weighted({20, 20, 18, 20, 8, 12, 10, 10})) {
    case 0: {
      Type t{Kind::Tuple};
      int count = random_.between(2, 3);
      for (int i = 0; i < count; ++i) t.args.push_back(any_type(depth - 1));
      return t;
    }
    case 1:
      return list_of(random_.chance(60) ? kInt : any_type(depth - 1));
    case 2:
      return option_of(any_type(depth - 1));
    case 3:
      return array_of(random_.chance(40) ? kInt : random_.chance(60) ? kFloat : any_type(depth - 1));
    case 4:
      return {Kind::Ref, {any_type(depth - 1)}};
    case 5:
      return {Kind::Point};
    case 6:
      return {Kind::Cell};
    default:
      return {Kind::Bush};
  }
}

void Generator::make_effects() {
  int count = random_.between(2, 4);
  for (int i = 0; i < count; ++i) {
    std::string n = std::to_string(i);
    Effect e;
    switch (fibers_ ? random_.weighted({80, 8, 8, 4}) : random_.weighted({60, 14, 10, 10})) {
      case 0: {
        e.name = e.type = "E" + n;
        e.declaration = "effect E" + n + " {\n";
        int operations = random_.between(1, 3);
        for (int j = 0; j < operations; ++j) {
          Operation o;
          o.name = "op" + n + "_" + std::to_string(j);
          int parameters = random_.weighted({35, 40, 20, 5});
          for (int p = 0; p < parameters; ++p) o.parameters.push_back(any_type());
          o.result = any_type();
          o.free = random_.chance(12);
          o.multi = !o.free && random_.chance(fibers_ ? 65 : 30);
          e.declaration += o.multi ? "  multi " : "  ";
          e.declaration += o.name + "(";
          for (size_t p = 0; p < o.parameters.size(); ++p)
            e.declaration += (p ? ", p" : "p") + std::to_string(p) + ": " + type_text(o.parameters[p]);
          e.declaration += "): " + (o.free ? "a" : type_text(o.result)) + "\n";
          e.operations.push_back(std::move(o));
        }
        e.declaration += "}\n";
        break;
      }
      case 1: {
        Type held = any_type();
        e.name = "State" + n;
        e.type = e.name + "<" + type_text(held) + ">";
        e.declaration = "effect " + e.name + "<s> { get" + n + "(): s; put" + n + "(value: s): Unit }\n";
        e.operations = {{"get" + n, {}, held}, {"put" + n, {held}, kUnit}};
        break;
      }
      case 2: {
        for (const Effect& other : effects_)
          if (other.name == "Emit") e.name = "taken";
        if (!e.name.empty()) continue;
        e.name = "Emit";
        e.type = "Emit<Int>";
        e.operations = {{"emit", {kInt}, kUnit}};
        break;
      }
      default: {
        for (const Effect& other : effects_)
          if (other.name == "Exn") e.name = "taken";
        if (!e.name.empty()) continue;
        e.name = e.type = "Exn";
        e.operations = {{"throw", {kString}, kUnit, false, true}};
        break;
      }
    }
    effects_.push_back(std::move(e));
  }
}

Tree Generator::function(size_t index) {
  Function f;
  f.name = "f" + std::to_string(index);
  for (size_t i = 0; i < effects_.size(); ++i)
    if (random_.chance(45)) f.row |= Row{1} << i;
  f.result = any_type();
  bool recursive = random_.chance(40);
  Scope scope;
  scope.functions = index;
  scope.returns = f.result;
  for (size_t i = 0; i < effects_.size(); ++i) scope.handlers[i] = f.row >> i & 1;
  std::string parameters;
  if (recursive) {
    f.count = random_.chance(30) ? fibers_ ? random_.between(30, 150) : 30 : random_.between(2, 5);
    f.parameters.push_back(kInt);
    scope.count = name("n");
    scope.variables.push_back({scope.count, kInt});
    parameters = scope.count + ": Int";
  }
  int count = random_.weighted({20, 40, 25, 15});
  for (int i = 0; i < count; ++i) {
    Type t = any_type();
    if (random_.chance(15)) {
      Type of = scalar_type();
      t = function_of({of}, scalar_type(), f.row);
    }
    if (random_.chance(12)) t = handler_of(random_.below(static_cast<int>(effects_.size())));
    std::string n = name("a");
    parameters += (parameters.empty() ? "" : ", ") + n + ": " + type_text(t);
    f.parameters.push_back(t);
    scope.variables.push_back({n, t});
  }
  std::string head = "fn " + f.name + "(" + parameters + "): " + type_text(f.result);
  // Without a row, nothing in the function may say what the `s` of its State<s> is.
  bool open = random_.chance(40);
  for (size_t i = 0; i < effects_.size(); ++i)
    open &= !(f.row >> i & 1) || effects_[i].name == effects_[i].type;
  if (!open) head += " / " + row_text(f.row);
  if (recursive) scope.self = &f;
  Tree body;
  budget_ = random_.between(20, 120);
  if (recursive) {
    // Recursion from within a region: as many regions as calls.
    bool region = fibers_ && random_.chance(50);
    Tree base = leaf(scope, f.result);
    std::string count_name = scope.count;
    Tree rest = region ? Tree(Group{"{\nstep()\n", handle(scope, f.result, 4), "\n}"})
                       : block(scope, f.result, 3, random_.between(0, 4), true);
    body = Expr{f.result, "{\nif " + count_name + " <= 0 { ", std::move(base), " } else ", std::move(rest),
                "\n}"};
  } else {
    body = block(scope, f.result, 4, random_.between(1, 5), true);
  }
  functions_.push_back(f);
  return Item{head + " ", std::move(body), "\n"};
}

// A function that calls itself and then does one sum or one product, but nothing else: the compiler makes a loop of it.
Tree Generator::recursion(size_t index) {
  Function f;
  f.name = "f" + std::to_string(index);
  f.result = kInt;
  f.count = random_.between(2, 80);
  std::vector<std::string> numbers;
  std::string parameters;
  for (int i = random_.between(1, 3); i > 0; --i) {
    numbers.push_back(name("n"));
    f.parameters.push_back(kInt);
    parameters += (parameters.empty() ? "" : ", ") + numbers.back() + ": Int";
  }
  using Parts = std::initializer_list<std::string>;  // in braces, for what makes them draws random numbers
  auto text = [](Parts parts) {
    std::string all;
    for (const std::string& part : parts) all += part;
    return all;
  };
  auto one = [&] { return random_.chance(75) ? numbers[static_cast<size_t>(random_.below(static_cast<int>(numbers.size())))] : int_literal(); };
  auto number = [&] {
    static const char* const kSigns[] = {" + ", " - ", " % ", " * "};
    int sign = random_.below(5);
    return sign == 4 ? one() : text({"(", one(), kSigns[sign], one(), ")"});
  };
  auto call = [&] {
    std::string all = text({f.name, "(", numbers[0], " - 1"});
    for (size_t i = 1; i < numbers.size(); ++i) all += random_.chance(30) ? text({", ", one(), " - ", one()}) : text({", ", one()});
    return all + ")";
  };
  bool sum = random_.chance(50);
  auto step = [&] {
    switch (random_.below(4)) {
      case 0: return text({call(), sum ? " - " : " * ", std::to_string(random_.between(0, 9))});
      case 1: return text({call(), sum ? " + " : " * ", number()});
      default: return text({number(), sum ? " + " : " * ", call()});
    }
  };
  auto condition = [&] { return text({one(), " % ", std::to_string(random_.between(2, 7)), " == ", std::to_string(random_.below(3))}); };
  std::string body = text({"if ", numbers[0], " <= 0 { ", number(), " } else "});
  if (random_.chance(30)) body += text({"if ", condition(), " { ", call(), " } else "});
  if (random_.chance(30)) body += text({"if ", condition(), " { ", step(), " } else "});
  Tree made = Group{"fn " + f.name + "(" + parameters + "): Int {\n" + body};
  for (size_t i = 0; i < effects_.size() && !f.row; ++i)
    for (const Operation& o : effects_[i].operations) {
      if (f.row || !(o.free || o.result == kInt) || random_.chance(50)) continue;
      Scope scope;
      for (const std::string& n : numbers) scope.variables.push_back({n, kInt});
      budget_ = 5;
      Tree given = arguments(scope, o.parameters, 0, 1);
      if (!given) continue;
      f.row = Row{1} << i;
      add_part(*made, Group{text({"if ", condition(), " { ", o.name, "("}), std::move(given), ") } else "});
    }
  add_part(*made, text({"{ ", step(), " }\n}\n"}));
  functions_.push_back(f);
  return made;
}

Tree Generator::main_function() {
  Scope scope;
  scope.functions = functions_.size();
  std::vector<Tree> parts;
  bool status = random_.chance(10);
  parts.push_back(Group{status ? "fn main(): Int {\n" : "fn main() {\n"});
  int count = random_.between(3, 7);
  for (int i = 0; i < count; ++i) {
    budget_ = random_.between(30, 140);
    Type type = any_type();
    switch (fibers_ ? random_.weighted({60, 30, 10}) : random_.weighted({15, 65, 20})) {
      case 0:
        parts.push_back(Item{"println(", handle(scope, type, 5), ")\n"});
        break;
      case 1: {
        // A panic here is not the end of the program.
        Scope inner = scope;
        inner.returns = type;
        std::string n = name("p");
        parts.push_back(Item{"println(match attempt(fn(): " + type_text(type) + " ",
                             block(inner, type, 5, random_.between(1, 4)),
                             ") {\nOk(" + n + "v) => show(" + n + "v)\nErr(" + n + "e) => \"panic: \" ++ " +
                                 n + "e.message\n})\n"});
        break;
      }
      default:
        parts.push_back(statement(scope, 5));
    }
  }
  for (const Variable& v : scope.variables)
    if (is_data(v.type)) parts.push_back(Item{"println((\"" + v.name + "\", " + v.name + "))\n"});
  if (status) {
    budget_ = 5;
    parts.push_back(Group{"(", int_expression(scope, 1), " & 127)\n"});
  }
  parts.push_back(Group{"}\n"});
  return Group{std::move(parts)};
}

Tree Generator::program() {
  make_effects();
  std::vector<Tree> parts;
  for (const char* text : kDeclarations) parts.push_back(Item{text});
  // Leaving by `exit` runs nothing more; a panic runs what is pending, and may be caught.
  const char* end = random_.chance(70) ? "exit(3)" : "panic(\"out of steps\")";
  parts.push_back(Item{"fn step(): Unit {\nsteps.value += 1\nif steps.value > " +
                       std::to_string(random_.between(200, 900)) + " { println(\"out of steps\"); " + end +
                       " }\n}\n"});
  for (const Effect& e : effects_) parts.push_back(Item{e.declaration});
  int count = random_.between(2, 6);
  functions_.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) parts.push_back(random_.chance(20) ? recursion(static_cast<size_t>(i)) : function(static_cast<size_t>(i)));
  parts.push_back(main_function());
  return Group{std::move(parts)};
}

}  // namespace eddy::fuzz
