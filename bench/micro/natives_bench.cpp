// What natives cost by themselves: text, printing, comparing, hashing, big numbers.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

#include "runtime/bigint.h"
#include "runtime/compare.h"
#include "runtime/fiber_pool.h"
#include "runtime/heap.h"
#include "runtime/natives/natives.h"
#include "runtime/natives/state.h"

namespace eddy::rt {
namespace {

struct Machine {
  Context ctx;
  FiberPool fibers{ctx};
  Heap heap{ctx, {}};
  Machine() {
    ctx.fibers = &fibers;
    ctx.heap = &heap;
  }
  Value call(const Native* native, std::initializer_list<Value> arguments) {
    std::copy(arguments.begin(), arguments.end(), ctx.args);
    ctx.args_live = static_cast<unsigned>(arguments.size());
    Value result = native->function(ctx, ctx.args);
    ctx.args_live = 0;
    if (result == kNull) std::abort();
    return result;
  }
  Value text(const char* s) { return new_string(ctx, s); }
  Value pair(Value a, Value b) {
    Value fields[] = {a, b};
    return new_con(ctx, con::tuple(2), fields);
  }
};

// Standard output goes nowhere while this lives.
struct Silence {
  int saved = dup(STDOUT_FILENO);
  Silence() {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    close(null);
  }
  ~Silence() {
    dup2(saved, STDOUT_FILENO);
    close(saved);
  }
};

template <class Make>
void one_argument(benchmark::State& state, const char* name, Make make) {
  Silence silence;
  Machine m;
  const Native* native = find_native(name);
  Root v(m.ctx, make(m));
  for (auto _ : state) benchmark::DoNotOptimize(m.call(native, {v.value}));
}

Value an_int(Machine&) { return small_int(1234567); }
Value a_float(Machine& m) { return new_float(m.ctx, 3.14159); }
Value a_string(Machine& m) { return m.text("hello world"); }
Value a_pair(Machine& m) {
  Root s(m.ctx, a_string(m));
  return m.pair(small_int(1), s.value);
}
BENCHMARK_CAPTURE(one_argument, println_int, "println", an_int);
BENCHMARK_CAPTURE(one_argument, println_string, "println", a_string);
BENCHMARK_CAPTURE(one_argument, println_float, "println", a_float);
BENCHMARK_CAPTURE(one_argument, show_int, "show", an_int);
BENCHMARK_CAPTURE(one_argument, show_float, "show", a_float);
BENCHMARK_CAPTURE(one_argument, show_pair, "show", a_pair);
BENCHMARK_CAPTURE(one_argument, hash_int, "hash", an_int);
BENCHMARK_CAPTURE(one_argument, hash_string, "hash", a_string);
BENCHMARK_CAPTURE(one_argument, hash_pair, "hash", a_pair);
BENCHMARK_CAPTURE(one_argument, sin, "float.sin", a_float);

void concat(benchmark::State& state) {
  Machine m;
  const Native* native = find_native("string.concat");
  Root a(m.ctx, m.text("hello world")), b(m.ctx, kNull);
  b.value = m.text("another string");
  for (auto _ : state) benchmark::DoNotOptimize(m.call(native, {a.value, b.value}));
}
BENCHMARK(concat);

void interpolate(benchmark::State& state) {
  Machine m;
  const Native* native = find_native("string.interpolate");
  Root text(m.ctx, m.text(" and "));
  for (auto _ : state) {
    Value parts = new_array(m.ctx, 3, kUnit);
    as<Array>(parts)->items[0] = small_int(12);
    as<Array>(parts)->items[1] = text.value;
    as<Array>(parts)->items[2] = small_int(345);
    benchmark::DoNotOptimize(m.call(native, {parts}));
  }
}
BENCHMARK(interpolate);

// A character at a time, as a builder does.
void build_string(benchmark::State& state) {
  Machine m;
  const Native* append = find_native("bytes.append_char");
  for (auto _ : state) {
    Root storage(m.ctx, m.call(find_native("bytes.new"), {small_int(16)}));
    for (int64_t i = 0; i < state.range(0); ++i)
      storage.value = m.call(append, {storage.value, small_int(i), char_value('x')});
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(build_string)->Arg(1000)->Arg(1000000);

void index_string(benchmark::State& state) {
  Machine m;
  const Native* native = find_native("string.at");
  std::string text;
  for (int i = 0; i < 10000; ++i) text += state.range(0) ? "é" : "e";
  Root s(m.ctx, new_string(m.ctx, text));
  int64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(m.call(native, {s.value, small_int(i++ % 10000)}));
}
BENCHMARK(index_string)->ArgName("multi_byte")->Arg(0)->Arg(1);

void equal_pairs(benchmark::State& state) {
  Machine m;
  Root a(m.ctx, a_pair(m)), b(m.ctx, kNull);
  b.value = a_pair(m);
  for (auto _ : state) benchmark::DoNotOptimize(equal(m.ctx, a.value, b.value));
}
BENCHMARK(equal_pairs);

void compare_pairs(benchmark::State& state) {
  Machine m;
  Root a(m.ctx, a_pair(m)), b(m.ctx, kNull);
  b.value = a_pair(m);
  for (auto _ : state) benchmark::DoNotOptimize(compare(m.ctx, a.value, b.value));
}
BENCHMARK(compare_pairs);

void sort_strings(benchmark::State& state) {
  Machine m;
  std::vector<Value> items;
  Roots keep(m.ctx, items);
  for (int64_t i = 0; i < state.range(0); ++i) items.push_back(new_string(m.ctx, std::to_string(i * 7919 % state.range(0))));
  Root list(m.ctx, new_list(m.ctx, items));
  for (auto _ : state) {
    Root array(m.ctx, m.call(find_native("array.from_list"), {list.value}));
    m.call(find_native("array.sort"), {array.value});
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sort_strings)->Arg(10000);

template <Value (*Operation)(Context&, Value, Value)>
void big(benchmark::State& state) {
  Machine m;
  Root a(m.ctx, int_pow(m.ctx, small_int(7), small_int(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(Operation(m.ctx, a.value, a.value));
}
BENCHMARK(big<int_add>)->ArgName("power_of_7")->Arg(25)->Arg(100)->Arg(10000);
BENCHMARK(big<int_mul>)->ArgName("power_of_7")->Arg(10)->Arg(25)->Arg(100)->Arg(10000);

}  // namespace
}  // namespace eddy::rt
