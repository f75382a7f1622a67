// The pages of the admin port.
#ifndef TERSOR_SERVER_HTTP_ADMIN_PAGES_H_
#define TERSOR_SERVER_HTTP_ADMIN_PAGES_H_

#include <functional>
#include <string>

#include "server/http/http_answer.h"
#include "server/http/readiness.h"

namespace tersor {

// /metrics: `metrics`, the text of Prometheus' exposition format 0.0.4. /livez: 200 while the process serves at all.
// /readyz: 200, or 503 and why. `readiness` outlives the pages.
HttpPages AdminPages(std::function<std::string()> metrics, const Readiness& readiness);

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_ADMIN_PAGES_H_
