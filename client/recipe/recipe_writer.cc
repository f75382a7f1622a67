#include "client/recipe/recipe_writer.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/yaml/message_schema.h"

namespace tersor::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string DoubleQuoted(absl::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", absl::string_view(&c, 1));
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (absl::ascii_iscntrl(c)) {
      absl::StrAppendFormat(&quoted, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// Text that every YAML reader takes for just this text without quotes, in and out of brackets.
bool IsPlainSafe(absl::string_view text) {
  double number = 0;
  if (text.empty() || absl::SimpleAtod(text, &number)) return false;
  for (absl::string_view word : {"true", "false", "yes", "no", "on", "off", "null", "~", "y", "n"}) {
    if (absl::AsciiStrToLower(text) == word) return false;
  }
  if (!absl::ascii_isalnum(text.front()) && text.front() != '/' && text.front() != '.' && text.front() != '_')
    return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    bool plain =
        absl::ascii_isalnum(text[i]) || absl::string_view(" /._-+<>=:").find(text[i]) != absl::string_view::npos;
    if (!plain || (text[i] == ':' && text[i + 1] == ' ')) return false;
  }
  return true;
}

// The shortest text that reads back as `value`.
std::string DoubleText(double value) {
  for (int digits = 6; digits < 17; ++digits) {
    std::string text = absl::StrFormat("%.*g", digits, value);
    double back = 0;
    if (absl::SimpleAtod(text, &back) && back == value) return text;
  }
  return absl::StrFormat("%.17g", value);
}

// `index` counts for repeated fields.
std::string ScalarText(const Message& message, const FieldDescriptor& field, int index) {
  const auto& get = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(many ? get.GetRepeatedInt32(message, &field, index) : get.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return DoubleText(many ? get.GetRepeatedDouble(message, &field, index) : get.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (many ? get.GetRepeatedBool(message, &field, index) : get.GetBool(message, &field)) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return ShortEnumName(many ? *get.GetRepeatedEnum(message, &field, index) : *get.GetEnum(message, &field));
    default:
      break;
  }
  const std::string text = many ? get.GetRepeatedString(message, &field, index) : get.GetString(message, &field);
  return IsPlainSafe(text) ? text : DoubleQuoted(text);
}

class Writer {
 public:
  explicit Writer(const RecipeComments& comments) : comments_(comments) {}

  std::string Write(const v1::Recipe& recipe) {
    Comment("", 0);
    Mapping(recipe, "", 0);
    return std::move(text_);
  }

 private:
  void Comment(const std::string& path, int indent) {
    auto it = comments_.find(path);
    if (it == comments_.end()) return;
    for (absl::string_view line : absl::StrSplit(it->second, '\n')) {
      Line(indent, line.empty() ? "#" : absl::StrCat("# ", line));
    }
  }
  void Line(int indent, absl::string_view line) { absl::StrAppend(&text_, std::string(indent, ' '), line, "\n"); }
  void Mapping(const Message& message, const std::string& path, int indent);
  void Field(const Message& message, const FieldDescriptor& field, const std::string& path, int indent);
  void Method(const Message& options, const FieldDescriptor& field, const std::string& path, int indent);
  void Messages(const Message& message, const FieldDescriptor& field, const std::string& path, int indent);

  const RecipeComments& comments_;
  std::string text_;
};

void Writer::Mapping(const Message& message, const std::string& path, int indent) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  const auto* method_oneof = MethodOneof(*message.GetDescriptor());
  for (const FieldDescriptor* field : fields) {
    if (method_oneof == nullptr || field->containing_oneof() != method_oneof) continue;
    Method(message.GetReflection()->GetMessage(message, field), *field, absl::StrCat(path, ".", field->name()), indent);
  }
  for (const FieldDescriptor* field : fields) {
    if (method_oneof != nullptr && field->containing_oneof() == method_oneof) continue;
    Field(message, *field, path.empty() ? field->name() : absl::StrCat(path, ".", field->name()), indent);
  }
}

void Writer::Method(const Message& options, const FieldDescriptor& field, const std::string& path, int indent) {
  Comment(path, indent);
  Line(indent, absl::StrCat("method: ", field.name()));
  Mapping(options, path, indent);
}

void Writer::Field(const Message& message, const FieldDescriptor& field, const std::string& path, int indent) {
  Comment(path, indent);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return Messages(message, field, path, indent);
  if (!field.is_repeated()) return Line(indent, absl::StrCat(field.name(), ": ", ScalarText(message, field, 0)));
  Line(indent, absl::StrCat(field.name(), ":"));
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    Comment(absl::StrCat(path, "[", i, "]"), indent + 2);
    Line(indent + 2, absl::StrCat("- ", ScalarText(message, field, i)));
  }
}

void Writer::Messages(const Message& message, const FieldDescriptor& field, const std::string& path, int indent) {
  const auto* reflection = message.GetReflection();
  if (!field.is_repeated()) {
    const Message& child = reflection->GetMessage(message, &field);
    bool empty = child.ByteSizeLong() == 0;
    Line(indent, absl::StrCat(field.name(), empty ? ": {}" : ":"));
    return Mapping(child, path, indent + 2);
  }
  Line(indent, absl::StrCat(field.name(), ":"));
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    std::string item = absl::StrCat(path, "[", i, "]");
    Comment(item, indent + 2);
    size_t start = text_.size();
    Mapping(reflection->GetRepeatedMessage(message, &field, i), item, indent + 4);
    if (text_.size() == start) {
      Line(indent + 2, "- {}");
      continue;
    }
    // A comment in front of the item's first field would come before the dash that must stand there.
    size_t first = start;
    while (text_.compare(first + indent + 4, 1, "#") == 0) first = text_.find('\n', first) + 1;
    text_[first + indent + 2] = '-';
  }
}

}  // namespace

std::string WriteRecipeYaml(const v1::Recipe& recipe, const RecipeComments& comments) {
  return Writer(comments).Write(recipe);
}

}  // namespace tersor::client
