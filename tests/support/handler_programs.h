// Programs with effect handlers, as assembly text, and what they must give: every kind of clause × every use
// of its continuation × what lies between performer and handler. The expected values are computed from the
// language's rules alone.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace eddy::test::handlers {

enum class Kind { TailPlain, Tail, TailOrAbort, Abort, Once, Multi };
enum class Use {
  AtOnce,    // resumes in tail position (in-place clauses: returns)
  NotTail,   // resumes, then adds to the result
  Twice,     // resumes twice
  Never,     // does not resume: gives the region its value
  NeverNow,  // the same after ABORT_NOW, or with RESUME's sibling DROP
  Later,     // the continuation is the region's value; main resumes it
};
// What is opened once a level between the handler and the performer.
enum class Wrap { Fiber, Handler, Mask, Attempt, Defer, Named, Exit };
// How main resumes a continuation that was kept.
enum class From { Main, Value, OtherHandler, TailClause, OnceClause, OwnFiber, ClauseOfSame };

struct Case {
  Kind kind;
  Use use;
  bool named = false;
  Wrap wrap = Wrap::Fiber;
  int levels = 0, depth = 0;
  From from = From::Main;
  bool lands_elsewhere = false;  // an abort goes on at more than a RET
};

inline bool captures(Kind kind) { return kind == Kind::Once || kind == Kind::Multi; }
inline const char* kind_word(Kind kind) {
  static const char* const kWords[] = {"tail plain", "tail", "tail_or_abort", "abort", "once", "multi"};
  return kWords[static_cast<int>(kind)];
}

inline std::string describe(const Case& c) {
  static const char* const kUses[] = {"at once", "not tail", "twice", "never", "never, now", "later"};
  static const char* const kWraps[] = {"fibers", "handlers", "masks", "attempts", "defers", "named", "exits"};
  return fmt::format("{}{} {}, {} {}, depth {}, from {}{}", c.named ? "named " : "", kind_word(c.kind),
                     kUses[static_cast<int>(c.use)], c.levels, kWraps[static_cast<int>(c.wrap)], c.depth,
                     static_cast<int>(c.from), c.lands_elsewhere ? ", landing elsewhere" : "");
}

// --- the program

inline std::string perform(bool named, int reg) {
  return named ? fmt::format("PERFORM_NAMED r{0}, A, op (r1, r{0})", reg)
               : fmt::format("PERFORM r{0}, A, op (r{0})", reg);
}

// op(10), ask(), op(20), ask() below `depth` frames; the handler, if it has a name, comes in r1.
inline std::string body_function(bool named) {
  return fmt::format(R"(
function body params 2 {{
  JLE_I r0, 0, go
  SUB_I r2, r0, 1
  CALL r2, body (r2, r1)
  ADD_I r2, r2, 1
  RET r2
go:
  LOAD_INT r2, 10
  {}
  PERFORM r4, B, ask ()
  LOAD_INT r3, 20
  {}
  PERFORM r5, B, ask ()
  MUL_I r2, r2, 100
  ADD r2, r2, r3
  MUL_I r4, r4, 10000
  ADD r2, r2, r4
  LOAD_INT r4, 100000
  MUL r5, r5, r4
  ADD r2, r2, r5
  RET r2
}}
)",
                     perform(named, 2), perform(named, 3));
}
inline int64_t body_value(const Case& c, int64_t a, int64_t b, int64_t first_ask = 1,
                          int64_t second_ask = 1) {
  return a * 100 + b + first_ask * 10000 + second_ask * 100000 + c.depth + c.levels;
}

// nest(levels, depth, handler): one thing opened a level, then the body. Each level adds 1 on the way out.
inline std::string nest_functions(Wrap wrap) {
  static constexpr const char* kInner = R"(
  SUB_I r4, r0, 1
  CALL r4, nest (r4, r1, r2)
)";
  std::string text = R"(
