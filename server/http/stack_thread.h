// A thread whose stack is as large as its code needs, whatever the process's limits and libraries leave by default.
#ifndef TERSOR_SERVER_HTTP_STACK_THREAD_H_
#define TERSOR_SERVER_HTTP_STACK_THREAD_H_

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/status.h"

namespace tersor {

// Joined when destroyed.
class StackThread {
 public:
  // RESOURCE_EXHAUSTED where the system gives no thread.
  static absl::StatusOr<std::unique_ptr<StackThread>> Start(size_t stack_bytes, std::function<void()> body);
  ~StackThread();
  StackThread(const StackThread&) = delete;
  StackThread& operator=(const StackThread&) = delete;

 private:
  explicit StackThread(std::function<void()> body) : body_(std::move(body)) {}

  const std::function<void()> body_;
  pthread_t handle_ = {};
  bool started_ = false;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_STACK_THREAD_H_
