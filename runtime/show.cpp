#include "runtime/show.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <unordered_set>
#include <vector>

#include "runtime/bigint.h"
#include "runtime/floats.h"
#include "runtime/function.h"
#include "runtime/handler.h"
#include "runtime/strings.h"
#include "runtime/collections.h"
#include "runtime/utf8.h"
#include "runtime/work_stack.h"

namespace eddy::rt {

namespace {

void append_escaped(std::string& out, uint32_t code, char quote, bool before_brace) {
  switch (code) {
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    case '\r': out += "\\r"; return;
    case '\\': out += "\\\\"; return;
    case '$':
      out += quote == '"' && before_brace ? "\\$" : "$";
      return;
  }
  if (code == static_cast<unsigned char>(quote)) {
    out += '\\';
    out += quote;
  } else if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff) {
    char digits[16];
    static const char* hex = "0123456789abcdef";
    int n = 0;
    do digits[n++] = hex[code & 15];
    while (code >>= 4);
    out += "\\u{";
    while (n) out += digits[--n];
    out += '}';
  } else {
    append_utf8(out, code);
  }
}

// The objects whose parts are being shown right now: one of them again is a cycle.
class Path {
 public:
  bool contains(const Object* object) {
    size_t near = std::min(objects_.size(), kNear);
    for (size_t i = 0; i < near; ++i)
      if (objects_[i] == object) return true;
    return deep_ && deep_->contains(object);
  }
  void push(const Object* object) {
    if (objects_.size() >= kNear) {
      if (!deep_) deep_ = std::make_unique<std::unordered_set<const Object*>>();
      deep_->insert(object);
    }
    objects_.push_back(object);
  }
  void pop() {
    if (objects_.size() > kNear) deep_->erase(objects_.back());
    objects_.pop_back();
  }

 private:
  static constexpr size_t kNear = 12;  // this many are cheaper to search than to hash
  WorkStack<const Object*, kNear> objects_;
  std::unique_ptr<std::unordered_set<const Object*>> deep_;
};

class Show {
 public:
  Show(Context& ctx, std::string& out) : ctx_(ctx), out_(out), limit_(std::min(kMaxStringBytes, ctx.heap->limit())) {}

  bool run(Value v) {
    show(v);
    while (!open_.empty()) {
      if (out_.size() > limit_) return panic(ctx_, "out of memory"), false;
      step();
    }
    return true;
  }

 private:
  // A compound value whose parts are being shown.
  struct Open {
    enum Kind : uint8_t { Fields, List, Items, Floats, Collection } kind;
    uint32_t next = 0;
    ConObject* object = nullptr;  // Fields, List: the current cell
  };

  void step() {
    Open& top = open_.back();
    uint32_t i = top.next++;
    switch (top.kind) {
      case Open::Fields: {
        ConObject* object = top.object;
        const ConInfo* info = info_of(object->con());
        if (i == object->count()) return close(is_range(object) ? "" : ")");
        if (i) out_ += object->con() == con::Range ? ".." : object->con() == con::RangeInclusive ? "..=" : ", ";
        if (info && info->is_raw(i)) {
          append_float(out_, std::bit_cast<double>(object->fields[i].bits));
        } else {
          show(object->fields[i]);
        }
        return;
      }
      case Open::List: {
        if (i) {
          Value tail = top.object->fields[1];
          if (!is_cons(tail)) return close("]");
          top.object = as<ConObject>(tail);
          out_ += ", ";
        }
        show(top.object->fields[0]);
        return;
      }
      case Open::Items: {
        auto* array = reinterpret_cast<Array*>(top.object);
        if (i == array->count()) return close("]");
        if (i) out_ += ", ";
        show(array->items[i]);
        return;
      }
      case Open::Floats: {
        auto* array = reinterpret_cast<FloatArray*>(top.object);
        if (i == array->count()) return close("]");
        if (i) out_ += ", ";
        append_float(out_, array->items[i]);
        return;
      }
      case Open::Collection: {
        CollectionWalk& walk = walks_.back();
        if (!walk.is_map()) {
          if (i) walk.next();
          if (walk.done()) return close_collection();
          if (i) out_ += ", ";
          show(walk.key());
          return;
        }
        // Two steps an entry.
        if (i % 2 == 0) {
          if (i) {
            out_ += ')';
            walk.next();
          }
          if (walk.done()) return close_collection();
          out_ += i ? ", (" : "(";
          show(walk.key());
        } else {
          out_ += ", ";
          show(walk.value());
        }
        return;
      }
    }
  }

  void close_collection() {
    walks_.pop_back();
    close("])");
  }
  void close(const char* text) {
    out_ += text;
    path_.pop();
    open_.pop_back();
  }

