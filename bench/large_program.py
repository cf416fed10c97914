#!/usr/bin/env python3
"""Writes a large program of everyday shape: modules of types, matches, loops, closures, handlers and text, all of it
reached from `main`. For measuring the compiler: `bench/large_program.py FOLDER --lines 200000`, then
`time eddy build FOLDER/main.eddy -o /dev/null`."""
import argparse
import os

MODULE = """/// Orders of part {n}.
type Order{n} {{
  Open{n}(id: Int, items: List<Item{n}>)
  Shipped{n}(id: Int, items: List<Item{n}>, carrier: String)
  Cancelled{n}(id: Int, reason: Option<String>)
}}

type Item{n}(name: String, price: Float, count: Int)
type Totals{n}(var orders: Int, var items: Int, var value: Float)

effect Log{n} {{
  note(text: String): Unit
  level(): Int
}}

effect Store{n}<s> {{
  load(): s
  save(value: s): Unit
}}
"""

FUNCTIONS = """
/// The price of all items of an order.
fn value{k}(order: Order{n}): Float => match order {{
  Open{n}(_, items) => items.fold(0.0, fn(sum, item) => sum + item.price * item.count.to_float())
  Shipped{n}(items: items, ..) => {{
    var sum = 0.0
    for item in items {{ sum += item.price * item.count.to_float() }}
    sum
  }}
  Cancelled{n}(..) => 0.0
}}

fn describe{k}(order: Order{n}): String {{
  let name = match order {{
    Open{n}(id, [first, ..rest]) if rest.length() > {a} => "order ${{id}}: ${{first.name}} and ${{rest.length()}} more"
    Open{n}(id, items) => "order ${{id}}: ${{items.map(fn(i) => i.name).join(", ")}}"
    Shipped{n}(id, _, carrier) => "order ${{id}} by ${{carrier.to_upper()}}"
    Cancelled{n}(id, None) => "no order ${{id}}"
    Cancelled{n}(id, Some(reason)) => "no order ${{id}}: " ++ reason
  }}
  if name.length() > {b} {{ name.slice(0, {b}) ++ "…" }} else {{ name }}
}}

fn total{k}(orders: List<Order{n}>, log) {{
  let totals = Totals{n}(0, 0, 0.0)
  for order in orders {{
    totals.orders += 1
    match order {{
      Open{n}(items: items, ..) | Shipped{n}(items: items, ..) => {{
        totals.items += items.length()
        if totals.items % {c} == 0 && level() > 1 {{ note("at ${{totals.items}}") }}
      }}
      Cancelled{n}(id, reason) => log(id, reason.or("no reason"))
    }}
    totals.value += value{k}(order)
  }}
  totals
}}

fn count{k}(n: Int): Int / Store{n}<Int> {{
  var i = 0
  var hits = 0
  while i < n {{
    let x = (i * {a} + {b}) % {c}
    if x & 1 == 0 || x > {d} {{
      hits += 1
      save(load() + x)
    }} else if x == {e} {{
      i += 1
      continue
    }}
    i += 1
  }}
  hits + load()
}}

fn evens{k}(limit: Int) {{
  for i in 0..limit {{
    if i % 2 == 0 {{ emit((i, i * {a})) }}
  }}
}}

fn work{k}(seed: Int): Int {{
  let items = list.range(0, seed % 4 + 1).map(fn(i) => Item{n}("item ${{i}}", {f}, i + {a}))
  let orders = [Open{n}(seed, items), Shipped{n}(seed + 1, items.reverse(), "post"), Cancelled{n}(seed + 2, Some("late"))]
  var lines = 0
  let totals = handle {{ total{k}(orders, fn(id, why) {{ note("${{id}}: ${{why}}") }}) }} with {{
    note(_) => {{ lines += 1; resume(()) }}
    fun level() => {e}
  }}
  var stored = seed
  let counted = handle {{ count{k}(seed % 7) }} with {{
    load() => resume(stored)
    save(value) => {{ stored = value; resume() }}
  }}
  var sum = 0
  for (a, b) in fn() => evens{k}(seed % 9) {{ sum += a ^ b }}
  let texts = orders.map(describe{k}).filter(fn(t) => t.contains("order"))
  {previous} + totals.items + lines + counted + sum + texts.length() + int.parse("{d}").or(0)
}}
"""


def module(n, groups):
    parts = [MODULE.format(n=n)]
    for g in range(groups):
        k = f"_{n}_{g}"
        parts.append(FUNCTIONS.format(
            n=n, k=k, a=g % 5 + 1, b=g % 30 + 20, c=g % 11 + 2, d=g * 7 % 100, e=g % 3, f=f"{g % 20}.5",
            previous=f"work_{n}_{g - 1}(seed + 1) % 1000" if g else "seed"))
    return "".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--modules", type=int, default=50)
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    per_group = FUNCTIONS.count("\n")
    groups = max(1, args.lines // args.modules // per_group)
    lines = 0
    for n in range(args.modules):
        text = module(n, groups)
        lines += text.count("\n")
        with open(os.path.join(args.folder, f"part{n}.eddy"), "w") as f:
            f.write(text)
    text = "".join(f"import part{n}\n" for n in range(args.modules))
    calls = "\n".join(f"  sum += part{n}.work_{n}_{groups - 1}({n})" for n in range(args.modules))
    text += f"\nfn main() {{\n  var sum = 0\n{calls}\n  println(sum)\n}}\n"
    lines += text.count("\n")
    with open(os.path.join(args.folder, "main.eddy"), "w") as f:
        f.write(text)
    print(f"{lines} lines")


if __name__ == "__main__":
    main()
