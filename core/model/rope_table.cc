#include "core/model/rope_table.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <numbers>
#include <utility>

namespace tersor {
namespace {

// Everything that a table depends on.
using Key = std::vector<double>;

Key KeyOf(const RopeSpec& spec, int64_t turned, bool is_long) {
  Key key = {spec.theta, spec.linear_factor, static_cast<double>(turned)};
  if (spec.llama3) {
    const Llama3RopeScaling& scaling = *spec.llama3;
    key.insert(key.end(), {scaling.factor, scaling.low_freq_factor, scaling.high_freq_factor,
                           static_cast<double>(scaling.original_context)});
  }
  if (spec.longrope) {
    const std::vector<double>& factors = is_long ? spec.longrope->long_factors : spec.longrope->short_factors;
    key.push_back(spec.longrope->magnitude);
    key.insert(key.end(), factors.begin(), factors.end());
  }
  return key;
}

int64_t TurnedPart(const RopeSpec& spec, int64_t head_size) {
  return spec.rotary_size == 0 ? head_size : spec.rotary_size;
}

// Long wavelengths are slowed down by `factor`, short ones stay, those between are interpolated.
double ScaleLlama3(const Llama3RopeScaling& scaling, double frequency) {
  const double wavelength = 2 * std::numbers::pi / frequency;
  const double context = static_cast<double>(scaling.original_context);
  if (wavelength < context / scaling.high_freq_factor) return frequency;
  if (wavelength > context / scaling.low_freq_factor) return frequency / scaling.factor;
  const double smooth =
      (context / wavelength - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor);
  return (1 - smooth) * frequency / scaling.factor + smooth * frequency;
}

}  // namespace

std::vector<double> RopeFrequencies(const RopeSpec& spec, int64_t head_size, int64_t length) {
  const int64_t turned = TurnedPart(spec, head_size);
  std::vector<double> frequencies(turned / 2);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double frequency = std::pow(spec.theta, -2.0 * static_cast<double>(i) / static_cast<double>(turned));
    frequencies[i] = (spec.llama3 ? ScaleLlama3(*spec.llama3, frequency) : frequency) / spec.linear_factor;
    if (!spec.longrope) continue;
    const bool is_long = length > spec.longrope->original_context;
    frequencies[i] /= (is_long ? spec.longrope->long_factors : spec.longrope->short_factors)[i];
  }
  return frequencies;
}

RopeTable::RopeTable(const RopeSpec& spec, int64_t head_size, int64_t length, int64_t positions)
    : half_(TurnedPart(spec, head_size) / 2),
      positions_(positions),
      cosines_(positions * half_),
      sines_(positions * half_) {
  const std::vector<double> frequencies = RopeFrequencies(spec, head_size, length);
  const double magnitude = spec.longrope ? spec.longrope->magnitude : 1;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < half_; ++i) {
      const double angle = static_cast<double>(position) * frequencies[i];
      cosines_[position * half_ + i] = static_cast<float>(magnitude * std::cos(angle));
      sines_[position * half_ + i] = static_cast<float>(magnitude * std::sin(angle));
    }
  }
}

std::shared_ptr<const RopeTable> RopeTable::Get(const RopeSpec& spec, int64_t head_size, int64_t positions) {
  static std::mutex* const mutex = new std::mutex;
  // Most recently used first; few models are at work at a time.
  static auto* const tables = new std::list<std::pair<Key, std::shared_ptr<const RopeTable>>>;
  constexpr size_t kKept = 8;
  const bool is_long = spec.longrope && positions > spec.longrope->original_context;
  const Key key = KeyOf(spec, TurnedPart(spec, head_size), is_long);
  std::lock_guard<std::mutex> lock(*mutex);
  auto found = std::find_if(tables->begin(), tables->end(), [&](const auto& entry) { return entry.first == key; });
  if (found != tables->end() && found->second->positions() >= positions) {
    tables->splice(tables->begin(), *tables, found);
    return found->second;
  }
  int64_t covered = 256;
  while (covered < positions) covered *= 2;
  std::shared_ptr<const RopeTable> made(new RopeTable(spec, head_size, positions, covered));
  if (found != tables->end()) tables->erase(found);
  tables->emplace_front(key, made);
  if (tables->size() > kKept) tables->pop_back();
  return made;
}

}  // namespace tersor
