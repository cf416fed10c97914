"""Programs that several tests look into."""

STATE = """effect State { get(): Int; put(v: Int): Unit }
fn count(n: Int) {
  if n > 0 {
    put(get() + 1)
    count(n - 1)
  }
}
fn main() {
  var s = 0
  handle { count(10000) } with {
    get() => resume(s)
    put(v) => { s = v; resume(()) }
  }
  println(s)
}
"""
GENERATOR = """effect Yield { yield(value: Int): Unit }
type Generator { Empty  Thunk(value: Int, next: fn(Unit): Generator / {}) }
fn numbers(n: Int) { for i in 0..n { yield(i) } }
fn generate(n: Int): Generator {
  handle { numbers(n); Empty } with {
    yield(v) => Thunk(v, resume)
  }
}
fn sum(a: Int, g: Generator): Int {
  match g {
    Empty => a
    Thunk(v, next) => sum(v + a, next())
  }
}
fn main() { println(sum(0, generate(5000))) }
"""
