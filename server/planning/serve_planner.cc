#include "server/planning/serve_planner.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/input_file.h"
#include "core/base/utf8.h"
#include "core/lint/lint.h"
#include "core/pipeline/pipeline.h"
#include "server/planning/frame.h"
#include "tersor/v1/planner.pb.h"

namespace tersor {
namespace {

// Messages quote what stands in the files, and the other side refuses a text that is not UTF-8.
void SetError(const absl::Status& status, v1::PlannerResponse& response) {
  response.set_code(static_cast<int>(status.code()));
  response.set_message(ReplaceInvalidUtf8(status.message()));
}

void Plan(const v1::PlanTask& task, v1::PlannerResponse& response) {
  PipelineContext context;
  context.data_paths.assign(task.data_paths().begin(), task.data_paths().end());
  context.task_paths.assign(task.task_paths().begin(), task.task_paths().end());
  context.allowed_roots.assign(task.allowed_roots().begin(), task.allowed_roots().end());
  context.cache_dir = task.cache_dir();
  context.output_dir = task.output_dir();
  context.threads = task.threads();
  context.memory_bytes = task.memory_bytes();
  std::vector<std::filesystem::path> roots = context.allowed_roots;
  roots.insert(roots.end(), context.data_paths.begin(), context.data_paths.end());
  roots.insert(roots.end(), context.task_paths.begin(), context.task_paths.end());
  roots.push_back(context.cache_dir);
  ConfineInputs(roots);
  absl::StatusOr<PlanResult> result = MakePlan(task.recipe(), context);
  if (!result.ok()) return SetError(result.status(), response);
  *response.mutable_plan() = std::move(result->plan);
  for (const FieldViolation& violation : result->violations) {
    v1::RecipeFault& fault = *response.add_faults();
    fault.set_field(ReplaceInvalidUtf8(violation.field));
    fault.set_description(ReplaceInvalidUtf8(violation.description));
  }
}

void Lint(const v1::LintTask& task, v1::PlannerResponse& response) {
  std::vector<std::filesystem::path> roots(task.model_roots().begin(), task.model_roots().end());
  roots.emplace_back(task.path());
  if (!task.reference().empty()) roots.emplace_back(task.reference());
  ConfineInputs(roots);
  absl::StatusOr<v1::LintReport> report = LintArtifact(task.path(), {.reference = task.reference()});
  if (!report.ok()) return SetError(report.status(), response);
  *response.mutable_lint() = *std::move(report);
}

// Libraries below may throw in spite of us.
v1::PlannerResponse AnswerGuarded(const v1::PlannerRequest& request, int64_t memory_bytes) {
  v1::PlannerResponse response;
  try {
    if (request.has_lint()) {
      Lint(request.lint(), response);
    } else {
      Plan(request.plan(), response);
    }
  } catch (const std::bad_alloc&) {
    response.Clear();
    SetError(
        absl::ResourceExhaustedError(absl::StrCat("reading it takes more than ", memory_bytes >> 20, " MiB of memory")),
        response);
  } catch (const std::exception& error) {
    response.Clear();
    SetError(absl::InternalError(absl::StrCat("unexpected exception: ", error.what())), response);
  }
  return response;
}

// Ours are private writable pages; what is mapped of a model is not.
void LimitMemory(int64_t bytes) {
  if (bytes <= 0) return;
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  setrlimit(RLIMIT_DATA, &limit);
  // A core of a process that a stranger's file ended would fill the disk.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

// Also in the middle of a plan, which nobody waits for any more. The kernel's own signal (PR_SET_PDEATHSIG) would come
// with the end of the thread that started us.
[[noreturn]] void EndWithTheOtherSide(int socket) {
  pollfd closed{.fd = socket, .events = POLLRDHUP, .revents = 0};
  while (poll(&closed, 1, -1) <= 0) {
  }
  std::_Exit(0);
}

}  // namespace

int ServePlanner(int socket, int64_t memory_bytes) {
  std::thread([socket] { EndWithTheOtherSide(socket); }).detach();
  signal(SIGTERM, SIG_DFL);
  LimitMemory(memory_bytes);
  const auto forever = [] { return absl::OkStatus(); };
  while (true) {
    v1::PlannerRequest request;
    const absl::Status received = ReceiveFrame(socket, forever, request);
    if (absl::IsUnavailable(received)) return 0;
    if (!received.ok()) return 1;
    if (!SendFrame(socket, AnswerGuarded(request, memory_bytes)).ok()) return 1;
  }
}

}  // namespace tersor
