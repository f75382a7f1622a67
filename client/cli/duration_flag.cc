#include "client/cli/duration_flag.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor::client {

absl::StatusOr<absl::Duration> ParseDuration(const std::string& text, absl::string_view flag) {
  absl::Status fault = absl::InvalidArgumentError(
      absl::StrCat(flag, " ", text, " is no length of time; write it like 90s, 15m, 1h30m or 30d"));
  double number = 0;
  absl::Duration duration;
  absl::string_view days = text;
  // A bare number is days to one and seconds to another.
  if (absl::SimpleAtod(text, &number)) {
    if (number != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag, " ", text, " has no unit; write it like 90s, 15m, 1h30m or 30d"));
    }
  } else if (absl::ConsumeSuffix(&days, "d") && absl::SimpleAtod(days, &number)) {
    duration = absl::Hours(24 * number);
  } else if (!absl::ParseDuration(text, &duration)) {
    return fault;
  }
  bool sensible = duration >= absl::ZeroDuration() && duration <= absl::Hours(24 * 36500);
  return sensible ? absl::StatusOr<absl::Duration>(duration) : fault;
}

absl::StatusOr<int64_t> ParseBytes(const std::string& text, absl::string_view flag) {
  std::string upper = absl::AsciiStrToUpper(text);
  absl::string_view number = upper;
  double factor = 1;
  for (auto [suffix, value] : std::initializer_list<std::pair<absl::string_view, double>>{{"KIB", 0x1p10},
                                                                                          {"MIB", 0x1p20},
                                                                                          {"GIB", 0x1p30},
                                                                                          {"TIB", 0x1p40},
                                                                                          {"KB", 1e3},
                                                                                          {"MB", 1e6},
                                                                                          {"GB", 1e9},
                                                                                          {"TB", 1e12},
                                                                                          {"B", 1}}) {
    if (!absl::ConsumeSuffix(&number, suffix)) continue;
    factor = value;
    break;
  }
  double value = 0;
  if (!absl::SimpleAtod(number, &value) || !(value >= 0) || value * factor > 9e18) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text, " is no amount of bytes; write it like 500MB, 2.5GB or 4GiB"));
  }
  return static_cast<int64_t>(value * factor);
}

}  // namespace tersor::client
