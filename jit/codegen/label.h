// A place in machine code. Stands for the assembler's own sort of label without naming it: an instruction set
// declares that sort with `is_native_label`, and the two convert.
#pragma once
#include <cstdint>

namespace eddy::jit {

template <class L>
inline constexpr bool is_native_label = false;

class Label {
 public:
  Label() = default;
  explicit Label(uint32_t id) : id_(id) {}
  template <class L>
    requires is_native_label<L>
  Label(const L& label) : id_(label.id()) {}
  template <class L>
    requires is_native_label<L>
  operator L() const {
    return L(id_);
  }

  uint32_t id() const { return id_; }
  bool operator==(const Label&) const = default;
  bool valid() const { return id_ != kNone; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t id_ = kNone;
};

}  // namespace eddy::jit
