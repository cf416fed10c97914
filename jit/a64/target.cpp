#include "jit/codegen/target.h"

#include "jit/a64/codegen.h"
#include "jit/a64/listing.h"

namespace eddy::jit::a64 {

namespace {

class Code : public Emitted, public asmjit::ErrorHandler {
 public:
  Code() {
    holder.init(asmjit::Environment(asmjit::Arch::kAArch64));
    holder.setErrorHandler(this);
  }
  void handleError(asmjit::Error error, const char* message, asmjit::BaseEmitter*) override {
    if (first == asmjit::kErrorOk) {
      first = error;
      text = message;
    }
  }
  size_t size() const override { return holder.codeSize(); }
  bool place(uint8_t* writable, uint64_t address) override {
    if (holder.relocateToBase(address) != asmjit::kErrorOk || first != asmjit::kErrorOk) return false;
    return holder.copyFlattenedData(writable, holder.codeSize()) == asmjit::kErrorOk;
  }

  asmjit::CodeHolder holder;
  asmjit::Error first = asmjit::kErrorOk;
  std::string text;
};

std::unique_ptr<Code> attempt(const Graph& graph, const Stubs& stubs, vm::Tier& tier, void* code_record, Reach reach,
                              Hardship hardship) {
  auto code = std::make_unique<Code>();
  Codegen codegen(graph, code->holder, stubs, tier, code_record, reach, hardship.few_registers ? RegisterSet{8, 3, kRegisterArgs} : RegisterSet{kWords, kFloats, kRegisterArgs});
  code->result = codegen.run();
  code->failure = codegen.failure();
  if (code->failure.empty() && code->first == asmjit::kErrorOk) {
    code->holder.flatten();
    code->holder.resolveUnresolvedLinks();
  }
  return code;
}

std::unique_ptr<Emitted> emit(const Graph& graph, const Stubs& stubs, vm::Tier& tier, void* code_record, Hardship hardship) {
  size_t known = tier.safepoints.size();
  for (Reach reach : {Reach::Near, Reach::Middle, Reach::Far}) {
    if (hardship.far_branches && reach != Reach::Far) continue;
    size_t limit = reach == Reach::Near ? kNearBytes : reach == Reach::Middle ? kMiddleBytes : kMaxBytes;
    tier.safepoints.resize(known);
    std::unique_ptr<Code> code = attempt(graph, stubs, tier, code_record, reach, hardship);
    bool too_large = code->holder.codeSize() > limit || code->first == asmjit::kErrorInvalidDisplacement;
    if (code->failure.empty() && too_large && reach != Reach::Far) continue;
    if (code->failure.empty() && too_large) code->failure = "too large";
    else if (code->failure.empty() && code->first != asmjit::kErrorOk) code->failure = "the assembler says: " + code->text;
    return code;
  }
  return nullptr;
}

}  // namespace

const Target target{"aarch64", [] { return Features{true, true, true}; }, stub_image, emit, disassemble};

}  // namespace eddy::jit::a64