function count_defer params 1 captures 1 self {
  LOAD_GLOBAL r1, defers
  ADD_I r1, r1, 1
  STORE_GLOBAL r1, defers
  RET_UNIT
}
function mid_once params 2 self clause { TAIL_RESUME_LAST r1, r0x }
function mid_tail params 1 self clause { RET_UNIT }
function mid_base params 1 captures 3 self base {
  LOAD_UNIT r2
  HANDLE r1, r2, r3, mid_fiber -> gone
  GET_UP r3, 0
  SUB_I r3, r3, 1
  GET_UP r4, 1
  GET_UP r5, 2
  CALL r3, nest (r3, r4, r5)
  HANDLE_END r1
  ADD_I r3, r3, 1
gone:
  RET r3
}
site mid_fiber { handles Mid clause Mid mid once mid_once }
function nest params 3 {
  JGT_I r0, 0, more
  TAIL_CALL body (r1, r2)
more:
)";
  text.replace(text.find("r0x"), 3, "r2");
  text.replace(text.find("{ TAIL_RESUME_LAST"), 1, "{ LOAD_UNIT r2 ");
  switch (wrap) {
    case Wrap::Fiber:
      text += "  MAKE_CLOSURE r3, mid_base (r0, r1, r2)\n  TAIL_FIBER r3\n}\n";
      return text;
    case Wrap::Handler:
      return text + "LOAD_UNIT r5 HANDLE r3, r5, r4, mid_handler -> out" + kInner + R"(
  HANDLE_END r3
  ADD_I r4, r4, 1
out:
  RET r4
}
site mid_handler { handles Mid clause Mid mid tail mid_tail }
)";
    case Wrap::Mask:
      return text + "MASK r3, mid_mask" + kInner + R"(
  MASK_END r3
  ADD_I r4, r4, 1
  RET r4
}
site mid_mask mask { handles Mid }
)";
    case Wrap::Attempt:
      return text + "ATTEMPT r5, f0, caught" + kInner + R"(
  ATTEMPT_END r5, f0
  ADD_I r4, r4, 1
  RET r4
caught:
  PANIC r5
}
)";
    case Wrap::Defer:
      return text + "MAKE_CLOSURE r3, count_defer (r0) DEFER r5, f0, r3" + kInner + R"(
  DEFER_END r5, f0
  CALL_CLOSURE r5, r5 ()
  ADD_I r4, r4, 1
  RET r4
}
)";
    case Wrap::Named:
      return text + "LOAD_UNIT r7 HANDLE_NAMED r5, f0, r7, mid_named -> out" + kInner + R"(
  NAMED_END r5, f0
  ADD_I r4, r4, 1
  RET r4
out:
  RET r6
}
site mid_named named { handles Mid clause Mid mid tail mid_tail }
)";
    case Wrap::Exit:
      return text + "EXIT_POINT r5, f0, out" + kInner + R"(
  EXIT_END r5, f0
  ADD_I r4, r4, 1
  RET r4
out:
  RET r6
}
)";
  }
  return text;
}

// The clause: its environment holds the 1 that it adds to the argument before resuming. `perform` is what it
// does on the way: leaves in r1 what to resume with.
inline std::string clause_function(const std::string& name, Kind kind, Use use, const std::string& value) {
  std::string head =
      fmt::format("function {} params {} tagged 8 captures 1 self clause {{\n", name, captures(kind) ? 3 : 2);
  std::string tail;
  switch (kind) {
    case Kind::TailPlain:
    case Kind::Tail:
      tail = "RET r1";
      break;
    case Kind::TailOrAbort:
      if (use == Use::AtOnce) {
        tail = "RET r1";
      } else {
        head += fmt::format("JNE_I r1, 20, on {} LOAD_INT r4, 777 ABORT_RET r4\non:\n",
                            use == Use::NeverNow ? "ABORT_NOW" : "");
        tail = "RET r1";
      }
      break;
    case Kind::Abort:
      return head + "LOAD_INT r1, 777 RET r1 }\n";
    case Kind::Once:
    case Kind::Multi:
      switch (use) {
        case Use::AtOnce:
          tail = kind == Kind::Once ? "TAIL_RESUME_LAST r2, r1" : "TAIL_RESUME r2, r1";
          break;
        case Use::NotTail:
          tail = "RESUME_LAST r3, r2, r1 ADD_I r3, r3, 3 RET r3";
          break;
        case Use::Twice:
          tail = "RESUME r3, r2, r1 ADD_I r1, r1, 1 RESUME_LAST r4, r2, r1 ADD r3, r3, r4 RET r3";
          break;
        case Use::Never:
          return head + "DROP_UNUSED r2 LOAD_INT r1, 777 RET r1 }\n";
        case Use::NeverNow:
          return head + "DROP r2 LOAD_INT r1, 777 RET r1 }\n";
        case Use::Later:
          return head + "RET r2 }\n";
      }
  }
  return head + value + "\n" + tail + "\n}\n";
}
inline const std::string kAddCapture = "GET_UP r3, 0 ADD r1, r1, r3";
inline const std::string kAddAsked = "PERFORM r3, B, ask () ADD r1, r1, r3";  // ask() gives 1
inline const std::string kAskOutside = "PERFORM r1, A, op (r1) MUL_I r1, r1, 2";

