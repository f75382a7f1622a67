#include "core/tokenizer/tokenizer.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/utf8.h"
#include "core/tokenizer/tersor_tokenizers.h"

namespace tersor {
namespace {

const uint8_t* Bytes(absl::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

std::string TakeText(TersorBytes bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.data), bytes.length);
  tersor_bytes_free(bytes);
  return text;
}

// The Hugging Face library behind its C interface.
class HfTokenizer final : public Tokenizer {
 public:
  HfTokenizer(TersorTokenizer* handle, std::string sha256) : handle_(handle), sha256_(std::move(sha256)) {}
  ~HfTokenizer() override { tersor_tokenizer_free(handle_); }
  HfTokenizer(const HfTokenizer&) = delete;
  HfTokenizer& operator=(const HfTokenizer&) = delete;

  absl::StatusOr<std::vector<int32_t>> Encode(absl::string_view text) const override { return Ids(text, false); }
  absl::StatusOr<std::vector<int32_t>> EncodeWithSpecial(absl::string_view text) const override {
    return Ids(text, true);
  }

  absl::StatusOr<std::string> Decode(std::span<const int32_t> ids, bool skip_special) const override {
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] < 0) return absl::InvalidArgumentError(absl::StrCat("token id ", ids[i], " at position ", i));
    }
    TersorBytes text{};
    TersorBytes error{};
    if (!tersor_tokenizer_decode(handle_, reinterpret_cast<const uint32_t*>(ids.data()), ids.size(), skip_special,
                                 &text, &error)) {
      return absl::InternalError(absl::StrCat("cannot decode the tokens: ", TakeText(error)));
    }
    return TakeText(text);
  }

  int64_t vocabulary() const override { return static_cast<int64_t>(tersor_tokenizer_vocabulary(handle_)); }
  int64_t TokenToId(absl::string_view token) const override {
    return tersor_tokenizer_token_to_id(handle_, Bytes(token), token.size());
  }
  const std::string& sha256() const override { return sha256_; }

 private:
  absl::StatusOr<std::vector<int32_t>> Ids(absl::string_view text, bool add_special) const {
    TERSOR_RETURN_IF_ERROR(CheckUtf8(text));
    TersorIds ids{};
    TersorBytes error{};
    if (!tersor_tokenizer_encode(handle_, Bytes(text), text.size(), add_special, &ids, &error)) {
      return absl::InternalError(absl::StrCat("cannot tokenize the text: ", TakeText(error)));
    }
    absl::Cleanup release = [&ids] { tersor_ids_free(ids); };
    return std::vector<int32_t>(ids.data, ids.data + ids.length);
  }

  TersorTokenizer* const handle_;
  const std::string sha256_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromJson(absl::string_view tokenizer_json) {
  TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(tokenizer_json), "tokenizer.json"));
  TersorBytes error{};
  TersorTokenizer* const handle = tersor_tokenizer_new(Bytes(tokenizer_json), tokenizer_json.size(), &error);
  if (handle == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("tokenizer.json cannot be used: ", TakeText(error)));
  }
  return std::make_unique<const HfTokenizer>(handle, Sha256Hex(tokenizer_json));
}

}  // namespace tersor
