// Everything of C++ that machine code calls, apart from what the stubs need.
//
// Values: called through Stubs::call_value (null: a panic is pending) with the frame described by a safepoint.
// Actions: through call_action; they leave in ctx.action how it goes on.
#pragma once
#include "runtime/context.h"
#include "runtime/natives/natives.h"
#include "vm/loaded.h"

#include <vector>

namespace eddy::jit::calls {

using rt::Context;
using rt::Value;
using rt::Word;

enum class IntOp : uint8_t { Add, Sub, Mul, Div, Rem, And, Or, Xor, Shl, Shr, Neg, Abs, BitCount, BitLength };
using IntFunction = Value (*)(Context*, Value, Value);
IntFunction int_function(IntOp op);

Value compare(Context*, Value a, Value b, Word condition);     // a Bool; ir.h's Condition
Value allocate(Context*, Word header, Word bytes);             // unfilled
Value string_at(Context*, Value string, Value index);
Value string_length(Context*, Value string);
Value array_get(Context*, Value array, Value index);
Value array_set(Context*, Value array, Value index, Value value);
Value make_array(Context*, Word count);                        // of the first `count` of ctx.args
Value store(Context*, Value holder, Value* field, Value value);
Value handle(Context*, Value env, rt::Site* site);             // the node, installed
Value record(Context*, const vm::Word* pc, Value operand);     // one instruction on the frame's slots

void safepoint(Context*);
void call_value(Context*, Word count);                         // ctx.args[0] applied to the next `count`
void perform(Context*, vm::PerformCell*);
void perform_named(Context*, vm::PerformCell*);
void fiber_call(Context*);
void resume_keep(Context*);
void resume_last(Context*);
void drop(Context*);
void drop_unused(Context*);
void abort_ret(Context*, Value value);                         // the fiber's sp is at the clause's return word
void clause_aborts(Context*, Value value);                     // a clause frame is on top: its region's value is `value`
void exit_to(Context*, Value target, Value value);

// Plain: neither collects nor fails.
void abort_now(Context*);
double remainder(Context*, double a, double b);
Value old_float(Context*, double value);
Value old_object(Context*, Word header, Word bytes);           // unfilled

// Objects that code did without, for the interpreter to go on with. Their fields' words are in one row, and where they are
// wanted is counted in words from its start.
struct Materials {
  struct Field {
    int32_t object;  // the index of another one, or -1: the next word
    bool boxed;      // which is a double, for an object
  };
  struct Made {
    Word header;
    void* first;
    bool has_first;
    uint32_t fields;
    bool handler;    // a node
  };
  struct Slot {
    int32_t place;
    uint32_t object;
  };
  // What changes the context, outer frames first: a handler that is installed, or the frame below an in-place clause.
  struct Step {
    int32_t frame;   // counted from the row, too
    int32_t object;  // the handler; or -1: the next word, behind the fields
    bool clause;
    bool named;
  };
  std::vector<Made> objects;
  std::vector<Field> fields;  // of all
  std::vector<Slot> slots;
  std::vector<Step> steps;
  const vm::Word* guard = nullptr;  // the instruction, whose record is made
  int32_t guard_frame = 0;          // in which frame, counted from the row
  uint32_t guarded = 0;             // of which of the objects
};
Value materialise(Context*, Word* row, const Materials* materials);

}  // namespace eddy::jit::calls
