#include "vm/builder.h"

#include <gtest/gtest.h>

#include "vm/verifier.h"

namespace eddy::vm {
namespace {

FunctionData built(FunctionBuilder& b) {
  std::vector<SiteData> sites(4);
  return b.build(sites);
}
std::string judged(FunctionData f) {
  Module m;
  m.functions.push_back(std::move(f));
  auto error = verify(m, [](std::string_view) { return -1; });
  return error ? to_string(*error, m) : "";
}

TEST(Builder, RegistersAreReused) {
  FunctionBuilder b("f");
  Reg x = b.take(), y = b.take();
  b.give(x);
  EXPECT_EQ(b.take(), x);
  Reg pair = b.take_pair();
  EXPECT_EQ(pair.index, 2u);
  b.give(y);
  b.give({3, false});
  EXPECT_EQ(b.take().index, 1u);
  EXPECT_EQ(b.take_pair().index, 3u) << "a pair may begin with the last free one";
  b.emit(Op::RET_UNIT);
  EXPECT_EQ(built(b).tagged, 5);
}

TEST(Builder, RawRegistersFollowTaggedOnes) {
  FunctionBuilder b("f");
  Reg f0 = b.take(true), r0 = b.take(), f1 = b.take(true), r1 = b.take();
  b.emit(Op::LOAD_FLOAT, {f0, 0});
  b.emit(Op::FADD, {f1, f0, f0});
  b.emit(Op::BOX, {r1, f1});
  b.emit(Op::MOVE, {r0, r1});
  b.emit(Op::RET, {r0});
  FunctionData f = built(b);
  EXPECT_EQ(f.tagged, 2);
  EXPECT_EQ(f.raw, 2);
  EXPECT_EQ(f.code[2], encode(Op::FADD, 3, 2, 2));
  EXPECT_EQ(judged(f), "");
}

TEST(Builder, ListsAndTables) {
  FunctionBuilder b("f");
  std::vector<Reg> regs;
  for (int i = 0; i < 5; ++i) regs.push_back(b.take());
  b.data().params = 5;
  Label a = b.label(), c = b.label();
  b.emit(Op::MAKE_ARRAY, {regs[0]}, regs);
  b.emit_switch(regs[0], 5, std::vector<Label>{a, c, a});
  b.bind(a);
  b.emit(Op::RET, {regs[0]});
  b.bind(c);
  b.emit(Op::RET, {regs[1]});
  FunctionData f = built(b);
  EXPECT_EQ(b_of(f.code[0]), 5u);
  EXPECT_EQ(list_item(&f.code[1], 4), 4u);
  EXPECT_EQ(b_of(f.code[3]), 3u);
  EXPECT_EQ(switch_item(&f.code[4], 0), 3);
  EXPECT_EQ(switch_item(&f.code[4], 1), 4);
  EXPECT_EQ(switch_item(&f.code[4], 2), 3);
}

TEST(Builder, PositionsAndTargets) {
  FunctionBuilder b("f");
  Reg x = b.take();
  b.data().params = 1;
  Label end = b.label();
  b.position(0, 1, 1);
  b.position(0, 2, 5);
  b.emit(Op::LOAD_K, {x, 0});
  b.position(0, 3, 1);
  b.bind(end);
  b.emit(Op::RET, {x});
  b.site_target(2, end);
  std::vector<SiteData> sites(4);
  FunctionData f = b.build(sites);
  EXPECT_EQ(f.positions, (std::vector<PositionData>{{0, 0, 2, 5}, {2, 0, 3, 1}}));
  EXPECT_EQ(sites[2].target, 2u);
}

// Nothing is emitted where nothing arrives.
TEST(Builder, KnowsWhatIsReachable) {
  FunctionBuilder b("f");
  Reg x = b.take();
  b.data().params = 1;
  Label unused = b.label(), used = b.label();
  EXPECT_TRUE(b.reachable());
  b.emit(Op::JT, {x, used});
  b.emit(Op::RET_UNIT);
  EXPECT_FALSE(b.reachable());
  b.emit(Op::PANIC, {x});
  b.bind(unused);
  EXPECT_FALSE(b.reachable());
  b.emit(Op::PANIC, {x});
  b.bind(used);
  EXPECT_TRUE(b.reachable());
  b.emit(Op::RET, {x});
  EXPECT_EQ(built(b).code,
            (std::vector<Word>{encode_d(Op::JT, 0, 2), encode(Op::RET_UNIT), encode(Op::RET, 0)}));
}

// A conditional jump reaches 32767 words; beyond, it becomes a jump over a long one, at both ends of loops
// too.
TEST(Builder, FarJumps) {
  for (int distance : {32760, 32766, 32767, 32768, 70000}) {
    FunctionBuilder b("f");
    Reg n = b.take(), x = b.take();
    b.data().params = 1;
    Label head = b.label(), end = b.label();
    b.emit(Op::LOAD_INT, {x, 0});
    b.bind(head);
    b.emit(Op::JLE_I, {n, 0, end});
    for (int i = 0; i < distance - 2; ++i) b.emit(Op::MOVE, {x, n});
    b.emit(Op::LOOP, {head});
    b.bind(end);
    b.emit(Op::RET, {x});
    FunctionData f = built(b);
    EXPECT_EQ(judged(f), "") << distance;
    EXPECT_EQ(op_of(f.code.back()), Op::RET);
    int64_t jump = ci_of(f.code[1]);
    uint32_t at = 1 + static_cast<uint32_t>(jump);
    if (op_of(f.code[at]) == Op::JMP) at += static_cast<uint32_t>(d_of(f.code[at]));
    EXPECT_EQ(at, f.code.size() - 1) << distance;
  }
}

}  // namespace
}  // namespace eddy::vm
