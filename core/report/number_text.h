// Figures as people read them.
#ifndef TERSOR_CORE_REPORT_NUMBER_TEXT_H_
#define TERSOR_CORE_REPORT_NUMBER_TEXT_H_

#include <cstdint>
#include <string>

namespace tersor {

// "84.6 MB": powers of 1000, three significant digits and at least the unit's whole number.
std::string BytesText(int64_t bytes);
// "134.5 M", "1.24 B"; small numbers as they are.
std::string CountText(int64_t count);
// Significant digits without exponent where that is readable: 17.05, 0.0312, 1234.
std::string FigureText(double value, int digits = 4);
// "1.24x".
std::string RatioText(double ratio);
// "0.4 s", "83 s", "12 min 5 s".
std::string SecondsText(double seconds);
// "91.2 %".
std::string PercentText(double share);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_NUMBER_TEXT_H_
