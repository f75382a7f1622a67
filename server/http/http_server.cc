#include "server/http/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/log.h"

namespace tersor {
namespace {

constexpr char kBusy[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";
// The library matches the header Range by std::regex, whose recursion takes over a megabyte for the longest one that a
// request can hold.
constexpr size_t kStackBytes = 8 << 20;
constexpr absl::Duration kAcceptPause = absl::Milliseconds(10);

HttpAnswer NotFound(const HttpPages& pages) {
  const std::string known =
      absl::StrJoin(pages, ", ", [](std::string* out, const auto& page) { out->append(page.first); });
  return {.status = 404, .body = absl::StrCat("Not found. What there is: ", known, "\n")};
}

HttpAnswer AnswerTo(const HttpPages& pages, const httplib::Request& request) {
  const auto page = pages.find(request.path);
  if (page == pages.end()) return NotFound(pages);
  if (request.method == "GET" || request.method == "HEAD") return page->second();
  return {.status = 405, .body = "Method not allowed: GET and HEAD are.\n"};
}

void Fill(const HttpAnswer& answer, httplib::Response& response) {
  response.status = answer.status;
  response.set_content(answer.body, answer.content_type);
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  if (answer.status == 405) response.set_header("Allow", "GET, HEAD");
}

}  // namespace

// The library's reading of one request and writing of its answer. Every request is answered before its routing, which
// would read bodies and match paths by std::regex.
class HttpServer::Protocol final : public httplib::Server {
 public:
  explicit Protocol(HttpPages pages) : pages_(std::move(pages)) {
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Fill(AnswerTo(pages_, request), response);
      return HandlerResponse::Handled;
    });
  }

  void Answer(httplib::Stream& stream) { Process(&Protocol::process_request, stream); }

 private:
  using Prepare = std::function<void(httplib::Request&)>;

  // Ranges of a page that changes at every request mean nothing, and many of them would multiply it.
  static void DropRanges(httplib::Request& request) { request.ranges.clear(); }

  // Up to cpp-httplib 0.15.
  void Process(bool (httplib::Server::*process)(httplib::Stream&, bool, bool&, const Prepare&),
               httplib::Stream& stream) {
    bool closed = false;
    (this->*process)(stream, true, closed, DropRanges);
  }

  // Since cpp-httplib 0.16, which is told the addresses.
  void Process(bool (httplib::Server::*process)(httplib::Stream&, const std::string&, int, const std::string&, int,
                                                bool, bool&, const Prepare&),
               httplib::Stream& stream) {
    bool closed = false;
    (this->*process)(stream, "", 0, "", 0, true, closed, DropRanges);
  }

  const HttpPages pages_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, HttpPages pages,
                                                              const HttpLimits& limits) {
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<HttpListener> listener, HttpListener::Open(address));
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(listener), std::move(pages), limits));
  TERSOR_RETURN_IF_ERROR(server->StartThreads());
  return server;
}

HttpServer::HttpServer(std::unique_ptr<HttpListener> listener, HttpPages pages, const HttpLimits& limits)
    : limits_(limits),
      listener_(std::move(listener)),
      protocol_(std::make_unique<Protocol>(std::move(pages))),
      pressure_{.stopping = [this] { return Stopping(); }, .crowded = [this] { return Crowded(); }} {}

absl::Status HttpServer::StartThreads() {
  for (int i = 0; i <= limits_.threads; ++i) {
    const bool accepts = i == 0;
    TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<StackThread> thread, StackThread::Start(kStackBytes, [this, accepts] {
                              accepts ? AcceptConnections() : Serve();
                            }));
    threads_.push_back(std::move(thread));
  }
  return absl::OkStatus();
}

HttpServer::~HttpServer() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  listener_->Close();
  threads_.clear();
  for (const int fd : waiting_) close(fd);
}

bool HttpServer::Stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

bool HttpServer::Crowded() {
  const MutexLock lock(mutex_);
  return !waiting_.empty();
}

void HttpServer::AcceptConnections() {
  while (!Stopping()) {
    const int fd = listener_->Accept();
    if (fd >= 0) {
      Enqueue(fd);
      continue;
    }
    // Out of descriptors or memory, mostly: trying at once would only burn the processor.
    const MutexLock lock(mutex_);
    mutex_.AwaitWithTimeout(
        [this] {
          mutex_.AssertHeld();
          return stopping_;
        },
        kAcceptPause);
  }
}

void HttpServer::Enqueue(int fd) {
  {
    const MutexLock lock(mutex_);
    if (waiting_.size() < limits_.waiting) {
      waiting_.push_back(fd);
      return;
    }
  }
  send(fd, kBusy, sizeof(kBusy) - 1, MSG_NOSIGNAL);
  close(fd);
}

void HttpServer::Serve() {
  for (;;) {
    int fd = -1;
    {
      const MutexLock lock(mutex_);
      mutex_.Await([this] {
        mutex_.AssertHeld();
        return stopping_ || !waiting_.empty();
      });
      if (stopping_) return;
      fd = waiting_.front();
      waiting_.pop_front();
    }
    Handle(fd);
    close(fd);
  }
}

void HttpServer::Handle(int fd) {
  // The library throws where memory ends.
  try {
    HttpStream stream(fd, limits_, pressure_);
    protocol_->Answer(stream);
    stream.Finish();
  } catch (const std::exception& error) {
    Log(LogLevel::kWarning, "an HTTP request was dropped", {{"error", std::string(error.what())}});
  }
}

}  // namespace tersor
