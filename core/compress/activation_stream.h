// The calibration tokens on their way through a model, segment by segment.
#ifndef TERSOR_CORE_COMPRESS_ACTIVATION_STREAM_H_
#define TERSOR_CORE_COMPRESS_ACTIVATION_STREAM_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/calibration/token_batches.h"
#include "core/linalg/matrix_view.h"
#include "core/model/block.h"
#include "core/model/model.h"

namespace tersor {

// Holds, for all tokens, the residual stream and the inputs of one segment. Sequences run in chunks that bound a
// segment's scratch memory and the time between two looks at the cancellation token. Not thread-safe.
class ActivationStream {
 public:
  // `offsets` as in PackedBatch; must outlive the stream, and so must the token (may be null).
  ActivationStream(const std::vector<int64_t>& offsets, int64_t width, const CancellationToken* cancellation);

  // Starts from the embeddings of `ids`, or from a residual stream saved earlier.
  absl::Status Embed(const Model& model, const std::vector<int32_t>& ids);
  void Restore(std::span<const float> hidden) { hidden_.assign(hidden.begin(), hidden.end()); }

  // Makes the inputs of the block's first segment.
  absl::Status Enter(const Block& block);
  // Runs a segment: the inputs become those of the next one, none after the last.
  absl::Status Run(const Block& block, int segment);
  // There are no inputs any more; their memory is kept for the next block's.
  void DropInputs() { input_width_ = 0; }

  int64_t tokens() const;
  // [tokens, width].
  ConstMatrixView hidden() const;
  // [tokens, the segment's input width].
  ConstMatrixView inputs() const;

 private:
  struct Chunk {
    int64_t first_token = 0;
    PackedBatch batch;
  };
  std::span<float> Part(std::vector<float>& values, const Chunk& chunk, int64_t width) const;
  // The buffer that the inputs are not in, with room for `width` values a token.
  std::vector<float>& OtherBuffer(int64_t width);

  const int64_t width_;
  const CancellationToken* cancellation_;
  std::vector<Chunk> chunks_;
  std::vector<float> hidden_;
  // Segments read from one and write to the other.
  std::array<std::vector<float>, 2> buffers_;
  int current_ = 0;
  int64_t input_width_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_ACTIVATION_STREAM_H_
