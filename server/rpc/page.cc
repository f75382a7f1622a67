#include "server/rpc/page.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/error_details.h"

namespace tersor {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;
constexpr absl::string_view kTokenPrefix = "before-";

}  // namespace

absl::StatusOr<int> PageSize(int32_t requested) {
  if (requested < 0) return FieldError("page_size", "must not be negative");
  return requested == 0 ? kDefaultPageSize : std::min(requested, kMaxPageSize);
}

std::string FormatPageToken(int64_t ordinal) { return absl::StrCat(kTokenPrefix, ordinal); }

absl::StatusOr<int64_t> ParsePageToken(absl::string_view token) {
  int64_t ordinal = 0;
  if (token.empty()) return ordinal;
  if (!absl::ConsumePrefix(&token, kTokenPrefix) || !absl::SimpleAtoi(token, &ordinal) || ordinal <= 0) {
    return FieldError("page_token", "is not one that this server gave");
  }
  return ordinal;
}

}  // namespace tersor
