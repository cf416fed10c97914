#include "runtime/compare.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <unordered_set>
#include <vector>

#include "runtime/bigint.h"
#include "runtime/strings.h"
#include "runtime/collections.h"
#include "runtime/work_stack.h"

namespace eddy::rt {

namespace {

enum class Mode { Equal, Order };

int sign(int64_t n) { return n < 0 ? -1 : n > 0; }

// 0 equal, else unequal; in Order mode the sign counts.
int compare_floats(Mode mode, double a, double b) {
  if (a == b) return 0;
  if (a < b) return -1;
  if (a > b) return 1;
  if (mode == Mode::Equal) return 1;
  return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
}

int compare_bytes(std::string_view a, std::string_view b) {
  // UTF-8 sorts by code point.
  size_t common = std::min(a.size(), b.size());
  int order = common ? std::memcmp(a.data(), b.data(), common) : 0;
  if (order) return sign(order);
  return a.size() < b.size() ? -1 : a.size() > b.size();
}

// A builder's storage: what lies behind its used part is zero.
int compare_storage(const Bytes* a, const Bytes* b) {
  uint32_t size = std::max(a->count(), b->count());
  for (uint32_t i = 0; i < size; ++i) {
    int x = i < a->count() ? a->data[i] : 0, y = i < b->count() ? b->data[i] : 0;
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

bool is_array(Value v) { return is_kind(v, Kind::Array) || is_kind(v, Kind::FloatArray); }
bool is_cons(Value v) { return is_con(v, con::Cons) && v.ptr()->count() == 2; }

class Comparison {
 public:
  Comparison(Context& ctx, Mode mode) : ctx_(ctx), mode_(mode) {}

  int run(Value a, Value b) {
    int order = visit(a, b);
    while (order == 0 && !open_.empty()) order = step();
    return order;
  }

 private:
  // A pair of compound values that are equal so far.
  struct Open {
    enum Kind : uint8_t { Fields, List, Items, Collection } kind;
    uint32_t next;
    Value a, b;
  };
  struct Walks {
    CollectionWalk a, b;
  };

  int step() {
    Open& top = open_.back();
    uint32_t i = top.next++;
    switch (top.kind) {
      case Open::Fields: {
        auto *x = as<ConObject>(top.a), *y = as<ConObject>(top.b);
        uint32_t count = std::min(x->count(), y->count());
        if (i + 1 >= count) open_.pop_back();  // before the last part, so that chains take no space
        if (i >= count) return 0;
        const auto& infos = ctx_.constructors;
        if (x->con() < infos.size() && infos[x->con()].is_raw(i))
          return compare_floats(mode_, std::bit_cast<double>(x->fields[i].bits), std::bit_cast<double>(y->fields[i].bits));
        return visit(x->fields[i], y->fields[i]);
      }
      case Open::List: {
        bool more_a = is_cons(top.a), more_b = is_cons(top.b);
        if (!more_a || !more_b) {
          open_.pop_back();
          return static_cast<int>(more_a) - static_cast<int>(more_b);
        }
        auto *x = as<ConObject>(top.a), *y = as<ConObject>(top.b);
        top.a = x->fields[1];
        top.b = y->fields[1];
        return visit(x->fields[0], y->fields[0]);
      }
      case Open::Items: return step_items(top, i);
      case Open::Collection: {
        auto &x = walks_.back().a, &y = walks_.back().b;
        if (i % 2 == 0) {
          if (i) x.next(), y.next();
          if (x.done() || y.done()) {
            int order = static_cast<int>(!x.done()) - static_cast<int>(!y.done());
            open_.pop_back();
            walks_.pop_back();
            return order;
          }
          return visit(x.key(), y.key());
        }
        return x.is_map() ? visit(x.value(), y.value()) : 0;
      }
    }
    return 0;
  }

  int step_items(Open& top, uint32_t i) {
    uint32_t count_a = top.a.ptr()->count(), count_b = top.b.ptr()->count();
    if (i >= count_a || i >= count_b) {
      open_.pop_back();
      return sign(static_cast<int64_t>(count_a) - count_b);
    }
    bool floats_a = is_kind(top.a, Kind::FloatArray), floats_b = is_kind(top.b, Kind::FloatArray);
    if (floats_a && floats_b) return compare_floats(mode_, as<FloatArray>(top.a)->items[i], as<FloatArray>(top.b)->items[i]);
    if (floats_a != floats_b) return floats_a ? -1 : 1;  // of different types: no honest program comes here
    return visit(as<Array>(top.a)->items[i], as<Array>(top.b)->items[i]);
  }

  int visit(Value a, Value b) {
    if (a.is_small() && b.is_small()) return a.small() < b.small() ? -1 : a.small() > b.small();
    if (is_object(a) && is_object(b)) return visit_objects(a, b);
    if (is_function(a) || is_function(b)) return incomparable();
    uint16_t con_a = con_of(a), con_b = con_of(b);
    if (con_a && con_b) return compare_constructors(con_a, con_b);
    if (is_int(a) && is_int(b)) return int_compare(a, b);
    if (a.is_imm(Imm::Char) && b.is_imm(Imm::Char)) return sign(static_cast<int64_t>(a.char_code()) - b.char_code());
    return a.bits < b.bits ? -1 : a.bits > b.bits;  // Unit, Bool, or values of different types
  }

  static bool is_object(Value v) { return v.is_ptr() && v.bits; }
  static bool is_function(Value v) {
    return is_kind(v, Kind::Closure) || is_kind(v, Kind::Named) || is_kind(v, Kind::Continuation);
  }

  int compare_constructors(uint16_t a, uint16_t b) const {
    if (a == b) return 0;
    const auto& infos = ctx_.constructors;
    if (a < infos.size() && b < infos.size() && infos[a].index != infos[b].index)
      return infos[a].index < infos[b].index ? -1 : 1;
    return a < b ? -1 : 1;
  }

  int visit_objects(Value a, Value b) {
    Kind kind = a.ptr()->kind();
    if (is_function(a) || is_function(b)) return incomparable();
    if (kind != b.ptr()->kind() && !(is_array(a) && is_array(b))) return kind < b.ptr()->kind() ? -1 : 1;
    switch (kind) {
      case Kind::Float: return compare_floats(mode_, as<FloatBox>(a)->value, as<FloatBox>(b)->value);
      case Kind::BigInt: return int_compare(a, b);
      case Kind::String: return a == b ? 0 : compare_bytes(string_view_of(a), string_view_of(b));
      case Kind::Bytes: return compare_storage(as<Bytes>(a), as<Bytes>(b));
      case Kind::Resource:
        return sign(static_cast<int64_t>(as<Resource>(a)->index) - static_cast<int64_t>(as<Resource>(b)->index));
      case Kind::Con: {
        uint16_t con = a.ptr()->con();
        if (int order = compare_constructors(con, b.ptr()->con())) return order;
        if (seen(a, b)) return 0;
        if (is_cons(a) && is_cons(b)) {
          open_.push_back({Open::List, 0, a, b});
        } else if (is_collection(a)) {
          open_.push_back({Open::Collection, 0, a, b});
          walks_.push_back({CollectionWalk(ctx_, a, true), CollectionWalk(ctx_, b, true)});
        } else {
          open_.push_back({Open::Fields, 0, a, b});
        }
        return 0;
      }
      case Kind::Array:
      case Kind::FloatArray:
        if (mode_ == Mode::Equal && a.ptr()->count() != b.ptr()->count()) return 1;
        if (seen(a, b)) return 0;
        open_.push_back({Open::Items, 0, a, b});
        return 0;
      default: return sign(static_cast<int64_t>(a.bits) - static_cast<int64_t>(b.bits));
    }
  }

  // Whether this pair was met before: then it was equal, or is being compared (a cycle), and either way it
  // cannot change the outcome. Most comparisons end before it pays to look; then every pair is looked up but
  // only some are noted, which still bounds the rounds through any cycle.
  bool seen(Value a, Value b) {
    if (++steps_ < 1024) return false;
    if (!seen_) seen_ = std::make_unique<std::unordered_set<Pair, PairHash>>();
    Pair pair{a.bits, b.bits};
    if (seen_->contains(pair)) return true;
    if (steps_ % 32 == 0) seen_->insert(pair);
    return false;
  }

  int incomparable() {
    panic(ctx_, "functions cannot be compared");
    return kIncomparable;
  }

  struct Pair {
    Word a, b;
    bool operator==(const Pair&) const = default;
  };
  struct PairHash {
    size_t operator()(const Pair& p) const { return (p.a * 0x9e3779b97f4a7c15u) ^ (p.b * 0xc2b2ae3d27d4eb4fu >> 7); }
  };

  Context& ctx_;
  Mode mode_;
  uint64_t steps_ = 0;
  WorkStack<Open> open_;
  std::vector<Walks> walks_;  // of the Collections in open_
  std::unique_ptr<std::unordered_set<Pair, PairHash>> seen_;
};

}  // namespace

int equal_slow(Context& ctx, Value a, Value b) {
  if (is_string(a) && is_string(b)) return a == b || string_view_of(a) == string_view_of(b);
  if (is_kind(a, Kind::Float) && is_kind(b, Kind::Float)) return as<FloatBox>(a)->value == as<FloatBox>(b)->value;
  int order = Comparison(ctx, Mode::Equal).run(a, b);
  return order == kIncomparable ? kIncomparable : order == 0;
}

int compare(Context& ctx, Value a, Value b) {
  if (a.is_small() && b.is_small()) return a.small() < b.small() ? -1 : a.small() > b.small();
  if (is_string(a) && is_string(b)) return compare_bytes(string_view_of(a), string_view_of(b));
  return Comparison(ctx, Mode::Order).run(a, b);
}

int compare_ordered(Context& ctx, Value a, Value b) {
  if (is_int(a) && is_int(b)) return int_compare(a, b);
  if (a.is_imm(Imm::Char) && b.is_imm(Imm::Char)) return sign(static_cast<int64_t>(a.char_code()) - b.char_code());
  if (is_string(a) && is_string(b)) return compare_bytes(string_view_of(a), string_view_of(b));
  panic(ctx, "expected two Ints, Chars or Strings");
  return kIncomparable;
}

}  // namespace eddy::rt
