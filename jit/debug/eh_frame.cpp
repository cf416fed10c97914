// Call-frame information. The return address lies in the word below the canonical frame address; machine code
// keeps no registers for its callers, but r15 and r14 are the same everywhere.
#include "jit/debug/dwarf.h"
#include "jit/debug/frames.h"
#include "runtime/context.h"
#include "runtime/function.h"

namespace eddy::jit::debug {

namespace {

enum DwarfRegister : unsigned { kRbx = 3, kRbp = 6, kRsp = 7, kR12 = 12, kR13, kR14, kR15, kReturn };
enum Rule : unsigned {
  kAdvance4 = 0x04,
  kUndefined = 0x07,
  kSameValue = 0x08,
  kDefCfa = 0x0c,
  kDefCfaOffset = 0x0e,
  kDefCfaExpression = 0x0f,
  kOffset = 0x80,
};
enum Operation : unsigned {
  kDeref = 0x06,
  kConst1 = 0x08,
  kDup = 0x12,
  kDrop = 0x13,
  kOver = 0x14,
  kSwap = 0x16,
  kPlus = 0x22,
  kPlusConst = 0x23,
  kShl = 0x24,
  kEq = 0x29,
  kBra = 0x28,
  kSkip = 0x2f,
  kLit3 = 0x33,
  kBreg = 0x70,
  kDerefSize = 0x94,
};
constexpr unsigned kPcRel4 = 0x1b;

void base(Bytes& e, unsigned reg, int64_t offset) {
  e.u8(kBreg + reg);
  e.sleb(offset);
}

// What the context knows of a frame that is not found from the stack pointer: leaves the frame's end on the
// stack.
Bytes expression(int32_t frame) {
  Bytes e;
  auto field = [&](size_t offset) {
    e.u8(kPlusConst);
    e.uleb(offset);
    e.u8(kDeref);
  };
  switch (frame) {
    case kSavedOnFiber:  // ctx.fiber.sp + 8
      base(e, kR15, offsetof(rt::Context, fiber));
      e.u8(kDeref);
      field(offsetof(rt::Fiber, sp));
      e.u8(kPlusConst);
      e.uleb(8);
      break;
    case kInterpreted:  // rsp + 8 * frame.function.frame_size
      base(e, kRsp, 0);
      base(e, kRsp, 0);
      e.u8(kDeref);
      e.u8(kPlusConst);
      e.uleb(offsetof(rt::Function, frame_size));
      e.u8(kDerefSize);
      e.u8(4);
      e.u8(kLit3);
      e.u8(kShl);
      e.u8(kPlus);
      break;
    case kFiberEnd: {  // the parent of the fiber whose base this is
      base(e, kR15, offsetof(rt::Context, fiber));
      e.u8(kDeref);
      size_t loop = e.size();
      e.u8(kDup);
      field(offsetof(rt::Fiber, base));
      base(e, kRsp, 0);
      e.u8(kEq);
      e.u8(kBra);
      size_t found = e.size();
      e.u16(0);
      field(offsetof(rt::Fiber, parent));
      e.u8(kSkip);
      e.u16(static_cast<uint16_t>(loop - (e.size() + 2)));
      Bytes done;
      done.append(e.data().data(), found);
      done.u16(static_cast<unsigned>(e.size() - (found + 2)));
      done.append(e.data().data() + found + 2, e.size() - found - 2);
      e = done;
      field(offsetof(rt::Fiber, parent));
      field(offsetof(rt::Fiber, sp));
      e.u8(kPlusConst);
      e.uleb(8);
      break;
    }
    default:  // ctx.host_sp, above what `enter` pushed
      base(e, kR15, offsetof(rt::Context, host_sp));
      e.u8(kDeref);
      e.u8(kPlusConst);
      e.uleb(64);
  }
  return e;
}

void offset_rule(Bytes& out, unsigned reg, unsigned words) {
  out.u8(kOffset | reg);
  out.uleb(words);
}

}  // namespace

Bytes eh_frame(const CodeRegion& region, uint32_t start, uint32_t end, const FrameSection& how, size_t* fde) {
  bool through = how.absolute;
  bool switches = false;
  for (const FrameMove& move : region.moves) switches |= move.cfa < 0;
  Bytes out;
  // Debuggers take a signal's frame as what may lie on another stack.
  size_t length_at = out.size();
  out.u32(0);
  out.u32(0);  // a CIE
  out.u8(1);
  out.text(switches && through ? "zRS" : "zR");
  out.uleb(1);
  out.sleb(-8);
  out.uleb(kReturn);
  out.uleb(1);
  out.u8(how.absolute ? 0 : kPcRel4);
  out.u8(kDefCfa);
  out.uleb(kRsp);
  out.uleb(8);
  offset_rule(out, kReturn, 1);
  // Not rbp, though it is no different: unwinders take a frame without one for the last.
  for (unsigned reg : {kRbx, kR12, kR13}) {
    out.u8(kUndefined);
    out.uleb(reg);
  }
  for (unsigned reg : {kR14, kR15}) {
    out.u8(kSameValue);
    out.uleb(reg);
  }
  out.align(8);
  out.put_u32(length_at, static_cast<uint32_t>(out.size() - 4));

  *fde = out.size();
  out.u32(0);
  out.u32(static_cast<uint32_t>(out.size()));  // back to the CIE
  if (how.absolute) {
    out.u64(reinterpret_cast<uint64_t>(region.code) + start);
    out.u64(uint64_t{end} - start);
  } else {
    auto here = how.distance + static_cast<int64_t>(out.size());
    out.u32(static_cast<uint32_t>(int64_t{start} - here));
    out.u32(end - start);
  }
  out.uleb(0);
  int32_t cfa = 8;
  uint32_t at = start;
  auto state = [&](int32_t to) {
    if (to >= 0) {
      out.u8(kDefCfa);
      out.uleb(kRsp);
      out.uleb(static_cast<uint64_t>(to));
    } else if (!through) {
      out.u8(kUndefined);
      out.uleb(kReturn);
    } else {
      Bytes e = expression(to);
      out.u8(kDefCfaExpression);
      out.uleb(e.size());
      out.append(e);
      if (to == kVmEnd) {
        unsigned words = 2;
        for (unsigned reg : {kRbx, kRbp, kR12, kR13, kR14, kR15}) offset_rule(out, reg, words++);
      }
    }
    cfa = to;
  };
  int32_t first = cfa;
  for (const FrameMove& move : region.moves)
    if (move.offset <= start) first = move.cfa;
  if (first != cfa) state(first);
  for (const FrameMove& move : region.moves) {
    if (move.offset <= start || move.offset >= end || move.cfa == cfa) continue;
    out.u8(kAdvance4);
    out.u32(move.offset - at);
    at = move.offset;
    state(move.cfa);
  }
  out.align(8);
  out.put_u32(*fde, static_cast<uint32_t>(out.size() - *fde - 4));
  return out;
}

Bytes eh_frame_header(const Bytes& frames, size_t fde, int64_t distance) {
  auto size = static_cast<int64_t>(frames.size());
  Bytes out;
  out.u8(1);
  out.u8(kPcRel4);
  out.u8(0x03);
  out.u8(0x3b);
  out.u32(static_cast<uint32_t>(-(size + 4)));
  out.u32(1);
  out.u32(static_cast<uint32_t>(-(distance + size)));
  out.u32(static_cast<uint32_t>(static_cast<int64_t>(fde) - size));
  return out;
}

}  // namespace eddy::jit::debug
