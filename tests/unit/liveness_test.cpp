#include "vm/liveness.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "vm/builder.h"

namespace eddy::vm {
namespace {

using Registers = std::vector<unsigned>;

// A function under test; `sites[X].target` answers for handlers.
struct Subject {
  std::vector<SiteData> sites{4};
  FunctionData function;
  std::vector<uint32_t> at;  // word of each instruction

  explicit Subject(FunctionBuilder& b) {
    function = b.build(sites);
    for (uint32_t pc = 0; pc < function.code.size(); pc += length_of(function.code[pc])) at.push_back(pc);
  }
  Liveness liveness() {
    return Liveness(function.code, function.tagged, [this](const Word* pc) { return sites[pc[1]].target; });
  }
  Registers live(unsigned instruction, int destination = Liveness::kInPlace) {
    Liveness l = liveness();
    std::span<const uint16_t> r = l.live_at(at[instruction], destination);
    return {r.begin(), r.end()};
  }
};

TEST(Liveness, StraightLine) {
  FunctionBuilder b("f");
  Reg x = b.take(), y = b.take(), z = b.take();
  b.data().params = 2;
  b.emit(Op::ADD, {z, x, y});
  b.emit(Op::CALL, {y, 0}, std::vector<Reg>{z});
  b.emit(Op::ADD, {x, y, z});
  b.emit(Op::RET, {x});
  Subject s(b);
  EXPECT_EQ(s.live(0), (Registers{0, 1}));
  EXPECT_EQ(s.live(1), (Registers{2}));
  EXPECT_EQ(s.live(2), (Registers{1, 2}));
  EXPECT_EQ(s.live(2, 1), (Registers{2})) << "y waits for the result";
  EXPECT_EQ(s.live(3), (Registers{0}));
}

TEST(Liveness, LoopCarries) {
  FunctionBuilder b("f");
  Reg n = b.take(), sum = b.take(), t = b.take();
  b.data().params = 1;
  Label head = b.label(), done = b.label();
  b.emit(Op::LOAD_INT, {sum, 0});
  b.bind(head);
  b.emit(Op::JLE_I, {n, 0, done});
  b.emit(Op::MOVE, {t, n});
  b.emit(Op::ADD, {sum, sum, t});
  b.emit(Op::SUB_I, {n, n, 1});
  b.emit(Op::LOOP, {head});
  b.bind(done);
  b.emit(Op::RET, {sum});
  Subject s(b);
  EXPECT_EQ(s.live(0), (Registers{0}));
  EXPECT_EQ(s.live(1), (Registers{0, 1}));
  EXPECT_EQ(s.live(3), (Registers{0, 1, 2}));
  EXPECT_EQ(s.live(5), (Registers{0, 1}));
  EXPECT_EQ(s.live(6), (Registers{1}));
}

TEST(Liveness, SwitchTargets) {
  FunctionBuilder b("f");
  Reg v = b.take(), x = b.take(), y = b.take();
  b.data().params = 3;
  Label one = b.label(), two = b.label();
  b.emit_switch(v, 1, std::vector<Label>{one, two});
  b.emit(Op::RET_UNIT);
  b.bind(one);
  b.emit(Op::RET, {x});
  b.bind(two);
  b.emit(Op::RET, {y});
  Subject s(b);
  EXPECT_EQ(s.live(0), (Registers{0, 1, 2}));
  EXPECT_EQ(s.live(1), (Registers{}));
}

// handle { x = f(); y } with an abort that reads x: the old x stays live while f runs.
TEST(Liveness, WhatAnAbortNeedsStaysLive) {
  FunctionBuilder b("f");
  Reg x = b.take(), node = b.take(), unit = b.take(), result = b.take(), other = b.take();
  b.data().params = 1;
  Label out = b.label();
  b.emit(Op::LOAD_UNIT, {unit});
  b.emit(Op::HANDLE, {node, unit, result, 0});
  b.site_target(0, out);
  b.emit(Op::CALL, {x, 0});
  b.emit(Op::CALL, {other, 0});
  b.emit(Op::HANDLE_END, {node});
  b.emit(Op::RET_UNIT);
  b.bind(out);
  b.emit(Op::ADD, {result, result, x});
  b.emit(Op::RET, {result});
  Subject s(b);
  EXPECT_EQ(s.live(1), (Registers{0, 2}));
  EXPECT_EQ(s.live(2), (Registers{0, 1})) << "x and the node, not the delivered result";
  EXPECT_EQ(s.live(3, 0), (Registers{0, 1})) << "x waits for a result, but the abort needs the old one";
  EXPECT_EQ(s.live(4, 4), (Registers{0, 1}));
  EXPECT_EQ(s.live(5), (Registers{}));
  EXPECT_EQ(s.live(6), (Registers{0, 3}));
}

// A record that is never reached by its end (the body loops for ever) still runs when unwound.
TEST(Liveness, RecordSlotsWithoutEnd) {
  FunctionBuilder b("f");
  Reg closure = b.take(), t = b.take_pair(), z = b.take_pair(true), x = b.take();
  b.data().params = 1;
  Label head = b.label();
  b.emit(Op::DEFER, {t, z, closure});
  b.bind(head);
  b.emit(Op::CALL, {x, 0});
  b.emit(Op::LOOP, {head});
  Subject s(b);
  EXPECT_EQ(s.live(0), (Registers{0}));
  EXPECT_EQ(s.live(1), (Registers{1, 2}));
  EXPECT_EQ(s.live(2), (Registers{1, 2}));
}

TEST(Liveness, NestedRegionsKeepOuterTargets) {
  FunctionBuilder b("f");
  Reg a = b.take(), c = b.take(), t1 = b.take_pair(), t2 = b.take_pair(), z1 = b.take_pair(true),
      z2 = b.take_pair(true);
  b.data().params = 2;
  Label outer = b.label(), inner = b.label(), end = b.label();
  b.emit(Op::ATTEMPT, {t1, z1, outer});  // 0
  b.emit(Op::ATTEMPT, {t2, z2, inner});  // 1
  b.emit(Op::CALL, {a, 0});              // 2
  b.emit(Op::ATTEMPT_END, {t2, z2});     // 3
  b.emit(Op::JMP, {end});                // 4
  b.bind(inner);
  b.emit(Op::CALL, {a, 0}, std::vector<Reg>{t2});  // 5
  b.bind(end);
  b.emit(Op::ATTEMPT_END, {t1, z1});  // 6
  b.emit(Op::RET_UNIT);
  b.bind(outer);
  b.emit(Op::RET, {c});
  Subject s(b);
  EXPECT_EQ(s.live(2), (Registers{1, 2, 3, 4, 5}));
  EXPECT_EQ(s.live(4), (Registers{1, 2, 3}));
  EXPECT_EQ(s.live(5), (Registers{1, 2, 3, 4})) << "at the inner target its message has arrived";
  EXPECT_EQ(s.live(8), (Registers{1}));
}

TEST(Liveness, GetUpReadsSelf) {
  FunctionBuilder b("f");
  Reg self = b.take(), x = b.take();
  b.data().params = 1;
  b.data().takes_self = true;
  b.emit(Op::CALL, {x, 0});
  b.emit(Op::GET_UP, {x, 0});
  b.emit(Op::RET, {x});
  Subject s(b);
  EXPECT_EQ(s.live(0), (Registers{self.index}));
  EXPECT_EQ(s.live(2), (Registers{x.index}));
}

TEST(Liveness, LargeFunctionsStayCheap) {
  std::vector<Word> code;
  constexpr unsigned kRegisters = 60000;
  for (unsigned i = 0; i + 1 < kRegisters; ++i) code.push_back(encode(Op::ADD, i + 1, i, i));
  code.push_back(encode(Op::RET, kRegisters - 1));
  Liveness l(code, kRegisters, [](const Word*) { return 0u; });
  for (uint32_t pc = 0; pc + 1 < kRegisters; ++pc) ASSERT_TRUE(l.is_live(pc, pc));

  std::vector<Word> many;  // 50,000 blocks
  for (unsigned i = 0; i < 50000; ++i) {
    many.push_back(encode_d(Op::JT, i % 100, 2));
    many.push_back(encode(Op::MOVE, (i + 1) % 100, i % 100));
  }
  many.push_back(encode(Op::RET, 7));
  Liveness m(many, 100, [](const Word*) { return 0u; });
  EXPECT_TRUE(m.is_live(0, 7));
}

}  // namespace
}  // namespace eddy::vm
