// What an HTTP request is answered with.
#ifndef TERSOR_SERVER_HTTP_HTTP_ANSWER_H_
#define TERSOR_SERVER_HTTP_HTTP_ANSWER_H_

#include <functional>
#include <map>
#include <string>

namespace tersor {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// By path, what GET answers. Called from several threads at once.
using HttpPages = std::map<std::string, std::function<HttpAnswer()>>;

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_HTTP_ANSWER_H_
