// Where faults are planted, the stubs are written when they are first wanted: there may be one in them.
#include "jit/codegen/assembled_stubs.h"

namespace eddy::jit {

namespace {

class Images {
 public:
  explicit Images(AssembledStubs (*assemble)(Watch)) : assembled_{assemble(kWatches[0]), assemble(kWatches[1]), assemble(kWatches[2])} {}
  const StubImage& of(Watch watch) const { return images_[static_cast<size_t>(watch)]; }

 private:
  AssembledStubs assembled_[std::size(kWatches)];
  StubImage images_[std::size(kWatches)] = {assembled_[0].image(), assembled_[1].image(), assembled_[2].image()};
};

}  // namespace

const StubImage& x64::stub_image(Watch watch) {
  static const Images images(assemble_stubs);
  return images.of(watch);
}
const StubImage& a64::stub_image(Watch watch) {
  static const Images images(assemble_stubs);
  return images.of(watch);
}

}  // namespace eddy::jit
