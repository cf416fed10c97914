// Sorting Arrays in place, stably, by `compare`.
#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/compare.h"
#include "runtime/natives/define.h"

namespace eddy::rt {

namespace {

// Bottom-up merge sort. The standard's sorts trust their comparison to be an order; this one stays inside its
// arrays whatever `compare` answers and stops at the first panic.
template <class T, class Compare>
class MergeSort {
 public:
  MergeSort(const T* begin, const T* end, Compare order) : from_(begin, end), to_(from_.size()), compare_(order) {}

  bool run() {
    size_t n = from_.size();
    for (size_t start = 0; start < n; start += kRun)
      if (!insertion_sort(start, std::min(start + kRun, n))) return false;
    for (size_t width = kRun; width < n; width *= 2) {
      for (size_t start = 0; start < n; start += 2 * width)
        if (!merge(start, std::min(start + width, n), std::min(start + 2 * width, n))) return false;
      from_.swap(to_);
    }
    return true;
  }
  const std::vector<T>& items() const { return from_; }

 private:
  static constexpr size_t kRun = 8;

  bool insertion_sort(size_t begin, size_t end) {
    for (size_t i = begin + 1; i < end; ++i) {
      T v = from_[i];
      size_t k = i;
      for (; k > begin; --k) {
        int order = compare_(from_[k - 1], v);
        if (order == kIncomparable) return false;
        if (order <= 0) break;
        from_[k] = from_[k - 1];
      }
      from_[k] = v;
    }
    return true;
  }

  bool merge(size_t left, size_t middle, size_t end) {
    size_t right = middle, out = left;
    while (left < middle && right < end) {
      int order = compare_(from_[left], from_[right]);
      if (order == kIncomparable) return false;
      to_[out++] = order <= 0 ? from_[left++] : from_[right++];
    }
    while (left < middle) to_[out++] = from_[left++];
    while (right < end) to_[out++] = from_[right++];
    return true;
  }

  std::vector<T> from_, to_;
  Compare compare_;
};

int compare_doubles(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  return a == b ? 0 : static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
}

Value sort_floats(FloatArray* array) {
  MergeSort sorting(array->items, array->items + array->count(), compare_doubles);
  sorting.run();
  std::copy(sorting.items().begin(), sorting.items().end(), array->items);
  return kUnit;
}

Value sort(Context& ctx, Value* args) {
  if (is_kind(args[0], Kind::FloatArray)) return sort_floats(as<FloatArray>(args[0]));
  auto* array = as<Array>(args[0]);
  Value *begin = array->items, *end = begin + array->count();
  if (std::all_of(begin, end, [](Value v) { return v.is_small(); })) {
    std::sort(begin, end, [](Value a, Value b) { return static_cast<int64_t>(a.bits) < static_cast<int64_t>(b.bits); });
    return kUnit;
  }
  MergeSort sorting(begin, end, [&ctx](Value a, Value b) { return compare(ctx, a, b); });
  if (!sorting.run()) return kNull;
  for (size_t i = 0; i < sorting.items().size(); ++i) ctx.heap->write(array, &array->items[i], sorting.items()[i]);
  return kUnit;
}

const Native table[] = {
    define<"A", sort>("array.sort", kNoAllocation),
};

}  // namespace

const std::span<const Native> array_order_natives = table;

}  // namespace eddy::rt
