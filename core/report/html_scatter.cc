#include "core/report/html_scatter.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/report/escape.h"

namespace tersor {
namespace {

constexpr double kWidth = 720, kHeight = 360;
constexpr double kLeft = 76, kRight = 24, kTop = 16, kBottom = 52;
// The largest y over the smallest that a linear axis still shows.
constexpr double kMostLinear = 10;
constexpr double kLabelHeight = 15, kCharacterWidth = 6.6;

// Maps values to places; a reversed axis has its low values at the far end.
struct Axis {
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  double start = 0;
  double end = 1;

  double Place(double value) const {
    const double share = logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return start + share * (end - start);
  }
};

// About five round numbers between the ends: multiples of 1, 2 or 5 times a power of ten.
std::vector<double> LinearTicks(double low, double high) {
  const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  std::vector<double> ticks;
  for (double tick = std::ceil(low / step) * step; tick <= high * (1 + 1e-12); tick += step)
    ticks.push_back(tick + 0.0);
  return ticks;
}

std::vector<double> LogTicks(double low, double high) {
  std::vector<double> ticks;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor * power >= low && factor * power <= high) ticks.push_back(factor * power);
    }
  }
  return ticks.size() >= 3 ? ticks : LinearTicks(low, high);
}

// With room around the points.
Axis XAxis(const ScatterPlot& plot) {
  double low = plot.points[0].x, high = low;
  for (const ScatterPoint& point : plot.points) {
    low = std::min(low, point.x);
    high = std::max(high, point.x);
  }
  const double room = std::max(std::pow(high / low, 0.08), 1.05);
  return {low / room, high * room * room, true, kLeft, kWidth - kRight};
}

Axis YAxis(const ScatterPlot& plot) {
  double low = plot.points[0].y, high = low, least = low;
  for (const ScatterPoint& point : plot.points) {
    least = std::min(least, point.y);
    low = std::min(low, point.y - point.error);
    high = std::max(high, point.y + point.error);
  }
  const double room = std::max(0.08 * (high - low), 1e-3 * std::abs(high));
  Axis axis = {low - room, high + room, false, kHeight - kBottom, kTop};
  // One broken model must not press all others into one line.
  if (high > kMostLinear * least) {
    axis.logarithmic = true;
    axis.low = std::max(low, least / 2) / std::pow(high / least, 0.08);
    axis.high = high * std::pow(high / least, 0.08);
  }
  if (!plot.higher_is_better) std::swap(axis.start, axis.end);
  return axis;
}

std::string Line(const char* name, double x1, double y1, double x2, double y2) {
  return absl::StrFormat("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", name, x1, y1, x2, y2);
}

std::string Text(double x, double y, const char* anchor, const std::string& text, const char* name = "tick") {
  return absl::StrFormat("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", name, x, y, anchor,
                         EscapeXml(text));
}

std::string Frame(const ScatterPlot& plot, const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : LogTicks(x.low, x.high)) {
    const double place = x.Place(tick);
    absl::StrAppend(&svg, Line("grid", place, kTop, place, kHeight - kBottom),
                    Text(place, kHeight - kBottom + 17, "middle", plot.x_text(tick)));
  }
  for (const double tick : y.logarithmic ? LogTicks(y.low, y.high) : LinearTicks(y.low, y.high)) {
    const double place = y.Place(tick);
    absl::StrAppend(&svg, Line("grid", kLeft, place, kWidth - kRight, place),
                    Text(kLeft - 7, place + 4, "end", plot.y_text(tick)));
  }
  absl::StrAppend(&svg, Line("axis", kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom),
                  Line("axis", kLeft, kTop, kLeft, kHeight - kBottom),
                  Text((kLeft + kWidth - kRight) / 2, kHeight - 12, "middle", plot.x_title, "title"));
  absl::StrAppend(&svg, absl::StrFormat("<text class=\"title\" transform=\"translate(16 %.1f) rotate(-90)\" "
                                        "text-anchor=\"middle\">%s</text>",
                                        (kTop + kHeight - kBottom) / 2, EscapeXml(plot.y_title)));
  return svg;
}

