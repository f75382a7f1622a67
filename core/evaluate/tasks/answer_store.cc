#include "core/evaluate/tasks/answer_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/formats/json_text.h"

namespace tersor {
namespace {

using nlohmann::json;

constexpr size_t kChecksum = 16;

std::string Checksum(absl::string_view text) { return Sha256Hex(text).substr(0, kChecksum); }

std::string ToLine(absl::string_view key, const StoredAnswer& stored) {
  const ItemAnswer& answer = stored.answer;
  const json value = {{"key", key},
                      {"loglikelihoods", answer.log_likelihoods},
                      {"greedy", answer.greedy},
                      {"rank", answer.rank},
                      {"output", answer.output},
                      {"truncated", stored.truncated}};
  const std::string text = JsonText(value);
  return absl::StrCat(Checksum(text), " ", text, "\n");
}

// A line of ours, whose checksum agrees: its fields have their types.
std::optional<std::pair<std::string, StoredAnswer>> FromLine(absl::string_view line) {
  if (line.size() <= kChecksum + 1 || line[kChecksum] != ' ') return std::nullopt;
  const absl::string_view text = line.substr(kChecksum + 1);
  if (Checksum(text) != line.substr(0, kChecksum)) return std::nullopt;
  absl::StatusOr<json> value = ParseJsonObject(text, "answer");
  if (!value.ok()) return std::nullopt;
  for (const char* field : {"key", "loglikelihoods", "greedy", "rank", "output", "truncated"}) {
    if (!value->contains(field)) return std::nullopt;
  }
  StoredAnswer stored;
  for (const json& one : (*value)["loglikelihoods"]) {
    // JSON has no infinity: a likelihood of zero was written as null.
    stored.answer.log_likelihoods.push_back(one.is_number() ? one.get<double>() : -HUGE_VAL);
  }
  for (const json& one : (*value)["greedy"]) stored.answer.greedy.push_back(one == json(true));
  if ((*value)["rank"].is_number_integer()) stored.answer.rank = (*value)["rank"].get<int64_t>();
  if (const auto* output = (*value)["output"].get_ptr<const std::string*>()) stored.answer.output = *output;
  stored.truncated = (*value)["truncated"] == json(true);
  const auto* key = (*value)["key"].get_ptr<const std::string*>();
  if (key == nullptr) return std::nullopt;
  return std::make_pair(*key, std::move(stored));
}

}  // namespace

AnswerStore::AnswerStore(AnswerStore&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), answers_(std::move(other.answers_)) {}

AnswerStore::~AnswerStore() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<AnswerStore> AnswerStore::Open(std::filesystem::path path) {
  AnswerStore store(std::move(path));
  if (store.path_.empty()) return store;
  absl::StatusOr<std::string> text = ReadFile(store.path_);
  if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
  if (!text.ok()) return store;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (auto entry = FromLine(line)) store.answers_.insert_or_assign(std::move(entry->first), std::move(entry->second));
  }
  return store;
}

const StoredAnswer* AnswerStore::Find(absl::string_view key) const {
  const auto found = answers_.find(key);
  return found == answers_.end() ? nullptr : &found->second;
}

absl::Status AnswerStore::Add(absl::string_view key, StoredAnswer answer) {
  if (!path_.empty() && fd_ < 0) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) return ErrnoStatus(errno, "opening the answers' file", path_);
  }
  if (fd_ >= 0) {
    // A line that begins with a newline cannot be spoiled by half a line before it.
    const std::string line = absl::StrCat("\n", ToLine(key, answer));
    const ssize_t written = write(fd_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) {
      return ErrnoStatus(written < 0 ? errno : ENOSPC, "storing an answer", path_);
    }
  }
  answers_.insert_or_assign(std::string(key), std::move(answer));
  return absl::OkStatus();
}

}  // namespace tersor
