#include "runtime/floats.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace eddy::rt {
namespace {

TEST(Floats, Layout) {
  auto text = [](double d) { return float_to_string(d); };
  EXPECT_EQ(text(0), "0.0");
  EXPECT_EQ(text(-0.0), "-0.0");
  EXPECT_EQ(text(1), "1.0");
  EXPECT_EQ(text(-2.5), "-2.5");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(100000), "100000.0");
  EXPECT_EQ(text(123456.789), "123456.789");
  EXPECT_EQ(text(1e15), "1000000000000000.0");
  EXPECT_EQ(text(9007199254740993.0), "9007199254740992.0");
  EXPECT_EQ(text(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(text(1e16), "1e16");
  EXPECT_EQ(text(1.5e16), "1.5e16");
  EXPECT_EQ(text(-1e100), "-1e100");
  EXPECT_EQ(text(1e-5), "0.00001");
  EXPECT_EQ(text(0.000012), "0.000012");
  EXPECT_EQ(text(9.9e-6), "9.9e-6");
  EXPECT_EQ(text(1.5e-7), "1.5e-7");
  EXPECT_EQ(text(5e-324), "5e-324");
  EXPECT_EQ(text(1.7976931348623157e308), "1.7976931348623157e308");
  EXPECT_EQ(text(std::nan("")), "nan");
  EXPECT_EQ(text(-std::nan("")), "nan");
  EXPECT_EQ(text(HUGE_VAL), "inf");
  EXPECT_EQ(text(-HUGE_VAL), "-inf");
}

TEST(Floats, RoundTrip) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    double d = std::bit_cast<double>(random());
    if (i % 3 == 0) d = static_cast<double>(static_cast<int64_t>(random()) >> (random() % 60)) / 1000;
    if (!std::isfinite(d)) continue;
    double back = 0;
    std::string text = float_to_string(d);
    ASSERT_TRUE(parse_float(text, &back)) << text;
    ASSERT_EQ(std::bit_cast<uint64_t>(back), std::bit_cast<uint64_t>(d)) << text;
    ASSERT_NE(text.find_first_of(".e"), std::string::npos) << text;
  }
}

TEST(Floats, Fixed) {
  EXPECT_EQ(float_to_fixed(3.14159, 2), "3.14");
  EXPECT_EQ(float_to_fixed(2.5, 0), "2");
  EXPECT_EQ(float_to_fixed(-0.001, 2), "-0.00");
  EXPECT_EQ(float_to_fixed(1e22, 1), "10000000000000000000000.0");
  EXPECT_EQ(float_to_fixed(1, 3), "1.000");
  EXPECT_EQ(float_to_fixed(std::nan(""), 3), "nan");
  EXPECT_EQ(float_to_fixed(-HUGE_VAL, 3), "-inf");
  EXPECT_EQ(float_to_fixed(1.7976931348623157e308, 1000).size(), 309u + 1 + 1000);
}

TEST(Floats, Parsing) {
  double d = 0;
  auto parses = [&](const char* text, double expected) {
    EXPECT_TRUE(parse_float(text, &d)) << text;
    EXPECT_EQ(std::bit_cast<uint64_t>(d), std::bit_cast<uint64_t>(expected)) << text;
  };
  parses("1", 1);
  parses("1.5", 1.5);
  parses(".5", 0.5);
  parses("1.", 1);
  parses("+2e-3", 0.002);
  parses("-0", -0.0);
  parses("1E5", 1e5);
  parses("inf", HUGE_VAL);
  parses("-Infinity", -HUGE_VAL);
  parses("1e400", HUGE_VAL);
  parses("-1e400", -HUGE_VAL);
  parses("1e-400", 0.0);
  parses("-1e-99999999999999999999", -0.0);
  parses("1e99999999999999999999", HUGE_VAL);
  EXPECT_TRUE(parse_float("NaN", &d) && std::isnan(d));
  std::string digits(400, '9');
  parses(digits.c_str(), HUGE_VAL);
  parses(("0." + std::string(400, '0') + "1").c_str(), 0.0);
  for (const char* bad : {"", "+", "-", ".", "e5", "1e", "1 ", " 1", "1x", "--1", "+-1", "0x10", "nan(1)", "1_000", "1,5"})
    EXPECT_FALSE(parse_float(bad, &d)) << bad;
}

}  // namespace
}  // namespace eddy::rt
