// Templates over the same lists, from and back to malloc; each list is freed behind its last use.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
using i64 = int64_t;
template <class A>
struct List {
  A head;
  List* tail;
};
template <class A>
static List<A>* cons(A head, List<A>* tail) { return new List<A>{head, tail}; }
template <class A>
static void drop(List<A>* xs) {
  while (xs) {
    List<A>* tail = xs->tail;
    delete xs;
    xs = tail;
  }
}
template <class A>
static List<A>* reverse(const List<A>* xs) {
  List<A>* ys = nullptr;
  for (; xs; xs = xs->tail) ys = cons(xs->head, ys);
  return ys;
}
template <class B, class A, class F>
static List<B>* map(const List<A>* xs, F f) {
  List<B>* ys = nullptr;
  for (; xs; xs = xs->tail) ys = cons<B>(f(xs->head), ys);
  List<B>* result = reverse(ys);
  drop(ys);
  return result;
}
template <class A, class B, class F>
static B fold(const List<A>* xs, B init, F f) {
  for (; xs; xs = xs->tail) init = f(init, xs->head);
  return init;
}
int main(int, char** v) {
  i64 n = atoll(v[1]);
  List<i64>* ints = nullptr;
  for (i64 i = n - 1; i >= 0; --i) ints = cons(i, ints);
  List<double>* floats = map<double>(ints, [](i64 i) { return double(i); });
  i64 total = 0;
  double ftotal = 0;
  for (int i = 0; i < 10; ++i) {
    List<i64>* a = map<i64>(ints, [](i64 x) { return x * 2 + 1; });
    total += fold(a, i64{0}, [](i64 s, i64 x) { return s + x; });
    drop(a);
    List<double>* b = map<double>(floats, [](double x) { return x * 1.5 + 1.0; });
    ftotal += fold(b, 0.0, [](double s, double x) { return s + x; });
    drop(b);
  }
  printf("%ld %.1f\n", (long)total, ftotal);
}