// run(levels, depth): the handler around `callee` (levels, depth, handler); adds 5000 where the body
// finishes.
inline std::string handler_function(const std::string& name, const std::string& clause, Kind kind, bool named,
                                    bool lands_elsewhere, const std::string& callee) {
  std::string site = fmt::format("site {0}_site {1} {{ handles A clause A op {2} {3} }}\n", name,
                                 named ? "named" : "", kind_word(kind), clause);
  std::string land = lands_elsewhere ? "ADD_I r{0}, r{0}, 7000 RET r{0}" : "RET r{0}";
  auto landing = [&](int reg) { return fmt::format(fmt::runtime(land), reg); };
  std::string text = site;
  if (!captures(kind)) {
    text += fmt::format("function {} params 2 {{\n  LOAD_INT r2, 1\n  MAKE_ENV r3 (r2)\n", name);
    if (named)
      text += fmt::format(
          "  HANDLE_NAMED r4, f0, r3, {0}_site -> out\n  CALL r2, {1} (r0, r1, r4)\n  NAMED_END r4, f0\n",
          name, callee);
    else
      text += fmt::format(
          "  HANDLE r6, r3, r5, {0}_site -> out\n  LOAD_UNIT r2\n  CALL r2, {1} (r0, r1, r2)\n  HANDLE_END "
          "r6\n",
          name, callee);
    return text + "  ADD_I r2, r2, 5000\n  RET r2\nout:\n  " + landing(5) + "\n}\n";
  }
  text += fmt::format(
      "function {0} params 2 {{\n  MAKE_CLOSURE r2, {0}_base (r0, r1)\n  FIBER_CALL r2, r2\n  RET r2\n}}\n",
      name);
  text += fmt::format(
      "function {}_base params 1 captures 2 self base {{\n  GET_UP r2, 0\n  GET_UP r3, 1\n  LOAD_INT r4, 1\n"
      "  MAKE_ENV r5 (r4)\n",
      name);
  if (named)
    text += fmt::format(
        "  LOAD_UNIT r4\n  HANDLE r1, r4, r9, {0}_joint -> gone\n  HANDLE_NAMED r6, f0, r5, {0}_site -> out\n"
        "  CALL r2, {1} (r2, r3, r6)\n  NAMED_END r6, f0\n  HANDLE_END r1\n  ADD_I r2, r2, 5000\n  RET r2\n"
        "out:\n  HANDLE_END r1\n  {2}\ngone:\n  RET r9\n}}\nsite {0}_joint {{ }}\n",
        name, callee, landing(7));
  else
    text += fmt::format(
        "  HANDLE r1, r5, r6, {0}_site -> out\n  CALL r2, {1} (r2, r3, r2)\n  HANDLE_END r1\n"
        "  ADD_I r2, r2, 5000\n  RET r2\nout:\n  {2}\n}}\n",
        name, callee, landing(6));
  return text;
}

// resume1(k, x): resumes k with x from a place of the case's choosing.
inline std::string resume_function(From from) {
  std::string text = "function resume1 params 2 {\n";
  switch (from) {
    case From::Main:
      return text + "  RESUME_LAST r2, r0, r1\n  RET r2\n}\n";
    case From::Value:
      return text + "  CALL_CLOSURE r2, r0 (r1)\n  RET r2\n}\n";
    case From::OtherHandler:  // where ask() gives 2
      return text + R"(
  LOAD_UNIT r2
  HANDLE r3, r2, r4, two -> out
  RESUME_LAST r4, r0, r1
  HANDLE_END r3
out:
  RET r4
}
site two { handles B clause B ask tail plain ask_two }
function ask_two params 1 self clause { LOAD_INT r1, 2 RET r1 }
)";
    case From::TailClause:
      return text + R"(
  LOAD_UNIT r2
  HANDLE r3, r2, r4, going -> out
  PERFORM r4, Go, go (r0, r1)
  HANDLE_END r3
