#include "server/store/sqlite_model_store.h"

#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

class SqliteModelStoreTest : public ::testing::Test {
 protected:
  SqliteModelStoreTest() : database_(*GuardedDatabase::Open(folder_.path() / "tersor.db")), store_(*database_) {}
  v1::Model Named(const std::string& name, const std::string& sha256) {
    v1::Model model;
    model.set_name(name);
    model.mutable_info()->set_sha256(sha256);
    model.mutable_info()->set_path("/models/" + name);
    return model;
  }

  testing::TempFolder folder_;
  std::unique_ptr<GuardedDatabase> database_;
  SqliteModelStore store_;
};

TEST_F(SqliteModelStoreTest, ANameBelongsToOneContent) {
  ASSERT_TRUE(store_.InsertModel(Named("a", "1")).ok());
  EXPECT_TRUE(store_.InsertModel(Named("a", "1")).ok());
  EXPECT_EQ(store_.InsertModel(Named("a", "2")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_.GetModel("a")->info().sha256(), "1");
  EXPECT_TRUE(store_.DeleteModel("a").ok());
  EXPECT_EQ(store_.DeleteModel("a").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_.GetModel("a").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteModelStoreTest, ListsByName) {
  for (const char* name : {"c", "a", "b"}) ASSERT_TRUE(store_.InsertModel(Named(name, "1")).ok());
  const auto page = store_.ListModels(2, "a");
  ASSERT_EQ(page->size(), 2);
  EXPECT_EQ((*page)[0].name(), "b");
  EXPECT_EQ((*page)[1].name(), "c");
}

TEST_F(SqliteModelStoreTest, UploadsKeepTheirFiles) {
  UploadRecord upload;
  upload.id = "u";
  upload.model_name = "m";
  upload.create_time = absl::FromUnixSeconds(100);
  upload.files.emplace_back().set_path("b");
  upload.files.emplace_back().set_path("a");
  ASSERT_TRUE(store_.InsertUpload(upload).ok());
  EXPECT_EQ(store_.GetUpload("u")->files.size(), 2);
  EXPECT_EQ(store_.UploadsBefore(absl::FromUnixSeconds(100))->size(), 0);
  EXPECT_EQ(store_.UploadsBefore(absl::FromUnixSeconds(101))->size(), 1);
  ASSERT_TRUE(store_.DeleteUpload("u").ok());
  EXPECT_EQ(store_.GetUpload("u").status().code(), absl::StatusCode::kNotFound);
  // A file named twice stores nothing.
  upload.files.emplace_back().set_path("a");
  EXPECT_EQ(store_.InsertUpload(upload).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_.GetUpload("u").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
