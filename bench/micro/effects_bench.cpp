// What performing, resuming and handling cost: small programs by kind of clause, by how far away the handler
// is, by how many handlers stand between, interpreted and compiled. An item is one perform (or handle, or
// call).
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "jit/jit.h"
#include "lang/compile.h"
#include "lang/front_end.h"
#include "vm/vm.h"

namespace eddy {
namespace {

enum Tier : int { kInterpreted, kCompiled };

class Program {
 public:
  Program(const std::string& text, Tier tier) : vm_(std::make_unique<vm::Vm>(vm::VmOptions{})) {
    if (tier == kCompiled) {
      jit::Options options;
      options.jit_threshold = 100;
      options.osr_threshold = 400;
      tier_ = jit::attach(*vm_, options);
    }
    lang::FrontEndOptions options;
    options.need_main = true;
    auto compilation = lang::check_text("bench", text, options);
    if (!compilation->ok()) return;
    auto module = lang::compile(*compilation);
    std::string problem;
    if (module) module_ = vm_->load(std::move(*module), &problem);
  }
  ~Program() {
    vm_.reset();  // before its compiler
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  explicit operator bool() const { return module_; }
  bool run(int64_t n) {
    vm_->context().arguments = {std::to_string(n)};
    return vm_->run_main(module_).outcome == vm::Outcome::Finished;
  }

 private:
  std::unique_ptr<vm::Tier> tier_;
  std::unique_ptr<vm::Vm> vm_;
  vm::LoadedModule* module_ = nullptr;
};

constexpr int64_t kRounds = 20000;

void measure(benchmark::State& state, const std::string& text, Tier tier, int64_t rounds = kRounds) {
  Program program(text, tier);
  // Twice first: what is hot is compiled then.
  if (!program || !program.run(rounds) || !program.run(rounds))
    return state.SkipWithError("the program does not run");
  for (auto _ : state) program.run(rounds);
  state.SetItemsProcessed(state.iterations() * rounds);
}

std::string main_with(const std::string& body) {
  return "fn count(args: List<String>): Int => int.parse(args[0]).unwrap()\n"
         "fn main(args: List<String>) {\n  let n = count(args)\n" +
         body + "\n}\n";
}

// --- by kind
std::string clause_program(const std::string& clause, const std::string& operation = "op(x: Int): Int") {
  return "effect E { " + operation +
         " }\nfn work(n: Int): Int { var s = 0; for i in 0..n { s = s + op(i) }; s }\n" +
         main_with("  let r = handle { work(n) } with { " + clause + " }\n  ()");
}

void perform_tail_plain(benchmark::State& s) {
  measure(s, clause_program("op(x) => resume(x)"), Tier(s.range(0)));
}
void perform_tail(benchmark::State& s) {
  measure(s,
          "fn other(x: Int): Int => if x < 0 { panic(\"negative\") } else { x }\n" +
              clause_program("op(x) => resume(other(x))"),
          Tier(s.range(0)));
}
void perform_tail_or_abort(benchmark::State& s) {
  measure(s, clause_program("op(x) => if x < 0 { 0 } else { resume(x) }"), Tier(s.range(0)));
}
void perform_once_in_tail(benchmark::State& s) {
  // Kept in a variable it is no resumption in tail position: the clause captures.
  measure(s, clause_program("op(x) => { let k = resume; k(x) }"), Tier(s.range(0)));
}
void perform_once(benchmark::State& s) {
  measure(s, clause_program("op(x) => { let r = resume(x); r }"), Tier(s.range(0)), 2000);
}
void perform_multi(benchmark::State& s) {
  measure(s, clause_program("op(x) => { let a = resume(x); a }", "multi op(x: Int): Int"), Tier(s.range(0)),
          2000);
}
void perform_multi_twice(benchmark::State& s) {
  // Eleven flips: 2047 performs, 4094 resumptions, half of them on copies.
  std::string text =
      "effect Flip { multi flip(): Bool }\nfn paths(n: Int): Int => if n == 0 { 1 } else { if flip() { "
      "paths(n - 1) } else { paths(n - 1) } }\n" +
      main_with(
          "  let r = handle { paths(11) } with { flip() => resume(true) + resume(false) }\n  n == r\n  ()");
  measure(s, text, Tier(s.range(0)), 2047);
}
void handle_and_abort(benchmark::State& s) {
  std::string text =
      "effect E { op(x: Int): Never }\nfn once(i: Int): Int => handle { op(i) } with { op(x) => x }\n" +
      main_with("  var s = 0\n  for i in 0..n { s = s + once(i) }");
  measure(s, text, Tier(s.range(0)));
}
void generator_step(benchmark::State& s) {
  std::string text =
      "effect Yield { yield(x: Int): Unit }\ntype Gen { Done  More(value: Int, next: fn(Unit): Gen / {}) }\n"
      "fn numbers(n: Int) { for i in 0..n { yield(i) } }\n"
      "fn gen(n: Int): Gen { handle { numbers(n); Done } with { yield(x) => More(x, resume) } }\n"
      "fn sum(a: Int, g: Gen): Int => match g { Done => a  More(x, next) => sum(a + x, next()) }\n" +
      main_with("  let r = sum(0, gen(n))\n  ()");
  measure(s, text, Tier(s.range(0)));
}
#define BY_TIER(name) BENCHMARK(name)->ArgName("compiled")->Arg(kInterpreted)->Arg(kCompiled)
BY_TIER(perform_tail_plain);
BY_TIER(perform_tail);
BY_TIER(perform_tail_or_abort);
BY_TIER(perform_once_in_tail);
BY_TIER(perform_once);
BY_TIER(perform_multi);
BY_TIER(perform_multi_twice);
BY_TIER(handle_and_abort);
BY_TIER(generator_step);

// --- by distance: frames, or handlers, between the perform and its handler
std::string frames_program(int64_t depth, const std::string& clause) {
  return "effect E { op(x: Int): Int }\nfn work(n: Int): Int { var s = 0; for i in 0..n { s = s + op(i) }; s "
         "}\n"
         "fn deep(d: Int, n: Int): Int => if d == 0 { work(n) } else { 1 + deep(d - 1, n) }\n" +
         main_with("  let r = handle { deep(" + std::to_string(depth) + ", n) } with { " + clause +
                   " }\n  ()");
}
void perform_tail_below_frames(benchmark::State& s) {
  measure(s, frames_program(s.range(1), "op(x) => resume(x)"), Tier(s.range(0)));
}
void perform_once_below_frames(benchmark::State& s) {
  measure(s, frames_program(s.range(1), "op(x) => { let r = resume(x); r }"), Tier(s.range(0)), 2000);
}
std::string handlers_program(int64_t count) {
  return "effect E { op(x: Int): Int }\neffect Other { other(): Int }\nfn work(n: Int): Int { var s = 0; for "
         "i in 0..n { s = s + op(i) }; s }\n"
         "fn nest(d: Int, n: Int): Int => if d == 0 { work(n) } else { handle { nest(d - 1, n) } with { "
         "other() => resume(d) } }\n" +
         main_with("  let r = handle { nest(" + std::to_string(count) +
                   ", n) } with { op(x) => resume(x) }\n  ()");
}
void perform_behind_handlers(benchmark::State& s) {
  measure(s, handlers_program(s.range(1)), Tier(s.range(0)));
}
void distances(benchmark::internal::Benchmark* b) {
  b->ArgNames({"compiled", "distance"});
  for (int64_t tier : {kInterpreted, kCompiled})
    for (int64_t distance : {0, 10, 100, 1000}) b->Args({tier, distance});
}
BENCHMARK(perform_tail_below_frames)->Apply(distances);
BENCHMARK(perform_once_below_frames)->Apply(distances);
BENCHMARK(perform_behind_handlers)->Apply(distances);

// --- handling alone
void handle_in_place(benchmark::State& s) {
  std::string text =
      "effect E { op(x: Int): Int }\nfn once(i: Int): Int => handle { i } with { op(x) => resume(x) }\n" +
      main_with("  var s = 0\n  for i in 0..n { s = s + once(i) }");
  measure(s, text, Tier(s.range(0)));
}
void handle_on_a_fiber(benchmark::State& s) {
  std::string text =
      "effect E { op(x: Int): Int }\nfn once(i: Int): Int => handle { i } with { op(x) => { let r = "
      "resume(x); r } }\n" +
      main_with("  var s = 0\n  for i in 0..n { s = s + once(i) }");
  measure(s, text, Tier(s.range(0)));
}
void call(benchmark::State& s) {
  std::string text = "fn once(i: Int, f: fn(Int): Int): Int => f(i)\n" +
                     main_with("  var s = 0\n  for i in 0..n { s = s + once(i, fn(x) { x + 1 }) }");
  measure(s, text, Tier(s.range(0)));
}
BY_TIER(handle_in_place);
BY_TIER(handle_on_a_fiber);
BY_TIER(call);

// --- compiling: a function of so many additions and calls
void compile_time(benchmark::State& state) {
  std::string text = "fn f(a: Int, b: Int): Int {\n  var s = a\n";
  for (int64_t i = 0; i < state.range(0); ++i)
    text += "  s = s + b * " + std::to_string(i) + "\n  if s > a { s = g(s, b) }\n";
  text +=
      "  s\n}\nfn g(a: Int, b: Int): Int => if a == 0 { b } else { g(a - 1, b) }\nfn main() { println(f(1, "
      "2)) }\n";
  lang::FrontEndOptions options;
  options.need_main = true;
  for (auto _ : state) {
    state.PauseTiming();
    auto machine = std::make_unique<vm::Vm>(vm::VmOptions{});
    jit::Options with;
    with.tier = jit::TierMode::Jit;
    auto tier = jit::attach(*machine, with);
    auto compilation = lang::check_text("bench", text, options);
    auto module = lang::compile(*compilation);
    std::string problem;
    vm::LoadedModule* loaded = machine->load(std::move(*module), &problem);
    vm::LoadedFunction* function = nullptr;
    for (vm::LoadedFunction& f : loaded->functions)
      if (f.name == "f") function = &f;
    state.ResumeTiming();
    if (!tier || !function || !jit::compile(*tier, *function)) {
      state.SkipWithError("not compiled");
      break;
    }
    state.PauseTiming();
    machine.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(compile_time)->ArgName("statements")->Arg(10)->Arg(50)->Arg(200);

}  // namespace
}  // namespace eddy
