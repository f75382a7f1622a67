#include "server/tersord/tls_files.h"

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/tersord/tls_stage.h"
#include "tests/server/testing/temp_folder.h"
#include "tests/server/testing/test_certificates.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(folder_.path() / name, text).ok());
    return folder_.path() / name;
  }
  // What is wrong with the files, "" where nothing is.
  std::string Fault(const TlsFiles& files) {
    const absl::Status status = ReadTlsFiles(files).status();
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }

  testing::TempFolder folder_;
  testing::TestAuthority authority_{"test"};
  testing::CertificatePair pair_ = authority_.Issue("server");
  std::filesystem::path certificate_ = Write("server.crt", pair_.certificate_pem);
  std::filesystem::path key_ = Write("server.key", pair_.key_pem);
  std::filesystem::path ca_ = Write("ca.crt", authority_.certificate_pem());
};

TEST_F(TlsFilesTest, GoodFiles) {
  EXPECT_EQ(Fault({}), "");
  EXPECT_EQ(Fault({.certificate = certificate_, .key = key_}), "");
  EXPECT_EQ(Fault({.certificate = certificate_, .key = key_, .client_ca = ca_}), "");
}

TEST_F(TlsFilesTest, PartsAloneAreRefused) {
  EXPECT_THAT(Fault({.certificate = certificate_}), HasSubstr("belong together"));
  EXPECT_THAT(Fault({.key = key_}), HasSubstr("belong together"));
  EXPECT_THAT(Fault({.client_ca = ca_}), HasSubstr("--client-ca needs TLS"));
}

TEST_F(TlsFilesTest, FaultsNameFlagAndFile) {
  EXPECT_THAT(Fault({.certificate = folder_.path() / "none", .key = key_}), HasSubstr("none"));
  EXPECT_THAT(Fault({.certificate = key_, .key = key_}), HasSubstr("no certificate in PEM form"));
  EXPECT_THAT(Fault({.certificate = certificate_, .key = certificate_}), HasSubstr("no private key"));
  const auto other = Write("other.key", authority_.Issue("other").key_pem);
  EXPECT_THAT(Fault({.certificate = certificate_, .key = other}), HasSubstr("does not belong to the certificate"));
  const auto empty = Write("empty", "");
  EXPECT_THAT(Fault({.certificate = certificate_, .key = key_, .client_ca = empty}), HasSubstr("--client-ca"));
  const testing::CertificatePair old = authority_.Issue("old", -60);
  EXPECT_THAT(Fault({.certificate = Write("old.crt", old.certificate_pem), .key = Write("old.key", old.key_pem)}),
              HasSubstr("has expired"));
}

TEST_F(TlsFilesTest, OnlyWholeRenewalsAreStaged) {
  TlsStage stage({.certificate = certificate_, .key = key_, .client_ca = ca_}, folder_.path() / "tls");
  ASSERT_TRUE(stage.Open().ok());
  const auto staged = [&] { return *ReadFile(stage.copies().certificate) + *ReadFile(stage.copies().key); };
  const std::string first = staged();
  EXPECT_EQ(first, pair_.certificate_pem + pair_.key_pem);
  EXPECT_EQ(*ReadFile(stage.copies().client_ca), authority_.certificate_pem());
  const testing::CertificatePair next = authority_.Issue("next");
  for (const std::string& half : {std::string(), std::string("nonsense"), next.key_pem}) {
    Write("server.key", half);
    stage.Refresh();
    EXPECT_EQ(staged(), first);
  }
  Write("server.crt", next.certificate_pem);
  stage.Refresh();
  EXPECT_EQ(staged(), next.certificate_pem + next.key_pem);
  std::filesystem::remove(key_);
  stage.Refresh();
  EXPECT_EQ(staged(), next.certificate_pem + next.key_pem);
  TlsStage none({}, folder_.path() / "none");
  EXPECT_TRUE(none.Open().ok());
  none.Refresh();
  EXPECT_FALSE(none.copies().enabled());
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "none"));
}

}  // namespace
}  // namespace tersor
