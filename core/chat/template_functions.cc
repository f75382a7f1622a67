#include "core/chat/template_functions.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace tersor {
namespace {

using Value = TemplateValue;
using ValueOr = absl::StatusOr<Value>;

const std::string& Text(const Value& value) { return value.get_ref<const std::string&>(); }

absl::Status Fault(absl::string_view what) { return absl::InvalidArgumentError(std::string(what)); }

// A character of Python's str is a code point: where each begins, and the end.
std::vector<size_t> CharacterStarts(const std::string& text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

int64_t Length(const Value& value) {
  if (value.is_string()) return static_cast<int64_t>(CharacterStarts(Text(value)).size()) - 1;
  return value.is_structured() ? static_cast<int64_t>(value.size()) : 0;
}

// With Python's blanks after commas and colons.
std::string ToJson(const Value& value) {
  if (value.is_array()) {
    std::string out = "[";
    for (const Value& one : value) absl::StrAppend(&out, out.size() > 1 ? ", " : "", ToJson(one));
    return out + "]";
  }
  if (value.is_object()) {
    std::string out = "{";
    for (const auto& [key, one] : value.items()) {
      absl::StrAppend(&out, out.size() > 1 ? ", " : "", Value(key).dump(), ": ", ToJson(one));
    }
    return out + "}";
  }
  return value.is_discarded() ? "null" : value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

std::string Stripped(const std::string& text, const Value& characters, bool left, bool right) {
  const std::string set = characters.is_string() ? Text(characters) : " \t\n\r\v\f";
  const size_t begin = left ? text.find_first_not_of(set) : 0;
  if (begin == std::string::npos) return "";
  const size_t last = right ? text.find_last_not_of(set) : text.size() - 1;
  return last == std::string::npos ? "" : text.substr(begin, last + 1 - begin);
}

Value SplitText(const std::string& text, const Value& separator) {
  Value parts = Value::array();
  if (separator.is_string() && !Text(separator).empty()) {
    for (absl::string_view part : absl::StrSplit(text, Text(separator))) parts.push_back(std::string(part));
  } else {
    for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(" \t\n\r\v\f"), absl::SkipEmpty())) {
      parts.push_back(std::string(part));
    }
  }
  return parts;
}

std::string Capitalized(const std::string& text) {
  std::string out = absl::AsciiStrToLower(text);
  if (!out.empty()) out[0] = absl::ascii_toupper(static_cast<unsigned char>(out[0]));
  return out;
}

ValueOr Compare(const std::string& name, const Value& left, const Value& right) {
  if (name == "==" || name == "!=") return Value((left == right) == (name == "=="));
  const bool comparable = (left.is_number() && right.is_number()) || (left.is_string() && right.is_string());
  if (!comparable) return Fault(absl::StrCat("\"", name, "\" of values that have no order"));
  if (name == "<") return Value(left < right);
  if (name == "<=") return Value(!(right < left));
  if (name == ">") return Value(right < left);
  return Value(!(left < right));
}

ValueOr Contains(const Value& element, const Value& container) {
  if (container.is_string() && element.is_string()) return Value(absl::StrContains(Text(container), Text(element)));
  if (container.is_object() && element.is_string()) return Value(container.contains(Text(element)));
  if (container.is_array()) return Value(std::find(container.begin(), container.end(), element) != container.end());
  return Fault("\"in\" a value that holds nothing");
}

ValueOr Arithmetic(const std::string& name, const Value& left, const Value& right) {
  if (!left.is_number() || !right.is_number()) {
    return Fault(absl::StrCat("\"", name, "\" of values that are not numbers"));
  }
  const double x = left.get<double>(), y = right.get<double>();
  if ((name == "/" || name == "//" || name == "%") && y == 0) return Fault("division by zero");
  double result = 0;
  if (name == "+") result = x + y;
  if (name == "-") result = x - y;
  if (name == "*") result = x * y;
  if (name == "/") return Value(x / y);
  if (name == "//") result = std::floor(x / y);
  if (name == "%") result = x - y * std::floor(x / y);
  const bool whole = left.is_number_integer() && right.is_number_integer() && std::abs(result) < 9e15;
  return whole ? Value(static_cast<int64_t>(result)) : Value(result);
}

ValueOr Attributes(const std::string& filter, const Value& value, const TemplateArguments& arguments) {
  const Value attribute = arguments.Get(0, "attribute");
  if (!value.is_array() || !attribute.is_string()) return Fault(absl::StrCat(filter, " needs a list and a name"));
  Value out = Value::array();
  for (const Value& one : value) {
    const Value field = ElementOf(one, attribute);
    if (filter == "map") {
      out.push_back(field);
      continue;
    }
    bool holds = IsTrue(field);
    if (const Value test = arguments.Get(1, ""); test.is_string()) {
      TERSOR_ASSIGN_OR_RETURN(holds, ApplyTest(Text(test), field, {{arguments.Get(2, "")}, {}}));
    }
    if (holds == (filter == "selectattr")) out.push_back(one);
  }
  return out;
}

std::string Joined(const Value& value, const std::string& separator) {
  std::string out;
  bool first = true;
  for (const Value& one : value) {
    absl::StrAppend(&out, first ? "" : separator, PrintedText(one));
    first = false;
  }
  return out;
}

}  // namespace