out:
  RET r4
}
site going { handles Go clause Go go tail go_on }
function go_on params 3 self clause { RESUME_LAST r1, r1, r2 RET r1 }
)";
    case From::OnceClause:
      return text + R"(
  MAKE_CLOSURE r2, go_base (r0, r1)
  FIBER_CALL r2, r2
  RET r2
}
function go_base params 1 captures 2 self base {
  LOAD_UNIT r2
  HANDLE r1, r2, r4, going -> out
  GET_UP r2, 0
  GET_UP r3, 1
  PERFORM r4, Go, go (r2, r3)
  HANDLE_END r1
out:
  RET r4
}
site going { handles Go clause Go go once go_on }
function go_on params 4 self clause { RESUME_LAST r1, r1, r2 TAIL_RESUME_LAST r3, r1 }
)";
    case From::OwnFiber:
      return text + R"(
  MAKE_CLOSURE r2, go_base (r0, r1)
  FIBER_CALL r2, r2
  RET r2
}
function go_base params 1 captures 2 self base {
  LOAD_UNIT r2
  HANDLE r1, r2, r4, joint -> out
  GET_UP r2, 0
  GET_UP r3, 1
  RESUME_LAST r4, r2, r3
  HANDLE_END r1
out:
  RET r4
}
site joint { }
)";
    case From::ClauseOfSame:  // the one who resumes is itself a continuation, resumed by main
      return text + R"(
  MAKE_CLOSURE r2, go_base (r0, r1)
  FIBER_CALL r2, r2
  LOAD_UNIT r3
  RESUME_LAST r2, r2, r3
  RET r2
}
function go_base params 1 captures 2 self base {
  LOAD_UNIT r2
  HANDLE r1, r2, r4, going -> out
  GET_UP r2, 0
  GET_UP r3, 1
  PERFORM r4, Go, go (r2, r3)
  RESUME_LAST r4, r2, r3
  HANDLE_END r1
out:
  RET r4
}
site going { handles Go clause Go go once go_on }
function go_on params 4 self clause { RET r3 }
)";
  }
  return text;
}

inline std::string program(const std::string& rest, const std::string& steps, bool multi) {
  return fmt::format(R"(
main main
global defers
effect A {{ {}op(1) }}
effect B {{ ask(0) }}
effect Mid {{ mid(0) }}
effect Go {{ go(2) }}
site asking {{ handles B clause B ask tail ask_one }}
function ask_one params 1 self clause {{ LOAD_INT r1, 1 RET r1 }}
function main {{
  LOAD_INT r0, 0
  STORE_GLOBAL r0, defers
  LOAD_UNIT r1
  HANDLE r2, r1, r3, asking -> out
  CALL r3, steps ()
  HANDLE_END r2
  LOAD_GLOBAL r4, defers
  LOAD_INT r5, 10000000
  MUL r4, r4, r5
  ADD r3, r3, r4
out:
  RET r3
}}
function steps {{
{}
}}
)",
                     multi ? "multi " : "", steps) +
         rest;
}

inline std::string text_of(const Case& c) {
  std::string steps =
      fmt::format("  LOAD_INT r0, {}\n  LOAD_INT r1, {}\n  CALL r2, run (r0, r1)\n", c.levels, c.depth);
  if (c.use == Use::Later)
    steps +=
        "  LOAD_INT r3, 11\n  CALL r2, resume1 (r2, r3)\n  LOAD_INT r3, 21\n  CALL r2, resume1 (r2, r3)\n";
  steps += "  RET r2";
  bool asks = c.kind != Kind::TailPlain && !captures(c.kind) && !(c.named && c.kind == Kind::Tail);
  const std::string& value = asks ? kAddAsked : kAddCapture;
  std::string rest = body_function(c.named) + nest_functions(c.wrap) +
                     clause_function("clause", c.kind, c.use, value) +
                     handler_function("run", "clause", c.kind, c.named, c.lands_elsewhere, "nest");
  if (c.use == Use::Later) rest += resume_function(c.from);
  // The parts that this case has no use for would leave their sites without an instruction; all are used.
  return program(rest, steps, c.kind == Kind::Multi);
}

inline std::string expected(const Case& c) {
  int64_t defers = c.wrap == Wrap::Defer ? c.levels : 0;
  int64_t value = 0;
  switch (c.use) {
    case Use::AtOnce:
      value = body_value(c, 11, 21) + 5000;
      break;
    case Use::NotTail:
      value = body_value(c, 11, 21) + 5000 + 6;
      break;
    case Use::Twice:
      if (c.kind == Kind::Once) return "panic: continuation already resumed";
      for (int a : {11, 12})
        for (int b : {21, 22}) value += body_value(c, a, b) + 5000;
      defers *= 4;
      break;
    case Use::Never:
    case Use::NeverNow:
      value = 777 + (c.lands_elsewhere && !captures(c.kind) ? 7000 : 0);
      break;
    case Use::Later: {
      int64_t asked = c.from == From::OtherHandler ? 2 : 1;
      value = body_value(c, 11, 21, asked, asked) + 5000;
      break;
    }
  }
  return std::to_string(value + defers * 10000000);
}

}  // namespace eddy::test::handlers
