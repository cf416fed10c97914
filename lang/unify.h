// Makes types equal, by binding variables.
//
// Rows: an effect matches the first occurrence of the same effect on the other side, whatever stands before
// it; what is left over goes into the other side's tail variable. So different effects commute and repeated
// ones keep their order.
#pragma once
#include "lang/types.h"

namespace eddy::lang {

enum class UnifyError : uint8_t {
  kNone,
  kMismatch,       // `left` and `right` differ
  kInfinite,       // a type would contain itself
  kEscape,         // an operation's abstract type would leave its clause
  kMissingEffect,  // `left` is an effect that the row `right` lacks and may not gain
  kRigidRow,       // rigid row variable `left` meets a row `right` that has more effects, or another tail
  kTooLarge,
};

class Unifier {
 public:
  explicit Unifier(TypeFactory& types) : types_(types) {}

  /// True when made equal. Otherwise error(), left() and right() say what was in the way.
  bool unify(Type* a, Type* b);
  /// Every effect of `row` is one of `into`, which gains it where it may (`row`'s closed end counts as open).
  bool subrow(Type* row, Type* into);
  /// The first half of it: takes the effects that `row` names out of `into` and leaves the two rests, unless
  /// nothing is left to do: then both are null.
  bool subrow_effects(Type*& row, Type*& into);
  /// What is left of a row behind `IO`: nobody handles that, so unknown effects cannot go astray where it is
  /// allowed besides them.
  static Type* past_io(Type* row);
  /// The rest of `row` without its first occurrence of `effect`, whose arguments are made equal; null:
  /// error().
  Type* remove_effect(Type* row, Type* effect);

  /// Variables in `type` belong to `level` or an outer one from now on.
  bool adjust_levels(Type* type, uint32_t level);

  UnifyError error() const { return error_; }
  Type* left() const { return left_; }
  Type* right() const { return right_; }
  /// Counts rows that gained an effect, for fixed points.
  uint32_t extensions() const { return extensions_; }

 private:
  bool unify_at(Type* a, Type* b, unsigned depth);
  bool unify_rows(Type* a, Type* b, unsigned depth);
  bool bind(Type* var, Type* to);
  bool occurs(Type* var, Type* in, uint32_t level, unsigned depth);
  bool unify_effect_args(Type* a, Type* b, unsigned depth);
  // `fixed`: a tail variable that may not gain the effect.
  Type* remove_at(Type* row, Type* effect, unsigned depth, Type* fixed = nullptr);
  bool subrow_of_same_tail(Type* row, Type* into);
  bool fail(UnifyError error, Type* left, Type* right) {
    error_ = error;
    left_ = left;
    right_ = right;
    return false;
  }
  bool spend() { return ++work_ <= kLimit; }

  static constexpr uint32_t kLimit = 1'000'000;
  TypeFactory& types_;
  UnifyError error_ = UnifyError::kNone;
  Type* left_ = nullptr;
  Type* right_ = nullptr;
  uint32_t extensions_ = 0;
  uint32_t work_ = 0;
};

}  // namespace eddy::lang