Value TemplateArguments::Get(size_t position, absl::string_view name) const {
  for (const auto& [key, value] : named) {
    if (key == name) return value;
  }
  return position < positional.size() ? positional[position] : UndefinedValue();
}

bool IsTrue(const Value& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string() || value.is_structured()) return Length(value) > 0;
  return false;
}

std::string PrintedText(const Value& value) {
  if (value.is_string()) return Text(value);
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_null()) return "None";
  return value.is_discarded() ? "" : ToJson(value);
}

ValueOr ApplyOperator(const std::string& name, const Value& left, const Value& right) {
  if (name == "~") return Value(PrintedText(left) + PrintedText(right));
  if (name == "in") return Contains(left, right);
  if (name == "not in") {
    TERSOR_ASSIGN_OR_RETURN(const Value found, Contains(left, right));
    return Value(!found.get<bool>());
  }
  if (name == "==" || name == "!=" || name[0] == '<' || name[0] == '>') return Compare(name, left, right);
  if (name == "+" && left.is_string() && right.is_string()) return Value(Text(left) + Text(right));
  if (name == "+" && left.is_array() && right.is_array()) {
    Value all = left;
    for (const Value& one : right) all.push_back(one);
    return all;
  }
  return Arithmetic(name, left, right);
}

ValueOr CallMethod(const Value& object, const std::string& method, const TemplateArguments& arguments) {
  const Value first = arguments.Get(0, "");
  if (object.is_object()) {
    if (method == "items") return ApplyFilter("items", object, arguments);
    if (method == "get" && first.is_string()) {
      if (object.contains(Text(first))) return object[Text(first)];
      const Value otherwise = arguments.Get(1, "default");
      return otherwise.is_discarded() ? Value(nullptr) : otherwise;
    }
    if (method == "keys") {
      Value keys = Value::array();
      for (const auto& [key, value] : object.items()) keys.push_back(key);
      return keys;
    }
  }
  if (object.is_string()) {
    const std::string& text = Text(object);
    if (method == "strip") return Value(Stripped(text, first, true, true));
    if (method == "lstrip") return Value(Stripped(text, first, true, false));
    if (method == "rstrip") return Value(Stripped(text, first, false, true));
    if (method == "split") return SplitText(text, first);
    if (method == "upper") return Value(absl::AsciiStrToUpper(text));
    if (method == "lower") return Value(absl::AsciiStrToLower(text));
    if (method == "capitalize") return Value(Capitalized(text));
    if (method == "startswith" && first.is_string()) return Value(absl::StartsWith(text, Text(first)));
    if (method == "endswith" && first.is_string()) return Value(absl::EndsWith(text, Text(first)));
    if (method == "replace") return ApplyFilter("replace", object, arguments);
  }
  return Fault(absl::StrCat("a value without the method ", method, "()"));
}

