// A safetensors folder read once more, by code of its own: headers, offsets, the index. Private to core/lint.
#ifndef TERSOR_CORE_LINT_RAW_TENSORS_H_
#define TERSOR_CORE_LINT_RAW_TENSORS_H_

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/lint/findings.h"
#include "core/tensor/mapped_file.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct RawTensor {
  // As the header spells it: "I32".
  std::string dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  int64_t dimension(size_t i) const { return i < shape.size() ? shape[i] : 1; }
  // Little-endian words and halves by index; the caller keeps to the bounds.
  uint32_t Word(int64_t i) const;
  int Byte(int64_t i) const { return static_cast<uint8_t>(bytes[i]); }
  // Numbers of F16, BF16, F32 and the two 8-bit floats.
  double Number(int64_t i) const;
};

struct RawFolder {
  std::map<std::string, RawTensor, std::less<>> tensors;
  nlohmann::json config;
  std::vector<std::shared_ptr<const MappedFile>> files;

  const RawTensor* Find(const std::string& name) const;
};

// What can be read of the folder; what is wrong with its files goes to `findings`.
RawFolder ReadRawFolder(const std::filesystem::path& folder, Findings& findings);

// Adds the tensors of one file; what is wrong with it goes to `findings`.
void ReadRawFile(const std::filesystem::path& path, RawFolder& folder, Findings& findings);

// Bytes of one element; 0 for a dtype that safetensors does not have.
int64_t RawSize(const std::string& dtype);

// Whether RawTensor::Number reads it.
bool RawIsFloat(const std::string& dtype);

// A float of a sign, `exponent_bits` and `mantissa_bits`, whose largest exponent is an ordinary one.
double SmallFloatValue(int code, int exponent_bits, int mantissa_bits);

// An IEEE half's value.
double HalfValue(uint16_t bits);

}  // namespace tersor

#endif  // TERSOR_CORE_LINT_RAW_TENSORS_H_
