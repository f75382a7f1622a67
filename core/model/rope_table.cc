#include "core/model/rope_table.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <numbers>
#include <tuple>

namespace tersor {
namespace {

using Key = std::tuple<double, double, double, double, double, int64_t, int64_t>;

Key KeyOf(const RopeSpec& spec, int64_t head_size) {
  // A factor of 0 stands for "no llama3 scaling".
  const Llama3RopeScaling scaling = spec.llama3.value_or(Llama3RopeScaling{0, 0, 0, 0});
  return {spec.theta,
          spec.linear_factor,
          scaling.factor,
          scaling.low_freq_factor,
          scaling.high_freq_factor,
          scaling.original_context,
          head_size};
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

std::vector<double> RopeFrequencies(const RopeSpec& spec, int64_t head_size) {
  std::vector<double> frequencies(head_size / 2);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double frequency = std::pow(spec.theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_size));
    frequencies[i] = (spec.llama3 ? ScaleLlama3(*spec.llama3, frequency) : frequency) / spec.linear_factor;
  }
  return frequencies;
}

RopeTable::RopeTable(const RopeSpec& spec, int64_t head_size, int64_t positions)
    : half_(head_size / 2), positions_(positions), cosines_(positions * half_), sines_(positions * half_) {
  const std::vector<double> frequencies = RopeFrequencies(spec, head_size);
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < half_; ++i) {
      const double angle = static_cast<double>(position) * frequencies[i];
      cosines_[position * half_ + i] = static_cast<float>(std::cos(angle));
      sines_[position * half_ + i] = static_cast<float>(std::sin(angle));
    }
  }
}

std::shared_ptr<const RopeTable> RopeTable::Get(const RopeSpec& spec, int64_t head_size, int64_t positions) {
  static std::mutex* const mutex = new std::mutex;
  // Most recently used first; few models are at work at a time.
  static auto* const tables = new std::list<std::pair<Key, std::shared_ptr<const RopeTable>>>;
  constexpr size_t kKept = 8;
  const Key key = KeyOf(spec, head_size);
  std::lock_guard<std::mutex> lock(*mutex);
  auto found = std::find_if(tables->begin(), tables->end(), [&](const auto& entry) { return entry.first == key; });
  if (found != tables->end() && found->second->positions() >= positions) {
    tables->splice(tables->begin(), *tables, found);
    return found->second;
  }
  int64_t covered = 256;
  while (covered < positions) covered *= 2;
  std::shared_ptr<const RopeTable> made(new RopeTable(spec, head_size, covered));
  if (found != tables->end()) tables->erase(found);
  tables->emplace_front(key, made);
  if (tables->size() > kKept) tables->pop_back();
  return made;
}

}  // namespace tersor
