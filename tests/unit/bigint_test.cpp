// Ints against GMP's own signed numbers, around the edges of small integers and of limbs, and at random.
#include <gmp.h>

#include <random>

#include "tests/unit/runtime_fixture.h"

namespace eddy::rt {
namespace {

class Mpz {
 public:
  Mpz() { mpz_init(n); }
  explicit Mpz(const std::string& digits) { mpz_init_set_str(n, digits.c_str(), 10); }
  ~Mpz() { mpz_clear(n); }
  Mpz(const Mpz&) = delete;
  std::string text(int base = 10) const {
    char* s = mpz_get_str(nullptr, base, n);
    std::string out = s;
    free(s);
    return out;
  }
  mpz_t n;
};

class BigIntTest : public RuntimeTest {
 protected:
  Value parse(const std::string& digits) {
    Value v = kNull;
    EXPECT_TRUE(int_parse(ctx, digits, 10, false, &v)) << digits;
    return v;
  }
  std::string text(Value v) {
    if (v == kNull) return "panic: " + panic_text();
    // Whatever fits must be small.
    if (!v.is_small()) {
      const BigInt* b = as<BigInt>(v);
      EXPECT_GT(b->count(), 0u);
      EXPECT_NE(b->limbs[b->count() - 1], 0u);
      if (b->count() == 1) {
        EXPECT_GT(b->limbs[0], static_cast<uint64_t>(kSmallMax) + (b->negative() ? 1 : 0));
      }
    }
    return int_to_string(v);
  }

  std::vector<std::string> edges() {
    std::vector<std::string> out = {"0", "1", "-1", "2", "-2", "3", "10", "-10", "1000000007"};
    for (unsigned bits : {31u, 32u, 61u, 62u, 63u, 64u, 65u, 126u, 127u, 128u, 192u}) {
      for (int delta = -2; delta <= 2; ++delta) {
        Mpz p;
        mpz_setbit(p.n, bits);
        if (delta < 0) {
          mpz_sub_ui(p.n, p.n, static_cast<unsigned long>(-delta));
        } else {
          mpz_add_ui(p.n, p.n, static_cast<unsigned long>(delta));
        }
        out.push_back(p.text());
        out.push_back("-" + p.text());
      }
    }
    return out;
  }

  std::string random_number(std::mt19937_64& random, unsigned max_bits) {
    Mpz n;
    unsigned bits = 1 + random() % max_bits;
    for (unsigned i = 0; i < bits; ++i)
      if (random() & 1) mpz_setbit(n.n, i);
    // Runs of ones and zeros find more carries.
    if (random() % 3 == 0) {
      mpz_setbit(n.n, bits);
      mpz_sub_ui(n.n, n.n, random() % 3);
    }
    if (random() & 1) mpz_neg(n.n, n.n);
    return n.text();
  }

  void check_pair(const std::string& x, const std::string& y) {
    SCOPED_TRACE(x + " and " + y);
    Mpz a(x), b(y), c;
    Root va(ctx, parse(x)), vb(ctx, kNull);
    vb.value = parse(y);
    ASSERT_EQ(text(va.value), x);
    mpz_add(c.n, a.n, b.n);
    ASSERT_EQ(text(int_add(ctx, va.value, vb.value)), c.text());
    mpz_sub(c.n, a.n, b.n);
    ASSERT_EQ(text(int_sub(ctx, va.value, vb.value)), c.text());
    mpz_mul(c.n, a.n, b.n);
    ASSERT_EQ(text(int_mul(ctx, va.value, vb.value)), c.text());
    if (mpz_sgn(b.n)) {
      mpz_tdiv_q(c.n, a.n, b.n);
      ASSERT_EQ(text(int_div(ctx, va.value, vb.value)), c.text());
      mpz_tdiv_r(c.n, a.n, b.n);
      ASSERT_EQ(text(int_rem(ctx, va.value, vb.value)), c.text());
    } else {
      ASSERT_EQ(text(int_div(ctx, va.value, vb.value)), "panic: division by zero");
      ASSERT_EQ(text(int_rem(ctx, va.value, vb.value)), "panic: division by zero");
    }
    mpz_and(c.n, a.n, b.n);
    ASSERT_EQ(text(int_and(ctx, va.value, vb.value)), c.text());
    mpz_ior(c.n, a.n, b.n);
    ASSERT_EQ(text(int_or(ctx, va.value, vb.value)), c.text());
    mpz_xor(c.n, a.n, b.n);
    ASSERT_EQ(text(int_xor(ctx, va.value, vb.value)), c.text());
    mpz_gcd(c.n, a.n, b.n);
    ASSERT_EQ(text(int_gcd(ctx, va.value, vb.value)), c.text());
    int order = mpz_cmp(a.n, b.n);
    ASSERT_EQ(int_compare(va.value, vb.value), order < 0 ? -1 : order > 0);
    ASSERT_EQ(int_equal(va.value, vb.value), order == 0);
  }

