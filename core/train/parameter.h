// What training changes, and what it holds beside: values with their gradients.
#ifndef TERSOR_CORE_TRAIN_PARAMETER_H_
#define TERSOR_CORE_TRAIN_PARAMETER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

// A matrix [rows, columns], or a vector of one row.
struct Parameter {
  std::string name;
  int64_t rows = 1;
  int64_t columns = 0;
  std::vector<float> values;
  // As many as values; empty where the parameter is frozen.
  std::vector<float> gradient;

  bool trained() const { return !gradient.empty(); }
  bool is_matrix() const { return rows > 1; }
};

// By name, in the order of names. Pointers to entries stay.
using ParameterMap = std::map<std::string, Parameter, std::less<>>;

inline Parameter* AddParameter(ParameterMap& map, absl::string_view name, int64_t rows, std::vector<float> values,
                               bool trained) {
  Parameter& parameter = map[std::string(name)];
  parameter.name = std::string(name);
  parameter.rows = rows;
  parameter.columns = static_cast<int64_t>(values.size()) / rows;
  if (trained) parameter.gradient.assign(values.size(), 0.0f);
  parameter.values = std::move(values);
  return &parameter;
}

// Null where there is none.
inline Parameter* FindParameter(ParameterMap& map, absl::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_PARAMETER_H_
