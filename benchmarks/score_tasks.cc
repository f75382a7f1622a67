// Log-likelihoods of a multiple-choice or cloze task's items, as JSON Lines in the form of lm-eval's answers: what
// tasks_vs_lm_eval.sh compares. The last line on standard output holds the seconds of each part and the peak memory.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/strip.h"
#include "benchmarks/program.h"
#include "core/base/peak_memory.h"
#include "core/base/stopwatch.h"
#include "core/evaluate/continuation_scorer.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string model;
  std::string items;
  std::string out;
  int count = 0;
  int threads = 2;
  int64_t batch_tokens = ContinuationOptions().batch_tokens;
};

// As the harness does: blanks at the context's end belong to the continuation, and the continuation's tokens are those
// of the whole text after as many as the context alone has.
absl::StatusOr<ContinuationRequest> EncodePair(const Tokenizer& tokenizer, std::string context, std::string target) {
  const size_t end = absl::StripTrailingAsciiWhitespace(context).size();
  target.insert(0, context.substr(end));
  context.resize(end);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int32_t> whole, tokenizer.Encode(context + target));
  ContinuationRequest request;
  TERSOR_ASSIGN_OR_RETURN(request.context, tokenizer.Encode(context));
  if (request.context.size() >= whole.size()) return absl::InvalidArgumentError("a target without tokens: " + target);
  request.continuation.assign(whole.begin() + request.context.size(), whole.end());
  return request;
}

absl::StatusOr<std::vector<ContinuationRequest>> EncodeItem(const Tokenizer& tokenizer, const Json& item) {
  std::vector<ContinuationRequest> requests;
  const auto add = [&](const Json& context, const std::string& target) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(ContinuationRequest request, EncodePair(tokenizer, context.get<std::string>(), target));
    requests.push_back(std::move(request));
    return absl::OkStatus();
  };
  if (!item.contains("choices")) {
    TERSOR_RETURN_IF_ERROR(add(item.at("context"), item.at("target").get<std::string>()));
    return requests;
  }
  const Json& choices = item.at("choices");
  for (size_t i = 0; i < choices.size(); ++i) {
    const Json& context = item.contains("contexts") ? item.at("contexts").at(i) : item.at("context");
    TERSOR_RETURN_IF_ERROR(add(context, " " + choices[i].get<std::string>()));
  }
  return requests;
}

absl::Status Run(const Arguments& arguments) {
  const Stopwatch loading;
  TERSOR_ASSIGN_OR_RETURN(const Model model, LoadModel(arguments.model));
  TERSOR_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromJson(model.assets.tokenizer_json));
  TERSOR_ASSIGN_OR_RETURN(const ScoringModel scoring, PrepareScoring(model, {.threads = arguments.threads}));
  const double load_seconds = loading.Seconds();
  const Stopwatch encoding;
  std::ifstream file(arguments.items);
  if (!file) return absl::NotFoundError("cannot read " + arguments.items);
  std::vector<Json> items;
  std::vector<ContinuationRequest> requests;
  for (std::string line; std::getline(file, line);) {
    if (arguments.count > 0 && items.size() >= static_cast<size_t>(arguments.count)) break;
    items.push_back(Json::parse(line));
    TERSOR_ASSIGN_OR_RETURN(std::vector<ContinuationRequest> of_item, EncodeItem(*tokenizer, items.back()));
    items.back()["requests"] = of_item.size();
    std::move(of_item.begin(), of_item.end(), std::back_inserter(requests));
  }
  const double encode_seconds = encoding.Seconds();
  const Stopwatch scoring_watch;
  TERSOR_ASSIGN_OR_RETURN(const std::vector<ContinuationScore> scores,
                          ScoreContinuations(scoring, requests, {.batch_tokens = arguments.batch_tokens}, {}));
  const double score_seconds = scoring_watch.Seconds();
  std::ofstream out(arguments.out.empty() ? "/dev/null" : arguments.out);
  size_t at = 0;
  for (const Json& item : items) {
    Json answer = {{"id", item.at("id")}, {"loglikelihoods", Json::array()}, {"greedy", Json::array()}};
    for (size_t i = 0; i < item.at("requests").get<size_t>(); ++i, ++at) {
      answer["loglikelihoods"].push_back(scores[at].log_likelihood);
      answer["greedy"].push_back(scores[at].greedy);
    }
    out << answer.dump() << "\n";
  }
  const Json line = {{"items", items.size()},          {"requests", requests.size()},
                     {"seconds_load", load_seconds},   {"seconds_encode", encode_seconds},
                     {"seconds_score", score_seconds}, {"peak_bytes", PeakResidentBytes()}};
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tersor

int main(int argc, char** argv) {
  tersor::Arguments arguments;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("items", arguments.items, "Task items, JSON Lines")->required();
    app.add_option("--out", arguments.out, "Answers, JSON Lines");
    app.add_option("--count", arguments.count, "The first N items; 0: all");
    app.add_option("--batch-tokens", arguments.batch_tokens, "Tokens that go through the model at a time");
  };
  return tersor::RunProgram(argc, argv, "Scores the items of a task file", arguments, add_options, tersor::Run);
}
