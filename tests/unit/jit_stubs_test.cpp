// The stubs that were written when Eddy was built, and where they go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "jit/codegen/assembled_stubs.h"
#include "jit/codegen/stub_calls.h"
#include "jit/codegen/target.h"
#include "runtime/system_memory.h"

namespace eddy::jit {
namespace {

void nobody(rt::Context*, void*) {}

void compare(const StubImage& image, const AssembledStubs& now) {
  EXPECT_EQ(now.failure, "");
  EXPECT_TRUE(std::ranges::equal(image.code, now.code));
  EXPECT_TRUE(std::ranges::equal(image.entries, now.entries));
  EXPECT_EQ(image.code.size() % sizeof(void*), 0u);  // the addresses stand behind it
}

TEST(JitStubs, AreWhatTheGeneratorsWrite) {
  for (Watch watch : kWatches) {
    compare(x64::stub_image(watch), x64::assemble_stubs(watch));
    compare(a64::stub_image(watch), a64::assemble_stubs(watch));
  }
}

TEST(JitStubs, AreThereWithTheAddressesOfWhatTheyCall) {
  const StubImage& image = a64::stub_image(Watch::Nothing);
  CodeMemory memory(1 << 20);
  memory.take(1);
  std::optional<StubCode> stubs = place_stubs(image, memory, nobody);
  ASSERT_TRUE(stubs);
  ASSERT_EQ(stubs->size, image.code.size());
  EXPECT_EQ(std::memcmp(stubs->code, image.code.data(), stubs->size), 0);
  auto address = [&](StubCall call) {
    void* function;
    std::memcpy(&function, stubs->code + stubs->size + sizeof function * static_cast<size_t>(call), sizeof function);
    return function;
  };
  EXPECT_EQ(address(StubCall::Left), reinterpret_cast<void*>(nobody));
  EXPECT_EQ(address(StubCall::Restore), reinterpret_cast<void*>(stub_calls::restore));
  std::vector<size_t> offsets;
  auto add = [&](auto stub) { offsets.push_back(static_cast<size_t>(reinterpret_cast<const uint8_t*>(stub) - stubs->code)); };
  add(stubs->table.enter);
  stubs->table.for_each(add);
  EXPECT_TRUE(std::ranges::equal(offsets, image.entries));
}

TEST(JitStubs, AreNotThereWithoutMemory) {
  const StubImage& image = a64::stub_image(Watch::Nothing);
  CodeMemory little(64), refused(1 << 20);
  EXPECT_FALSE(place_stubs(image, little, nobody));
  rt::memory::refuse_request(1);
  EXPECT_FALSE(place_stubs(image, refused, nobody));
  rt::memory::refuse_request(0);
}

}  // namespace
}  // namespace eddy::jit
