#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "tools/eddy/profile.h"
#include "vm/names.h"

namespace eddy::tool {

namespace {

constexpr int kWidth = 1200, kRow = 17, kTop = 40;

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// What handlers do stands out from the rest; shades tell neighbours apart.
std::string color(const std::string& name) {
  unsigned hash = 17;
  for (char c : name) hash = hash * 31 + static_cast<unsigned char>(c);
  unsigned shade = hash % 40;
  if (name.rfind("handler ", 0) == 0) return fmt::format("rgb({},{},{})", 90 + shade, 150 + shade, 225);
  if (name.rfind("handle ", 0) == 0)
    return fmt::format("rgb({},{},{})", 110 + shade, 190 + shade, 120 + shade);
  return fmt::format("rgb({},{},{})", 225 + shade / 2, 130 + shade * 2, 60 + shade);
}

// Zooming: a frame is as wide as the picture, those above it in proportion, those below it too, what is
// beside it hidden.
constexpr const char* kScript = R"script(
const W = 1200, frames = [...document.querySelectorAll("g.f")];
const box = g => ({x: +g.dataset.x, w: +g.dataset.w, d: +g.dataset.d});
function zoom(to) {
  const z = to ? box(to) : {x: 0, w: W, d: 0};
  for (const g of frames) {
    const b = box(g), below = b.d <= z.d && b.x <= z.x + 1e-6 && b.x + b.w >= z.x + z.w - 1e-6;
    const inside = b.x >= z.x - 1e-6 && b.x + b.w <= z.x + z.w + 1e-6 && b.d >= z.d;
    g.style.display = below || inside ? "" : "none";
    if (!below && !inside) continue;
    const x = below ? 0 : (b.x - z.x) / z.w * W, w = below ? W : b.w / z.w * W;
    const r = g.querySelector("rect"), t = g.querySelector("text");
    r.setAttribute("x", x); r.setAttribute("width", Math.max(w - 0.5, 0.2));
    t.setAttribute("x", x + 3);
    const n = Math.floor((w - 6) / 7), name = g.dataset.n;
    t.textContent = n < 3 ? "" : name.length <= n ? name : name.slice(0, n - 1) + "…";
  }
}
for (const g of frames) g.addEventListener("click", () => zoom(g));
document.getElementById("all").addEventListener("click", () => zoom(null));
zoom(null);
)script";

}  // namespace

std::string flame_graph(const vm::Profiler& profile, const std::string& title) {
  const auto& nodes = profile.nodes();
  struct Place {
    uint32_t node;
    double x;
    unsigned depth;
  };
  double all = static_cast<double>(std::max<uint64_t>(1, nodes[0].total));
  double scale = kWidth / all;
  std::vector<Place> places, work{{0, 0, 0}};
  unsigned deepest = 0;
  while (!work.empty()) {
    Place p = work.back();
    work.pop_back();
    const vm::Profiler::Node& node = nodes[p.node];
    // What would be thinner than a hair is left out.
    if (static_cast<double>(node.total) * scale < 0.1) continue;
    places.push_back(p);
    deepest = std::max(deepest, p.depth);
    double x = p.x;
    for (uint32_t child : node.children) {
      work.push_back({child, x, p.depth + 1});
      x += static_cast<double>(nodes[child].total) * scale;
    }
  }
  int height = kTop + static_cast<int>(deepest + 1) * kRow + 10;
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"monospace\" font-size=\"11\">\n"
      "<style>g.f {{ cursor: pointer }} g.f:hover rect {{ stroke: black }} #all {{ cursor: pointer "
      "}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fdfaf3\"/>\n"
      "<text id=\"all\" x=\"8\" y=\"20\" font-size=\"14\">{2}: {3} samples (click a frame to zoom, here for "
      "all)</text>\n",
      kWidth, height, escaped(title), nodes[0].total);
  for (const Place& p : places) {
    const vm::Profiler::Node& node = nodes[p.node];
    std::string name = profile.name_of(node);
    double width = static_cast<double>(node.total) * scale;
    int y = height - 10 - static_cast<int>(p.depth + 1) * kRow;
    std::string place = node.function ? vm::to_string(vm::source_place(*node.function)) : "";
    auto letters = static_cast<size_t>(std::max(0.0, (width - 6) / 7));
    std::string shown = letters < 3 ? "" : name.size() <= letters ? name : name.substr(0, letters - 1);
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0) == 0x80) shown.pop_back();
    if (!shown.empty() && static_cast<unsigned char>(shown.back()) >= 0xc0) shown.pop_back();
    fmt::format_to(
        std::back_inserter(out),
        "<g class=\"f\" data-x=\"{:.4f}\" data-w=\"{:.4f}\" data-d=\"{}\" data-n=\"{}\"><title>{}{}{} — {} "
        "samples, "
        "{:.1f} %</title><rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\" rx=\"1\"/>"
        "<text x=\"{:.2f}\" y=\"{}\">{}</text></g>\n",
        p.x, width, p.depth, escaped(name), escaped(name), place.empty() ? "" : " at ", escaped(place),
        node.total, 100.0 * static_cast<double>(node.total) / all, p.x, y, std::max(width - 0.5, 0.2),
        kRow - 1, color(name), p.x + 3, y + 12, escaped(shown));
  }
  out += "<script><![CDATA[";
  out += kScript;
  out += "]]></script>\n</svg>\n";
  return out;
}

}  // namespace eddy::tool
