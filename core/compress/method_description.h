// What users are told of a compression method: rows of `tersor methods` and ListMethods.
#ifndef TERSOR_CORE_COMPRESS_METHOD_DESCRIPTION_H_
#define TERSOR_CORE_COMPRESS_METHOD_DESCRIPTION_H_

#include <string>
#include <vector>

namespace tersor {

struct MethodOption {
  std::string name;
  std::string type;
  std::string default_value;
  std::string description;
};

struct MethodDescription {
  // As a recipe spells it: "gptq".
  std::string name;
  // "quantize".
  std::string family;
  std::string summary;
  // Paper; empty for folklore.
  std::string reference;
  std::vector<MethodOption> options;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_METHOD_DESCRIPTION_H_
