#include "tests/client/cli/command_fixture.h"

namespace tersor::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TokenCommandTest : public CommandTest {};

TEST_F(TokenCommandTest, CreatePrintsTheSecretAlone) {
  EXPECT_EQ(Tersor({"token", "create", "ci", "--scope", "submit", "--lifetime", "2h"}), 0);
  EXPECT_EQ(out_, "tsr_secret\n");
  EXPECT_THAT(err_, HasSubstr("token t1 (submit)"));
  EXPECT_THAT(err_, Not(HasSubstr("tsr_secret")));
  ASSERT_EQ(server_.state().new_tokens.size(), 1);
  const v1::CreateTokenRequest& request = server_.state().new_tokens[0];
  EXPECT_EQ(request.name(), "ci");
  EXPECT_EQ(request.scope(), v1::TOKEN_SCOPE_SUBMIT);
  EXPECT_EQ(request.lifetime_seconds(), 7200);
  EXPECT_EQ(Tersor({"token", "create", "me", "--lifetime", "0", "--output", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"secret\": \"tsr_secret\""));
  EXPECT_EQ(server_.state().new_tokens[1].scope(), v1::TOKEN_SCOPE_READ) << "the least is the default";
  EXPECT_EQ(server_.state().new_tokens[1].lifetime_seconds(), 0);
}

TEST_F(TokenCommandTest, WrongUse) {
  EXPECT_EQ(Tersor({"token"}), 2);
  EXPECT_EQ(Tersor({"token", "create"}), 2);
  EXPECT_EQ(Tersor({"token", "create", "x", "--scope", "all"}), 2);
  EXPECT_EQ(Tersor({"token", "create", "x", "--lifetime", "soon"}), 2);
  EXPECT_EQ(Tersor({"token", "mke"}), 2);
  EXPECT_TRUE(server_.state().new_tokens.empty());
}

TEST_F(TokenCommandTest, ListAndRevoke) {
  v1::Token token;
  token.set_id("t1");
  token.set_name("ci");
  token.set_scope(v1::TOKEN_SCOPE_SUBMIT);
  token.mutable_create_time()->set_seconds(1'800'000'000);
  token.mutable_expire_time()->set_seconds(1'800'086'400);
  server_.state().tokens = {token};
  EXPECT_EQ(Tersor({"token", "list"}), 0);
  for (const char* part : {"t1", "ci", "submit", "2027-01-15 08:00", "2027-01-16 08:00", "never"}) {
    EXPECT_THAT(out_, HasSubstr(part));
  }
  EXPECT_EQ(Tersor({"token", "list", "--output", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"scope\": \"SUBMIT\""));
  EXPECT_EQ(Tersor({"token", "revoke", "t1"}), 0);
  EXPECT_EQ(Tersor({"token", "revoke", "t2"}), 2);
  EXPECT_EQ(server_.state().revoked, (std::vector<std::string>{"t1", "t2"}));
}

TEST_F(TokenCommandTest, TheTokenComesFromAFileOrTheEnvironment) {
  setenv("TERSOR_TOKEN", "tsr_variable", 1);
  EXPECT_EQ(Tersor({"token", "list"}), 0);
  EXPECT_EQ(server_.state().authorization, "Bearer tsr_variable");
  EXPECT_EQ(Tersor({"token", "list", "--token-file", Write("token", "tsr_file\n")}), 0);
  EXPECT_EQ(server_.state().authorization, "Bearer tsr_file");
  unsetenv("TERSOR_TOKEN");
  EXPECT_EQ(Tersor({"token", "list", "--token-file", (folder_ / "none").string()}), 2);
  EXPECT_THAT(err_, HasSubstr("--token-file"));
}

}  // namespace
}  // namespace tersor::client
