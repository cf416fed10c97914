#include "jit/departures.h"

namespace eddy::jit {

using vm::Op;

Departure why_left(Reason reason, vm::Word instruction) {
  switch (reason) {
    case Reason::Unseen:
      return Departure::Unseen;
    case Reason::Handler:
      return Departure::OtherHandler;
    case Reason::Moved:
      return Departure::Moved;
    case Reason::Order:
      return Departure::Order;
    case Reason::Request:
      return Departure::Request;
    case Reason::Depth:
      return Departure::Depth;
    default:
      break;
  }
  Op op = vm::op_of(instruction);
  if (op >= Op::ADD && op <= Op::ABS) return Departure::Number;
  if (op >= Op::EQ && op <= Op::LE) return Departure::Number;
  if (op >= Op::JEQ && op <= Op::JGE_I) return Departure::Number;
  switch (op) {
    case Op::INT_TO_FLOAT:
      return Departure::Number;
    case Op::ARRAY_GET:
    case Op::ARRAY_SET:
    case Op::ARRAY_GET_R:
    case Op::ARRAY_SET_R:
      return Departure::Index;
    case Op::PERFORM:
    case Op::HANDLE_END:
    case Op::NAMED_END:
      return Departure::Handler;
    case Op::PANIC:
      return Departure::Panic;
    case Op::UNBOX:
    case Op::NATIVE:
      return Departure::Shape;
    default:
      return op >= Op::JIS && op <= Op::SET_UP ? Departure::Shape : Departure::Other;
  }
}

}  // namespace eddy::jit
