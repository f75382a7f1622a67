// The interface of compression methods.
#ifndef TERSOR_CORE_COMPRESS_METHOD_H_
#define TERSOR_CORE_COMPRESS_METHOD_H_

#include <set>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/calibration/input_statistics.h"
#include "core/compress/tensor_replacement.h"
#include "core/encoding/planned_encoding.h"
#include "core/model/block.h"
#include "core/model/model.h"
#include "nlohmann/json_fwd.hpp"
#include "tersor/v1/report.pb.h"

namespace tersor {

// A linear layer that a method is to change.
struct TargetLayer {
  LinearLayer layer;
  EncodedTensorPtr weight;
};

// Layers of one segment of a block: they read the same input.
struct SegmentTask {
  std::vector<TargetLayer> layers;
  // Of the input (Method::reads_dense_model says in which model); null where the method wants none.
  const InputStatistics* statistics = nullptr;
  // What the method has decided for the model; null of those that decide nothing.
  const nlohmann::json* decision = nullptr;
  int threads = 1;
  const CancellationToken* cancellation = nullptr;
};

// A block none of whose layers is compressed yet: no earlier stage takes the layers of a method that prepares.
struct BlockTask {
  int block = 0;
  // With the block's parameters as methods before have prepared them.
  const Model* model = nullptr;
  // The method's layers in this block.
  std::vector<LinearLayer> layers;
  // Of the inputs of the block's segments in the dense model, in their order.
  const std::vector<InputStatistics>* statistics = nullptr;
  int threads = 1;
  const CancellationToken* cancellation = nullptr;
};

// The inputs of a segment were divided by these, one for each.
struct InputScales {
  int segment = 0;
  std::vector<float> scales;
};

struct SegmentOutcome {
  // Any parameter of the model, norms included, of any shape.
  std::vector<TensorReplacement> replacements;
  std::vector<v1::LayerResult> layers;
  std::vector<v1::Warning> warnings;
  // Of PrepareBlock.
  std::vector<InputScales> input_scales = {};
};

// What a layer's compression needs beside the statistics and the encoded weight, and how long it takes: upper bounds.
struct LayerCost {
  // While the layer is at hand.
  int64_t scratch_bytes = 0;
  // Until all layers of its segment are done.
  int64_t kept_bytes = 0;
  // Floating-point operations on the calling machine's vectors: those that threads share, and those of one thread
  // alone.
  double operations = 0;
  double serial_operations = 0;
};

// The report's row for a layer whose weight became `weight`.
v1::LayerResult DescribeLayer(const std::string& name, const EncodedTensor& weight, double relative_error,
                              const std::string& note = "");

// A configured method. Immutable and thread-safe; adding one is described in docs/methods.md.
class Method {
 public:
  virtual ~Method() = default;

  // As a recipe spells it: "gptq".
  virtual absl::string_view name() const = 0;
  // What it wants to know of its layers' inputs; empty: it reads no calibration text.
  virtual std::set<Statistic> statistics() const = 0;
  // Whether its statistics are of what the dense model's layers read, as PrepareBlock has scaled it, which can be kept
  // for other jobs; else they are of what the layers before, already compressed, really produce.
  virtual bool reads_dense_model() const { return false; }
  // What it will make of a layer's weight.
  virtual PlannedEncoding Encoding(const LinearLayer& layer) const = 0;
  // The same of a weight that is stored as `before`: by default Encoding, with the codes of kept weights alone where
  // `before` has a mask (keep_mask.h).
  virtual PlannedEncoding EncodingAfter(const LinearLayer& layer, const PlannedEncoding& before) const;
  // Whether a later stage may change the layer again; else why not: "its weights are codes".
  virtual std::string WhyLast() const { return "its weights are codes then"; }
  // Why the method cannot take a layer of whose weights an earlier stage has left some out, which are to stay zero;
  // empty: it can, and so are they.
  virtual std::string WhyNotPruned() const;
  // Why the method cannot take layers of these shapes; one violation for each option at fault, which lists the layers
  // and proposes a remedy. `field`: path of the method's message in the recipe.
  virtual std::vector<FieldViolation> CheckLayers(const std::vector<LinearLayer>& layers,
                                                  const std::string& field) const = 0;
  virtual LayerCost Cost(const LinearLayer& layer) const = 0;
  // What PrepareBlock wants to know of all segments' inputs in the dense model; empty: nothing is prepared.
  virtual std::set<Statistic> preparation_statistics() const { return {}; }
  // Whether PrepareBlock scales the rows of linear layers too, and not norms alone.
  virtual bool scales_linears() const { return false; }
  // Whether the method decides something for the whole model before any layer is changed: Analyze is asked for each
  // block of the model as it came, one after the other, then Decide once, and Apply finds the answer. The decision is
  // kept with a checkpoint.
  virtual bool decides() const { return false; }
  // What Analyze wants to know of all segments' inputs.
  virtual std::set<Statistic> analysis_statistics() const { return {}; }
  // Small. Does not depend on `task.threads`.
  virtual absl::StatusOr<nlohmann::json> Analyze(const BlockTask& task) const;
  // Of all blocks that have layers of the method, in order. A pure function.
  virtual absl::StatusOr<nlohmann::json> Decide(const std::vector<nlohmann::json>& analyses) const;
  bool reads_text() const {
    return !statistics().empty() || !preparation_statistics().empty() || !analysis_statistics().empty();
  }
  // Changes that leave what the block computes as it is, but make it easier to compress (fold_group.h): replacements of
  // norms and weights, which Apply then finds. Results do not depend on `task.threads`.
  virtual absl::StatusOr<SegmentOutcome> PrepareBlock(const BlockTask& task) const;
  // Compresses the layers of one segment. Results do not depend on `task.threads`.
  virtual absl::StatusOr<SegmentOutcome> Apply(const SegmentTask& task) const = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_METHOD_H_
