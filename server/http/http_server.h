// A small HTTP/1.1 server for pages that are made on request: probes, metrics.
#ifndef TERSOR_SERVER_HTTP_HTTP_SERVER_H_
#define TERSOR_SERVER_HTTP_HTTP_SERVER_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/base/status.h"
#include "server/base/mutex.h"
#include "server/http/http_answer.h"
#include "server/http/http_limits.h"
#include "server/http/http_listener.h"
#include "server/http/http_stream.h"
#include "server/http/stack_thread.h"

namespace tersor {

// Serves until destroyed, on threads of its own. cpp-httplib reads requests and writes answers; connections are ours,
// as the library's end its loop at an error of accept, are inherited by started programs, and have no bound on the
// number that wait, on a request's size or on its time. One request a connection. GET and HEAD of a known path are
// answered by its page, other methods by 405, other paths by 404, and whatever is not HTTP by 400.
class HttpServer {
 public:
  // `address` is HOST:PORT; port 0 takes a free one. UNAVAILABLE when it cannot be had. What `pages` refer to outlives
  // the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address, HttpPages pages,
                                                           const HttpLimits& limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // HOST:PORT with the port that was taken.
  const std::string& address() const { return listener_->address(); }

 private:
  class Protocol;

  HttpServer(std::unique_ptr<HttpListener> listener, HttpPages pages, const HttpLimits& limits);
  absl::Status StartThreads();
  void AcceptConnections();
  void Enqueue(int fd);
  void Serve();
  void Handle(int fd);
  bool Stopping();
  bool Crowded();

  const HttpLimits limits_;
  const std::unique_ptr<HttpListener> listener_;
  const std::unique_ptr<Protocol> protocol_;
  const HttpPressure pressure_;
  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<int> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<StackThread>> threads_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_HTTP_SERVER_H_
