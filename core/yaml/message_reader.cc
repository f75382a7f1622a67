#include "core/yaml/message_reader.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/nearest_name.h"
#include "core/yaml/message_schema.h"
#include "core/yaml/scalar_reader.h"

namespace tersor {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using Kind = DocumentNode::Kind;
using Entry = DocumentNode::Entry;

class Reader {
 public:
  Reader(SourceMap& positions, std::vector<DocumentFault>& faults) : positions_(positions), faults_(faults) {}

  void Read(const DocumentNode& node, const FieldPath& path, Message& message);

 private:
  // One mapping while its entries are read.
  struct Mapping {
    Mapping(const DocumentNode& node, const FieldPath& path, Message& message)
        : node(node), path(path), message(message) {}

    const DocumentNode& node;
    const FieldPath& path;
    Message& message;
    // The member that `method:` chose; null where it is not written or unknown.
    const FieldDescriptor* method = nullptr;
    // `method:` names none that is known: its options cannot be judged.
    bool unknown_method = false;
    // Where each field was first written.
    std::map<const FieldDescriptor*, SourcePosition> seen;
  };
  // A key resolved: the field, the message it belongs to, and its paths.
  struct Target {
    const FieldDescriptor* field = nullptr;
    Message* message = nullptr;
    FieldPath path;
  };

  void Fault(const FieldPath& path, SourcePosition position, std::string description) {
    faults_.push_back({path.spelled, std::move(description), position});
  }
  void ChooseMethod(Mapping& mapping);
  void ReadEntry(const Entry& entry, Mapping& mapping);
  Target Resolve(const Entry& entry, Mapping& mapping);
  void ReportUnknownKey(const Entry& entry, const Mapping& mapping);
  bool CheckOneof(const Entry& entry, const Target& target);
  void ReadField(const Entry& entry, const Target& target);
  void ReadRepeated(const DocumentNode& node, const Target& target);
  void ReadValue(const DocumentNode& node, const FieldPath& path, const Target& target);
  void CheckOneofsDecided(const Mapping& mapping);

