// Patterns into decision trees, decision trees into code.
//
// A row is what is left to test of one arm; an occurrence is a part of the subject. The tree picks the first test
// of the first row, splits all rows by what that occurrence turns out to be, and goes on with each part: no test
// is made twice on any path. Where that would grow out of hand, arms are tried one after the other instead.
#pragma once
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lang/lower/lowering.h"

namespace eddy::lang::lower {

class Matcher {
 public:
  explicit Matcher(Lowering& lowering) : l_(lowering) {}
  ~Matcher();

  struct Arm {
    Pattern* pattern = nullptr;
    Expr* guard = nullptr;
    Expr* body = nullptr;
    uint32_t leaves = 0;
    vm::Label label;
    std::vector<std::pair<Local*, Reg>> homes;  // of its variables, where several leaves lead to it
  };

  /// A subject; the patterns of all arms are against it.
  uint32_t root(Val v);
  void add_arm(Arm arm, uint32_t root);
  /// The subject is a tuple that is never made: its items are roots. Patterns are TuplePatterns or `_`.
  void add_arm(Arm arm, std::span<const uint32_t> roots);
  /// Emits everything; what an arm's body gives goes to `d`.
  void run(Dest d, Span span);
  /// For `let`: binds the variables of the only pattern, in registers of the scope around.
  void run_let(Span span);

 private:
  enum class HeadKind : uint8_t { kCon, kInt, kBigInt, kFloat, kChar, kString, kBool };
  struct Head {
    HeadKind kind = HeadKind::kCon;
    uint16_t con = 0, first = 0;  // id; of the type's first constructor
    uint32_t count = 0;           // constructors of the type
    uint32_t fields = 0;
    ConstructorBinding* binding = nullptr;
    int64_t number = 0;
    double real = 0;
    std::string_view text;
    Expr* literal = nullptr;
    bool negative = false;
    bool operator==(const Head& o) const;
    uint64_t hash() const;
  };
  struct Occurrence {
    Reg reg, raw;
    bool loaded = false, owned = false;
    bool raw_loaded = false, raw_owned = false;
    int32_t parent = -1;
    uint16_t con = 0, field = 0;  // within the parent
    bool raw_field = false;
    int32_t proven = -1;  // constructor, as the verifier knows it
    std::vector<uint32_t> parts;
  };
  struct Test {
    uint32_t occurrence;
    Pattern* pattern;
    uint32_t from;  // list patterns: items before are dealt with
  };
  struct Row {
    std::vector<Test> tests;
    std::vector<std::pair<Local*, uint32_t>> binds;
    uint32_t arm = 0;
  };
  // What an occurrence is told apart by, and the rows that remain for each.
  struct Split {
    static constexpr uint32_t kNone = UINT32_MAX;
    uint32_t find(const Head& head) const;
    std::vector<Head> heads;
    std::unordered_multimap<uint64_t, uint32_t> by_hash;
    std::vector<std::vector<Row>> parts;
    std::vector<Row> others;  // where it is none of them
  };
  struct Node {
    enum class Kind : uint8_t { kFail, kLeaf, kSplit } kind = Kind::kFail;
    uint32_t arm = 0;
    std::vector<std::pair<Local*, uint32_t>> binds;
    int32_t next = -1;  // kLeaf with a guard: where that fails. kSplit: none of the heads
    uint32_t occurrence = 0;
    std::vector<std::pair<Head, int32_t>> branches;
  };
  enum class Undo : uint8_t { kLoad, kRaw, kProof };

  // building
  void add_test(Row& row, uint32_t occurrence, Pattern* p, uint32_t from = 0);
  bool irrefutable_head(const Test& t) const;
  Head head_of(const Test& t) const;
  void heads_of(const Test& t, Split& split) const;
  void add_parts(Row& row, const Test& t, const Head& head);
  void distribute(const Row& row, uint32_t occurrence, Split& split);
  uint32_t part(uint32_t occurrence, const Head& head, uint32_t field);
  int32_t build(std::vector<Row> rows);
  static uint32_t size_of(const Pattern* p);

  // emitting
  void emit(int32_t node);
  void emit_leaf(const Node& node);
  void emit_split(const Node& node);
  void emit_constructors(const Node& node);
  void emit_switch(const Node& node);
  void emit_literals(const Node& node);
  void emit_search(const Node& node, std::span<const std::pair<int64_t, int32_t>> sorted,
                   vm::Label otherwise);
  void test_literal(uint32_t occurrence, const Head& head, vm::Label fails);
  void body(Arm& arm);
  void sequential();
  void sequential_row(Row row, vm::Label fails);
  Reg load(uint32_t occurrence);
  Reg load_raw(uint32_t occurrence);
  void load_into(uint32_t occurrence, Reg home);
  Val take_over(uint32_t occurrence, bool raw);
  void prove(uint32_t occurrence, uint16_t con);
  struct Mark {
    size_t trail, fetched;
  };
  Mark mark() const { return {trail_.size(), l_.fetched_.size()}; }
  void undo(Mark mark);
  std::vector<Reg> give_unused(const std::vector<std::pair<Local*, uint32_t>>& binds);
  void fail();

  Lowering& l_;
  std::vector<Occurrence> occurrences_;
  std::vector<Arm> arms_;
  std::vector<Row> rows_;
  std::vector<Node> nodes_;
  std::vector<std::pair<uint32_t, Undo>> trail_;
  std::vector<Val> roots_;
  size_t budget_ = 0;
  size_t copies_ = 0;  // of rows
  bool too_big_ = false;
  bool is_let_ = false;
  Dest dest_;
  Span span_;
  vm::Label end_;
  bool resumed_before_ = false, resumed_on_all_ = true;
};

}  // namespace eddy::lang::lower
