// The secret by which a worker proves that it runs an attempt.
#ifndef TERSOR_SERVER_ENGINE_ATTEMPT_TOKEN_H_
#define TERSOR_SERVER_ENGINE_ATTEMPT_TOKEN_H_

#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

std::string NewAttemptToken();

// What the store keeps: who reads the database cannot speak for a worker.
std::string HashAttemptToken(absl::string_view token);

// Whether `token` is the one whose hash this is, in constant time.
bool AttemptTokenMatches(absl::string_view token, absl::string_view hash);

// Replaces the file; only its owner may read it.
absl::Status WriteTokenFile(const std::filesystem::path& path, absl::string_view token);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_ATTEMPT_TOKEN_H_
