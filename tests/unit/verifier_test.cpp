#include "vm/verifier.h"

#include <gtest/gtest.h>

#include "runtime/constructors.h"
#include "vm/assembler.h"
#include "vm/builder.h"

namespace eddy::vm {
namespace {

int native_arity(std::string_view name) { return name == "println" ? 1 : name == "join" ? 2 : -1; }

// What the verifier says of a module, "" where it accepts it.
std::string judged(const Module& m) {
  auto error = verify(m, native_arity);
  return error ? error->reason : "";
}
std::string verdict(const std::string& text) {
  AssembleResult r = assemble(text);
  if (!r.module) return "line " + std::to_string(r.line) + ": " + r.error;
  return judged(*r.module);
}

// Declarations that the bodies below use.
const std::string kWorld = R"(
file "f.eddy"
type Tree { Leaf Node(left, raw weight, right) }
type Pair { Pair(a, b) }
effect State { get(0) put(1) }
effect Choice { multi pick(1) }
effect Empty { }
global limit
function get_plain params 1 captures 1 self clause { GET_UP r1, 0 GET_CELL r1, r1 RET r1 }
function put_abort params 2 self clause { ABORT_NOW ABORT_RET r1 }
function pick_multi params 3 captures 2 self clause { GET_UP r1, 1 RESUME r3, r2, r1 TAIL_RESUME_LAST r2, r3 }
function get_once params 2 self clause { LOAD_UNIT r2 TAIL_RESUME_LAST r1, r2 }
function put_tail params 2 self clause { RET_UNIT }
function plain2 params 2 { ADD r0, r0, r1 RET r0 }
function closure1 params 2 captures 1 self { GET_UP r2, 0 RET r2 }
function thunk params 1 captures 1 self { RET_UNIT }
)";
const std::string kStateSite = R"(
site state { handles State clause State get tail plain get_plain clause State put tail_or_abort put_abort }
)";
const std::string kChoiceSite = "site choice { handles Choice clause Choice pick multi pick_multi }\n";
const std::string kJoint = "site joint { }\n";

std::string function(const std::string& body, const std::string& head = "params 1") {
  return kWorld + "function f " + head + " {\n" + body + "\n}\n";
}

std::string word(Word w) { return ".word " + std::to_string(w) + " "; }

