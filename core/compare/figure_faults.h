// Which of a report's figures are no numbers: one that cannot be compared must not look as if it were good.
#ifndef TERSOR_CORE_COMPARE_FIGURE_FAULTS_H_
#define TERSOR_CORE_COMPARE_FIGURE_FAULTS_H_

#include <string>
#include <vector>

#include "tersor/v1/report.pb.h"

namespace tersor {

// Names the measured figures that are NaN or infinite: "perplexity of wikitext2 (compressed)", "kl_mean", "acc of piqa
// (dense)". Intervals and errors may be so: they say that nothing is known. Empty for a sound report.
std::vector<std::string> FiguresWithoutNumber(const v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_FIGURE_FAULTS_H_
