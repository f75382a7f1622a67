// The README.md of a written folder.
#ifndef TERSOR_CORE_EXPORTS_MODEL_CARD_H_
#define TERSOR_CORE_EXPORTS_MODEL_CARD_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/model/model.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Markdown with front matter: what was done to which model, what it cost, how the files are loaded. Says only what the
// report holds. `stored`: one sentence on what became of the parameters.
std::string ModelCard(const Model& model, const v1::Report& report, absl::string_view format, absl::string_view stored,
                      const std::vector<v1::LoadCommand>& commands);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_MODEL_CARD_H_
