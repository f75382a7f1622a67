#include "core/exports/export_subject.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/gguf_block_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr size_t kNamedLayers = 4;

// Reads the parameters that the encodings state of themselves, which also wrapped tensors pass on.
StoredForm FormOf(const EncodedTensor& stored) {
  const EncodedTensor& tensor = stored.weight();
  StoredForm form;
  if (stored.input_format() != nullptr) {
    form.input_format = std::string(stored.input_format()->name());
    form.input_parameters = stored.input_format()->Parameters().dump();
  }
  form.encoding = std::string(tensor.encoding());
  const nlohmann::json parameters = tensor.Parameters();
  if (form.encoding == GroupIntTensor::kName) {
    form.bits = parameters.value("bits", 0);
    form.group_size = parameters.value("group_size", int64_t{0});
    form.symmetric = true;
    for (const EncodedField& field : tensor.Fields()) form.symmetric &= field.name != "zero_points";
  } else if (form.encoding == CodebookTensor::kName) {
    form.book = parameters.value("book", "");
    form.scales = parameters.value("scales", "");
    form.group_size = parameters.value("group_size", int64_t{0});
  } else if (form.encoding == GgufBlockTensor::kName) {
    form.block_type = parameters.value("type", "");
  } else if (form.encoding == DenseTensor::kName) {
    form.dtype = tensor.Fields()[0].tensor.dtype();
  }
  return form;
}

StoredForm FormOf(const PlannedEncoding& planned, int64_t columns) {
  StoredForm form;
  form.encoding = planned.encoding;
  form.bits = planned.bits;
  form.group_size = planned.group_size > 0 ? planned.group_size : columns;
  form.symmetric = planned.symmetric;
  form.book = planned.book;
  form.scales = planned.scales;
  form.input_format = planned.input_format;
  form.input_parameters = planned.input_parameters;
  return form;
}

}  // namespace

std::string FormText(const StoredForm& form) {
  if (form.encoding == DenseTensor::kName) return std::string(DTypeName(form.dtype));
  if (form.encoding == GgufBlockTensor::kName) return absl::StrCat(form.block_type, " blocks");
  if (form.encoding == CodebookTensor::kName) return absl::StrCat(form.book, ", groups of ", form.group_size);
  if (form.encoding != GroupIntTensor::kName) return form.encoding;
  return absl::StrCat(form.bits, " bits, groups of ", form.group_size, ", ",
                      form.symmetric ? "symmetric" : "with offset");
}

std::string ExportTensor::module() const { return std::string(absl::StripSuffix(parameter.name, ".weight")); }

absl::StatusOr<ExportSubject> DescribeSubject(const Model& model, const PlannedEncodings& encodings) {
  ExportSubject subject;
  subject.spec = model.spec;
  if (encodings.count(kHeadName) > 0) subject.spec.tied = false;
  TERSOR_ASSIGN_OR_RETURN(std::vector<ParameterSpec> parameters, ModelParameters(subject.spec));
  size_t planned_found = 0;
  for (ParameterSpec& parameter : parameters) {
    ExportTensor tensor;
    const auto planned = encodings.find(parameter.name);
    if (planned != encodings.end()) {
      ++planned_found;
      tensor.form = FormOf(planned->second, parameter.shape.back());
    } else {
      TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr stored, model.Find(parameter.name));
      if (stored->shape() != parameter.shape) {
        return absl::InvalidArgumentError(absl::StrCat("parameter \"", parameter.name, "\" has shape ",
                                                       ShapeString(stored->shape()), ", expected ",
                                                       ShapeString(parameter.shape)));
      }
      tensor.form = FormOf(*stored);
    }
    tensor.parameter = std::move(parameter);
    subject.tensors.push_back(std::move(tensor));
  }
  if (planned_found != encodings.size()) {
    std::set<std::string> known;
    for (const ExportTensor& tensor : subject.tensors) known.insert(tensor.parameter.name);
    for (const auto& [name, encoding] : encodings) {
      if (known.count(name) == 0) return absl::InvalidArgumentError(absl::StrCat("no parameter \"", name, "\""));
    }
  }
  return subject;
}

absl::Status CannotHold(absl::string_view format, absl::string_view reason, const std::vector<std::string>& layers,
                        absl::string_view advice) {
  std::vector<std::string> named(layers.begin(), layers.begin() + std::min(layers.size(), kNamedLayers));
  std::string list = absl::StrJoin(named, ", ");
  if (layers.size() > named.size()) absl::StrAppend(&list, " and ", layers.size() - named.size(), " more");
  return absl::InvalidArgumentError(absl::StrCat("export ", format, ": ", reason, ": ", list, ". ", advice));
}

}  // namespace tersor
