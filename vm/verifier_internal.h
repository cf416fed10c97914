// The parts of the verifier. A module's tables are checked first, then each function's code in passes: shape
// (instructions, operands, jumps), regions (which are open where), flow (what the registers hold).
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/constructors.h"
#include "vm/module.h"
#include "vm/registers.h"
#include "vm/verifier.h"

namespace eddy::vm::verifying {

// What the passes over code need to know about the module's tables.
struct ModuleFacts {
  const Module& module;
  std::vector<const ConstructorData*> constructors;  // by operand, from rt::con::FirstFree on
  std::vector<uint16_t> type_end;                    // by the same: one past the last constructor of its type
  std::vector<int> native_arity;                     // by index
  std::vector<uint16_t> site_env;                    // captures a site's environment must have
  std::vector<bool> site_captures;                   // has a Once or Multi clause
  std::vector<int> site_user;                        // function with its instruction, or -1
  std::vector<int> clause_kind;                      // by function: its ClauseKind, or -1
  std::vector<bool> plain;                           // by function: is a plain clause somewhere

  // Fields of constructor `id`, or -1 where there is none; whether field i is raw.
  int fields(uint32_t id) const;
  bool raw_field(uint32_t id, unsigned i) const;
};

std::optional<VerifyError> check_tables(const Module& module, const NativeArity& arity, ModuleFacts& facts);

struct Block {
  uint32_t start, end;  // words
  uint32_t last = 0;    // its last instruction
  int32_t region = -2;  // innermost open region; -1: none, -2: the block cannot be reached
  int32_t opens = -1;   // the region that its last instruction opens
};

struct Region {
  RegionKind kind;
  uint32_t opener;      // word
  int32_t target = -1;  // block
  int32_t parent;
  bool in_base = false;                   // inside a fiber's first handler
  std::vector<uint64_t> written, hidden;  // tagged registers that something in it writes, or makes unreadable
};

class FunctionVerifier {
 public:
  FunctionVerifier(ModuleFacts& facts, uint32_t index)
      : facts_(facts), index_(index), f_(facts.module.functions[index]), code_(f_.code) {}
  std::optional<VerifyError> run();

 private:
  // Each pass returns false once error_ is set.
  bool check_header();
  bool check_shape();
  bool check_operands(uint32_t at);
  bool check_operand(uint32_t at, const OperandInfo& o);
  bool check_call(uint32_t at);
  bool check_data(uint32_t at);
  bool check_handler(uint32_t at);
  bool check_place(uint32_t at);   // instructions that only some functions may hold
  bool check_writes(uint32_t at);  // registers that belong to the machine
  bool check_unused_bits(uint32_t at);

  void find_blocks();
  bool find_regions();
  bool leave(uint32_t at, int32_t region, int32_t& inner);  // the region after the instruction
  void collect_writes();

  bool flow();

  bool fail(uint32_t at, std::string reason) {
    error_ = VerifyError{static_cast<int32_t>(index_), at, std::move(reason)};
    return false;
  }
  Op op_at(uint32_t at) const { return op_of(code_[at]); }
  unsigned registers() const { return f_.tagged + f_.raw; }
  uint32_t target_of(uint32_t opener) const;
  uint32_t block_at(uint32_t start) const { return block_index_[start]; }

  friend struct Flow;
  ModuleFacts& facts_;
  uint32_t index_;
  const FunctionData& f_;
  std::span<const Word> code_;
  std::vector<bool> starts_;           // by word: an instruction begins here
  std::vector<uint32_t> block_index_;  // by word: the block that begins here
  std::vector<Block> blocks_;
  std::vector<Region> regions_;
  int base_handles_ = 0;
  std::optional<VerifyError> error_;
};

}  // namespace eddy::vm::verifying
