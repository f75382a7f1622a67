// A layout of quantized linear layers in a Hugging Face folder: what differs between the formats that vLLM and
// transformers read.
#ifndef TERSOR_CORE_EXPORTS_MODULE_PACKING_H_
#define TERSOR_CORE_EXPORTS_MODULE_PACKING_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/exports/export_format.h"
#include "core/exports/export_subject.h"
#include "core/formats/safetensors.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// What becomes of the linear modules ("model.layers.0.mlp.down_proj", "lm_head").
struct PackingPlan {
  std::set<std::string, std::less<>> packed;
  // Written as F16.
  std::vector<std::string> dense;
  // Of formats that have one figure for all layers. -1: one scale a row.
  int bits = 4;
  int64_t group_size = 0;
  // Every packed module is.
  bool symmetric = true;
};

// Immutable and thread-safe.
class ModulePacking {
 public:
  virtual ~ModulePacking() = default;

  // Name of the export and of its folder.
  virtual std::string name() const = 0;
  // INVALID_ARGUMENT names the layers that the format cannot hold and what would work.
  virtual absl::StatusOr<PackingPlan> Plan(const ExportSubject& subject) const = 0;
  // Whether the format says what such a layer's inputs are quantized to; asked only where they are.
  virtual bool HoldsInputFormat(const StoredForm&) const { return false; }
  // The tensors of a packed module, as Pack gives them.
  virtual std::vector<TensorDeclaration> Declare(const PackingPlan& plan, const ExportTensor& tensor) const = 0;
  // `weight` is the parameter's, without its input format.
  virtual absl::StatusOr<std::vector<NamedTensor>> Pack(const PackingPlan& plan, const ExportTensor& tensor,
                                                        const EncodedTensor& weight) const = 0;
  // "quantization_config" of config.json.
  virtual nlohmann::json Config(const PackingPlan& plan, const ExportSubject& subject) const = 0;
  // What packed layers are, for people.
  virtual std::string StoredAs(const PackingPlan&, const ExportSubject&) const { return "packed integers"; }
  // Files beside config.json, by name.
  virtual std::map<std::string, std::string> ExtraFiles(const PackingPlan&) const { return {}; }
};

std::unique_ptr<const ExportFormat> MakePackedFolderExport(std::unique_ptr<const ModulePacking> packing);

// The one bits, group size and so on of all packed layers of the blocks. INVALID_ARGUMENT names layers that are dense,
// or differ from the others, where `format` has one figure for all. A head that fits is packed if `packs_head`.
absl::StatusOr<PackingPlan> PlanUniformPacking(absl::string_view format, const ExportSubject& subject, bool packs_head,
                                               bool allows_dense);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_MODULE_PACKING_H_
