#include "core/base/sha256.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

// FIPS 180-4 example vectors.
TEST(Sha256Test, MatchesPublishedVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, FieldsKeepTheirBoundaries) {
  Sha256 first, second;
  first.UpdateField("ab");
  first.UpdateField("c");
  second.UpdateField("a");
  second.UpdateField("bc");
  EXPECT_NE(first.HexDigest(), second.HexDigest());
}

TEST(Sha256Test, MissingFileIsNotFound) {
  EXPECT_EQ(Sha256HexOfFile("/nonexistent/file").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