  SourceMap& positions_;
  std::vector<DocumentFault>& faults_;
};

const Entry* FindEntry(const DocumentNode& node, absl::string_view key) {
  for (const Entry& entry : node.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

// What may be written in this mapping, for hints.
std::vector<std::string> KnownKeys(const Descriptor& descriptor, const FieldDescriptor* method) {
  std::vector<std::string> names;
  const OneofDescriptor* oneof = MethodOneof(descriptor);
  if (oneof != nullptr) names.push_back("method");
  if (method != nullptr) {
    for (std::string& option : FieldNames(*method->message_type())) names.push_back(std::move(option));
  }
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor* field = descriptor.field(i);
    if (method == nullptr || field->containing_oneof() != oneof) names.push_back(field->name());
  }
  return names;
}

bool IsOptionOfAnyMethod(const Descriptor& descriptor, absl::string_view key) {
  const OneofDescriptor* oneof = MethodOneof(descriptor);
  for (int i = 0; oneof != nullptr && i < oneof->field_count(); ++i) {
    if (FindField(*oneof->field(i)->message_type(), key) != nullptr) return true;
  }
  return false;
}

void Reader::Read(const DocumentNode& node, const FieldPath& path, Message& message) {
  if (node.kind == Kind::kNull) return CheckOneofsDecided(Mapping(node, path, message));
  if (const FieldDescriptor* name = NameField(*message.GetDescriptor());
      name != nullptr && node.kind == Kind::kScalar) {
    positions_.Add(path.HiddenChild(name->name()), node.position);
    if (std::string fault = ReadScalar(node, *name, message); !fault.empty()) Fault(path, node.position, fault);
    return;
  }
  if (node.kind != Kind::kMapping) {
    Fault(
        path, node.position,
        absl::StrCat("expected a mapping with the keys ",
                     absl::StrJoin(KnownKeys(*message.GetDescriptor(), nullptr), ", "), ", got ", DescribeNode(node)));
    return;
  }
  Mapping mapping(node, path, message);
  ChooseMethod(mapping);
  for (const Entry& entry : node.entries) ReadEntry(entry, mapping);
  CheckOneofsDecided(mapping);
}

void Reader::ChooseMethod(Mapping& mapping) {
  const OneofDescriptor* oneof = MethodOneof(*mapping.message.GetDescriptor());
  const Entry* entry = oneof == nullptr ? nullptr : FindEntry(mapping.node, "method");
  if (entry == nullptr) return;
  FieldPath path = mapping.path.Child("method");
  positions_.Add(path, entry->value->position);
  std::vector<std::string> names = OneofNames(*oneof);
  if (entry->value->kind != Kind::kScalar) {
    mapping.unknown_method = true;
    return Fault(path, entry->value->position,
                 absl::StrCat("expected a method's name, got ", DescribeNode(*entry->value),
                              NameHint("", names, "known methods")));
  }
  const std::string& name = entry->value->text;
  const FieldDescriptor* method = mapping.message.GetDescriptor()->FindFieldByName(name);
  if (method == nullptr || method->containing_oneof() != oneof) {
    mapping.unknown_method = true;
    return Fault(path, entry->value->position,
                 absl::StrCat("unknown method \"", ShownText(name), "\"", NameHint(name, names, "known methods")));
  }
  mapping.method = method;
  mapping.message.GetReflection()->MutableMessage(&mapping.message, method);
  positions_.Add(mapping.path.HiddenChild(name), entry->value->position);
}

Reader::Target Reader::Resolve(const Entry& entry, Mapping& mapping) {
  const Descriptor& descriptor = *mapping.message.GetDescriptor();
  if (const FieldDescriptor* field = FindField(descriptor, entry.key)) {
    return {field, &mapping.message, mapping.path.Child(field->name())};
  }
  if (mapping.method == nullptr) return {};
  const FieldDescriptor* option = FindField(*mapping.method->message_type(), entry.key);
  if (option == nullptr) return {};
  Message* options = mapping.message.GetReflection()->MutableMessage(&mapping.message, mapping.method);
  FieldPath path = mapping.path.HiddenChild(mapping.method->name()).Child(option->name());
  return {option, options, std::move(path)};
}

void Reader::ReportUnknownKey(const Entry& entry, const Mapping& mapping) {
  const Descriptor& descriptor = *mapping.message.GetDescriptor();
  bool is_option = IsOptionOfAnyMethod(descriptor, entry.key);
  if (is_option && mapping.unknown_method) return;
  std::vector<std::string> known = KnownKeys(descriptor, mapping.method);
  std::string description;
  if (is_option && mapping.method == nullptr) {
    description = absl::StrCat("this option needs a method beside it: method: NAME; known methods: ",
                               absl::StrJoin(OneofNames(*MethodOneof(descriptor)), ", "));
  } else if (is_option) {
    description = absl::StrCat("method ", mapping.method->name(), " has no such option",
                               NameHint(entry.key, known, "known keys"));
  } else {
    description = absl::StrCat("unknown key", NameHint(entry.key, known, "known keys"));
  }
  Fault(mapping.path.Child(ShownText(entry.key)), entry.position, std::move(description));
}

bool Reader::CheckOneof(const Entry& entry, const Target& target) {
  const OneofDescriptor* oneof = target.field->real_containing_oneof();
  if (oneof == nullptr) return true;
  const FieldDescriptor* chosen = target.message->GetReflection()->GetOneofFieldDescriptor(*target.message, oneof);
  if (chosen == nullptr) return true;
  std::string description =
      chosen == target.field
          ? absl::StrCat("method \"", chosen->name(), "\" is chosen twice; keep `method: ", chosen->name(),
                         "` with its options beside it, or the nested form")
          : absl::StrCat("excludes \"", chosen->name(), "\", which is given too; keep one of them");
  Fault(target.path, entry.position, std::move(description));
  return false;
}

void Reader::ReadEntry(const Entry& entry, Mapping& mapping) {
  bool selects_method = entry.key == "method" && MethodOneof(*mapping.message.GetDescriptor()) != nullptr;
  if (selects_method) {
    const Entry* first = FindEntry(mapping.node, "method");
    if (first != &entry) {
      Fault(mapping.path.Child("method"), entry.position,
            absl::StrCat("duplicate key; first given in line ", first->position.line));
    }
    return;
  }
  Target target = Resolve(entry, mapping);
  if (target.field == nullptr) return ReportUnknownKey(entry, mapping);
  auto [first, fresh] = mapping.seen.emplace(target.field, entry.position);
  if (!fresh) {
    Fault(target.path, entry.position, absl::StrCat("duplicate key; first given in line ", first->second.line));
    return;
  }
  if (CheckOneof(entry, target)) ReadField(entry, target);
}

void Reader::ReadField(const Entry& entry, const Target& target) {
  const DocumentNode& node = *entry.value;
  // An empty value stands nowhere: its key does.
  positions_.Add(target.path, node.kind == Kind::kNull ? entry.position : node.position);
  if (node.kind == Kind::kNull && target.field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return Fault(target.path, entry.position, "has no value; give one or remove the key");
  }
  if (target.field->is_repeated()) return ReadRepeated(node, target);
  ReadValue(node, target.path, target);
}

void Reader::ReadRepeated(const DocumentNode& node, const Target& target) {
  if (node.kind != Kind::kSequence) {
    FieldPath only = target.path.HiddenItem(0);
    positions_.Add(only, node.position);
    return ReadValue(node, only, target);
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    FieldPath path = target.path.Item(static_cast<int>(i));
    positions_.Add(path, node.items[i]->position);
    ReadValue(*node.items[i], path, target);
  }
}

void Reader::ReadValue(const DocumentNode& node, const FieldPath& path, const Target& target) {
  if (target.field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    std::string fault = ReadScalar(node, *target.field, *target.message);
    if (fault.empty()) return;
    // Keeps its place, so that later items keep their indices.
    if (target.field->is_repeated() && target.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      target.message->GetReflection()->AddString(target.message, target.field, "");
    }
    return Fault(path, node.position, std::move(fault));
  }
  const google::protobuf::Reflection* reflection = target.message->GetReflection();
  Message* child = target.field->is_repeated() ? reflection->AddMessage(target.message, target.field)
                                               : reflection->MutableMessage(target.message, target.field);
  Read(node, path, *child);
}

void Reader::CheckOneofsDecided(const Mapping& mapping) {
  const Descriptor& descriptor = *mapping.message.GetDescriptor();
  for (int i = 0; i < descriptor.real_oneof_decl_count(); ++i) {
    const OneofDescriptor* oneof = descriptor.oneof_decl(i);
    bool is_method = oneof == MethodOneof(descriptor);
    bool decided =
        mapping.message.GetReflection()->HasOneof(mapping.message, oneof) || (is_method && mapping.unknown_method);
    // An unknown key in its place has been reported.
    bool misspelled = !is_method && mapping.node.kind == Kind::kMapping && !mapping.node.entries.empty();
    if (decided || misspelled) continue;
    Fault(mapping.path, mapping.node.position,
          absl::StrCat(is_method ? "needs a method: NAME; known methods: " : "needs one of ",
                       absl::StrJoin(OneofNames(*oneof), ", ")));
  }
}

}  // namespace

void ReadMessage(const DocumentNode& node, SourceMap& positions, std::vector<DocumentFault>& faults, Message& message) {
  Reader(positions, faults).Read(node, {}, message);
}

}  // namespace tersor