// The best quality at each cost: level until the next member, then up.
std::string Stairs(const ScatterPlot& plot, const Axis& x, const Axis& y) {
  std::vector<ScatterPoint> front;
  std::copy_if(plot.points.begin(), plot.points.end(), std::back_inserter(front),
               [](const ScatterPoint& point) { return point.front; });
  if (front.empty()) return "";
  std::sort(front.begin(), front.end(), [](const ScatterPoint& a, const ScatterPoint& b) { return a.x < b.x; });
  std::string path = absl::StrFormat("M%.1f %.1f", x.Place(front[0].x), y.Place(front[0].y));
  for (size_t i = 1; i < front.size(); ++i) {
    absl::StrAppend(&path, absl::StrFormat("H%.1fV%.1f", x.Place(front[i].x), y.Place(front[i].y)));
  }
  absl::StrAppend(&path, absl::StrFormat("H%.1f", kWidth - kRight));
  return absl::StrCat("<path class=\"stairs\" d=\"", path, "\"/>");
}

std::string Mark(const ScatterPoint& point, double x, double y, const Axis& axis) {
  std::string svg;
  if (point.error > 0) {
    const double foot = std::max(point.y - point.error, axis.low);
    svg = Line("error", x, axis.Place(foot), x, axis.Place(point.y + point.error));
  }
  const char* name = point.front ? "member" : "beaten";
  const std::string tip = absl::StrCat("<title>", EscapeXml(point.label), "</title>");
  if (point.reference) {
    return absl::StrCat(
        svg,
        absl::StrFormat("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"9\" height=\"9\">", name, x - 4.5, y - 4.5),
        tip, "</rect>");
  }
  if (point.rival) {
    return absl::StrCat(svg, absl::StrFormat("<path class=\"%s\" d=\"M%.1f %.1fl6 6l-6 6l-6 -6z\">", name, x, y - 6),
                        tip, "</path>");
  }
  return absl::StrCat(svg, absl::StrFormat("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.8\">", name, x, y), tip,
                      "</circle>");
}

struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  bool Meets(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

// Above or below the stairs beside the point, on the side with room, moved up or down until it meets neither a label
// nor another point.
std::string Label(const std::string& text, double x, double y, std::vector<Box>& taken) {
  const double width = kCharacterWidth * static_cast<double>(CharacterCount(text));
  for (const double shift : {-0.7, 0.8, 0.0, -1.5, 1.5, -2.5, 2.5, -3.5, 3.5}) {
    for (const bool right : {true, false}) {
      const double edge = right ? x + 9 : x - 9, baseline = y + 4 + shift * kLabelHeight;
      const Box box = {right ? edge : edge - width, baseline - 11, right ? edge + width : edge, baseline + 3};
      if (box.left < kLeft || box.right > kWidth || box.top < 0 || box.bottom > kHeight - kBottom) continue;
      if (std::any_of(taken.begin(), taken.end(), [&](const Box& other) { return box.Meets(other); })) continue;
      taken.push_back(box);
      return Text(edge, baseline, right ? "start" : "end", text, "name");
    }
  }
  return "";
}

}  // namespace

std::string ScatterChart(const ScatterPlot& plot) {
  if (plot.points.size() < 2) return "";
  const Axis x = XAxis(plot), y = YAxis(plot);
  std::string svg = absl::StrFormat("<svg class=\"scatter\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">",
                                    kWidth, kHeight, EscapeXml(absl::StrCat(plot.y_title, " against ", plot.x_title)));
  absl::StrAppend(&svg, Frame(plot, x, y), Stairs(plot, x, y));
  std::vector<Box> taken;
  for (const ScatterPoint& point : plot.points) {
    const double left = x.Place(point.x), top = y.Place(point.y);
    absl::StrAppend(&svg, Mark(point, left, top, y));
    taken.push_back({left - 6, top - 6, left + 6, top + 6});
  }
  for (const ScatterPoint& point : plot.points) {
    absl::StrAppend(&svg, Label(point.label, x.Place(point.x), y.Place(point.y), taken));
  }
  return svg + "</svg>\n";
}

}  // namespace tersor