  void check_one(const std::string& x) {
    SCOPED_TRACE(x);
    Mpz a(x), c;
    Root v(ctx, parse(x));
    mpz_neg(c.n, a.n);
    ASSERT_EQ(text(int_neg(ctx, v.value)), c.text());
    mpz_abs(c.n, a.n);
    ASSERT_EQ(text(int_abs(ctx, v.value)), c.text());
    for (unsigned long shift : {0ul, 1ul, 7ul, 31ul, 61ul, 62ul, 63ul, 64ul, 65ul, 128ul, 200ul}) {
      mpz_mul_2exp(c.n, a.n, shift);
      ASSERT_EQ(text(int_shl(ctx, v.value, small_int(static_cast<int64_t>(shift)))), c.text()) << shift;
      ASSERT_EQ(text(int_shr(ctx, v.value, small_int(-static_cast<int64_t>(shift)))), c.text()) << shift;
      mpz_fdiv_q_2exp(c.n, a.n, shift);
      ASSERT_EQ(text(int_shr(ctx, v.value, small_int(static_cast<int64_t>(shift)))), c.text()) << shift;
      ASSERT_EQ(text(int_shl(ctx, v.value, small_int(-static_cast<int64_t>(shift)))), c.text()) << shift;
    }
    for (int base : {2, 3, 7, 10, 16, 36}) {
      std::string digits = a.text(base);
      ASSERT_EQ(int_to_string(v.value, static_cast<unsigned>(base)), digits);
      Value back = kNull;
      ASSERT_TRUE(int_parse(ctx, digits, static_cast<unsigned>(base), false, &back));
      ASSERT_TRUE(int_equal(back, v.value));
      ASSERT_EQ(int_hash(back), int_hash(v.value));
    }
    bool negative = mpz_sgn(a.n) < 0;
    if (negative) mpz_com(c.n, a.n); else mpz_set(c.n, a.n);
    ASSERT_EQ(text(int_bit_count(ctx, v.value)), std::to_string(mpz_popcount(c.n)));
    ASSERT_EQ(text(int_bit_length(ctx, v.value)), std::to_string(mpz_sgn(c.n) ? mpz_sizeinbase(c.n, 2) : 0));
    if (!negative) {
      mpz_sqrt(c.n, a.n);
      ASSERT_EQ(text(int_sqrt(ctx, v.value)), c.text());
    }
    for (unsigned long exponent : {0ul, 1ul, 2ul, 3ul, 10ul, 17ul}) {
      mpz_pow_ui(c.n, a.n, exponent);
      ASSERT_EQ(text(int_pow(ctx, v.value, small_int(static_cast<int64_t>(exponent)))), c.text()) << exponent;
    }
  }
};

TEST_P(BigIntTest, Edges) {
  auto numbers = edges();
  for (const auto& x : numbers) check_one(x);
  for (size_t i = 0; i < numbers.size(); i += stressed() ? 5 : 1)
    for (const auto& y : numbers) check_pair(numbers[i], y);
}

TEST_P(BigIntTest, Random) {
  std::mt19937_64 random(20240607);
  int rounds = stressed() ? 60 : 2000;
  for (int i = 0; i < rounds; ++i) {
    unsigned bits = i % 10 == 0 ? 20000 : i % 3 == 0 ? 700 : 150;
    std::string x = random_number(random, bits), y = random_number(random, random() % 2 ? bits : 130);
    check_pair(x, y);
    if (HasFatalFailure()) return;
    if (i % 8 == 0) check_one(x);
    if (HasFatalFailure()) return;
  }
}

TEST_P(BigIntTest, SquaresOfOneOperand) {
  Root v(ctx, parse("123456789012345678901234567890"));
  EXPECT_EQ(text(int_mul(ctx, v.value, v.value)), "15241578753238836750495351562536198787501905199875019052100");
  EXPECT_EQ(text(int_sub(ctx, v.value, v.value)), "0");
}

TEST_P(BigIntTest, Doubles) {
  for (const auto& x : edges()) {
    Value v = parse(x);
    EXPECT_EQ(int_to_double(v), std::strtod(x.c_str(), nullptr)) << x;
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < (stressed() ? 100 : 3000); ++i) {
    std::string x = random_number(random, 1100);
    double expected = std::strtod(x.c_str(), nullptr);
    EXPECT_EQ(int_to_double(parse(x)), expected) << x;
    if (std::isfinite(expected)) {
      Mpz whole;
      mpz_set_d(whole.n, expected);
      EXPECT_EQ(text(int_from_double(ctx, expected)), whole.text());
    }
  }
  EXPECT_EQ(text(int_from_double(ctx, -0.99)), "0");
  EXPECT_EQ(text(int_from_double(ctx, 1e18)), "1000000000000000000");
  EXPECT_EQ(text(int_from_double(ctx, 0x1p62)), "4611686018427387904");
  EXPECT_EQ(text(int_from_double(ctx, -0x1p62)), "-4611686018427387904");
  Mpz largest;
  mpz_set_d(largest.n, 1.7976931348623157e308);
  EXPECT_EQ(text(int_from_double(ctx, 1.7976931348623157e308)), largest.text());
  EXPECT_EQ(int_from_double(ctx, std::nan("")), kNull);
  EXPECT_EQ(int_from_double(ctx, HUGE_VAL), kNull);
}

TEST_P(BigIntTest, Parsing) {
  Value v = kNull;
  for (const char* bad : {"", "-", "+", "_1", "1_", "1__2", "12a", " 1", "1 ", "0x10", "--1", "+-1", "12345678901234567890x"})
    EXPECT_FALSE(int_parse(ctx, bad, 10, true, &v)) << bad;
  EXPECT_FALSE(int_parse(ctx, "1_000", 10, false, &v));
  EXPECT_TRUE(int_parse(ctx, "1_000", 10, true, &v));
  EXPECT_EQ(text(v), "1000");
  EXPECT_TRUE(int_parse(ctx, "-1_000_000_000_000_000_000_000", 10, true, &v));
  EXPECT_EQ(text(v), "-1000000000000000000000");
  EXPECT_TRUE(int_parse(ctx, "+00000000000000000000000000000012", 10, false, &v));
  EXPECT_EQ(v, small_int(12));
  EXPECT_TRUE(int_parse(ctx, "-0", 10, false, &v));
  EXPECT_EQ(v, small_int(0));
  EXPECT_TRUE(int_parse(ctx, "zZzZzZzZzZzZz", 36, false, &v));
  EXPECT_EQ(text(v), "170581728179578208255");
  EXPECT_FALSE(int_parse(ctx, "12", 2, false, &v));
}

TEST_P(BigIntTest, LongDecimals) {
  std::string digits = "7";
  while (digits.size() < 5000) digits += std::to_string(digits.size() * 31);
  EXPECT_EQ(text(parse(digits)), digits);
}

TEST_P(BigIntTest, OtherOperandsPanic) {
  Root text(ctx, new_string(ctx, "one"));
  for (auto* op : {int_add, int_sub, int_mul, int_div, int_rem, int_and, int_or, int_xor, int_shl, int_shr, int_pow, int_gcd}) {
    EXPECT_EQ(op(ctx, text.value, small_int(1)), kNull);
    EXPECT_EQ(panic_text(), "expected an Int");
    EXPECT_EQ(op(ctx, small_int(1), kUnit), kNull);
    EXPECT_EQ(panic_text(), "expected an Int");
  }
  for (auto* op : {int_neg, int_abs, int_sqrt, int_bit_count, int_bit_length}) {
    EXPECT_EQ(op(ctx, kTrue), kNull);
    EXPECT_EQ(panic_text(), "expected an Int");
  }
}

TEST_P(BigIntTest, TooLarge) {
  Root huge(ctx, int_shl(ctx, small_int(1), small_int(100)));
  auto fails = [&](Value v) { return v == kNull && panic_text() == "out of memory"; };
  EXPECT_TRUE(fails(int_shl(ctx, small_int(1), small_int(int64_t{1} << 45))));
  EXPECT_TRUE(fails(int_shl(ctx, small_int(-1), huge.value)));
  EXPECT_TRUE(fails(int_shr(ctx, small_int(1), small_int(kSmallMin))));
  EXPECT_TRUE(fails(int_pow(ctx, small_int(3), small_int(kSmallMax))));
  EXPECT_TRUE(fails(int_pow(ctx, small_int(2), huge.value)));
  EXPECT_TRUE(fails(int_pow(ctx, huge.value, small_int(int64_t{1} << 40))));
  EXPECT_EQ(int_shl(ctx, small_int(0), huge.value), small_int(0));
  EXPECT_EQ(int_shr(ctx, small_int(5), huge.value), small_int(0));
  EXPECT_EQ(int_shr(ctx, small_int(-5), huge.value), small_int(-1));
  EXPECT_EQ(int_pow(ctx, small_int(1), huge.value), small_int(1));
  EXPECT_EQ(int_pow(ctx, small_int(-1), huge.value), small_int(1));
  EXPECT_EQ(int_pow(ctx, small_int(0), huge.value), small_int(0));
  EXPECT_EQ(int_pow(ctx, small_int(2), small_int(-1)), kNull);
  EXPECT_EQ(panic_text(), "negative exponent");
}

RUNTIME_TESTS(BigIntTest);

}  // namespace
}  // namespace eddy::rt
