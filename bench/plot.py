"""Plots as SVG: bars on a logarithmic axis, and curves on two."""
import html
import math

COLORS = ["#2a6f97", "#c8553d", "#588157", "#8d5a97", "#b08900", "#3d5a80", "#7f4f24", "#0a9396", "#9b2226", "#6c757d", "#386641", "#bc6c25", "#5f0f40"]


def head(width, height, title):
    return [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="{width / 2}" y="20" text-anchor="middle" font-size="15">{html.escape(title)}</text>']


def ticks(low, high):
    return [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def short(v):
    return f"{v:g}"


def bars(title, rows):
    """rows: (label, value, reference or None); the reference is a mark on the bar's line."""
    width, left, top, row = 760, 180, 40, 22
    values = [v for _, v, r in rows if v] + [r for _, _, r in rows if r]
    if not values:
        return None
    marks = ticks(min(values + [1]), max(values))
    low, high = math.log10(marks[0]), math.log10(marks[-1])
    x = lambda v: left + (math.log10(v) - low) / (high - low or 1) * (width - left - 60)
    height = top + row * len(rows) + 50
    out = head(width, height, title)
    bottom = top + row * len(rows)
    for mark in marks:
        out.append(f'<line x1="{x(mark):.1f}" y1="{top}" x2="{x(mark):.1f}" y2="{bottom}" stroke="{"#444" if mark == 1 else "#ddd"}"/>')
        out.append(f'<text x="{x(mark):.1f}" y="{bottom + 16}" text-anchor="middle">{short(mark)}</text>')
    for i, (label, value, reference) in enumerate(rows):
        y = top + i * row
        out.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{html.escape(label)}</text>')
        if value:
            start, end = sorted((x(1), x(value)))
            out.append(f'<rect x="{start:.1f}" y="{y + 4}" width="{max(end - start, 1):.1f}" height="{row - 8}" fill="{COLORS[0]}"/>')
            out.append(f'<text x="{max(end, x(1)) + 5:.1f}" y="{y + 15}">{value:.2f}</text>')
        if reference:
            out.append(f'<path d="M{x(reference):.1f} {y + 2} v{row - 4}" stroke="{COLORS[1]}" stroke-width="3"/>')
    out.append(f'<text x="{left}" y="{height - 10}" fill="{COLORS[1]}">| best published result</text>')
    return "\n".join(out) + "\n</svg>\n"


def curves(title, series):
    """series: {label: [(input, seconds)]}; inputs are shown as multiples of each one's smallest."""
    width, height, left, top, right, bottom = 760, 460, 70, 40, 220, 50
    points = [(n / s[0][0], t) for s in series.values() for n, t in s if t]
    if not points:
        return None
    xs, ys = [1, max(n for n, _ in points)], ticks(min(t for _, t in points), max(t for _, t in points))
    x = lambda v: left + math.log2(v) / (math.log2(xs[1]) or 1) * (width - left - right)
    low, high = math.log10(ys[0]), math.log10(ys[-1])
    y = lambda v: height - bottom - (math.log10(v) - low) / (high - low or 1) * (height - top - bottom)
    out = head(width, height, title)
    for mark in ys:
        out.append(f'<line x1="{left}" y1="{y(mark):.1f}" x2="{width - right}" y2="{y(mark):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{short(mark)} s</text>')
    step = 1
    while step <= xs[1]:
        out.append(f'<text x="{x(step):.1f}" y="{height - bottom + 18}" text-anchor="middle">{step} n</text>')
        step *= 2
    for i, (label, s) in enumerate(series.items()):
        color = COLORS[i % len(COLORS)]
        path = " ".join(f"{'M' if j == 0 else 'L'}{x(n / s[0][0]):.1f} {y(t):.1f}" for j, (n, t) in enumerate(p for p in s if p[1]))
        out.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        out.append(f'<text x="{width - right + 10}" y="{top + 14 + i * 17}" fill="{color}">{html.escape(label)}</text>')
    return "\n".join(out) + "\n</svg>\n"
