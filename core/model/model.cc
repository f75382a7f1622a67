#include "core/model/model.h"

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<EncodedTensorPtr> Model::Find(absl::string_view name) const {
  const auto found = parameters.find(name);
  if (found != parameters.end()) return found->second;
  return absl::NotFoundError(absl::StrCat("the model has no parameter ", name));
}

absl::StatusOr<EncodedTensorPtr> Model::Head() const { return Find(spec.tied ? kEmbeddingName : kHeadName); }

int64_t Model::ParameterCount() const {
  int64_t count = 0;
  for (const auto& [name, tensor] : parameters) count += tensor->elements();
  return count;
}

std::string WhyNoTokenizer(const Model& model) {
  const std::string path = model.source.path.string();
  if (model.assets.tokenizer_fault.empty()) return absl::StrCat(path, " has no tokenizer (tokenizer.json)");
  return absl::StrCat("the tokenizer of ", path, " cannot be used: ", model.assets.tokenizer_fault);
}

uint64_t Model::ByteSize() const {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : parameters) bytes += tensor->byte_size();
  return bytes;
}

}  // namespace tersor
