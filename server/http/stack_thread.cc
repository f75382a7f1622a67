#include "server/http/stack_thread.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<std::unique_ptr<StackThread>> StackThread::Start(size_t stack_bytes, std::function<void()> body) {
  std::unique_ptr<StackThread> thread(new StackThread(std::move(body)));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, stack_bytes);
  const auto run = [](void* self) -> void* {
    static_cast<StackThread*>(self)->body_();
    return nullptr;
  };
  if (error == 0) error = pthread_create(&thread->handle_, &attributes, run, thread.get());
  pthread_attr_destroy(&attributes);
  if (error != 0) return absl::ResourceExhaustedError(absl::StrCat("starting a thread: ", std::strerror(error)));
  thread->started_ = true;
  return thread;
}

StackThread::~StackThread() {
  if (started_) pthread_join(handle_, nullptr);
}

}  // namespace tersor