  static bool is_range(const Object* object) {
    return object->con() == con::Range || object->con() == con::RangeInclusive;
  }
  static bool is_cons(Value v) { return is_con(v, con::Cons) && v.ptr()->count() == 2; }
  const ConInfo* info_of(uint16_t con) const {
    return con < ctx_.constructors.size() ? &ctx_.constructors[con] : nullptr;
  }
  void append_name(uint16_t con) {
    const ConInfo* info = info_of(con);
    if (con == con::Ref) {
      out_ += "ref";
    } else if (info) {
      out_ += info->name;
    }
  }

  void show(Value v) {
    if (v.is_small()) return append_int(out_, v);
    if (v.is_imm()) return show_immediate(v);
    if (v.bits == 0 || !v.is_ptr()) {
      out_ += "<nothing>";
      return;
    }
    Object* object = v.ptr();
    switch (object->kind()) {
      case Kind::Float: return append_float(out_, static_cast<FloatBox*>(object)->value);
      case Kind::BigInt: return append_int(out_, v);
      case Kind::String: return append_quoted(out_, string_view_of(v));
      case Kind::Con:
      case Kind::Array:
      case Kind::FloatArray: return show_compound(v);
      case Kind::Closure: {
        const Function* function = static_cast<Closure*>(object)->function;
        out_ += "<fn";
        if (function && !function->name.empty()) out_ += " " + function->name;
        out_ += '>';
        return;
      }
      case Kind::Named: {
        const Site* site = static_cast<Named*>(object)->site;
        out_ += "<handler";
        if (site && !site->name.empty()) out_ += " " + site->name;
        out_ += '>';
        return;
      }
      case Kind::Continuation: out_ += "<resumption>"; return;
      case Kind::Bytes: out_ += "<bytes>"; return;
      case Kind::Resource: out_ += "<file>"; return;
      default: out_ += "<internal>"; return;
    }
  }

  void show_immediate(Value v) {
    switch (v.imm_kind()) {
      case Imm::Unit: out_ += "()"; return;
      case Imm::Bool: out_ += v.truth() ? "true" : "false"; return;
      case Imm::Char:
        out_ += '\'';
        append_escaped(out_, v.char_code(), '\'', false);
        out_ += '\'';
        return;
      case Imm::Con:
        if (v.imm_con() == con::Nil) {
          out_ += "[]";
        } else {
          append_name(v.imm_con());
        }
        return;
      default: out_ += "<nothing>"; return;
    }
  }

  static const char* opening(uint16_t con) {
    switch (con) {
      case con::MapTree: return "map.from_list([";
      case con::SetTree: return "set.from_list([";
      case con::QueueRing: return "queue.from_list([";
      default: return "mutmap.from_list([";
    }
  }

  void show_compound(Value v) {
    Object* object = v.ptr();
    if (path_.contains(object)) {
      out_ += "…";
      return;
    }
    path_.push(object);
    auto* fields = static_cast<ConObject*>(object);
    if (object->kind() == Kind::Array || object->kind() == Kind::FloatArray) {
      out_ += "#[";
      open_.push_back({object->kind() == Kind::Array ? Open::Items : Open::Floats, 0, fields});
    } else if (is_cons(v)) {
      out_ += '[';
      open_.push_back({Open::List, 0, fields});
    } else if (is_collection(v)) {
      out_ += opening(object->con());
      open_.push_back({Open::Collection, 0, fields});
      walks_.emplace_back(ctx_, v, false);
    } else {
      if (!is_range(object)) {
        append_name(object->con());
        out_ += '(';
      }
      open_.push_back({Open::Fields, 0, fields});
    }
  }

  Context& ctx_;
  std::string& out_;
  WorkStack<Open> open_;
  std::vector<CollectionWalk> walks_;  // of the Collections in open_
  Path path_;
  const uint64_t limit_;
};

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  const char *p = text.data(), *end = p + text.size();
  while (p < end) {
    // Most text needs no escaping: copy runs of it.
    const char* run = p;
    while (p < end && static_cast<unsigned char>(*p) >= 0x20 && static_cast<unsigned char>(*p) < 0x7f && *p != '"' &&
           *p != '\\' && *p != '$')
      ++p;
    out.append(run, p);
    if (p < end) {
      uint32_t code = utf8_decode(p);
      append_escaped(out, code, '"', p < end && *p == '{');
    }
  }
  out += '"';
}

bool append_show(Context& ctx, std::string& out, Value v) {
  if (v.is_small()) return append_int(out, v), true;
  return Show(ctx, out).run(v);
}

bool append_display(Context& ctx, std::string& out, Value v) {
  if (is_string(v)) return out += string_view_of(v), true;
  if (v.is_imm(Imm::Char)) return append_utf8(out, v.char_code()), true;
  return append_show(ctx, out, v);
}

}  // namespace eddy::rt
