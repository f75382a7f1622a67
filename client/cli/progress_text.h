// Progress as text; pure functions, so that tests can read them.
#ifndef TERSOR_CLIENT_CLI_PROGRESS_TEXT_H_
#define TERSOR_CLIENT_CLI_PROGRESS_TEXT_H_

#include <string>

#include "tersor/v1/event.pb.h"

namespace tersor::client {

// "1:05:09", "4:07", "0:09"; "--:--" where it is negative or not finite.
std::string ClockText(double seconds);

// One line of at most `width` columns: stage, bar, percent, units, speed, ETA, detail; what does not fit is left out
// from the end, the bar is never shorter than ten columns.
std::string ProgressBar(const v1::Progress& progress, int width);

// One line for a log: "[ 43%] quantize:gptq: 13/30 blocks, ETA 1:05".
std::string ProgressLine(const v1::Progress& progress);

// "quantize:gptq: done in 35.2 s, peak memory 512 MB".
std::string StageLine(const v1::StageReport& stage);

// "job running (attempt 2): reason".
std::string StateLine(const v1::StateChanged& state);

// "warning FACTORIZATION_DAMPED: message (model.layers.3.mlp.down_proj)".
std::string WarningLine(const v1::Warning& warning);

// "RUNNING" as people read it: "running".
std::string StateWord(v1::JobState state);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_PROGRESS_TEXT_H_
