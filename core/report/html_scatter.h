// Quality against cost as inline SVG.
#ifndef TERSOR_CORE_REPORT_HTML_SCATTER_H_
#define TERSOR_CORE_REPORT_HTML_SCATTER_H_

#include <functional>
#include <string>
#include <vector>

namespace tersor {

struct ScatterPoint {
  // Written beside the point.
  std::string label;
  double x = 0;
  double y = 0;
  // Half the height of the error bar; 0 has none.
  double error = 0;
  // A member of the front: filled, and the stairs go through it. Other points are hollow.
  bool front = false;
  // The dense original: a square.
  bool reference = false;
  // A dense rival: a diamond.
  bool rival = false;
};

struct ScatterPlot {
  std::string x_title;
  std::string y_title;
  // How numbers on the axes are written.
  std::function<std::string(double)> x_text;
  std::function<std::string(double)> y_text;
  // Better values are higher up in any case.
  bool higher_is_better = true;
  std::vector<ScatterPoint> points;
};

// The x axis is logarithmic, and the y axis where values lie far apart; x and y are positive and finite. "" with fewer
// than two points.
std::string ScatterChart(const ScatterPlot& plot);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_HTML_SCATTER_H_
