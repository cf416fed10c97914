#include "jit/codegen/target.h"

#include "jit/x64/codegen.h"
#include "jit/x64/features.h"
#include "jit/x64/listing.h"

namespace eddy::jit::x64 {

namespace {

class Code : public Emitted {
 public:
  Code() { holder.init(asmjit::Environment(asmjit::Arch::kX64)); }
  size_t size() const override { return holder.codeSize(); }
  bool place(uint8_t* writable, uint64_t address) override {
    if (holder.relocateToBase(address) != asmjit::kErrorOk) return false;
    return holder.copyFlattenedData(writable, holder.codeSize()) == asmjit::kErrorOk;
  }
  asmjit::CodeHolder holder;
};

std::unique_ptr<Emitted> emit(const Graph& graph, const Stubs& stubs, vm::Tier& tier, void* code_record, Hardship hardship) {
  auto code = std::make_unique<Code>();
  Codegen codegen(graph, code->holder, stubs, tier, code_record,
                  hardship.few_registers ? RegisterSet{8, 3, kRegisterArgs} : RegisterSet{kGprs, kXmms, kRegisterArgs});
  code->result = codegen.run();
  code->failure = codegen.failure();
  if (code->failure.empty() &&
      (code->holder.flatten() != asmjit::kErrorOk || code->holder.resolveUnresolvedLinks() != asmjit::kErrorOk))
    code->failure = "the assembler fails";
  return code;
}

}  // namespace

const Target target{"x86-64", features, stub_image, emit, disassemble};

}  // namespace eddy::jit::x64
