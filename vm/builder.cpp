#include "vm/builder.h"

#include <algorithm>

namespace eddy::vm {

namespace {
constexpr uint32_t kUnbound = ~uint32_t{0};

bool reaches(int64_t distance, char field) {
  return field == 'C' ? distance >= INT16_MIN && distance <= INT16_MAX : true;
}
}  // namespace

void FunctionBuilder::Draft::clear() {
  for (Sort* sort : {&tagged, &raw}) {
    sort->first_free = 0;
    sort->taken.clear();
  }
  code.clear();
  operands.clear();
  regs.clear();
  switch_labels.clear();
  labels.clear();
  label_used.clear();
  bound_here.clear();
  site_targets.clear();
  positions.clear();
}

std::vector<std::unique_ptr<FunctionBuilder::Draft>>& FunctionBuilder::spare() {
  static thread_local std::vector<std::unique_ptr<Draft>> drafts;
  return drafts;
}

std::unique_ptr<FunctionBuilder::Draft> FunctionBuilder::take_draft() {
  if (spare().empty()) return std::make_unique<Draft>();
  std::unique_ptr<Draft> draft = std::move(spare().back());
  spare().pop_back();
  return draft;
}

FunctionBuilder::FunctionBuilder(std::string name) { data_.name = std::move(name); }

FunctionBuilder::~FunctionBuilder() {
  // What a giant of a function needed is not kept.
  if (!draft_ || code_.capacity() > (1u << 16) || spare().size() >= 8) return;
  draft_->clear();
  spare().push_back(std::move(draft_));
}

Reg FunctionBuilder::take(bool raw) {
  Sort& sort = raw ? raw_ : tagged_;
  uint32_t i = sort.first_free;
  while (i < sort.taken.size() && sort.taken[i]) ++i;
  sort.first_free = i + 1;
  if (i == sort.taken.size()) sort.taken.push_back(true);
  else sort.taken[i] = true;
  return {i, raw};
}

Reg FunctionBuilder::take_pair(bool raw) {
  Sort& sort = raw ? raw_ : tagged_;
  uint32_t i = sort.first_free;
  while (i + 1 < sort.taken.size() && (sort.taken[i] || sort.taken[i + 1])) ++i;
  if (i + 1 >= sort.taken.size()) {
    i = static_cast<uint32_t>(sort.taken.size());
    if (i > 0 && !sort.taken[i - 1]) --i;
    sort.taken.resize(i + 2, false);
  }
  sort.taken[i] = sort.taken[i + 1] = true;
  return {i, raw};
}

void FunctionBuilder::give(Reg r) {
  Sort& sort = r.is_raw ? raw_ : tagged_;
  assert(sort.taken[r.index]);
  sort.taken[r.index] = false;
  sort.first_free = std::min(sort.first_free, r.index);
}

void FunctionBuilder::retake(Reg r) {
  Sort& sort = r.is_raw ? raw_ : tagged_;
  assert(!sort.taken[r.index]);
  sort.taken[r.index] = true;
}

void FunctionBuilder::position(uint32_t file, uint32_t line, uint32_t column) {
  if (!reachable_) return;
  if (!positions_.empty() && positions_.back().pc == code_.size()) positions_.pop_back();
  if (!positions_.empty()) {
    const PositionData& last = positions_.back();
    if (last.file == file && last.line == line && last.column == column) return;
  }
  positions_.push_back({static_cast<uint32_t>(code_.size()), file, line, column});
}

void FunctionBuilder::emit(Op op, std::initializer_list<Operand> operands, std::span<const Reg> list) {
  if (!reachable_) return;
  for (const Operand& o : operands) {
    if (o.is_label) label_used_[o.value] = true;
  }
  Instruction in{op, static_cast<uint32_t>(operands_.size()), static_cast<uint32_t>(regs_.size()),
                 static_cast<uint16_t>(list.size())};
  operands_.insert(operands_.end(), operands.begin(), operands.end());
  regs_.insert(regs_.end(), list.begin(), list.end());
  code_.push_back(in);
  bound_here_.clear();
  if (info_of(op).ends) reachable_ = false;
}

void FunctionBuilder::emit_switch(Reg r, unsigned first, std::span<const Label> targets) {
  if (!reachable_) return;
  Instruction in{Op::SWITCH, static_cast<uint32_t>(operands_.size()), static_cast<uint32_t>(switch_labels_.size()),
                 static_cast<uint16_t>(targets.size())};
  operands_.insert(operands_.end(), {Operand(r), Operand(first)});
  for (Label l : targets) {
    switch_labels_.push_back(l.id);
    label_used_[l.id] = true;
  }
  code_.push_back(in);
  bound_here_.clear();
}

Label FunctionBuilder::label() {
  labels_.push_back(kUnbound);
  label_used_.push_back(false);
  return {static_cast<uint32_t>(labels_.size() - 1)};
}

void FunctionBuilder::bind(Label l) {
  assert(labels_[l.id] == kUnbound);
  // A jump to right behind itself.
  if (code_.size() > keep_below_ && code_.back().op == Op::JMP && operands_[code_.back().operands].value == l.id) {
    code_.pop_back();
    keep_below_ = code_.size();
    for (uint32_t other : bound_here_) labels_[other] = static_cast<uint32_t>(code_.size());
    if (!positions_.empty() && positions_.back().pc > code_.size()) positions_.back().pc = code_.size();
    reachable_ = true;
  }
  labels_[l.id] = static_cast<uint32_t>(code_.size());
  bound_here_.push_back(l.id);
  reachable_ |= label_used_[l.id];
}

FunctionData FunctionBuilder::build(std::vector<SiteData>& sites) {
  auto natural_words = [](const Instruction& in) {
    const OpInfo& info = info_of(in.op);
    unsigned words = info.has_x ? 2 : 1;
    if (in.op == Op::SWITCH) return words + switch_words(in.list_count);
    return words + (info.has_list ? list_words(in.list_count) : 0);
  };
  auto jump_operand = [&](const Instruction& in) -> std::pair<const OperandInfo*, const Operand*> {
    unsigned i = in.operands;
    for (const OperandInfo& o : info_of(in.op)) {
      if (o.role == 'm' || o.role == 'M') continue;
      if (o.role == 'q' && in.op != Op::SWITCH) continue;
      if (o.role == 'j') return {&o, &operands_[i]};
      ++i;
    }
    return {nullptr, nullptr};
  };

  // A conditional jump whose target is beyond its 16 bits becomes a jump over a long jump; that moves others
  // further apart, so repeat until nothing changes.
  uint32_t total = 0;
  std::vector<uint32_t>& at = draft_->at;
  for (bool changed = true; changed;) {
    changed = false;
    total = 0;
    at.clear();
    for (Instruction& in : code_) {
      in.at = total;
      at.push_back(total);
      in.words = natural_words(in) + (in.far ? 2 : 0);
      total += in.words;
    }
    at.push_back(total);
    if (total <= INT16_MAX) break;  // everything reaches everything
    for (Instruction& in : code_) {
      auto [info, operand] = jump_operand(in);
      if (!info || in.far) continue;
      int64_t distance = static_cast<int64_t>(at[labels_[operand->value]]) - in.at;
      if (!reaches(distance, info->field)) in.far = changed = true;
    }
  }

  std::vector<Word>& code = data_.code;
  code.reserve(total);
  data_.tagged = static_cast<uint16_t>(tagged_.taken.size());
  data_.raw = static_cast<uint16_t>(raw_.taken.size());
  if (data_.tagged < data_.params) data_.tagged = data_.params;
  for (const Instruction& in : code_) {
    const OpInfo& info = info_of(in.op);
    Word first = static_cast<Word>(in.op), x = 0;
    auto put = [&](char field, int64_t v) {
      switch (field) {
        case 'A': first |= (static_cast<Word>(v) & 0xffff) << 16; break;
        case 'B': first |= (static_cast<Word>(v) & 0xffff) << 32; break;
        case 'C': first |= (static_cast<Word>(v) & 0xffff) << 48; break;
        case 'D': first |= static_cast<Word>(static_cast<uint32_t>(v)) << 32; break;
        default: x = static_cast<Word>(v);
      }
    };
    unsigned next = in.operands;
    for (const OperandInfo& o : info) {
      if (o.role == 'm' || o.role == 'M') continue;
      if (o.role == 'q') {
        put(o.field, in.list_count);
        continue;
      }
      const Operand& operand = operands_[next++];
      if (operand.is_label) {
        int64_t distance = in.far ? 2 : static_cast<int64_t>(at[labels_[operand.value]]) - in.at;
        put(o.field, distance);
      } else if (operand.is_reg) {
        assert(o.is_register() && operand.is_raw == o.raw());
        put(o.field, final_register({static_cast<uint32_t>(operand.value), operand.is_raw}));
      } else {
        put(o.field, operand.value);
      }
    }
    if (in.far) {
      // Jcc → the long jump · JMP past it · JMP to the target. The condition's own words come first.
      unsigned words = natural_words(in);
      Word far_first = (first & ~(Word{0xffff} << 48)) | (Word{words + 1} << 48);
      code.push_back(far_first);
      if (info.has_x) code.push_back(x);
      code.push_back(encode_d(Op::JMP, 0, 2));
      auto [_, operand] = jump_operand(in);
      code.push_back(encode_d(Op::JMP, 0, static_cast<int32_t>(static_cast<int64_t>(at[labels_[operand->value]]) -
                                                               static_cast<int64_t>(code.size()))));
      continue;
    }
    code.push_back(first);
    if (info.has_x) code.push_back(x);
    if (in.op == Op::SWITCH) {
      for (unsigned i = 0; i < in.list_count; i += 2) {
        auto offset = [&](unsigned k) -> Word {
          if (k >= in.list_count) return 0;
          return static_cast<uint32_t>(static_cast<int64_t>(at[labels_[switch_labels_[in.list + k]]]) - in.at);
        };
        code.push_back(offset(i) | (offset(i + 1) << 32));
      }
    } else if (info.has_list) {
      for (unsigned i = 0; i < in.list_count; i += 4) {
        Word w = 0;
        for (unsigned k = 0; k < 4 && i + k < in.list_count; ++k)
          w |= static_cast<Word>(final_register(regs_[in.list + i + k])) << (16 * k);
        code.push_back(w);
      }
    }
  }
  data_.positions.reserve(positions_.size());
  for (PositionData p : positions_) {
    if (p.pc >= code_.size()) break;  // of code that was not written, for nothing reaches it
    p.pc = at[p.pc];
    if (!data_.positions.empty() && data_.positions.back().pc == p.pc) data_.positions.pop_back();
    data_.positions.push_back(p);
  }
  for (SiteTarget t : site_targets_) sites[t.site].target = at[labels_[t.label.id]];
  return std::move(data_);
}

}  // namespace eddy::vm
