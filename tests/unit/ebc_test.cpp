#include "vm/ebc.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/random_module.h"
#include "vm/ebc_format.h"

namespace eddy::vm {
namespace {

void seal(std::vector<uint8_t>& bytes) {
  uint32_t sum = ebc::checksum(std::span(bytes).subspan(ebc::kHeaderSize));
  for (int i = 0; i < 4; ++i) bytes[ebc::kChecksumAt + i] = static_cast<uint8_t>(sum >> (8 * i));
  for (int i = 0; i < 4; ++i) bytes[ebc::kSizeAt + i] = static_cast<uint8_t>(bytes.size() >> (8 * i));
}

TEST(Ebc, EmptyModule) {
  Module m;
  std::vector<uint8_t> bytes = write_ebc(m);
  EXPECT_TRUE(looks_like_ebc(bytes));
  EbcResult r = read_ebc(bytes);
  ASSERT_TRUE(r.module) << r.error;
  EXPECT_EQ(*r.module, m);
}

TEST(Ebc, RandomModulesComeBack) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Module m = test::RandomModule(seed).make();
    std::vector<uint8_t> bytes = write_ebc(m);
    EbcResult r = read_ebc(bytes);
    ASSERT_TRUE(r.module) << seed << ": " << r.error << " at " << r.offset;
    ASSERT_EQ(*r.module, m) << seed;
    ASSERT_EQ(write_ebc(*r.module), bytes) << seed;
  }
}

TEST(Ebc, OtherFilesAreRejected) {
  std::vector<uint8_t> bytes = write_ebc(test::RandomModule(1).make());
  EXPECT_EQ(read_ebc({}).error, "the file is too short");
  auto wrong = bytes;
  wrong[0] = 'e';
  EXPECT_EQ(read_ebc(wrong).error, "this is no module file");
  EXPECT_FALSE(looks_like_ebc(wrong));
  wrong = bytes;
  wrong[6] = 99;
  EXPECT_EQ(read_ebc(wrong).error, "the file has version 99, this program reads version 1");
  wrong = bytes;
  wrong.push_back(0);
  EXPECT_NE(read_ebc(wrong).error.find("says it has"), std::string::npos);
  wrong = bytes;
  wrong.back() ^= 1;
  EXPECT_EQ(read_ebc(wrong).error, "the checksum is wrong: the file is damaged");
}

TEST(Ebc, EveryTruncationIsRejected) {
  std::vector<uint8_t> bytes = write_ebc(test::RandomModule(7).make());
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<long>(n));
    EXPECT_FALSE(read_ebc(cut).module);
    if (n > ebc::kHeaderSize) seal(cut);
    EXPECT_FALSE(read_ebc(cut).module);
  }
}

// Whatever is changed behind a valid checksum is rejected, or read as some other module.
TEST(Ebc, DamageIsSurvived) {
  std::mt19937_64 random(3);
  size_t accepted = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    std::vector<uint8_t> bytes = write_ebc(test::RandomModule(seed % 50).make());
    for (unsigned n = 1 + random() % 3; n > 0; --n)
      bytes[ebc::kHeaderSize + random() % (bytes.size() - ebc::kHeaderSize)] = static_cast<uint8_t>(random());
    seal(bytes);
    EbcResult r = read_ebc(bytes);
    if (r.module) {
      ++accepted;
      EbcResult again = read_ebc(write_ebc(*r.module));
      ASSERT_TRUE(again.module);
      ASSERT_EQ(write_ebc(*again.module), write_ebc(*r.module));
    } else {
      ASSERT_FALSE(r.error.empty());
      ASSERT_LE(r.offset, bytes.size());
    }
  }
  EXPECT_GT(accepted, 100u);
}

// A few bytes must not make the reader fill the memory: counts are compared with what is there, and a long
// string cannot be named again and again.
TEST(Ebc, SmallFilesStaySmall) {
  Module m;
  m.globals.assign(3000, std::string(30000, 'x'));
  std::vector<uint8_t> bytes = write_ebc(m);
  ASSERT_LT(bytes.size(), 50000u);
  EbcResult r = read_ebc(bytes);
  EXPECT_FALSE(r.module);
  EXPECT_EQ(r.error, "section globals: the file's strings are repeated too often");
}

}  // namespace
}  // namespace eddy::vm
