// What SciPy and statsmodels answered (tests/tools/record_statistics.py).
#ifndef TERSOR_TESTS_CORE_STATISTICS_RECORDED_H_
#define TERSOR_TESTS_CORE_STATISTICS_RECORDED_H_

#include <fstream>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor::testing {

inline const nlohmann::json& Recorded(const std::string& part) {
  static const auto& all =
      *new nlohmann::json(nlohmann::json::parse(std::ifstream(FixturesPath() / "statistics.json")));
  return all.at(part);
}

inline std::vector<double> Numbers(const nlohmann::json& list) { return list.get<std::vector<double>>(); }

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_STATISTICS_RECORDED_H_
