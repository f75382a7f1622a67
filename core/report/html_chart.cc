#include "core/report/html_chart.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/report/escape.h"
#include "core/report/number_text.h"

namespace tersor {
namespace {

constexpr int kWidth = 720;
constexpr int kLabelWidth = 200;
constexpr int kTextWidth = 200;
constexpr int kRowHeight = 24;
constexpr int kLabelCharacters = 26;
constexpr int kProfileHeight = 120;

bool Drawable(double value) { return std::isfinite(value) && value > 0; }

// Cut by characters, so that a label cannot run into its bar.
std::string Shortened(const std::string& label) {
  if (CharacterCount(label) <= kLabelCharacters) return label;
  size_t bytes = 0, characters = 0;
  while (bytes < label.size() && characters < kLabelCharacters - 1) {
    ++bytes;
    while (bytes < label.size() && (static_cast<unsigned char>(label[bytes]) & 0xC0) == 0x80) ++bytes;
    ++characters;
  }
  return absl::StrCat(label.substr(0, bytes), "\xE2\x80\xA6");
}

}  // namespace

std::string BarChart(const std::vector<ReportBar>& bars) {
  double most = 0;
  for (const ReportBar& bar : bars) most = Drawable(bar.value) ? std::max(most, bar.value) : most;
  if (most == 0) return "";
  const int height = kRowHeight * static_cast<int>(bars.size());
  std::string svg = absl::StrFormat("<svg class=\"bars\" viewBox=\"0 0 %d %d\" role=\"img\">", kWidth, height);
  for (size_t i = 0; i < bars.size(); ++i) {
    const ReportBar& bar = bars[i];
    const int top = kRowHeight * static_cast<int>(i);
    const double length = Drawable(bar.value) ? bar.value / most * (kWidth - kLabelWidth - kTextWidth) : 0;
    absl::StrAppend(
        &svg,
        absl::StrFormat("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", kLabelWidth - 8, top + 16,
                        EscapeXml(Shortened(bar.label))),
        absl::StrFormat("<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>",
                        i + 1 == bars.size() ? "ours" : "theirs", kLabelWidth, top + 4, length, kRowHeight - 8),
        absl::StrFormat("<text x=\"%.1f\" y=\"%d\">%s</text>", kLabelWidth + length + 6, top + 16,
                        EscapeXml(bar.text)));
  }
  return svg + "</svg>\n";
}

std::string LayerErrorChart(const v1::Report& report) {
  double most = 0;
  for (const v1::LayerResult& layer : report.layers()) {
    if (Drawable(layer.relative_error())) most = std::max(most, layer.relative_error());
  }
  if (most == 0) return "";
  const double step = static_cast<double>(kWidth) / report.layers_size();
  std::string svg =
      absl::StrFormat("<figure><svg class=\"profile\" viewBox=\"0 0 %d %d\" role=\"img\" preserveAspectRatio=\"none\">",
                      kWidth, kProfileHeight);
  for (int i = 0; i < report.layers_size(); ++i) {
    const v1::LayerResult& layer = report.layers(i);
    const double height = Drawable(layer.relative_error()) ? layer.relative_error() / most * kProfileHeight : 0;
    absl::StrAppend(&svg,
                    absl::StrFormat("<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">",
                                    layer.note().empty() ? "ours" : "noted", i * step, kProfileHeight - height,
                                    std::max(0.5, step * 0.85), height),
                    "<title>", EscapeXml(layer.name()), ": ", FigureText(layer.relative_error(), 3), "</title></rect>");
  }
  return absl::StrCat(svg, "</svg><figcaption>Relative error of each layer in order, 0 to ", FigureText(most, 3),
                      "</figcaption></figure>\n");
}

}  // namespace tersor
