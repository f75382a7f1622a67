// The verdict in plain words.
#ifndef TERSOR_CORE_REPORT_VERDICT_SENTENCE_H_
#define TERSOR_CORE_REPORT_VERDICT_SENTENCE_H_

#include <string>

#include "tersor/v1/report.pb.h"

namespace tersor {

// "PASS: 3.4 times smaller, perplexity 17.05 -> 21.2 (x1.24), all 2 gates passed." What the pipeline puts into
// Report.summary once figures, gates and verdict are there.
std::string VerdictSentence(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_VERDICT_SENTENCE_H_
