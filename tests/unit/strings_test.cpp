// UTF-8 and the functions under the String natives.
#include "runtime/strings.h"

#include <random>

#include "runtime/unicode.h"
#include "runtime/utf8.h"
#include "tests/unit/runtime_fixture.h"

namespace eddy::rt {
namespace {

TEST(Utf8, EveryScalarValueRoundTrips) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (!is_scalar_value(code)) continue;
    char bytes[4];
    unsigned length = utf8_encode(code, bytes);
    ASSERT_EQ(length, utf8_length(code));
    ASSERT_EQ(length, utf8_advance(bytes[0]));
    ASSERT_TRUE(valid_utf8({bytes, length}));
    for (unsigned cut = 1; cut < length; ++cut) ASSERT_FALSE(valid_utf8({bytes, cut}));
    const char* p = bytes;
    ASSERT_EQ(utf8_decode(p), code);
    ASSERT_EQ(p, bytes + length);
  }
}

TEST(Utf8, IllFormedSequences) {
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                          "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "abc\xc3(", "12345678\xff" "12345678"})
    EXPECT_FALSE(valid_utf8(bad)) << bad;
}

TEST(Utf8, Repair) {
  EXPECT_EQ(repair_utf8("plain é"), "plain é");
  EXPECT_EQ(repair_utf8("a\xff" "b"), "a\ufffdb");
  EXPECT_EQ(repair_utf8("\xe2\x82"), "\ufffd");          // one cut-off character: one replacement
  EXPECT_EQ(repair_utf8("\xe2\x82x"), "\ufffdx");
  EXPECT_EQ(repair_utf8("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");  // a surrogate is no prefix of anything
  EXPECT_EQ(repair_utf8("\xf0\x9f\x98\xf0\x9f\x98\x80"), "\ufffd😀");
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes;
    for (unsigned n = random() % 12; n > 0; --n) bytes += static_cast<char>(random() % 3 ? 0x80 + random() % 128 : random() % 128);
    std::string repaired = repair_utf8(bytes);
    ASSERT_TRUE(valid_utf8(repaired));
    if (valid_utf8(bytes)) {
      ASSERT_EQ(repaired, bytes);
    }
  }
}

TEST(Unicode, CaseMappingIsConsistent) {
  for (uint32_t code = 0; code <= 0x10ffff; ++code) {
    if (!is_scalar_value(code)) continue;
    ASSERT_TRUE(is_scalar_value(to_upper(code)) && is_scalar_value(to_lower(code)));
    ASSERT_EQ(to_upper(to_upper(code)), to_upper(code)) << code;
    ASSERT_EQ(to_lower(to_lower(code)), to_lower(code)) << code;
    ASSERT_FALSE(is_upper(code) && is_lower(code));
    if (is_upper(code) || is_lower(code)) {
      ASSERT_TRUE(is_letter(code)) << code;
    }
  }
  EXPECT_EQ(to_upper(0x3b1), 0x391u);     // α
  EXPECT_EQ(to_lower(0x130), 0x69u);      // İ
  EXPECT_EQ(to_upper(0x10428), 0x10400u); // Deseret
  EXPECT_EQ(to_upper(0x101), 0x100u);     // ā
  EXPECT_EQ(to_upper(0x100), 0x100u);
}

class StringsTest : public RuntimeTest {};

TEST_P(StringsTest, PositionsThereAndBack) {
  std::mt19937 random(11);
  std::string text;
  std::vector<uint32_t> starts;
  for (int i = 0; i < 500; ++i) {
    starts.push_back(static_cast<uint32_t>(text.size()));
    append_utf8(text, random() % 3 ? 'a' + random() % 26 : random() % 2 ? 0x400 + random() % 64 : 0x1f600 + random() % 64);
  }
  Root s(ctx, new_string(ctx, text));
  EXPECT_EQ(string_length(s.value), 500u);
  EXPECT_FALSE(is_ascii(s.value));
  for (int i = 0; i < 3000; ++i) {
    uint32_t index = random() % 500;
    ASSERT_EQ(byte_position(ctx, s.value, index), starts[index]);
    index = random() % 500;
    ASSERT_EQ(char_position(ctx, s.value, starts[index]), index);
    if (i % 97 == 0) world.heap.collect_minor();
  }
  EXPECT_EQ(byte_position(ctx, s.value, 500), text.size());
}

TEST_P(StringsTest, HashAndLengthAreCached) {
  Make two(this);
  two.text("日本語").text("日本").text("語");
  Value joined = string_concat(ctx, &two.values[1], &two.values[2]);
  EXPECT_EQ(string_length(joined), 3u);
  EXPECT_EQ(string_hash(joined), string_hash(two.values[0]));
  EXPECT_NE(string_hash(two.values[1]), string_hash(two.values[2]));
  // With both lengths known, the sum is too.
  joined = string_concat(ctx, &two.values[0], &two.values[1]);
  string_length(two.values[0]);
  string_length(two.values[1]);
  joined = string_concat(ctx, &two.values[0], &two.values[1]);
  EXPECT_EQ(as<String>(joined)->chars, 6u);
}

TEST_P(StringsTest, SubstringOfItself) {
  Root s(ctx, new_string(ctx, "hello"));
  EXPECT_EQ(substring(ctx, &s.value, 0, 5), s.value);
  string_length(s.value);
  Value part = substring(ctx, &s.value, 1, 3);
  EXPECT_EQ(string_view_of(part), "el");
  EXPECT_EQ(as<String>(part)->chars, 3u);
}

RUNTIME_TESTS(StringsTest);

}  // namespace
}  // namespace eddy::rt
