// Which of a module's declarations mention which, to infer each after what it needs.
//
// A walk over names alone: a method call counts as a mention of the function of that name. Where that is
// one mention too many, a group gets larger than need be; that is all.
#include <algorithm>

#include "lang/checker.h"

namespace eddy::lang {

void Checker::note_name(Symbol name, bool method) {
  if (name.id >= dep_of_.size() || dep_of_[name.id] == 0) return;
  if (!method && name.id < shadow_.size() && shadow_[name.id] != 0) return;
  uint32_t node = dep_of_[name.id] - 1;
  if (!dep_node_->edges.empty() && dep_node_->edges.back() == node) return;
  dep_node_->edges.push_back(node);
}

void Checker::collect_pattern(Pattern* p) {
  std::vector<std::pair<Symbol, Span>> names;
  pattern_variables(p, names);
  for (auto& [name, span] : names) {
    if (name.id >= shadow_.size()) continue;
    shadow_[name.id]++;
    shadowed_.push_back(name);
  }
}

void Checker::collect_fn(const Slice<Param>& params, Expr* body) {
  size_t mark = shadowed_.size();
  for (const Param& p : params) {
    if (p.default_value) collect_names(p.default_value);
    if (p.pattern) collect_pattern(p.pattern);
  }
  if (body) collect_names(body);
  while (shadowed_.size() > mark) {
    shadow_[shadowed_.back().id]--;
    shadowed_.pop_back();
  }
}

void Checker::collect_stmt(Stmt* s) {
  switch (s->kind) {
    case StmtKind::kLet:
      collect_names(as<LetStmt>(s)->value);
      collect_pattern(as<LetStmt>(s)->pattern);
      break;
    case StmtKind::kVar: {
      VarStmt* var = as<VarStmt>(s);
      collect_names(var->value);
      if (var->name.name.id < shadow_.size()) {
        shadow_[var->name.name.id]++;
        shadowed_.push_back(var->name.name);
      }
      break;
    }
    case StmtKind::kFn:
      collect_fn(as<FnStmt>(s)->fn->params, as<FnStmt>(s)->fn->body);
      break;
    case StmtKind::kDefer:
      collect_names(as<DeferStmt>(s)->value);
      break;
    case StmtKind::kExpr:
      collect_names(as<ExprStmt>(s)->value);
      break;
  }
}

void Checker::collect_names(Expr* e) {
  if (!e) return;
  auto all = [this](const Slice<Expr*>& items) {
    for (Expr* item : items) collect_names(item);
  };
  auto args = [this](const Slice<Arg>& items) {
    for (const Arg& a : items) collect_names(a.value);
  };
  auto close = [this](size_t mark) {
    while (shadowed_.size() > mark) {
      shadow_[shadowed_.back().id]--;
      shadowed_.pop_back();
    }
  };
  switch (e->kind) {
    case ExprKind::kName:
      note_name(as<NameExpr>(e)->name, false);
      break;
    case ExprKind::kInterpolation:
      for (const StringPart& p : as<InterpolationExpr>(e)->parts) collect_names(p.value);
      break;
    case ExprKind::kTuple:
      all(as<TupleExpr>(e)->items);
      break;
    case ExprKind::kList:
      all(as<ListExpr>(e)->items);
      collect_names(as<ListExpr>(e)->rest);
      break;
    case ExprKind::kArray:
      all(as<ArrayExpr>(e)->items);
      break;
    case ExprKind::kField:
      collect_names(as<FieldExpr>(e)->object);
      break;
    case ExprKind::kTupleIndex:
      collect_names(as<TupleIndexExpr>(e)->object);
      break;
    case ExprKind::kIndex:
      collect_names(as<IndexExpr>(e)->object);
      collect_names(as<IndexExpr>(e)->index);
      break;
    case ExprKind::kCall:
      collect_names(as<CallExpr>(e)->callee);
      args(as<CallExpr>(e)->args);
      break;
    case ExprKind::kMethodCall:
      collect_names(as<MethodCallExpr>(e)->object);
      note_name(as<MethodCallExpr>(e)->name.name, true);
      args(as<MethodCallExpr>(e)->args);
      break;
    case ExprKind::kPipe:
      collect_names(as<PipeExpr>(e)->first);
      for (const PipeStage& s : as<PipeExpr>(e)->stages) collect_names(s.value);
      break;
    case ExprKind::kUnary:
      collect_names(as<UnaryExpr>(e)->operand);
      break;
    case ExprKind::kArith:
      collect_names(as<ArithExpr>(e)->first);
      for (const ArithStep& s : as<ArithExpr>(e)->steps) collect_names(s.operand);
      break;
    case ExprKind::kCompare:
      collect_names(as<CompareExpr>(e)->left);
      collect_names(as<CompareExpr>(e)->right);
      break;
    case ExprKind::kLogical:
      all(as<LogicalExpr>(e)->operands);
      break;
    case ExprKind::kConcat:
      all(as<ConcatExpr>(e)->operands);
      break;
    case ExprKind::kRange:
      collect_names(as<RangeExpr>(e)->from);
      collect_names(as<RangeExpr>(e)->to);
      break;
    case ExprKind::kAssign:
      collect_names(as<AssignExpr>(e)->target);
      collect_names(as<AssignExpr>(e)->value);
      break;
    case ExprKind::kLambda:
      collect_fn(as<LambdaExpr>(e)->params, as<LambdaExpr>(e)->body);
      break;
    case ExprKind::kBlock: {
      BlockExpr* block = as<BlockExpr>(e);
      size_t mark = shadowed_.size();
      for (Stmt* s : block->stmts) {
        if (s->kind != StmtKind::kFn) continue;
        Symbol name = as<FnStmt>(s)->fn->name.name;
        if (name.id < shadow_.size()) {
          shadow_[name.id]++;
          shadowed_.push_back(name);
        }
      }
      for (Stmt* s : block->stmts) collect_stmt(s);
      collect_names(block->value);
      close(mark);
      break;
    }
    case ExprKind::kIf:
      for (const IfBranch& b : as<IfExpr>(e)->branches) {
        collect_names(b.condition);
        collect_names(b.body);
      }
      collect_names(as<IfExpr>(e)->otherwise);
      break;
    case ExprKind::kMatch:
      collect_names(as<MatchExpr>(e)->subject);
      for (const MatchArm& a : as<MatchExpr>(e)->arms) {
        size_t mark = shadowed_.size();
        collect_pattern(a.pattern);
        collect_names(a.guard);
        collect_names(a.body);
        close(mark);
      }
      break;
    case ExprKind::kWhile:
      collect_names(as<WhileExpr>(e)->condition);
      collect_names(as<WhileExpr>(e)->body);
      break;
    case ExprKind::kFor: {
      ForExpr* loop = as<ForExpr>(e);
      collect_names(loop->iterable);
      size_t mark = shadowed_.size();
      collect_pattern(loop->pattern);
      collect_names(loop->body);
      close(mark);
      break;
    }
    case ExprKind::kLoop:
      collect_names(as<LoopExpr>(e)->body);
      break;
    case ExprKind::kBreak:
      collect_names(as<BreakExpr>(e)->value);
      break;
    case ExprKind::kReturn:
      collect_names(as<ReturnExpr>(e)->value);
      break;
    case ExprKind::kHandle: {
      HandleExpr* handle = as<HandleExpr>(e);
      size_t mark = shadowed_.size();
      if (handle->name.name && handle->name.name.id < shadow_.size()) {
        shadow_[handle->name.name.id]++;
        shadowed_.push_back(handle->name.name);
      }
      collect_names(handle->body);
      close(mark);
      for (const Clause& c : handle->clauses) collect_fn(c.params, c.body);
      break;
    }
    case ExprKind::kMask:
      collect_names(as<MaskExpr>(e)->body);
      break;
    default:
      break;
  }
}

// Strongly connected components, each after those it mentions (Tarjan, without recursion).
std::vector<std::vector<uint32_t>> Checker::order_groups(std::vector<Node>& nodes) {
  std::vector<std::vector<uint32_t>> groups;
  size_t n = nodes.size();
  std::vector<uint32_t> index(n, 0), low(n, 0), stack;
  std::vector<char> on_stack(n, 0);
  struct Frame {
    uint32_t node, edge;
  };
  std::vector<Frame> frames;
  uint32_t next = 1;
  for (uint32_t root = 0; root < n; root++) {
    if (index[root]) continue;
    frames.push_back({root, 0});
    while (!frames.empty()) {
      Frame& f = frames.back();
      uint32_t v = f.node;
      if (f.edge == 0) {
        index[v] = low[v] = next++;
        stack.push_back(v);
        on_stack[v] = 1;
      }
      if (f.edge < nodes[v].edges.size()) {
        uint32_t w = nodes[v].edges[f.edge++];
        if (!index[w])
          frames.push_back({w, 0});
        else if (on_stack[w] && index[w] < low[v])
          low[v] = index[w];
        continue;
      }
      if (low[v] == index[v]) {
        std::vector<uint32_t> group;
        uint32_t w;
        do {
          w = stack.back();
          stack.pop_back();
          on_stack[w] = 0;
          group.push_back(w);
        } while (w != v);
        std::sort(group.begin(), group.end());
        groups.push_back(std::move(group));
      }
      frames.pop_back();
      if (!frames.empty()) {
        uint32_t parent = frames.back().node;
        if (low[v] < low[parent]) low[parent] = low[v];
      }
    }
  }
  return groups;
}

}  // namespace eddy::lang
