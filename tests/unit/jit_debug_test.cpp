// What is told of machine code: where its frames end, and which parts of it have names of their own.
#include <gtest/gtest.h>

#include "jit/debug/dwarf.h"
#include "jit/debug/frames.h"
#include "jit/debug/gdb.h"
#include "runtime/context.h"

namespace eddy::jit::debug {
namespace {

// Frames are followed in code for the host.
#if defined(__x86_64__)
std::vector<std::pair<uint32_t, int32_t>> moves(std::vector<uint8_t> code, std::vector<Entry> entries) {
  std::vector<std::pair<uint32_t, int32_t>> out;
  for (const FrameMove& m : follow_frames(code.data(), code.size(), entries))
    out.push_back({m.offset, m.cfa});
  return out;
}
using Moves = std::vector<std::pair<uint32_t, int32_t>>;

TEST(JitDebugFrames, CountsTheStackPointer) {
  // sub rsp,16; push rax; add rsp,24; ret
  EXPECT_EQ(moves({0x48, 0x83, 0xec, 0x10, 0x50, 0x48, 0x83, 0xc4, 0x18, 0xc3}, {{0, 8}}),
            (Moves{{0, 8}, {4, 24}, {5, 32}, {9, 8}}));
}

TEST(JitDebugFrames, FollowsJumpsNotTheText) {
  // sub rsp,16; je +5; add rsp,16; ret; nop (the jump's target, with the frame still there); add rsp,16; ret
  EXPECT_EQ(moves({0x48, 0x83, 0xec, 0x10, 0x74, 0x05, 0x48, 0x83, 0xc4, 0x10, 0xc3, 0x90, 0x48, 0x83, 0xc4,
                   0x10, 0xc3},
                  {{0, 8}}),
            (Moves{{0, 8}, {4, 24}, {10, 8}, {11, 24}, {16, 8}}));
}

TEST(JitDebugFrames, TakesEveryEntry) {
  // ret; push rax; ret: entered twice
  EXPECT_EQ(moves({0xc3, 0x50, 0xc3}, {{0, 8}, {1, 40}}), (Moves{{0, 8}, {1, 40}, {2, 48}}));
}

TEST(JitDebugFrames, ComesBackToAPushedAddress) {
  // lea rax,[rip+4]; push rax; jmp +1 (elsewhere); int3; nop: the address that was pushed
  EXPECT_EQ(moves({0x48, 0x8d, 0x05, 0x04, 0, 0, 0, 0x50, 0xeb, 0x7f, 0xcc, 0x90}, {{0, 24}}),
            (Moves{{0, 24}, {8, 32}, {11, 24}}));
}

TEST(JitDebugFrames, KnowsTheHostsStack) {
  // mov rsp,[r15+host_sp]; sub rsp,8: what called is on the fiber, wherever the stack pointer goes
  auto offset = static_cast<uint32_t>(offsetof(rt::Context, host_sp));
  std::vector<uint8_t> code{0x49, 0x8b, 0xa7, 0, 0, 0, 0, 0x48, 0x83, 0xec, 0x08, 0xc3};
  std::memcpy(code.data() + 3, &offset, 4);
  EXPECT_EQ(moves(code, {{0, 8}}), (Moves{{0, 8}, {7, kSavedOnFiber}}));
}

TEST(JitDebugFrames, SurvivesWhatIsNoCode) {
  EXPECT_EQ(moves({0x06, 0x06, 0x06}, {{0, 8}}), (Moves{{0, 8}}));
  EXPECT_EQ(moves({}, {{0, 8}}), Moves{});
  EXPECT_EQ(moves({0xc3}, {{7, 8}}), Moves{});
}

#endif

TEST(JitDebugObject, IsAnElfFileOfThatCode) {
  static const uint8_t code[] = {0x48, 0x83, 0xec, 0x10, 0xc3};
  CodeRegion region;
  region.name = "a name";
  region.code = code;
  region.size = sizeof code;
  region.moves = {{0, 8}, {4, 24}};
  Bytes file = object_file(region);
  std::string text(reinterpret_cast<const char*>(file.data().data()), file.size());
  EXPECT_EQ(text.substr(0, 4),
            "\x7f"
            "ELF");
  for (const char* part : {"a name", ".text", ".symtab", ".eh_frame"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  EXPECT_EQ(text.find(".debug_line"), std::string::npos);
}

TEST(JitDebugPieces, AreOneWithoutInlinedClauses) {
  CodeRegion region;
  region.name = "stub";
  region.size = 10;
  std::vector<Piece> pieces = pieces_of(region);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].name, "stub");
  EXPECT_EQ(pieces[0].end, 10u);
}

TEST(JitDebugBytes, WriteNumbersOfAnyLength) {
  Bytes b;
  b.uleb(624485);
  b.sleb(-123456);
  b.sleb(63);
  b.sleb(64);
  b.sleb(-1);
  EXPECT_EQ(b.data(), (std::vector<uint8_t>{0xe5, 0x8e, 0x26, 0xc0, 0xbb, 0x78, 0x3f, 0xc0, 0x00, 0x7f}));
}

}  // namespace
}  // namespace eddy::jit::debug
