// A VM's heap without a program, for tests of what natives are made of. Each test runs plainly and with a
// collection at every allocation.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/bigint.h"
#include "runtime/fiber_pool.h"
#include "runtime/heap.h"
#include "runtime/natives/natives.h"
#include "runtime/show.h"

namespace eddy::rt {

struct World {
  explicit World(HeapOptions options) : fibers(ctx), heap(ctx, options) {
    ctx.fibers = &fibers;
    ctx.heap = &heap;
  }
  Context ctx;
  FiberPool fibers;
  Heap heap;
};

class RuntimeTest : public ::testing::TestWithParam<bool> {
 protected:
  RuntimeTest() : world(options()), ctx(world.ctx) {}
  static HeapOptions options() {
    HeapOptions options;
    if (GetParam()) {
      options.nursery_bytes = 64 << 10;
      options.stress = 1;
      options.verify = true;
    }
    return options;
  }
  bool stressed() const { return GetParam(); }

  // Calls a native the way the interpreter does.
  Value call(const char* name, std::vector<Value> arguments) {
    const Native* native = find_native(name);
    if (!native) {
      ADD_FAILURE() << "no native " << name;
      return kNull;
    }
    EXPECT_EQ(native->arity, arguments.size()) << name;
    std::copy(arguments.begin(), arguments.end(), ctx.args);
    ctx.args_live = static_cast<unsigned>(arguments.size());
    Value result = native->function(ctx, ctx.args);
    ctx.args_live = 0;
    EXPECT_EQ(result == kNull, ctx.panicking || ctx.exiting) << name;
    return result;
  }

  // The panic's message, which it clears; "" where there is none.
  std::string panic_text() {
    if (!ctx.panicking) return "";
    ctx.panicking = false;
    return std::string(string_view_of(ctx.panic_message));
  }

  // What `show` says of a native's result, or its panic.
  std::string show(Value v) {
    if (v == kNull) return "panic: " + panic_text();
    std::string out;
    EXPECT_TRUE(append_show(ctx, out, v));
    return out;
  }
  // Arguments are made one after the other, so each is rooted while the next is made.
  struct Make {
    RuntimeTest* test;
    std::vector<Value> values;
    Roots keep;
    explicit Make(RuntimeTest* t) : test(t), keep(t->ctx, values) {}
    Make& text(std::string_view s) { return add(new_string(test->ctx, s)); }
    Make& number(double d) { return add(new_float(test->ctx, d)); }
    Make& integer(int64_t n) { return add(int_from_i64(test->ctx, n)); }
    Make& value(Value v) { return add(v); }
    Make& digits(std::string_view s) {
      Value v = kNull;
      EXPECT_TRUE(int_parse(test->ctx, s, 10, false, &v));
      return add(v);
    }
    // Gathers the last n values.
    Make& list(size_t n) {
      std::vector<Value> items(values.end() - static_cast<long>(n), values.end());
      Value v = new_list(test->ctx, items);
      values.resize(values.size() - n);
      return add(v);
    }
    Make& con(uint16_t id, size_t n) {
      Value v = new_con(test->ctx, id, std::span(values).last(n));
      values.resize(values.size() - n);
      return add(v);
    }
    Make& array(size_t n) { return list(n).replace("array.from_list"); }
    Make& replace(const char* native) {
      Value v = values.back();
      values.back() = test->call(native, {v});
      return *this;
    }
    Make& add(Value v) {
      values.push_back(v);
      return *this;
    }
  };
  Make make() { return Make(this); }
  std::string shown(const char* native, const Make& arguments) { return show(call(native, arguments.values)); }

  World world;
  Context& ctx;
};

#define RUNTIME_TESTS(Suite)                                                                 \
  INSTANTIATE_TEST_SUITE_P(Heap, Suite, ::testing::Bool(),                                   \
                           [](const auto& info) { return info.param ? "Stress" : "Plain"; }); \
  static_assert(true)

}  // namespace eddy::rt
