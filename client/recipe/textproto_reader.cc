#include "client/recipe/textproto_reader.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace tersor::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

class FaultCollector final : public google::protobuf::io::ErrorCollector {
 public:
  explicit FaultCollector(std::vector<DocumentFault>& faults) : faults_(faults) {}
  void AddError(int line, int column, const std::string& message) override {
    faults_.push_back({"", message, {line + 1, column + 1}});
  }
  // The parser warns of unknown fields that it was told to pass over; in a recipe they are faults.
  void AddWarning(int line, int column, const std::string& message) override { AddError(line, column, message); }

 private:
  std::vector<DocumentFault>& faults_;
};

void AddPositions(const Message& message, TextFormat::ParseInfoTree& tree, const FieldPath& path,
                  SourceMap& positions) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    bool repeated = field->is_repeated();
    int count = repeated ? message.GetReflection()->FieldSize(message, field) : 1;
    FieldPath field_path = path.Child(field->name());
    for (int i = 0; i < count; ++i) {
      TextFormat::ParseLocation location = tree.GetLocation(field, repeated ? i : -1);
      SourcePosition position{location.line + 1, location.column + 1};
      FieldPath item = repeated ? field_path.Item(i) : field_path;
      if (i == 0) positions.Add(field_path, position);
      positions.Add(item, position);
      TextFormat::ParseInfoTree* nested = tree.GetTreeForNested(field, repeated ? i : -1);
      if (nested == nullptr) continue;
      AddPositions(repeated ? message.GetReflection()->GetRepeatedMessage(message, field, i)
                            : message.GetReflection()->GetMessage(message, field),
                   *nested, item, positions);
    }
  }
}

}  // namespace

void ReadTextproto(absl::string_view text, SourceMap& positions, std::vector<DocumentFault>& faults, Message& message) {
  constexpr size_t kMaxBytes = 1 << 20;
  constexpr int kMaxDepth = 32;
  if (text.size() > kMaxBytes) {
    faults.push_back({"", absl::StrCat("the file is larger than ", kMaxBytes >> 10, " KiB: this is not a recipe"), {}});
    return;
  }
  if (size_t valid = ValidUtf8Prefix(text); valid != text.size()) {
    faults.push_back({"", absl::StrCat("not UTF-8 text (byte ", valid, ")"), PositionOfByte(text, valid)});
    return;
  }
  FaultCollector collector(faults);
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&tree);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(kMaxDepth);
  parser.ParseFromString(std::string(text), &message);
  AddPositions(message, tree, {}, positions);
}

}  // namespace tersor::client
