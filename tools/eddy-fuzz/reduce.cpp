#include "tools/eddy-fuzz/reduce.h"

#include <algorithm>
#include <chrono>
#include <map>

namespace eddy::fuzz {

namespace {

using Clock = std::chrono::steady_clock;

class Reducer {
 public:
  Reducer(Tree program, const std::function<bool(const std::string&)>& shows, double seconds)
      : root_(std::move(program)),
        shows_(shows),
        end_(Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000))) {}

  Tree run() {
    for (bool smaller = true; smaller && !late();) {
      smaller = leave_out();
      smaller |= replace();
    }
    return std::move(root_);
  }

 private:
  bool late() const { return Clock::now() > end_; }
  bool still_shows() { return shows_(text_of(*root_)); }

  void collect(Tree& tree, Sort sort, std::vector<Tree*>& found) {
    if (tree->sort == sort) found.push_back(&tree);
    for (Tree& c : tree->children) collect(c, sort, found);
  }
  std::vector<Tree*> all(Sort sort) {
    std::vector<Tree*> found;
    collect(root_, sort, found);
    return found;
  }

  // Runs of items, half of them first, single ones last.
  bool leave_out() {
    bool any = false;
    for (size_t size = std::max<size_t>(1, all(Sort::Item).size() / 2); size > 0 && !late(); size /= 2)
      for (size_t at = 0; !late();) {
        std::vector<Tree*> items = all(Sort::Item);
        if (at >= items.size()) break;
        std::vector<std::pair<Tree*, Tree>> taken;
        // Later ones first: an item may lie within an earlier one.
        for (size_t i = std::min(at + size, items.size()); i-- > at;) {
          taken.emplace_back(items[i], std::move(*items[i]));
          *items[i] = std::make_unique<Node>();
        }
        if (still_shows()) {
          any = true;
          continue;
        }
        for (size_t i = taken.size(); i-- > 0;) *taken[i].first = std::move(taken[i].second);
        at += size;
      }
    return any;
  }

  // Parts of an expression that have its type, the largest first.
  static void parts_of(const Node& node, const Type& type, std::vector<const Node*>& found) {
    for (const Tree& c : node.children) {
      if (found.size() >= 8) return;
      if (c->sort == Sort::Expr && c->type == type)
        found.push_back(c.get());
      else
        parts_of(*c, type, found);
    }
  }

  bool try_instead(Tree& place, Tree other) {
    std::swap(place, other);
    if (still_shows()) return true;
    std::swap(place, other);
    return false;
  }

  bool replace() {
    bool any = false;
    for (size_t at = 0; !late(); ++at) {
      std::vector<Tree*> places = all(Sort::Expr);
      if (at >= places.size()) break;
      Tree& place = *places[at];
      std::string text = text_of(*place);
      std::string simple = is_data(place->type) ? simplest(place->type) : "";
      bool is_block = text[0] == '{';
      if (is_block) simple = "{ " + simple + " }";
      if (!simple.empty() && text.size() > simple.size() && try_instead(place, Expr{place->type, simple})) {
        any = true;
        continue;
      }
      std::vector<const Node*> parts;
      parts_of(*place, place->type, parts);
      // The smallest first; of one size, in their order.
      std::multimap<size_t, const Node*> by_size;
      for (const Node* part : parts) by_size.emplace(size_of(*part), part);
      for (auto [size, part] : by_size) {
        if (late()) break;
        Tree other = copy(*part);
        std::string part_text = text_of(*part);
        if (part_text.size() + 4 >= text.size()) continue;
        if (is_block != (part_text[0] == '{'))
          other = is_block ? Tree(Expr{place->type, "{ ", std::move(other), " }"})
                           : Expr{place->type, "(", std::move(other), ")"};
        if (try_instead(place, std::move(other))) {
          any = true;
          --at;  // the new one may be made smaller at once
          break;
        }
      }
    }
    return any;
  }

  Tree root_;
  const std::function<bool(const std::string&)>& shows_;
  Clock::time_point end_;
};

}  // namespace

Tree reduce(Tree program, const std::function<bool(const std::string&)>& shows, double seconds) {
  return Reducer(std::move(program), shows, seconds).run();
}

}  // namespace eddy::fuzz
