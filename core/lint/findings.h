// Collects what checks find. Private to core/lint.
#ifndef TERSOR_CORE_LINT_FINDINGS_H_
#define TERSOR_CORE_LINT_FINDINGS_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/utf8.h"
#include "tersor/v1/lint.pb.h"

namespace tersor {

class Findings {
 public:
  explicit Findings(v1::LintReport& report) : report_(report) {}

  void Error(absl::string_view code, absl::string_view where, absl::string_view message, absl::string_view remedy) {
    Add(v1::LINT_SEVERITY_ERROR, code, where, message, remedy);
  }
  void Warning(absl::string_view code, absl::string_view where, absl::string_view message, absl::string_view remedy) {
    Add(v1::LINT_SEVERITY_WARNING, code, where, message, remedy);
  }
  bool empty() const { return report_.findings().empty(); }

 private:
  // Every tensor of a file tends to have the fault that one has; more than these of one code are left out.
  static constexpr int kOfOneCode = 20;

  void Add(v1::LintSeverity severity, absl::string_view code, absl::string_view where, absl::string_view message,
           absl::string_view remedy) {
    if (++counts_[std::string(code)] > kOfOneCode) return;
    v1::LintFinding* finding = report_.add_findings();
    finding->set_code(std::string(code));
    finding->set_severity(severity);
    // They quote what stands in the file.
    finding->set_where(ReplaceInvalidUtf8(where));
    finding->set_message(ReplaceInvalidUtf8(message));
    finding->set_remedy(ReplaceInvalidUtf8(remedy));
  }

  v1::LintReport& report_;
  std::map<std::string, int> counts_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_FINDINGS_H_
