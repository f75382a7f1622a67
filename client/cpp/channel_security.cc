#include "client/cpp/channel_security.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"

namespace tersor::client {
namespace {

constexpr absl::string_view kDefaultPort = ":7433";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsTarget(absl::string_view target) {
  if (absl::StartsWith(target, "unix:")) return target.size() > 5;
  const size_t colon = target.rfind(':');
  int port = 0;
  return colon != absl::string_view::npos && colon > 0 && absl::SimpleAtoi(target.substr(colon + 1), &port) &&
         port > 0 && port < 65536;
}

// After an IPv6 host's bracket, or in any other host, a colon begins the port.
bool HasPort(absl::string_view host) {
  const size_t bracket = host.rfind(']');
  return host.find(':', bracket == absl::string_view::npos ? 0 : bracket) != absl::string_view::npos;
}

// Programs of this machine alone see what goes there.
bool IsLocal(absl::string_view target) {
  const std::string host(target.substr(0, target.rfind(':')));
  if (absl::StartsWith(target, "unix:") || host == "localhost" || host == "[::1]") return true;
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

absl::StatusOr<std::string> ReadNamed(absl::string_view name, const std::string& path) {
  if (path.empty()) return std::string();
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::InvalidArgumentError(absl::StrCat(name, ": ", text.status().message()));
  return text;
}

absl::Status CheckToken(absl::string_view where, absl::string_view token) {
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) { return absl::ascii_isgraph(c); });
  if (plain && !token.empty()) return absl::OkStatus();
  // Not even a part of it is shown.
  return absl::InvalidArgumentError(absl::StrCat(where, " holds no API token: it is to be one line, tsr_..."));
}

class TokenInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit TokenInterceptor(const std::string& header) : header_(header) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(grpc::experimental::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", header_);
    }
    methods->Proceed();
  }

 private:
  const std::string& header_;
};

class TokenInterceptorFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(const std::string& token) : header_(absl::StrCat("Bearer ", token)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new TokenInterceptor(header_);
  }

 private:
  const std::string header_;
};

}  // namespace

absl::StatusOr<ChannelSecurity> SecurityFromEnvironment(const std::string& token_file) {
  ChannelSecurity security = {.ca_file = Variable("TERSOR_CA"),
                              .certificate_file = Variable("TERSOR_CLIENT_CERT"),
                              .key_file = Variable("TERSOR_CLIENT_KEY"),
                              .token = Variable("TERSOR_TOKEN")};
  if (!token_file.empty()) {
    TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadNamed("--token-file", token_file));
    security.token = std::string(absl::StripAsciiWhitespace(text));
    TERSOR_RETURN_IF_ERROR(CheckToken(absl::StrCat("--token-file ", token_file), security.token));
  } else if (!security.token.empty()) {
    TERSOR_RETURN_IF_ERROR(CheckToken("TERSOR_TOKEN", security.token));
  }
  return security;
}

absl::StatusOr<ServerTarget> ParseServerAddress(absl::string_view address) {
  absl::string_view rest = address;
  ServerTarget server;
  server.tls = absl::ConsumePrefix(&rest, "https://");
  const bool is_url = server.tls || absl::ConsumePrefix(&rest, "http://");
  if (is_url) absl::ConsumeSuffix(&rest, "/");
  server.target = std::string(rest);
  if (is_url && !rest.empty() && !HasPort(rest)) absl::StrAppend(&server.target, kDefaultPort);
  const bool is_socket = absl::StartsWith(rest, "unix:");
  if (is_socket ? !is_url && IsTarget(rest) : IsTarget(server.target) && !absl::StrContains(rest, '/')) return server;
  return absl::InvalidArgumentError(absl::StrCat("\"", address,
                                                 "\" is not a server's address; write HOST:PORT, for example ",
                                                 "127.0.0.1", kDefaultPort, ", or https://HOST:PORT for TLS"));
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const ServerTarget& server,
                                                                          const ChannelSecurity& security) {
  if (!server.tls) {
    if (!security.token.empty() && !IsLocal(server.target)) {
      return absl::InvalidArgumentError(absl::StrCat("the API token is not sent to ", server.target,
                                                     " in plain text: write https://", server.target));
    }
    return grpc::InsecureChannelCredentials();
  }
  if (security.certificate_file.empty() != security.key_file.empty()) {
    return absl::InvalidArgumentError("TERSOR_CLIENT_CERT and TERSOR_CLIENT_KEY belong together: set both");
  }
  grpc::SslCredentialsOptions options;
  TERSOR_ASSIGN_OR_RETURN(options.pem_root_certs, ReadNamed("TERSOR_CA", security.ca_file));
  TERSOR_ASSIGN_OR_RETURN(options.pem_cert_chain, ReadNamed("TERSOR_CLIENT_CERT", security.certificate_file));
  TERSOR_ASSIGN_OR_RETURN(options.pem_private_key, ReadNamed("TERSOR_CLIENT_KEY", security.key_file));
  return grpc::SslCredentials(options);
}

std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> TokenInterceptors(
    const ChannelSecurity& security) {
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> factories;
  if (!security.token.empty()) factories.push_back(std::make_unique<TokenInterceptorFactory>(security.token));
  return factories;
}

}  // namespace tersor::client
