// What the representation of Floats in lists costs, apart from the VM: `map` (which reverses) and `fold` over a list of
// 1 000 doubles, by hand, in each of the ways a compiler could do it.
//
//     float_lists WAY WORK ROUNDS
//
// WAY   malloc   templates, cells from malloc, each freed behind its last use
//       bare     templates, cells of a header, the double and the rest, from a nursery
//       boxed    templates, cells whose element is an object: a header and the double (what Eddy makes of Floats)
//       beside   as `boxed`, with cell and object from one allocation
//       erased   one function for all types: elements, arguments and results are objects, the function a pointer
// WORK  fold, or both: map, then fold
//
// The nursery is a bump pointer with a test that is set back after each round, as if a collector found nothing alive.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr size_t kRoom = size_t{4} << 20;
char* const nursery = static_cast<char*>(std::malloc(kRoom));
char *at = nursery, *const end = nursery + kRoom;

inline void* bump(size_t bytes) {
  char* p = at;
  at += bytes;
  if (at > end) std::abort();
  return p;
}

struct Box {
  uint64_t header;
  double value;
};
template <class A>
struct Cell {
  uint64_t header;
  A head;
  Cell* tail;
};
constexpr uint64_t kBox = 0x100000a, kCell = 0x2000101;

Box* box(double x) { return new (bump(sizeof(Box))) Box{kBox, x}; }
// A check, as what holds a value of any type asks for.
double unbox(const Box* b) {
  if ((reinterpret_cast<uintptr_t>(b) & 7) || b->header != kBox) std::abort();
  return b->value;
}

struct Malloc {
  struct List {
    double head;
    List* tail;
  };
  static double get(const List* xs) { return xs->head; }
  static List* cons(double x, List* tail) { return new List{x, tail}; }
  static List* again(const List* xs, List* tail) { return cons(xs->head, tail); }
  static void drop(List* xs) {
    while (xs) {
      List* tail = xs->tail;
      delete xs;
      xs = tail;
    }
  }
};
struct Bare {
  using List = Cell<double>;
  static double get(const List* xs) { return xs->head; }
  static List* cons(double x, List* tail) { return new (bump(sizeof(List))) List{kCell, x, tail}; }
  static List* again(const List* xs, List* tail) { return cons(xs->head, tail); }
  static void drop(List*) {}
};
struct Boxed {
  using List = Cell<Box*>;
  static double get(const List* xs) { return unbox(xs->head); }
  static List* cons(double x, List* tail) {
    Box* head = box(x);
    return new (bump(sizeof(List))) List{kCell, head, tail};
  }
  static List* again(const List* xs, List* tail) { return new (bump(sizeof(List))) List{kCell, xs->head, tail}; }
  static void drop(List*) {}
};
struct Beside : Boxed {
  static List* cons(double x, List* tail) {
    auto* both = static_cast<char*>(bump(sizeof(Box) + sizeof(List)));
    auto* head = new (both) Box{kBox, x};
    return new (both + sizeof(Box)) List{kCell, head, tail};
  }
};

template <class W>
typename W::List* reverse(const typename W::List* xs) {
  typename W::List* ys = nullptr;
  for (; xs; xs = xs->tail) ys = W::again(xs, ys);
  return ys;
}
template <class W, class F>
[[gnu::noinline]] typename W::List* map(const typename W::List* xs, F f) {
  typename W::List* ys = nullptr;
  for (; xs; xs = xs->tail) ys = W::cons(f(W::get(xs)), ys);
  typename W::List* result = reverse<W>(ys);
  W::drop(ys);
  return result;
}
template <class W, class F>
[[gnu::noinline]] double fold(const typename W::List* xs, double init, F f) {
  for (; xs; xs = xs->tail) init = f(init, W::get(xs));
  return init;
}

// One function for all types.
struct Closure {
  uint64_t header;
  Box* (*code)(const Closure*, Box*, Box*);
};
using Any = Cell<Box*>;
[[gnu::noinline]] Any* map_any(const Any* xs, const Closure* f) {
  Any* ys = nullptr;
  for (; xs; xs = xs->tail) {
    Box* y = f->code(f, xs->head, nullptr);
    ys = new (bump(sizeof(Any))) Any{kCell, y, ys};
  }
  return reverse<Boxed>(ys);
}
[[gnu::noinline]] Box* fold_any(const Any* xs, Box* init, const Closure* f) {
  for (; xs; xs = xs->tail) init = f->code(f, init, xs->head);
  return init;
}
Box* step_any(const Closure*, Box* x, Box*) { return box(unbox(x) * 1.5 + 1.0); }
Box* add_any(const Closure*, Box* a, Box* x) { return box(unbox(a) + unbox(x)); }
const Closure step{0, step_any}, add{0, add_any};

double step_of(double x) { return x * 1.5 + 1.0; }

template <class W>
double run(bool both, int rounds) {
  typename W::List* xs = nullptr;
  for (int i = 999; i >= 0; --i) xs = W::cons(i, xs);
  char* start = at;
  double total = 0;
  for (int i = 0; i < rounds; ++i) {
    typename W::List* ys = both ? map<W>(xs, [](double x) { return step_of(x); }) : xs;
    total += fold<W>(ys, 0, [](double a, double x) { return a + x; });
    if (both) W::drop(ys);
    at = start;
  }
  return total;
}
double run_any(bool both, int rounds) {
  Any* xs = nullptr;
  for (int i = 999; i >= 0; --i) xs = Boxed::cons(i, xs);
  const Closure *volatile map_with = &step, *volatile fold_with = &add;
  Box* zero = box(0);
  char* start = at;
  double total = 0;
  for (int i = 0; i < rounds; ++i) {
    Any* ys = both ? map_any(xs, map_with) : xs;
    total += unbox(fold_any(ys, zero, fold_with));
    at = start;
  }
  return total;
}

}  // namespace

int main(int count, char** args) {
  if (count != 4) return 2;
  bool both = !std::strcmp(args[2], "both");
  int rounds = std::atoi(args[3]);
  auto is = [&](const char* way) { return !std::strcmp(args[1], way); };
  double total = is("malloc")   ? run<Malloc>(both, rounds)
                 : is("bare")   ? run<Bare>(both, rounds)
                 : is("boxed")  ? run<Boxed>(both, rounds)
                 : is("beside") ? run<Beside>(both, rounds)
                                : run_any(both, rounds);
  std::printf("%.1f\n", total);
}
