#include "server/planning/frame.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr int kPollMilliseconds = 50;
constexpr size_t kChunkBytes = 1 << 20;

absl::Status Gone() { return absl::UnavailableError("the other side is gone"); }

// Appends up to `count` bytes to `text`; they grow with what really comes, whatever length was announced.
absl::Status ReceiveBytes(int socket, size_t count, absl::FunctionRef<absl::Status()> go_on, std::string& text) {
  const size_t end = text.size() + count;
  while (text.size() < end) {
    TERSOR_RETURN_IF_ERROR(go_on());
    pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
    const int ready = poll(&readable, 1, kPollMilliseconds);
    if (ready < 0 && errno != EINTR) return Gone();
    if (ready <= 0) continue;
    const size_t before = text.size();
    text.resize(before + std::min(kChunkBytes, end - before));
    const ssize_t received = recv(socket, text.data() + before, text.size() - before, 0);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(received, 0)));
    if (received == 0 || (received < 0 && errno != EINTR)) return Gone();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SendFrame(int socket, const google::protobuf::MessageLite& message) {
  std::string text;
  if (!message.SerializeToString(&text) || text.size() > kMaxFrameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a message of ", text.size(), " bytes cannot be sent"));
  }
  const auto length = static_cast<uint32_t>(text.size());
  std::string frame(sizeof(length), '\0');
  std::memcpy(frame.data(), &length, sizeof(length));
  frame += text;
  for (size_t sent = 0; sent < frame.size();) {
    const ssize_t count = send(socket, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Gone();
    sent += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status ReceiveFrame(int socket, absl::FunctionRef<absl::Status()> go_on, google::protobuf::MessageLite& message) {
  std::string header;
  uint32_t length = 0;
  TERSOR_RETURN_IF_ERROR(ReceiveBytes(socket, sizeof(length), go_on, header));
  std::memcpy(&length, header.data(), sizeof(length));
  if (length > kMaxFrameBytes) return absl::DataLossError(absl::StrCat("a frame of ", length, " bytes"));
  std::string text;
  TERSOR_RETURN_IF_ERROR(ReceiveBytes(socket, length, go_on, text));
  return message.ParseFromString(text) ? absl::OkStatus() : absl::DataLossError("a frame that is no message");
}

}  // namespace tersor
