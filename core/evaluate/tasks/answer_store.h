// Answers of one model to items, kept on disk as they come: what a killed job goes on with and a later one begins with.
#ifndef TERSOR_CORE_EVALUATE_TASKS_ANSWER_STORE_H_
#define TERSOR_CORE_EVALUATE_TASKS_ANSWER_STORE_H_

#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/evaluate/tasks/metric_registry.h"

namespace tersor {

struct StoredAnswer {
  ItemAnswer answer;
  bool truncated = false;
};

// One file: a line an item, each with a checksum, so that what a crash left half written, or what was damaged, is asked
// again and never believed. Several processes may append to the same file. Not thread-safe.
class AnswerStore {
 public:
  // Reads what is there; the file and its folder are made when the first answer comes. An empty `path` keeps nothing on
  // disk.
  static absl::StatusOr<AnswerStore> Open(std::filesystem::path path);
  AnswerStore(AnswerStore&& other) noexcept;
  AnswerStore& operator=(AnswerStore&&) = delete;
  ~AnswerStore();

  // `key` stands for the item's tokens and how they are scored. Null where it is not known.
  const StoredAnswer* Find(absl::string_view key) const;
  // Appends the answer in one write. The file is complete up to it once this returns (a power failure may lose the last
  // ones).
  absl::Status Add(absl::string_view key, StoredAnswer answer);

 private:
  explicit AnswerStore(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  int fd_ = -1;
  std::map<std::string, StoredAnswer, std::less<>> answers_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_ANSWER_STORE_H_
