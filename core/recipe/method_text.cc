#include "core/recipe/method_text.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/recipe/stage_method.h"
#include "google/protobuf/descriptor.h"

namespace tersor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// SCALE_SEARCH_MSE of ScaleSearch is "mse": the name without what all values of the type begin with.
std::string EnumText(const google::protobuf::EnumValueDescriptor& value) {
  const std::string& common = value.type()->value(0)->name();
  absl::string_view name = value.name();
  absl::ConsumePrefix(&name, absl::string_view(common).substr(0, common.rfind("UNSPECIFIED")));
  return absl::AsciiStrToLower(name);
}

// "bits 4", "not symmetric".
std::string OptionText(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  const std::string& name = field.name();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return absl::StrCat(reflection.GetBool(message, &field) ? "" : "not ", name);
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(name, " ", reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(name, " ", reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(name, " ", reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return absl::StrCat(name, " ", reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat(name, " ", EnumText(*reflection.GetEnum(message, &field)));
    default:
      return absl::StrCat(name, " given");
  }
}

std::string Options(const Message& message) {
  std::vector<std::string> options;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    options.push_back(field->is_repeated() ? absl::StrCat(field->name(), " given") : OptionText(message, *field));
  }
  return absl::StrJoin(options, ", ");
}

// "rtn bits 4", "rtn".
std::string Named(absl::string_view name, const Message& options) {
  const std::string text = Options(options);
  return text.empty() ? std::string(name) : absl::StrCat(name, " ", text);
}

std::string MethodWithOptions(const Message& family) {
  const Message* options = MethodOptions(family);
  return options == nullptr ? "none" : Named(StageMethodName(family), *options);
}

}  // namespace

std::string StageText(const v1::QuantizeStage& stage) {
  std::string text = MethodWithOptions(stage);
  if (stage.has_activations()) {
    v1::ActivationOptions activations = stage.activations();
    const std::string format = activations.format().empty() ? "int" : activations.format();
    activations.clear_format();
    const std::string options = Options(activations);
    absl::StrAppend(&text, " + activations ", format, options.empty() ? "" : ", ", options);
  }
  if (stage.has_head()) absl::StrAppend(&text, " + ", Named("head", stage.head()));
  if (stage.skip_size() > 0) absl::StrAppend(&text, " + skip ", absl::StrJoin(stage.skip(), " "));
  return text;
}

std::string StageText(const v1::PruneStage& stage) {
  v1::PruneStage shared = stage;
  shared.clear_method();
  shared.clear_skip();
  const std::string options = Options(shared);
  std::string text = absl::StrCat(MethodWithOptions(stage), options.empty() ? "" : ", ", options);
  if (stage.skip_size() > 0) absl::StrAppend(&text, " + skip ", absl::StrJoin(stage.skip(), " "));
  return text;
}

std::string StageText(const v1::Stage& stage) {
  if (stage.has_quantize()) return StageText(stage.quantize());
  return stage.has_prune() ? StageText(stage.prune()) : std::string();
}

std::string MethodText(const v1::Recipe& recipe) {
  std::vector<std::string> stages;
  for (const v1::Stage& stage : recipe.stages()) {
    if (std::string text = StageText(stage); !text.empty()) stages.push_back(std::move(text));
  }
  if (recipe.has_kv()) stages.push_back(Named("kv", recipe.kv()));
  return absl::StrJoin(stages, "; ");
}

}  // namespace tersor
