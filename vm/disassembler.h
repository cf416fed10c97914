// Modules as text. What it prints, assemble() reads back to the same module.
#pragma once
#include <functional>
#include <string>

#include "vm/module.h"

namespace eddy::vm {

struct DisassembleOptions {
  // Without source lines and other comments.
  bool plain = false;
  // The text of a line of a file of the module, counted from 1; may be empty.
  std::function<std::string(uint32_t file, uint32_t line)> source_line = nullptr;
  // Only these functions, and nothing else of the module; all of it where empty.
  std::function<bool(const FunctionData&)> filter = nullptr;
};

std::string disassemble(const Module& module, const DisassembleOptions& options = {});

// One instruction of verified code, as in a listing: for tracing and beside machine code. `module` must
// outlive it.
class InstructionPrinter {
 public:
  explicit InstructionPrinter(const Module& module);
  ~InstructionPrinter();
  InstructionPrinter(const InstructionPrinter&) = delete;
  InstructionPrinter& operator=(const InstructionPrinter&) = delete;
  std::string print(uint32_t function, uint32_t pc) const;

 private:
  struct State;
  State* state_;
};

}  // namespace eddy::vm
