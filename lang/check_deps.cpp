// Which of a module's declarations mention which, to infer each after what it needs.
//
// A walk over names alone: a method call counts as a mention of the function of that name. Where that is
// one mention too many, a group gets larger than need be; that is all.
#include <algorithm>

#include "lang/checker.h"
#include "lang/tree_walk.h"

namespace eddy::lang {

void Checker::note_name(Symbol name, bool method) {
  if (name.id >= dep_of_.size() || dep_of_[name.id] == 0) return;
  if (!method && name.id < shadow_.size() && shadow_[name.id] != 0) return;
  uint32_t node = dep_of_[name.id] - 1;
  if (!dep_node_->edges.empty() && dep_node_->edges.back() == node) return;
  dep_node_->edges.push_back(node);
}

// A local of this name hides the module's until unshadow.
void Checker::shadow(Symbol name) {
  if (name.id >= shadow_.size()) return;
  shadow_[name.id]++;
  shadowed_.push_back(name);
}

void Checker::unshadow(size_t mark) {
  while (shadowed_.size() > mark) {
    shadow_[shadowed_.back().id]--;
    shadowed_.pop_back();
  }
}

void Checker::collect_pattern(Pattern* p) {
  std::vector<std::pair<Symbol, Span>> names;
  pattern_variables(p, names);
  for (auto& [name, span] : names) shadow(name);
}

void Checker::collect_fn(const Slice<Param>& params, Expr* body) {
  size_t mark = shadowed_.size();
  for (const Param& p : params) {
    if (p.default_value) collect_names(p.default_value);
    if (p.pattern) collect_pattern(p.pattern);
  }
  collect_names(body);
  unshadow(mark);
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
      shadow(var->name.name);
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
  size_t mark = shadowed_.size();
  switch (e->kind) {
    case ExprKind::kName:
      note_name(as<NameExpr>(e)->name, false);
      return;
    case ExprKind::kMethodCall:
      note_name(as<MethodCallExpr>(e)->name.name, true);
      break;
    case ExprKind::kLambda:
      return collect_fn(as<LambdaExpr>(e)->params, as<LambdaExpr>(e)->body);
    case ExprKind::kBlock: {
      BlockExpr* block = as<BlockExpr>(e);
      for (Stmt* s : block->stmts) {
        if (s->kind == StmtKind::kFn) shadow(as<FnStmt>(s)->fn->name.name);
      }
      for (Stmt* s : block->stmts) collect_stmt(s);
      collect_names(block->value);
      return unshadow(mark);
    }
    case ExprKind::kMatch:
      collect_names(as<MatchExpr>(e)->subject);
      for (const MatchArm& a : as<MatchExpr>(e)->arms) {
        collect_pattern(a.pattern);
        collect_names(a.guard);
        collect_names(a.body);
        unshadow(mark);
      }
      return;
    case ExprKind::kFor:
      collect_names(as<ForExpr>(e)->iterable);
      collect_pattern(as<ForExpr>(e)->pattern);
      collect_names(as<ForExpr>(e)->body);
      return unshadow(mark);
    case ExprKind::kHandle: {
      HandleExpr* handle = as<HandleExpr>(e);
      if (handle->name.name) shadow(handle->name.name);
      collect_names(handle->body);
      unshadow(mark);
      for (const Clause& c : handle->clauses) collect_fn(c.params, c.body);
      return;
    }
    default:
      break;
  }
  for_each_child(e, [this](Expr* child) { collect_names(child); });
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
