// Handlers, clauses of every kind, and what is done with resumptions.
#include <algorithm>

#include "tools/eddy-fuzz/generator.h"

namespace eddy::fuzz {

Tree Generator::handle(const Scope& outer, const Type& type, int depth) {
  Scope scope = outer;
  std::vector<size_t> handled{static_cast<size_t>(random_.below(static_cast<int>(effects_.size())))};
  bool named = random_.chance(28);
  if (!named && random_.chance(20)) {
    size_t other = static_cast<size_t>(random_.below(static_cast<int>(effects_.size())));
    if (other != handled[0]) handled.push_back(other);
  }
  Tree e = Expr{type, "({\n"};

  // What clauses and body share.
  if (random_.chance(60)) {
    Type t = any_type();
    std::string n = name("s");
    add_part(*e, Item{"var " + n + ": " + type_text(t) + " = ", expression(scope, t, 1), "\n"});
    scope.variables.push_back({n, t, true});
  }
  // Where a resumption is kept, and which operation's.
  std::string stored;
  Type stored_type;
  const Operation* storing = nullptr;
  if (random_.chance(fibers_ ? 65 : 40)) {
    const std::vector<Operation>& all = effects_[handled[0]].operations;
    storing = &all[static_cast<size_t>(random_.below(static_cast<int>(all.size())))];
    if (storing->free) storing = nullptr;
  }
  if (storing) {
    Type k = function_of({storing->result}, type, scope.row());
    bool many = random_.chance(fibers_ ? 55 : 30);
    stored = name(many ? "q" : "k");
    stored_type = many ? list_of(k) : option_of(k);
    add_part(*e, "var " + stored + ": " + type_text(stored_type, false) + (many ? " = []\n" : " = None\n"));
  }
  std::string escaped;
  if (named && random_.chance(20)) {
    escaped = name("h");
    add_part(*e, "var " + escaped + ": Option<" + type_text(handler_of(static_cast<int>(handled[0]))) +
                     "> = None\n");
  }

  Scope body = scope;
  std::string handler = name("h");
  Type body_type = random_.chance(fibers_ ? 15 : 35) ? any_type() : type;
  if (named)
    body.variables.push_back({handler, handler_of(static_cast<int>(handled[0]))});
  else
    for (size_t i : handled) body.handlers[i] = static_cast<uint8_t>(std::min(3, body.handlers[i] + 1));
  if (storing && random_.chance(15)) body.variables.push_back({stored, stored_type, true});

  bool binds = random_.chance(70) || storing || !escaped.empty();
  std::string result = name("r");
  if (binds) add_part(*e, "let " + result + ": " + type_text(type) + " = ");
  add_part(*e, named ? "handle " + handler + ": " + effects_[handled[0]].type + " {\n"
                     : std::string("handle {\n"));
  if (!escaped.empty()) add_part(*e, Item{escaped + " = Some(" + handler + ")\n"});
  if (random_.chance(30)) add_part(*e, Item{defer(body, depth - 1)});
  // A body that performs nothing of State<s> would leave `s` open.
  for (size_t i : handled)
    if (!named && effects_[i].name != effects_[i].type)
      for (const Operation& o : effects_[i].operations)
        if (!o.parameters.empty())
          add_part(*e, "if false { " + o.name + "(" + simplest(o.parameters[0]) + ") }\n");
  // Most bodies perform at once what is handled here.
  if (random_.chance(75)) {
    const std::vector<Operation>& all = effects_[handled[0]].operations;
    const Operation& o = all[static_cast<size_t>(random_.below(static_cast<int>(all.size())))];
    Tree a = o.free ? nullptr : arguments(body, o.parameters, 0, depth - 2);
    if (a) {
      std::string n = name("b");
      add_part(*e,
               Item{"let " + n + " = " + (named ? handler + "." : "") + o.name + "(", std::move(a), ")\n"});
      body.variables.push_back({n, o.result});
      if (is_data(o.result) && random_.chance(50))
        add_part(*e, Item{"println((\"" + n + "\", " + n + "))\n"});
    }
  }
  int statements = random_.between(0, 3);
  for (int i = 0; i < statements && spend(); ++i) add_part(*e, statement(body, depth - 1));
  // A region in the region, a call in tail position, or anything.
  Tree last;
  if (fibers_ && depth > 1 && random_.chance(40)) last = handle(body, body_type, depth - 2);
  if (fibers_ && !last && random_.chance(40)) last = try_call(body, body_type, depth - 1);
  if (!last) last = expression(body, body_type, depth - 1);
  add_part(*e, std::move(last));
  add_part(*e, "\n} with {\n");

  bool returns = body_type != type || random_.chance(15);
  if (returns) {
    Scope inner = scope;
    inner.resume.reset();
    std::string x = name("x");
    inner.variables.push_back({x, body_type});
    auto value = random_.chance(50) ? block(inner, type, depth - 2, 1) : expression(inner, type, depth - 2);
    // A clause that is only wanted for its print may go; one that changes the type may not.
    Tree c = Group{"return " + x + " => ", std::move(value), "\n"};
    if (body_type == type) c->sort = Sort::Item;
    add_part(*e, std::move(c));
  }
  for (size_t i : handled)
    for (const Operation& o : effects_[i].operations) {
      bool stores = &o == storing;
      add_part(*e, clause(scope, o, type, depth - 1, stores ? stored : "", stored_type));
    }
  if (random_.chance(25)) {
    std::string tag = name("finally ");
    Tree c = Item{"finally => "};
    if (random_.chance(60))
      add_part(*c, "println(\"" + tag + "\")");
    else
      add_part(*c, block(pure(scope), kUnit, 2, 1));
    add_part(*c, "\n");
    add_part(*e, std::move(c));
  }
  add_part(*e, "}\n");
  if (!binds) {
    add_part(*e, "})");
    return e;
  }
  scope.variables.push_back({result, type});
  if (storing) add_part(*e, after_handle(scope, stored, stored_type, depth));
  if (!escaped.empty()) {
    Scope inner = scope;
    inner.variables.push_back({escaped, option_of(handler_of(static_cast<int>(handled[0])))});
    add_part(*e, Item{statement(inner, depth - 2)});
    Tree use = try_option(inner, kInt, 2);
    if (use) add_part(*e, Item{"println(", std::move(use), ")\n"});
  }
  if (is_data(type) && random_.chance(30))
    add_part(*e, Item{"println((\"" + result + "\", " + result + "))\n"});
  add_part(*e, random_.chance(75) ? Tree(Expr{type, result}) : expression(scope, type, depth - 2));
  add_part(*e, "\n})");
  return e;
}

// Resumes what was stored, once, twice, or all of them as they come.
Tree Generator::after_handle(Scope& scope, const std::string& stored, const Type& stored_type, int depth) {
  const Type& k = stored_type.args[0];
  auto value = [&] { return expression(scope, k.args[0], std::min(1, depth)); };
  auto show = [&](Tree call) -> Tree {
    if (is_data(k.args[1])) return Group{"println((\"" + name("k") + "\", ", std::move(call), "))\n"};
    return Group{std::move(call), "\n"};
  };
  std::string n = name("k");
  if (stored_type.kind == Kind::Option) {
    if (random_.chance(20)) scope.variables.push_back({stored, stored_type, true});
    Tree s = Item{"match " + stored + " {\nSome(" + n + ") => {\n"};
    if (random_.chance(60)) add_part(*s, Item{stored + " = None\n"});
    int times = fibers_ ? random_.weighted({8, 47, 45}) : random_.weighted({8, 80, 12});
    for (int i = 0; i < times; ++i)
      add_part(*s, Item{show(fibers_ && random_.chance(50) ? resumed_elsewhere(scope, n, k, depth)
                                                           : Expr{k.args[1], n + "(", value(), ")"})});
    if (random_.chance(15)) add_part(*s, Item{"drop(" + n + ")\n"});
    if (random_.chance(10)) add_part(*s, Item{"println(" + n + ")\n"});
    add_part(*s, "}\nNone => ()\n}\n");
    return s;
  }
  std::string go = name("go"), rest = name("k");
  Scope in_loop = scope;
  in_loop.in_loop = true;
  in_loop.breaks.reset();
  auto each_value = [&] { return expression(in_loop, k.args[0], std::min(1, depth)); };
  Tree s = Group{"var " + go + " = true\n"};
  add_part(*s, Item{"while " + go + " {\nstep()\nmatch " + stored + " {\n[] => { " + go + " = false }\n[" +
                        n + ", .." + rest + "] => {\n" + stored + " = " + rest + "\n",
                    Item{show(fibers_ && random_.chance(50) ? resumed_elsewhere(in_loop, n, k, depth)
                                                            : Expr{k.args[1], n + "(", each_value(), ")"})},
                    random_.chance(10) ? Tree(Item{"drop(" + n + ")\n"}) : Group{}, "}\n}\n}\n"});
  return s;
}

// What was stored, called where other handlers are, from a closure, or deeper in the stack.
Tree Generator::resumed_elsewhere(const Scope& scope, const std::string& k, const Type& type, int depth) {
  const Type& result = type.args[1];
  Tree value = expression(scope, type.args[0], 1);
  std::vector<size_t> effects;
  for (size_t i = 0; i < effects_.size(); ++i)
    if (effects_[i].name == effects_[i].type) effects.push_back(i);
  bool region = !effects.empty() && spend() && random_.chance(60);
  if (!region) {
    switch (random_.below(3)) {
      case 0:
        return Expr{result, "resume_with(" + k + ", ", std::move(value), ")"};
      case 1:
        return Expr{result, "resume_later(" + k + ", ", std::move(value), ")()"};
      default: {
        // The value in front of the function: it may jump out of what is around.
        std::string f = name("deep"), n = name("n"), v = name("v"), r = name("r");
        return Expr{result, "({\nlet " + v + ": " + type_text(type.args[0], false) + " = ", std::move(value),
                    "\nfn " + f + "(" + n + ") => if " + n + " <= 0 { " + k + "(" + v +
                        ") } else { step()\nlet " + r + " = " + f + "(" + n + " - 1)\n" + r + " }\n" + f +
                        "(" + std::to_string(random_.between(0, 60)) + ")\n})"};
      }
    }
  }
  size_t i = effects[static_cast<size_t>(random_.below(static_cast<int>(effects.size())))];
  Tree e = Expr{result, "(handle { ", k + "(", std::move(value), ") } with {\n"};
  for (const Operation& o : effects_[i].operations)
    add_part(*e, clause(scope, o, result, std::min(depth - 1, 2), "", {}));
  add_part(*e, "})");
  return e;
}

Tree Generator::clause(const Scope& outer, const Operation& o, const Type& type, int depth,
                       const std::string& stored, const Type& stored_type) {
  Scope scope = outer;
  scope.resume.reset();
  std::string parameters;
  for (size_t i = 0; i < o.parameters.size(); ++i) {
    std::string n = name("y");
    parameters += (i ? ", " : "") + n;
    scope.variables.push_back({n, o.parameters[i]});
  }
  std::string head = o.name + "(" + parameters + ") => ";
  Tree step = random_.chance(50) ? Tree(Item{"step()\n"}) : Group{};
  Tree trace = random_.chance(40) ? print(scope, 1) : Group{};
  auto some_statements = [&](Scope& s, int most) {
    Tree g = Group{};
    int count = random_.between(0, most);
    for (int i = 0; i < count && spend(); ++i) add_part(*g, statement(s, depth - 1));
    return g;
  };
  auto value = [&](const Scope& s, const Type& t) { return expression(s, t, depth - 1); };
  auto resumed = [&](Tree argument) { return Expr{type, "resume(", std::move(argument), ")"}; };

  if (o.free) {
    std::string prefix = random_.chance(40) ? "final " : "";
    auto body = some_statements(scope, 1);
    return Group{prefix + head + "{\n", std::move(step),    std::move(trace),
                 std::move(body),       value(scope, type), "\n}\n"};
  }
  // The row of the region is what was around it; masks and lambdas inside the clause see less.
  Scope::Resume resume{o.result, type, outer.row()};
  if (!stored.empty()) {
    bool many = stored_type.kind == Kind::List;
    auto body = some_statements(scope, 1);
    return Group{head + "{\n",
                 std::move(trace),
                 many ? stored + " = " + stored + " ++ [resume]\n" : stored + " = Some(resume)\n",
                 std::move(body),
                 value(scope, type),
                 "\n}\n"};
  }
  int kind = o.multi ? random_.weighted({10, 4, 3, 5, 5, 10, 8, 8, 45})
                     : random_.weighted({26, 10, 5, 8, 14, 20, 6, 6, 4});
  switch (kind) {
    case 0:  // tail
      if (random_.chance(40)) return Group{head, resumed(value(scope, o.result)), "\n"};
      return Group{head + "{\n",
                   std::move(step),
                   std::move(trace),
                   some_statements(scope, 2),
                   resumed(value(scope, o.result)),
                   "\n}\n"};
    case 1:
      if (random_.chance(50)) return Group{"fun " + head, value(scope, o.result), "\n"};
      return Group{"fun " + head, block(scope, o.result, depth - 1, random_.between(0, 2)), "\n"};
    case 2:
      return Group{"final " + head, block(scope, type, depth - 1, random_.between(0, 1)), "\n"};
    case 3:  // abort
      return Group{head + "{\n",       std::move(step), std::move(trace), some_statements(scope, 1),
                   value(scope, type), "\n}\n"};
    case 4: {  // tail or abort
      auto body = some_statements(scope, 1);
      Tree test = value(scope, kBool);
      Tree go_on = resumed(value(scope, o.result));
      Tree stop = value(scope, type);
      return Group{head + "{\n",    std::move(step), std::move(trace), std::move(body), "if ",
                   std::move(test), " { ",           std::move(go_on), " } else { ",    std::move(stop),
                   " }\n}\n"};
    }
    case 5: {  // once, with more to do after
      std::string r = name("r");
      auto before = some_statements(scope, 1);
      Tree call = resumed(value(scope, o.result));
      Scope after = scope;
      after.variables.push_back({r, type});
      if (random_.chance(10)) after.resume = resume;
      auto more = some_statements(after, 2);
      Tree last = random_.chance(60) ? Tree(Expr{type, r}) : value(after, type);
      return Group{head + "{\n",
                   std::move(step),
                   std::move(trace),
                   std::move(before),
                   "let " + r + " = ",
                   std::move(call),
                   "\n",
                   std::move(more),
                   std::move(last),
                   "\n}\n"};
    }
    case 6: {                // passed on, captured, or given up
      Scope inside = scope;  // of a lambda, in one case
      inside.returns.reset();
      inside.in_loop = false;
      inside.breaks.reset();
      Tree v = value(inside, o.result);
      switch (random_.below(4)) {
        case 0:
          return Group{head + "{\n", std::move(trace), Expr{type, "resume_with(resume, ", std::move(v), ")"},
                       "\n}\n"};
        case 1: {
          std::string f = name("f");
          Tree otherwise = value(scope, type);
          return Group{
              head + "{\n", std::move(trace),    "let " + f + " = fn() => resume(", std::move(v),
              ")\nif ",     value(scope, kBool), " { " + f + "() } else { ",        std::move(otherwise),
              " }\n}\n"};
        }
        case 2:
          return Group{head + "{\n", std::move(trace),
                       Expr{type, "resume_later(resume, ", std::move(v), ")()"}, "\n}\n"};
        default:
          return Group{head + "{\n", std::move(trace), Item{"drop(resume)\n"}, value(scope, type), "\n}\n"};
      }
    }
    case 7: {  // anything at all: `resume` is in scope like any closure
      Scope inner = scope;
      inner.resume = resume;
      auto body = some_statements(inner, 2);
      return Group{head + "{\n",    Item{"step()\n"},   std::move(trace),
                   std::move(body), value(inner, type), "\n}\n"};
    }
    default: {  // more than once
      std::string r = name("r"), again = name("r");
      Tree first = resumed(value(scope, o.result));
      Scope after = scope;
      after.variables.push_back({r, type});
      auto between = some_statements(after, 1);
      Tree second = resumed(value(after, o.result));
      auto result = random_.below(3);
      if (result == 0)
        return Group{head + "{\nstep()\n",
                     std::move(trace),
                     "let " + r + " = ",
                     std::move(first),
                     "\n",
                     std::move(between),
                     std::move(second),
                     "\n}\n"};
      after.variables.push_back({again, type});
      Tree last = value(after, type);
      return Group{head + "{\nstep()\n",
                   std::move(trace),
                   "let " + r + " = ",
                   std::move(first),
                   "\n",
                   std::move(between),
                   "let " + again + " = ",
                   std::move(second),
                   "\n",
                   std::move(last),
                   "\n}\n"};
    }
  }
}

}  // namespace eddy::fuzz
