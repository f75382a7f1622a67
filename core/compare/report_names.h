// What people call jobs by: their labels, beside their ids.
#ifndef TERSOR_CORE_COMPARE_REPORT_NAMES_H_
#define TERSOR_CORE_COMPARE_REPORT_NAMES_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/compare/comparison.h"
#include "google/protobuf/map.h"

namespace tersor {

using JobLabels = google::protobuf::Map<std::string, std::string>;

// "release branch=main bits=3", by key: a label `name` as its value alone, one without a value as its key, a sweep's
// setting without its prefix; long values are cut. Only `keys`, where there are any.
std::string LabelsText(const JobLabels& labels, const std::set<std::string>& keys = {});

// One a report: the labels that tell the reports apart (of one report: all of them) before the name that the user gave,
// "release=2.1 (job-1)"; that name alone where there are none, and of points of a sweep.
std::vector<std::string> NamesOf(const std::vector<NamedReport>& reports);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_REPORT_NAMES_H_