TEST(Verifier, AcceptsOrdinaryCode) {
  EXPECT_EQ(verdict(function(R"(
  LOAD_INT r1, 0
loop:
  JLE_I r0, 0, done
  ADD r1, r1, r0
  SUB_I r0, r0, 1
  LOOP loop
done:
  CALL r2, plain2 (r0, r1)
  MAKE_CLOSURE r3, closure1 (r2)
  CALL_CLOSURE r3, r3 (r1)
  LOAD_FN r4, plain2
  TAIL_CLOSURE r4 (r1, r3)
)")),
            "");
}

TEST(Verifier, AcceptsDataAndKnowledge) {
  EXPECT_EQ(verdict(function(R"(
  LOAD_CON r1, Leaf
  LOAD_FLOAT f0, 2.5
  MAKE r2, Node (r1, f0, r1)
  GET r3, r2, 0
  GET_R f1, r2, 1
  JIS r3, Node, node
  SWITCH r3, Leaf (leaf, node)
  GET_C r4, r3, 2, Node
  GET_R f0, r3, 1
  RET r4
leaf:
  RET_UNIT
node:
  GET r4, r3, 2
  MOVE r5, r3
  GET r5, r5, 0
  SET_RC r3, 1, f1, Node
  RET r5
)")),
            "");
}

TEST(Verifier, AcceptsHandlers) {
  EXPECT_EQ(verdict(function(R"(
  MAKE_CELL r1, r0
  MAKE_ENV r2 (r1)
  DEFER r8, f0, r0
  HANDLE r3, r2, r4, state -> aborted
  PERFORM r5, State, put (r0)
  HANDLE_END r3
  JMP end
aborted:
  MOVE r5, r4
end:
  DEFER_END r8, f0
  CALL_CLOSURE r6, r8 ()
  RET r5
)") + kStateSite),
            "");
}

TEST(Verifier, AcceptsFibers) {
  std::string base = kWorld + kChoiceSite + R"(
function base params 1 captures 2 self base {
  GET_UP r2, 0
  MAKE_ENV r3 (r2, r2)
  HANDLE r1, r3, r4, choice -> aborted
  PERFORM r4, Choice, pick (r2)
  HANDLE_END r1
  RET r4
aborted:
  RET r4
}
function f params 1 {
  MAKE_CLOSURE r1, base (r0, r0)
  FIBER_CALL r2, r1
  MAKE_CLOSURE r1, base (r2, r0)
  TAIL_FIBER r1
}
)";
  EXPECT_EQ(verdict(base), "");
}

TEST(Verifier, AcceptsNamedFibers) {
  EXPECT_EQ(verdict(kWorld + kJoint + R"(
site h named { handles Choice clause Choice pick multi pick_multi }
function base params 1 captures 2 self base {
  LOAD_UNIT r2
  MAKE_ENV r3 (r2, r2)
  HANDLE r1, r2, r6, joint -> gone
  HANDLE_NAMED r4, f0, r3, h -> aborted
  LOAD_INT r2, 3
  PERFORM_NAMED r2, Choice, pick (r4, r2)
  NAMED_END r4, f0
  JMP on
aborted:
  MOVE r2, r5
on:
  HANDLE_END r1
  RET r2
gone:
  RET r6
}
)"),
            "");
}

TEST(Verifier, AcceptsAttemptsAndExits) {
  EXPECT_EQ(verdict(function(R"(
  EXIT_POINT r1, f0, out
  ATTEMPT r3, f2, caught
  EXIT r1, r0
caught:
  MAKE r5, Panic (r3, r4)
  EXIT_END r1, f0
  RET r5
out:
  RET r2
)")),
            "");
}

struct Case {
  const char* name;
  std::string text;
  const char* reason;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Rejects : public testing::TestWithParam<Case> {};
TEST_P(Rejects, IsRejected) { EXPECT_EQ(verdict(GetParam().text), GetParam().reason); }

const Case kCases[] = {
    {"ReadBeforeWrite", function("RET r1"), "register 1 has no value on some way here"},
    {"WrittenOnOneWay", function("JT r0, a LOAD_UNIT r1 a: RET r1"),
     "register 1 has no value on some way here"},
    {"RawReadBeforeWrite", function("BOX r0, f0 RET r0"), "register 1 has no value on some way here"},
    {"RunsOff", function("LOAD_UNIT r0"), "control runs off the end of the code"},
    {"JumpBack", function("a: JMP a"), "LOOP goes backwards, all other jumps forwards"},
    {"LoopForwards", function("LOOP a a: RET r0"), "LOOP goes backwards, all other jumps forwards"},
    {"JumpIntoInstruction", function(word(encode_d(Op::JMP, 0, 2)) + "LOAD_K r1, 5 RET r0"),
     "the jump goes to no instruction of the function"},
    {"Internal", function(word(encode(Op::CLAUSE_END)) + "RET r0"), "this is no instruction"},
    {"NoSuchOpcode", function(".word 0xfff0 RET r0"), "this is no instruction"},
    {"Truncated", function("LOAD_UNIT r0 " + word(encode(Op::LOAD_K))),
     "the instruction reaches beyond the end of the code"},
    {"NoConstant", function("LOAD_K r1, #7 RET r1"), "there is no constant 7"},
    {"NoGlobal", function("LOAD_GLOBAL r1, #1 RET r1"), "there is no global 1"},
    {"NoFunction", function("CALL r1, #77 RET r1"), "there is no function 77"},
    {"NoConstructor", function("LOAD_CON r1, #99 RET r1"), "there is no constructor 99"},
    {"NoNative", function("NATIVE r1, nothing (r0) RET r1"), "there is no native \"nothing\""},
    {"NativeArity", function("NATIVE r1, join (r0) RET r1"), "join takes 2 arguments, not 1"},
    {"CallArity", function("CALL r1, plain2 (r0) RET r1"), "plain2 takes 2 arguments, not 1"},
    {"CallClosureFunction", function("CALL r1, closure1 (r0, r0) RET r1"),
     "closure1 is called through its closure"},
    {"CallClause", function("CALL r1, get_plain (r0) RET r1"), "get_plain is called through its closure"},
    {"LoadFnWithCaptures", function("LOAD_FN r1, closure1 RET r1"), "closure1 needs a closure"},
    {"CaptureCount", function("MAKE_CLOSURE r1, closure1 (r0, r0) RET r1"), "closure1 has 1 captures, not 2"},
    {"ClosureOfClause", function("MAKE_CLOSURE r1, get_plain (r0) RET r1"),
     "get_plain is no function with captures"},
    {"ClosureOfPlain", function("MAKE_CLOSURE r1, plain2 () RET r1"), "plain2 is no function with captures"},
    {"UpWithoutSelf", function("GET_UP r1, 0 RET r1"), "there is no capture 0"},
    {"UpTooFar", function("GET_UP r1, 1 RET r1", "params 1 captures 1 self"), "there is no capture 1"},
    {"WritesSelf", function("LOAD_UNIT r0 RET r0", "params 1 self"), "register 0 is not written"},
    {"ClauseReadsEnvironment", function("RET r0", "params 1 self clause"),
     "register 0 has no value on some way here"},
    {"ConWithFields", function("LOAD_CON r1, Node RET r1"), "the constructor has fields"},
    {"MakeCount", function("MAKE r1, Pair (r0) RET r1"), "the constructor has 2 fields, not 1"},
    {"MakeRawField", function("MAKE r1, Node (r0, r0, r0) RET r1"), "field 1 is raw"},
    {"MakeTaggedField", function("LOAD_FLOAT f0, 0.0 MAKE r1, Pair (r0, f0) RET r1"), "field 1 is not raw"},
    {"MakeConstant", function("MAKE r1, Leaf () RET r1"), "the constructor has no fields: LOAD_CON makes it"},
    {"GetUnknown", function("GET r1, r0, 0 RET r1"), "the constructor of register 0 is not known here"},
    {"GetAfterJoin", function("JIS r0, Pair, a LOAD_INT r0, 1 a: GET r1, r0, 0 RET r1"),
     "the constructor of register 0 is not known here"},
    {"GetOtherSide", function("JIS r0, Pair, a GET r1, r0, 0 a: RET r0"),
     "the constructor of register 0 is not known here"},
    {"GetAfterWrite", function("GET_C r1, r0, 0, Pair MOVE r0, r1 GET r1, r0, 0 RET r1"),
     "the constructor of register 0 is not known here"},
    {"GetIntoItself", function("GET_C r0, r0, 0, Pair GET r1, r0, 0 RET r1"),
     "the constructor of register 0 is not known here"},
    {"GetField", function("GET_C r1, r0, 0, Pair GET r1, r0, 2 RET r1"), "there is no field 2"},
    {"GetRaw", function("GET_C r1, r0, 0, Node GET r1, r0, 1 RET r1"), "the field is raw"},
    {"GetRNotRaw", function("GET_C r1, r0, 0, Node GET_R f0, r0, 0 RET r1"), "the field is not raw"},
    {"GetCField", function("GET_C r1, r0, 2, Pair RET r1"), "there is no field 2"},
    {"SetCRaw", function("SET_C r0, 1, r0, Node RET r0"), "the field is raw"},
    {"SwitchTypes", function("SWITCH r0, Node (a, a, a) a: RET r0"), "the constructors are not of one type"},
    {"SwitchUnknown", function("SWITCH r0, MutMap (a, a) a: RET r0"), "there is no constructor 15"},
    {"SwitchEmpty", function("SWITCH r0, Node () RET r0"), "the table is empty"},
    {"BadBool", function(word(encode(Op::LOAD_BOOL, 0, 2)) + "RET r0"), "a Bool is 0 or 1"},
    {"BadChar", function("LOAD_CHAR r0, 55296 RET r0"), "this is no character"},
    {"DirtyBits", function(word(encode(Op::LOAD_UNIT, 0, 1)) + "RET r0"),
     "bits that mean nothing are not zero"},
    {"Operation", function("PERFORM r1, State, #2 () RET r1"), "State has no operation 2"},
    {"OperationArity", function("PERFORM r1, State, put () RET r1"), "put takes 1 arguments, not 0"},
    {"NamedArity", function("PERFORM_NAMED r1, State, get () RET r1"), "get takes 1 arguments, not 0"},
    {"AbortElsewhere", function("ABORT_RET r0"), "only a tail-or-abort clause may abort"},
    {"HandleEnvironment",
     function("HANDLE r1, r0, r2, state -> a HANDLE_END r1 RET r0 a: RET r2") + kStateSite,
     "register 0 holds no environment of 1 captures"},
    {"SmallEnvironment",
     function("MAKE_ENV r3 () HANDLE r1, r3, r2, state -> a HANDLE_END r1 RET r0 a: RET r2") + kStateSite,
     "register 3 holds no environment of 1 captures"},
    {"ReturnsEnvironment", function("MAKE_ENV r1 (r0) RET r1"),
     "register 1 holds something that is no value"},
    {"ReadsNode",
     function("MAKE_ENV r3 (r0) HANDLE r1, r3, r2, state -> a MOVE r0, r1 HANDLE_END r1 RET r0 a: RET r2") +
         kStateSite,
     "register 1 has no value on some way here"},
    {"ReadsContext", function("DEFER r1, f0, r0 MOVE r3, r2 DEFER_END r1, f0 RET r3"),
     "register 2 has no value on some way here"},
    {"ReturnsInRegion", function("DEFER r1, f0, r0 RET r0"), "a region is still open"},
    {"TailCallInRegion", function("DEFER r1, f0, r0 TAIL_CALL plain2 (r0, r0)"), "a region is still open"},
    {"OverwritesSlot", function("DEFER r1, f0, r0 LOAD_UNIT r2 DEFER_END r1, f0 RET r0"),
     "register 2 belongs to an open region"},
    {"OverwritesRawSlot", function("DEFER r1, f0, r0 LOAD_FLOAT f1, 1.0 DEFER_END r1, f0 RET r0"),
     "register 4 belongs to an open region"},
    {"NestedSameSlot", function("DEFER r1, f0, r0 DEFER r2, f2, r0 DEFER_END r2, f2 DEFER_END r1, f0 RET r0"),
     "register 2 belongs to an open region"},
    {"GuardInRegion", function("GUARD r1, f0, r0 RET r0"), "a region is still open"},
    {"GuardContext", function("GUARD r1, f0, r0 MOVE r3, r2 GUARD_END r1, f0 RET r3"),
     "register 2 has no value on some way here"},
    {"EndWithoutBegin", function("DEFER_END r1, f0 RET r0"), "no region is open here"},
    {"WrongOrder", function("DEFER r1, f0, r0 DEFER r3, f2, r0 DEFER_END r1, f0 DEFER_END r3, f2 RET r0"),
     "the region that was opened last has other registers"},
    {"WrongEnd", function("DEFER r1, f0, r0 ATTEMPT_END r1, f0 RET r0"),
     "another sort of region was opened last"},
    {"RegionsDiffer", function("JT r0, a DEFER r1, f0, r0 a: PANIC r0"),
     "the regions open at word 2 depend on the way there"},
    {"RegionLoop", function("a: DEFER r1, f0, r0 LOOP a"),
     "the regions open at word 0 depend on the way there"},
    {"TargetInRegion", function("ATTEMPT r1, f0, a a: ATTEMPT_END r1, f0 RET r0"),
     "the regions open at word 2 depend on the way there"},
    {"AttemptBackwards", function("a: LOAD_UNIT r1 JT r0, b ATTEMPT r1, f0, a ATTEMPT_END r1, f0 b: RET r0"),
     "where the region goes on after an abort is no later instruction of the function"},
    {"SetInRegionReadAtTarget",
     function("ATTEMPT r1, f0, a LOAD_UNIT r3 ATTEMPT_END r1, f0 RET r0 a: RET r3"),
     "register 3 has no value on some way here"},
    {"KnownBeforeRegionOnly",
     function("GET_C r3, r0, 0, Pair ATTEMPT r1, f0, a MOVE r0, r3 ATTEMPT_END r1, f0 RET r0 a: GET r3, r0, "
              "0 RET r3"),
     "the constructor of register 0 is not known here"},
    {"HiddenInRegion",
     function("LOAD_UNIT r3 ATTEMPT r1, f0, a MAKE_ENV r3 (r0) ATTEMPT_END r1, f0 RET r0 a: RET r3"),
     "register 3 has no value on some way here"},
    {"SiteTwice",
     function("MAKE_ENV r3 (r0) HANDLE r1, r3, r2, state -> a HANDLE_END r1 HANDLE r1, r3, r2, state -> a "
              "HANDLE_END r1 RET r0 a: RET r2") +
         kStateSite,
     "the site belongs to another instruction"},
    {"NeedsFiber",
     function("MAKE_ENV r3 (r0, r0) HANDLE r1, r3, r2, choice -> a HANDLE_END r1 RET r0 a: RET r2") +
         kChoiceSite,
     "the handler must be the first of a fiber base"},
    {"MaskSite", function("MASK r1, state MASK_END r1 RET r0") + kStateSite, "the site is of another sort"},
    {"MissingClause", kWorld + "site s { handles State clause State get tail get_plain }",
     "site 0 (s): an operation has no clause"},
    {"ClauseParams",
     kWorld + "site s { handles State clause State get tail put_tail clause State put tail put_tail }",
     "site 0 (s): clause put_tail has 2 parameters and needs 1"},
    {"ClauseKinds",
     kWorld + "site s { handles State clause State get tail get_plain clause State put tail put_abort } "
              "site t { handles State clause State get tail get_plain clause State put abort put_abort }",
     "site 1 (t): clause put_abort is used with different kinds"},
    {"ClauseOrder",
     kWorld + "site s { handles State clause State put tail put_tail clause State get tail get_plain }",
     "site 0 (s): the clauses are not in the order of effects and operations"},
    {"MultiOfOneShot",
     kWorld + "site s { handles State clause State get multi get_once clause State put tail put_tail }",
     "site 0 (s): operation get is not resumed more than once"},
    {"NotAClause",
     kWorld + "site s { handles State clause State get tail get_plain clause State put tail plain2 }",
     "site 0 (s): function plain2 is no clause"},
    {"EmptyMask", kWorld + "site s mask { }", "site 0 (s): a mask names an effect"},
    {"PlainCalls",
     kWorld + "site s { handles Empty } effect Simple { go(0) } "
              "site t { handles Simple clause Simple go tail plain go } function go params 1 self clause { "
              "CALL r1, plain2 (r1, r1) RET r1 }",
     "a plain clause calls, performs and loops nowhere"},
    {"FiberClosureEscapes",
     kWorld + kJoint +
         "function b params 1 self base { LOAD_UNIT r2 HANDLE r1, r2, r3, joint -> x HANDLE_END r1 RET r2 x: "
         "RET r2 } "
         "function f { MAKE_CLOSURE r1, b () RET r1 }",
     "register 1 holds something that is no value"},
    {"FiberCallOfValue", function("FIBER_CALL r1, r0 RET r1"), "register 0 holds no closure of a fiber base"},
    {"BaseWithoutHandle", function("RET_UNIT", "params 1 tagged 2 self base"),
     "a fiber base has one HANDLE with its node in register 1"},
    {"BaseWritesNode", function("LOAD_UNIT r1 RET r1", "params 1 tagged 2 self base"),
     "register 1 is the fiber's node"},
    {"NamedOutsideBase",
     function("MAKE_ENV r1 (r0, r0) HANDLE_NAMED r2, f0, r1, h -> a NAMED_END r2, f0 RET r0 a: RET r0") +
         "site h named { handles Choice clause Choice pick multi pick_multi }",
     "the named handler must be in a fiber base"},
    {"AfterAbortNow",
     kWorld + "effect Simple { go(0) } site t { handles Simple clause Simple go tail_or_abort go } "
              "function go params 1 self clause { ABORT_NOW RET_UNIT }",
     "after ABORT_NOW a clause ends with ABORT_RET or a tail call"},
    {"MainTakesClosure", kWorld + "main closure1", "closure1 cannot be the main function"},
    {"MainParams", kWorld + "main plain2 args", "plain2 cannot be the main function"},
    {"TestParams", kWorld + "test t plain2", "plain2 cannot be the test function"},
    {"BadUtf8", "constant string \"\\xff\"", "constant 0 is not valid UTF-8"},
    {"BadInt", "constant int \"12a\"", "constant 0 is not a decimal number"},
    {"PositionOrder", kWorld + "function f { .position 1 0 1 1 RET_UNIT }",
     "the source positions are not in the order of the code"},
    {"PositionFile", kWorld + "function f { .position 0 4 1 1 RET_UNIT }", "a source position names no file"},
};
INSTANTIATE_TEST_SUITE_P(Verifier, Rejects, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Verifier, ErrorsSayWhere) {
  AssembleResult r = assemble("file \"a.eddy\" function f { LOAD_UNIT r0 @ 0 7 3 RET r1 }");
  ASSERT_TRUE(r.module);
  auto error = verify(*r.module, native_arity);
  ASSERT_TRUE(error);
  EXPECT_EQ(to_string(*error, *r.module),
            "function 0 (f), word 1, RET (a.eddy:7:3): register 1 has no value on some way here");
}

// Chains of moves in nested loops lose one known constructor at each turn; the verifier gives up knowing, not
// time.
TEST(Verifier, StaysFast) {
  FunctionBuilder b("f");
  std::vector<Reg> regs;
  for (int i = 0; i < 3000; ++i) regs.push_back(b.take());
  b.data().params = 1;
  for (size_t i = 1; i < regs.size(); ++i) b.emit(Op::LOAD_CON, {regs[i], 5});
  std::vector<Label> heads;
  for (int depth = 0; depth < 40; ++depth) {
    heads.push_back(b.label());
    b.bind(heads.back());
  }
  for (size_t i = regs.size() - 1; i > 0; --i) b.emit(Op::MOVE, {regs[i], regs[i - 1]});
  for (Label head : heads) {
    Label out = b.label();
    b.emit(Op::JT, {regs[0], out});
    b.emit(Op::LOOP, {head});
    b.bind(out);
  }
  b.emit(Op::RET_UNIT);
  Module m;
  m.functions.push_back(b.build(m.sites));
  EXPECT_EQ(judged(m), "");

  FunctionData wide;
  wide.name = "wide";
  wide.tagged = 60000;
  wide.params = 1;
  for (int i = 0; i < 3000; ++i) wide.code.push_back(encode_d(Op::JT, 0, 1));
  wide.code.push_back(encode(Op::RET_UNIT));
  m.functions.push_back(wide);
  EXPECT_EQ(judged(m), "the function is too large");
}

TEST(Verifier, KnowsTheFieldsOfWellKnownConstructors) {
  const std::vector<rt::ConInfo> table = rt::builtin_constructors();
  for (uint32_t id = 0; id < table.size(); ++id) {
    EXPECT_EQ(rt::builtin_fields(id), table[id].type_name.empty() ? -1 : table[id].fields) << id;
    EXPECT_EQ(table[id].field_names.size(), id < rt::con::tuple(2) ? table[id].fields : 0u) << id;
  }
}

}  // namespace
}  // namespace eddy::vm
