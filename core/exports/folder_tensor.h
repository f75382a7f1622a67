// One tensor of a Hugging Face folder, joined and turned as its architecture wants it.
#ifndef TERSOR_CORE_EXPORTS_FOLDER_TENSOR_H_
#define TERSOR_CORE_EXPORTS_FOLDER_TENSOR_H_

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/exports/dense_values.h"
#include "core/model/model.h"
#include "core/model/tensor_layout.h"

namespace tersor {

// As it stands in the file.
Shape FileShape(const FileTensor& tensor);

// The tensor's values, rounded to `dtype`, row by row. OUT_OF_RANGE names it where a finite value becomes infinite.
absl::Status WriteFolderTensor(const FileTensor& tensor, const Model& model, DType dtype, const ByteSink& sink);

// For formats that store each linear layer for itself: UNIMPLEMENTED, naming `format`, where the architecture's folders
// join layers or turn them.
absl::Status CheckPlainLayout(absl::string_view format, const ModelSpec& spec);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_FOLDER_TENSOR_H_
