// Builds one function's code: labels, registers, positions, register lists. The compiler's only way to make
// bytecode.
#pragma once
#include <cassert>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vm/module.h"

namespace eddy::vm {

// A register while a function is built: tagged and raw ones are numbered apart; build() joins them.
struct Reg {
  uint32_t index = 0;
  bool is_raw = false;
  bool operator==(const Reg&) const = default;
};

struct Label { uint32_t id = 0; };

class FunctionBuilder {
 public:
  explicit FunctionBuilder(std::string name);
  FunctionBuilder(FunctionBuilder&& other)
      : data_(std::move(other.data_)),
        draft_(std::move(other.draft_)),
        keep_below_(other.keep_below_),
        reachable_(other.reachable_) {}
  ~FunctionBuilder();

  FunctionData& data() { return data_; }  // set the flags, params and captures here

  // Registers are a stack of each sort: take and give back in any order; the frame is as large as the
  // most ever in use. A record pair (operands t, z) needs neighbours: take_pair.
  Reg take(bool raw = false);
  Reg take_pair(bool raw = false);
  void give(Reg r);
  // A register that was given back and is free again: in use once more.
  void retake(Reg r);

  // Of what is emitted from here on.
  void position(uint32_t file, uint32_t line, uint32_t column);

  // Operands in the order of the opcode table, without lists and jumps.
  struct Operand {
    int64_t value;
    bool is_reg, is_raw, is_label;
    Operand(Reg r) : value(r.index), is_reg(true), is_raw(r.is_raw), is_label(false) {}
    Operand(Label l) : value(l.id), is_reg(false), is_raw(false), is_label(true) {}
    template <std::integral T> Operand(T v) : value(static_cast<int64_t>(v)), is_reg(false), is_raw(false), is_label(false) {}
  };
  // emit(Op::ADD, {d, x, y}); emit(Op::JLT, {x, y, label}); emit(Op::CALL, {d, f}, args): the count operand
  // (role q) and the list are made from `list`.
  void emit(Op op, std::initializer_list<Operand> operands = {}, std::span<const Reg> list = {});
  // SWITCH on r over constructors first, first + 1, …
  void emit_switch(Reg r, unsigned first, std::span<const Label> targets);

  Label label();
  void bind(Label l);
  // The last instruction can be left downwards, or something jumps to a label here. What is emitted elsewhere is
  // dropped.
  bool reachable() const { return reachable_; }

  // Where an aborted region goes on: recorded in the site when build() lays the code out.
  void site_target(uint32_t site, Label l) {
    site_targets_.push_back({site, l});
    label_used_[l.id] = true;
  }

  // Lays out the code (replacing jumps that do not reach by longer forms) and fills the sites' targets.
  FunctionData build(std::vector<SiteData>& sites);
  // Beyond what the instruction format can say: what build() makes of it is wrong.
  bool too_large() const { return tagged_.taken.size() + raw_.taken.size() > 60000 || code_.size() > (1u << 26); }

 private:
  struct Instruction {
    Op op;
    uint32_t operands, list;       // start in operands_ / regs_
    uint16_t list_count;
    bool far = false;
    uint32_t words = 0, at = 0;
  };
  struct SiteTarget { uint32_t site; Label label; };
  struct Sort { uint32_t first_free = 0; std::vector<bool> taken; };

  // What is only needed until the code is laid out. Builders leave it to those after them: a large program has many
  // thousands of functions, and each would ask for the same dozen pieces of memory anew.
  struct Draft {
    Sort tagged, raw;
    std::vector<Instruction> code;
    std::vector<Operand> operands;
    std::vector<Reg> regs;
    std::vector<uint32_t> switch_labels;
    std::vector<uint32_t> labels;      // instruction index, ~0 where unbound
    std::vector<bool> label_used;      // something jumps there
    std::vector<uint32_t> bound_here;  // labels after the last instruction
    std::vector<SiteTarget> site_targets;
    std::vector<PositionData> positions;  // pc is an instruction index until build()
    std::vector<uint32_t> at;             // where each instruction's words start, in build()
    void clear();
  };
  static std::vector<std::unique_ptr<Draft>>& spare();
  static std::unique_ptr<Draft> take_draft();

  FunctionData data_;
  std::unique_ptr<Draft> draft_ = take_draft();
  Sort &tagged_ = draft_->tagged, &raw_ = draft_->raw;
  std::vector<Instruction>& code_ = draft_->code;
  std::vector<Operand>& operands_ = draft_->operands;
  std::vector<Reg>& regs_ = draft_->regs;
  std::vector<uint32_t>& switch_labels_ = draft_->switch_labels;
  std::vector<uint32_t>& labels_ = draft_->labels;
  std::vector<bool>& label_used_ = draft_->label_used;
  std::vector<uint32_t>& bound_here_ = draft_->bound_here;
  std::vector<SiteTarget>& site_targets_ = draft_->site_targets;
  std::vector<PositionData>& positions_ = draft_->positions;
  size_t keep_below_ = 0;             // instructions that labels may stand between unnoticed
  bool reachable_ = true;

  unsigned final_register(Reg r) const { return r.is_raw ? tagged_.taken.size() + r.index : r.index; }
};

}  // namespace eddy::vm
