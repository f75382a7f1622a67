#include "server/http/admin_pages.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Prometheus 3 refuses a scrape whose content type it does not know.
constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

HttpAnswer Ready(const Readiness& readiness) {
  const std::string why_not = readiness.WhyNot();
  if (why_not.empty()) return {.body = "ok\n"};
  return {.status = 503, .body = absl::StrCat("not ready: ", why_not, "\n")};
}

}  // namespace

HttpPages AdminPages(std::function<std::string()> metrics, const Readiness& readiness) {
  HttpPages pages;
  pages["/metrics"] = [metrics = std::move(metrics)] {
    return HttpAnswer{.content_type = kMetricsType, .body = metrics()};
  };
  pages["/livez"] = [] { return HttpAnswer{.body = "ok\n"}; };
  pages["/readyz"] = [&readiness] { return Ready(readiness); };
  return pages;
}

}  // namespace tersor