ValueOr ApplyFilter(const std::string& name, const Value& value, const TemplateArguments& arguments) {
  const Value first = arguments.Get(0, "");
  if (name == "tojson") return Value(ToJson(value));
  if (name == "string") return Value(PrintedText(value));
  if (name == "safe" || (name == "list" && value.is_array())) return value;
  if (name == "length" || name == "count") return Value(Length(value));
  if (name == "default" || name == "d") {
    const bool otherwise = value.is_discarded() || (IsTrue(arguments.Get(1, "boolean")) && !IsTrue(value));
    return otherwise ? arguments.Get(0, "default_value") : value;
  }
  if (name == "map" || name == "selectattr" || name == "rejectattr") return Attributes(name, value, arguments);
  if (name == "trim") return Value(Stripped(PrintedText(value), first, true, true));
  if (name == "upper") return Value(absl::AsciiStrToUpper(PrintedText(value)));
  if (name == "lower") return Value(absl::AsciiStrToLower(PrintedText(value)));
  if (name == "capitalize") return Value(Capitalized(PrintedText(value)));
  if (name == "first" || name == "last") return ElementOf(value, name == "first" ? 0 : -1);
  if (name == "join" && value.is_array()) return Value(Joined(value, first.is_string() ? Text(first) : ""));
  if (name == "items" && value.is_object()) {
    Value pairs = Value::array();
    for (const auto& [key, one] : value.items()) pairs.push_back(Value::array({key, one}));
    return pairs;
  }
  if (name == "replace" && value.is_string() && first.is_string() && arguments.Get(1, "").is_string()) {
    return Value(absl::StrReplaceAll(Text(value), {{Text(first), Text(arguments.Get(1, ""))}}));
  }
  return Fault(absl::StrCat("the filter \"", name, "\" is not supported for such a value"));
}

absl::StatusOr<bool> ApplyTest(const std::string& name, const Value& value, const TemplateArguments& arguments) {
  const Value first = arguments.Get(0, "");
  if (name == "defined") return !value.is_discarded();
  if (name == "undefined") return value.is_discarded();
  if (name == "none") return value.is_null();
  if (name == "string") return value.is_string();
  if (name == "number") return value.is_number();
  if (name == "integer") return value.is_number_integer();
  if (name == "boolean") return value.is_boolean();
  if (name == "mapping") return value.is_object();
  if (name == "sequence" || name == "iterable") return value.is_structured() || value.is_string();
  if (name == "true") return value.is_boolean() && value.get<bool>();
  if (name == "false") return value.is_boolean() && !value.get<bool>();
  if (name == "equalto" || name == "eq") return value == first;
  if (name == "in") {
    TERSOR_ASSIGN_OR_RETURN(const Value found, Contains(value, first));
    return found.get<bool>();
  }
  return Fault(absl::StrCat("the test \"", name, "\" is not supported"));
}

Value ElementOf(const Value& value, const Value& index) {
  if (value.is_object() && index.is_string()) {
    const auto found = value.find(Text(index));
    return found == value.end() ? UndefinedValue() : *found;
  }
  if (!index.is_number_integer()) return UndefinedValue();
  const int64_t length = Length(value);
  int64_t at = index.get<int64_t>();
  if (at < 0) at += length;
  if (at < 0 || at >= length) return UndefinedValue();
  if (value.is_array()) return value[static_cast<size_t>(at)];
  if (!value.is_string()) return UndefinedValue();
  const std::vector<size_t> starts = CharacterStarts(Text(value));
  return Value(Text(value).substr(starts[at], starts[at + 1] - starts[at]));
}

ValueOr SliceOf(const Value& value, const Value& start, const Value& stop, const Value& step) {
  if (!value.is_array() && !value.is_string()) return Fault("a slice of a value that is neither a list nor text");
  const int64_t by = step.is_number_integer() ? step.get<int64_t>() : 1;
  const int64_t length = Length(value);
  if (by == 0) return Fault("a slice with a step of 0");
  // Python's rules for bounds that lie outside.
  const auto bound = [&](const Value& given, int64_t otherwise) {
    if (!given.is_number_integer()) return otherwise;
    int64_t at = given.get<int64_t>();
    if (at < 0) at = std::max<int64_t>(at, -length - 1) + length;
    return by > 0 ? std::clamp<int64_t>(at, 0, length) : std::clamp<int64_t>(at, -1, length - 1);
  };
  const int64_t begin = bound(start, by > 0 ? 0 : length - 1), end = bound(stop, by > 0 ? length : -1);
  Value list = Value::array();
  std::string text;
  for (int64_t i = begin; by > 0 ? i < end : i > end; i += by) {
    const Value one = ElementOf(value, i);
    if (value.is_array()) list.push_back(one);
    if (value.is_string()) text += Text(one);
    if (by > length || by < -length) break;
  }
  return value.is_array() ? list : Value(text);
}

}  // namespace tersor
