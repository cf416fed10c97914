// Where faults are planted, the stubs are written when they are first wanted: there may be one in them.
#include "jit/codegen/assembled_stubs.h"

namespace eddy::jit {

namespace {

class Images {
 public:
  explicit Images(AssembledStubs (*assemble)(bool)) : assembled_{assemble(false), assemble(true)} {}
  const StubImage& of(bool observed) const { return images_[observed]; }

 private:
  AssembledStubs assembled_[2];
  StubImage images_[2] = {assembled_[0].image(), assembled_[1].image()};
};

}  // namespace

const StubImage& x64::stub_image(bool observed) {
  static const Images images(assemble_stubs);
  return images.of(observed);
}
const StubImage& a64::stub_image(bool observed) {
  static const Images images(assemble_stubs);
  return images.of(observed);
}

}  // namespace eddy::jit
