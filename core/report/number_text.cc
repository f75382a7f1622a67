#include "core/report/number_text.h"

#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tersor {
namespace {

// `value` in the largest of `units` (each a thousand of the one before) that keeps it at 1 or more.
template <size_t kUnits>
std::string Scaled(double value, const std::array<const char*, kUnits>& units) {
  size_t unit = 0;
  // 999.5 would print as 1000 of the smaller unit.
  while (unit + 1 < kUnits && std::abs(value) >= 999.5) {
    value /= 1000;
    ++unit;
  }
  const int decimals = unit == 0 || std::abs(value) >= 99.95 ? 0 : std::abs(value) >= 9.995 ? 1 : 2;
  return absl::StrFormat("%.*f%s", decimals, value, units[unit]);
}

}  // namespace

std::string BytesText(int64_t bytes) {
  return Scaled(static_cast<double>(bytes), std::array<const char*, 5>{" B", " kB", " MB", " GB", " TB"});
}

std::string CountText(int64_t count) {
  return Scaled(static_cast<double>(count), std::array<const char*, 4>{"", " k", " M", " B"});
}

std::string FigureText(double value, int digits) {
  if (std::isnan(value)) return "not a number";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  const double size = std::abs(value);
  if (size == 0 || size < 1e-5 || size >= 1e9) return absl::StrFormat("%.*g", digits, value);
  const int whole = static_cast<int>(std::floor(std::log10(size))) + 1;
  return absl::StrFormat("%.*f", std::max(0, digits - whole), value);
}

std::string RatioText(double ratio) { return absl::StrCat(FigureText(ratio, 3), "x"); }

std::string SecondsText(double seconds) {
  if (!(seconds >= 0)) return "unknown";
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 120) return absl::StrFormat("%.0f s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 7200) return absl::StrCat(whole / 60, " min ", whole % 60, " s");
  return absl::StrCat(whole / 3600, " h ", whole / 60 % 60, " min");
}

std::string PercentText(double share) { return absl::StrCat(FigureText(100 * share, 3), " %"); }

}  // namespace tersor
