// A report with something in every field, for the forms' tests.
#ifndef TERSOR_TESTS_CORE_REPORT_SAMPLE_REPORT_H_
#define TERSOR_TESTS_CORE_REPORT_SAMPLE_REPORT_H_

#include "tersor/v1/report.pb.h"

namespace tersor::testing {

v1::Report SampleReport();

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_CORE_REPORT_SAMPLE_REPORT_H_
