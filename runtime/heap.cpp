#include "runtime/heap.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/collector.h"
#include "runtime/fiber_pool.h"
#include "runtime/plants.h"
#include "runtime/system_memory.h"

namespace eddy::rt {

namespace {

constexpr uint64_t kFirstMajor = uint64_t{64} << 20;
constexpr uint64_t kSmallPart = 32;  // of the limit
// A nursery that stays in the processor's caches is fast while little survives; where much does, it costs less to
// look for it less often. A large one only where part of it would die, given more time.
constexpr size_t kFirstNursery = size_t{512} << 10, kLargeNursery = size_t{16} << 20, kMostNursery = size_t{32} << 20;
bool wants_more(size_t nursery, uint64_t survived) {
  return survived > nursery / 16 && (nursery < kLargeNursery || survived < nursery / 4 * 3);
}
// An object beyond this size never is in the nursery.
constexpr size_t kMaxYoungBytes = size_t{32} << 10;
// Under stress, so many minor collections for one major.
constexpr uint64_t kStressMajor = 8;

// Where no limit was given: what the machine, or the process's own limit, can hold.
uint64_t default_limit() {
  uint64_t limit =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  rlimit address_space{};
  if (getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur != RLIM_INFINITY)
    limit = std::min<uint64_t>(limit, address_space.rlim_cur / 4 * 3);
  return limit;
}

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace

Heap::Heap(Context& ctx, const HeapOptions& options) : ctx_(ctx), options_(options), impl_(new Impl) {
  constexpr size_t page = 4096;
  impl_->limit = options.max_heap_bytes ? options.max_heap_bytes : default_limit();
  if (options.nursery_bytes) {
    nursery_bytes_ = nursery_most_ = std::max((options.nursery_bytes + page - 1) & ~(page - 1), 16 * page);
  } else {
    nursery_bytes_ = kFirstNursery;
    nursery_most_ = std::clamp<uint64_t>(std::bit_floor(impl_->limit / 8), kFirstNursery, kMostNursery);
  }
  nursery_ = static_cast<char*>(memory::map(nursery_most_));
  if (!nursery_) memory::none_left();
  memory::expect_use(nursery_, nursery_most_);
  impl_->next_major = std::min(kFirstMajor, impl_->limit);
  ctx_.heap = this;
  open_nursery();
}

void Heap::open_nursery() {
  ctx_.alloc_ptr = nursery_;
  // Under stress no allocation is inline.
  ctx_.alloc_limit = options_.stress || options_.fail_at ? nursery_ : nursery_ + nursery_bytes_;
}

void Heap::set_stress(const HeapOptions& options) {
  options_.stress = options.stress;
  options_.verify = options.verify;
  options_.verify_every = options.verify_every;
  impl_->stress_count = 0;
  ctx_.alloc_limit =
      options.stress || minor_requested_ || options_.fail_at ? nursery_ : nursery_ + nursery_bytes_;
}

Heap::~Heap() {
  memory::unmap(nursery_, nursery_most_);
  delete impl_;
  ctx_.alloc_ptr = ctx_.alloc_limit = nullptr;
  if (ctx_.heap == this) ctx_.heap = nullptr;
}

size_t Heap::object_bytes(const Object* object) { return size_of_object(object); }

Object* Heap::allocate_slow(Kind kind, uint32_t count, size_t bytes, uint16_t con) {
  Word header = make_header(kind, count, con);
  if (options_.fail_at && ++impl_->counters.allocations == options_.fail_at) exhausted();
  if (bytes > std::min(kMaxYoungBytes, nursery_bytes_ / 4)) return allocate_large(header, bytes);
  auto room = [&] { return static_cast<size_t>(nursery_ + nursery_bytes_ - ctx_.alloc_ptr) >= bytes; };
  if (options_.stress && ++impl_->stress_count >= options_.stress) {
    impl_->stress_count = 0;
    run(impl_->counters.minor % kStressMajor == kStressMajor - 1);
  } else if (minor_requested_ || !room()) {
    run(false);
  }
  char* p = ctx_.alloc_ptr;
  ctx_.alloc_ptr += bytes;
  auto* object = reinterpret_cast<Object*>(p);
  object->header = header;
  return object;
}

Value Heap::old_float(double value) {
  auto* box = reinterpret_cast<FloatBox*>(impl_->old.allocate(sizeof(FloatBox)));
  box->header = make_header(Kind::Float, 0) | kHeaderOld | impl_->old.sense();
  box->value = value;
  impl_->old_bytes += sizeof(FloatBox);
  impl_->counters.bytes_allocated += sizeof(FloatBox);
  if (impl_->old.was_refused()) exhausted();
  return ptr_value(box);
}

Object* Heap::old_object(Word header, size_t bytes) {
  auto* object = reinterpret_cast<Object*>(impl_->old.allocate(bytes));
  object->header = header | kHeaderOld | kHeaderRemembered | impl_->old.sense();
  impl_->remembered.push_back(object);
  impl_->old_bytes += bytes;
  impl_->counters.bytes_allocated += bytes;
  if (impl_->old.was_refused()) exhausted();
  return object;
}

Object* Heap::allocate_large(Word header, size_t bytes) {
  Kind kind = reinterpret_cast<Object*>(&header)->kind();
  if (options_.stress || impl_->old_bytes + ctx_.fibers->bytes() + bytes > impl_->next_major) collect_major();
  LargeObject* large = impl_->old.allocate_large(bytes, kind == Kind::Array);
  impl_->old_bytes += bytes;
  impl_->counters.bytes_allocated += bytes;
  Object* object = large->object();
  object->header = header | kHeaderOld | impl_->old.sense();
  if (has_slots(kind)) {
    if (kind != Kind::Array) object->header |= kHeaderRemembered;
    impl_->fresh.push_back(large);
  }
  check_limit();
  if (impl_->old.was_refused()) exhausted();
  return object;
}

void Heap::remember(Object* holder, Value* field) {
  if (PLANTED(barrier_lost)) return;
  if (holder->kind() == Kind::Array && size_of_object(holder) > kLargeBytes) {
    auto card = static_cast<uint32_t>(
        static_cast<size_t>(reinterpret_cast<char*>(field) - reinterpret_cast<char*>(holder)) /
        OldSpace::kCardBytes);
    unsigned char& set = LargeObject::of(holder)->cards[card];
    if (set || PLANTED(card_lost)) return;
    set = 1;
    impl_->cards.push_back({static_cast<Array*>(holder), card});
    return;
  }
  if (holder->header & kHeaderRemembered) return;
  holder->header |= kHeaderRemembered;
  impl_->remembered.push_back(holder);
}

void Heap::add_dirty(Fiber* fiber) {
  // It slept through a collection, so what it left is in no cache; it goes on at once.
  __builtin_prefetch(fiber->sp);
  __builtin_prefetch(fiber->sp + 8);
  fiber->dirty = true;
  if (!PLANTED(dirty_lost)) impl_->dirty.push_back(fiber);
}

void Heap::exhausted() {
  ctx_.heap_exhausted = true;
  ctx_.request_safepoint();
}

void Heap::check_limit() {
  uint64_t total = impl_->old_bytes + ctx_.fibers->bytes();
  impl_->counters.peak_bytes = std::max(impl_->counters.peak_bytes, total);
  // A panic on the way up may have freed what was too much before its safepoint came.
  ctx_.heap_exhausted = false;
  if (total > impl_->limit) exhausted();
}

void Heap::run(bool major) {
  uint64_t start = now_ns(), promoted = impl_->old_bytes;
  auto used = static_cast<size_t>(ctx_.alloc_ptr - nursery_);
  {
    Collector collector(*this);
    collector.minor();
  }
  impl_->counters.bytes_allocated += used;
  promoted = impl_->old_bytes - promoted;
  impl_->counters.bytes_promoted += promoted;
  if (options_.stress || options_.verify) std::memset(nursery_, OldSpace::kPoison, used);
  if (nursery_bytes_ < nursery_most_ && wants_more(nursery_bytes_, promoted)) nursery_bytes_ *= 2;
  open_nursery();
  minor_requested_ = false;
  ctx_.fibers->minor_done();

  uint64_t total = impl_->old_bytes + ctx_.fibers->bytes();
  impl_->counters.peak_bytes = std::max(impl_->counters.peak_bytes, total);
  major |= total > impl_->next_major;
  if (major) {
    Collector collector(*this);
    collector.major();
    const uint64_t before = std::exchange(total, impl_->old_bytes + ctx_.fibers->bytes());
    // Twice what lives, or more while a program builds something up that is small beside what there is; but not beyond the limit
    // without another look, and never so soon that a program near its limit, or one that unwinds because of it, does
    // nothing but collect.
    uint64_t room = total;
    if (total > before / 4 * 3) room = std::max(room, std::min(3 * total, impl_->limit / kSmallPart));
    uint64_t next = std::min(std::max(total + room, kFirstMajor), impl_->limit);
    impl_->next_major = std::max(next, total + total / 32 + (uint64_t{1} << 20));
    check_limit();
  }
  if (impl_->old.was_refused()) exhausted();
  uint64_t pause = now_ns() - start;
  impl_->counters.max_pause_ns = std::max(impl_->counters.max_pause_ns, pause);
  impl_->counters.total_pause_ns += pause;
  if (on_collection) on_collection(ctx_, {major, pause, promoted, impl_->old_bytes, ctx_.fibers->bytes()});
  if (options_.verify && ++unverified_ >= options_.verify_every) {
    unverified_ = 0;
    std::string problem;
    if (!verify(&problem)) {
      std::fprintf(stderr, "eddy: the heap is damaged: %s\n", problem.c_str());
      std::abort();
    }
  }
}

void Heap::collect_minor() { run(false); }
void Heap::collect_major() { run(true); }

uint64_t Heap::limit() const { return impl_->limit; }

bool Heap::can_allocate(uint64_t bytes) {
  if (bytes > impl_->limit) return false;
  auto fits = [&] { return impl_->old_bytes + ctx_.fibers->bytes() + bytes <= impl_->limit; };
  if (fits()) return true;
  collect_major();
  return fits();
}

void Heap::add_roots(void* owner, void (*visit_all)(void* owner, void* data, RootVisitor visit)) {
  impl_->extra_roots.push_back({owner, visit_all});
}

void Heap::remove_roots(void* owner) {
  std::erase_if(impl_->extra_roots, [owner](const Impl::ExtraRoots& roots) { return roots.owner == owner; });
}

Heap::Counters Heap::counters() const {
  Counters result = impl_->counters;
  result.bytes_allocated += static_cast<uint64_t>(ctx_.alloc_ptr - nursery_);
  result.old_bytes = impl_->old_bytes;
  result.peak_bytes = std::max(result.peak_bytes, impl_->old_bytes + ctx_.fibers->bytes());
  return result;
}

}  // namespace eddy::rt
