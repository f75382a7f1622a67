#include "core/formats/safetensors.h"

#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file's bytes from its header text and data.
std::string FileBytes(absl::string_view header, size_t data_bytes, int64_t length = -1) {
  const uint64_t size = length < 0 ? header.size() : static_cast<uint64_t>(length);
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  return absl::StrCat(bytes, header, std::string(data_bytes, '\1'));
}

absl::StatusOr<Safetensors> Parse(const std::string& bytes) {
  auto owner = std::make_shared<const std::string>(bytes);
  return ParseSafetensors(std::as_bytes(std::span<const char>(owner->data(), owner->size())), owner, "hostile");
}

struct HostileCase {
  std::string name;
  std::string header;
  size_t data_bytes;
  std::string message;
};

void PrintTo(const HostileCase& hostile, std::ostream* out) { *out << hostile.name; }

class HostileSafetensorsTest : public ::testing::TestWithParam<HostileCase> {};

TEST_P(HostileSafetensorsTest, IsRefusedByName) {
  absl::StatusOr<Safetensors> result = Parse(FileBytes(GetParam().header, GetParam().data_bytes));
  ASSERT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
  EXPECT_THAT(result.status().message(), AllOf(HasSubstr("hostile"), HasSubstr(GetParam().message)));
}

std::string OneTensor(absl::string_view dtype, absl::string_view shape, absl::string_view offsets) {
  return absl::StrCat(R"({"w": {"dtype": ")", dtype, R"(", "shape": )", shape, R"(, "data_offsets": )", offsets, "}}");
}

INSTANTIATE_TEST_SUITE_P(
    Files, HostileSafetensorsTest,
    ::testing::Values(
        HostileCase{"NotJson", "{nonsense", 0, "not valid JSON"}, HostileCase{"NotAnObject", "[1]", 0, "not a JSON"},
        HostileCase{"DuplicateTensor",
                    R"({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
                        "w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}})",
                    1, "\"w\" stands twice"},
        HostileCase{"DuplicateField", R"({"w": {"dtype": "U8", "dtype": "I8", "shape": [1], "data_offsets": [0, 1]}})",
                    1, "\"dtype\" stands twice"},
        HostileCase{"EntryNotAnObject", R"({"w": 3})", 0, "\"w\": its header entry"},
        HostileCase{"NoDtype", R"({"w": {"shape": [1], "data_offsets": [0, 1]}})", 1, "\"w\": has no dtype"},
        HostileCase{"UnknownDtype", OneTensor("F5", "[1]", "[0, 1]"), 1, "\"w\": unknown dtype \"F5\""},
        HostileCase{"PowersOfTwo", OneTensor("F8_E8M0", "[1]", "[0, 1]"), 1,
                    "\"w\": dtype \"F8_E8M0\", powers of two (scales of MX formats), is not read; store"},
        HostileCase{"ShapeNotAList", OneTensor("U8", "1", "[0, 1]"), 1, "\"w\": has no shape"},
        HostileCase{"NegativeDimension", OneTensor("U8", "[-1]", "[0, 1]"), 1, "\"w\": impossible dimension -1"},
        HostileCase{"FractionalDimension", OneTensor("U8", "[1.5]", "[0, 1]"), 1, "\"w\": impossible dimension 1.5"},
        HostileCase{"HugeDimension", OneTensor("U8", "[99999999999999999999]", "[0, 1]"), 1, "\"w\": impossible"},
        HostileCase{"HugeProduct", OneTensor("F32", "[1073741824, 1073741824, 1073741824]", "[0, 4]"), 4,
                    "\"w\": shape [1073741824, 1073741824, 1073741824] is too large"},
        HostileCase{"TwoTo60Elements", OneTensor("F32", "[1073741824, 1073741824]", "[0, 4]"), 4, "\"w\": has 4 bytes"},
        // 2^62 elements of 4 bytes wrap to 0 bytes in 64-bit arithmetic.
        HostileCase{"WrappingByteCount", OneTensor("F32", "[4611686018427387904]", "[0, 0]"), 0, "\"w\": has 0 bytes"},
        HostileCase{"OffsetsMissing", R"({"w": {"dtype": "U8", "shape": [1]}})", 1, "\"w\": data_offsets"},
        HostileCase{"OffsetsOfThree", OneTensor("U8", "[1]", "[0, 1, 2]"), 1, "\"w\": data_offsets"},
        HostileCase{"OffsetsNegative", OneTensor("U8", "[1]", "[-1, 0]"), 1, "\"w\": data_offsets"},
        HostileCase{"OffsetsPastTheEnd", OneTensor("U8", "[8]", "[0, 8]"), 4, "\"w\": bytes 0..8 lie outside"},
        HostileCase{"OffsetsBackwards", OneTensor("U8", "[1]", "[1, 0]"), 4, "\"w\": bytes 1..0 lie outside"},
        HostileCase{"WrongByteCount", OneTensor("F16", "[3]", "[0, 5]"), 5, "\"w\": has 5 bytes"},
        HostileCase{"Overlap",
                    R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                        "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}})",
                    6, "\"b\": overlaps"},
        HostileCase{"Hole",
                    R"({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
                        "b": {"dtype": "U8", "shape": [2], "data_offsets": [4, 6]}})",
                    6, "\"b\": leaves a hole of 2"},
        HostileCase{"TrailingBytes", OneTensor("U8", "[2]", "[0, 2]"), 5, "3 bytes at the end"},
        HostileCase{"MetadataNotStrings", R"({"__metadata__": {"format": 1}})", 0, "\"format\" is not a string"},
        HostileCase{"MetadataNotAnObject", R"({"__metadata__": "pt"})", 0, "__metadata__ is not an object"}));

TEST(SafetensorsTest, HeaderLengthIsChecked) {
  EXPECT_THAT(Parse("short").status().message(), HasSubstr("too few"));
  EXPECT_THAT(Parse(FileBytes("{}", 0, 3)).status().message(), HasSubstr("truncated?"));
  EXPECT_THAT(Parse(FileBytes("{}", 0, int64_t{1} << 62)).status().message(), HasSubstr("the limit is"));
}

TEST(SafetensorsTest, OtherFilesAreNamed) {
  EXPECT_THAT(Parse("version https://git-lfs.github.com/spec/v1\noid sha256:0\n").status().message(),
              HasSubstr("hostile: not a safetensors file: it is a Git LFS pointer"));
  EXPECT_THAT(Parse("").status().message(), HasSubstr("it is empty"));
  EXPECT_THAT(Parse(std::string(64, '\0')).status().message(), HasSubstr("zero bytes"));
  EXPECT_THAT(Parse(std::string("PK\3\4\x14\0\0\0\0\0", 10)).status().message(), HasSubstr("PyTorch"));
  EXPECT_THAT(Parse("Entry not found").status().message(), HasSubstr("\"Entry not found\""));
}

TEST(SafetensorsTest, HeadersAreReadAsThePackageReadsThem) {
  // tests/tools/record_safetensors_headers.py.
  const nlohmann::json recorded =
      nlohmann::json::parse(*ReadFile(testing::FixturesPath() / "safetensors_headers.json"));
  ASSERT_GT(recorded["cases"].size(), 20);
  for (const nlohmann::json& test : recorded["cases"]) {
    const absl::StatusOr<Safetensors> file = Parse(FileBytes(test["header"].get<std::string>(), test["data_bytes"]));
    EXPECT_EQ(file.ok(), test["reads"].get<bool>()) << test["name"] << ": " << file.status();
    if (!file.ok() || !test["reads"].get<bool>()) continue;
    std::map<std::string, std::string> metadata;
    if (test["metadata"].is_object()) metadata = test["metadata"].get<std::map<std::string, std::string>>();
    EXPECT_EQ(file->metadata, metadata) << test["name"];
  }
}

class SafetensorsFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              absl::StrCat("safetensors-", ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // One F32 tensor of two elements under each name.
  void WriteShard(const std::string& file, const std::vector<std::string>& names) {
    std::vector<TensorDeclaration> declarations;
    for (const std::string& name : names) declarations.push_back({name, DType::kF32, {2}});
    absl::StatusOr<SafetensorsWriter> writer = SafetensorsWriter::Create(folder_ / file, declarations, {});
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const TensorDeclaration& next : writer->order()) {
      const float values[2] = {1.0f, static_cast<float>(next.name.size())};
      ASSERT_TRUE(writer->Append(std::as_bytes(std::span(values))).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  void WriteIndex(absl::string_view weight_map) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / "model.safetensors.index.json",
                                    absl::StrCat(R"({"weight_map": )", weight_map, "}"))
                    .ok());
  }
  absl::Status FolderStatus() { return ReadSafetensorsFolder(folder_).status(); }

  fs::path folder_;
};

TEST_F(SafetensorsFileTest, WritesAndReadsBack) {
  const Tensor bytes = *Tensor::Own(DType::kU8, {3}, std::vector<uint8_t>{1, 2, 3});
  const Tensor floats = *Tensor::Own(DType::kF32, {1, 2}, std::vector<float>{1.5f, -2.0f});
  const Tensor longs = *Tensor::Own(DType::kI64, {2}, std::vector<int64_t>{7, -8});
  const fs::path path = folder_ / "x.safetensors";
  absl::StatusOr<SafetensorsWriter> writer = SafetensorsWriter::Create(path,
                                                                       {{"a.bytes", DType::kU8, {3}},
                                                                        {"b.floats", DType::kF32, {1, 2}},
                                                                        {"c.longs", DType::kI64, {2}},
                                                                        {"d.empty", DType::kI64, {0, 5}}},
                                                                       {{"format", "pt"}});
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_EQ(writer->order().front().name, "c.longs");
  ASSERT_TRUE(writer->AppendTensor("c.longs", longs).ok());
  ASSERT_TRUE(writer->AppendTensor("b.floats", floats).ok());
  ASSERT_TRUE(writer->AppendTensor("a.bytes", bytes).ok());
  EXPECT_FALSE(fs::exists(path));
  ASSERT_TRUE(writer->Finish().ok());

  absl::StatusOr<Safetensors> file = ReadSafetensors(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->metadata.at("format"), "pt");
  EXPECT_EQ(file->tensors.size(), 4);
  EXPECT_TRUE(file->tensors.at("c.longs").aligned());
  EXPECT_TRUE(file->tensors.at("b.floats").aligned());
  EXPECT_THAT(file->tensors.at("c.longs").as<int64_t>(), ElementsAre(7, -8));
  EXPECT_THAT(file->tensors.at("b.floats").as<float>(), ElementsAre(1.5f, -2.0f));
  EXPECT_THAT(file->tensors.at("a.bytes").as<uint8_t>(), ElementsAre(1, 2, 3));
  EXPECT_EQ(file->tensors.at("d.empty").shape(), (Shape{0, 5}));
  EXPECT_THAT(file->Find("z").status().message(), AllOf(HasSubstr("x.safetensors"), HasSubstr("\"z\"")));
}

TEST_F(SafetensorsFileTest, WriterRefusesWhatWouldLie) {
  const fs::path path = folder_ / "x.safetensors";
  EXPECT_THAT(SafetensorsWriter::Create(path, {{"a", DType::kU8, {1}}, {"a", DType::kF32, {1}}}, {}).status().message(),
              HasSubstr("\"a\": stands twice"));
  EXPECT_FALSE(SafetensorsWriter::Create(path, {{"__metadata__", DType::kU8, {1}}}, {}).ok());
  EXPECT_FALSE(SafetensorsWriter::Create(path, {{"a", DType::kU8, {int64_t{1} << 60}}}, {}).ok());
  {
    absl::StatusOr<SafetensorsWriter> writer =
        SafetensorsWriter::Create(path, {{"a", DType::kF32, {1}}, {"b", DType::kF32, {1}}}, {});
    ASSERT_TRUE(writer.ok());
    const Tensor one = *Tensor::Own(DType::kF32, {1}, std::vector<float>{1});
    EXPECT_THAT(writer->AppendTensor("b", one).message(), HasSubstr("out of turn"));
    EXPECT_THAT(writer->Append(std::vector<std::byte>(8)).message(), HasSubstr("takes 4 more bytes"));
    ASSERT_TRUE(writer->AppendTensor("a", one).ok());
    EXPECT_THAT(writer->Finish().message(), HasSubstr("\"b\" misses 4 bytes"));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SafetensorsFileTest, ReadsShards) {
  WriteShard("s1.safetensors", {"a", "unlisted"});
  WriteShard("s2.safetensors", {"bb"});
  WriteIndex(R"({"a": "s1.safetensors", "bb": "s2.safetensors"})");
  absl::StatusOr<Safetensors> folder = ReadSafetensorsFolder(folder_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->tensors.size(), 2);
  EXPECT_EQ(folder->files.size(), 2);
  EXPECT_EQ(folder->tensors.at("bb").as<float>()[1], 2.0f);
}

TEST_F(SafetensorsFileTest, SingleFileComesBeforeTheIndex) {
  WriteShard("model.safetensors", {"a"});
  WriteIndex("{}");
  EXPECT_EQ(ReadSafetensorsFolder(folder_)->tensors.size(), 1);
}

TEST_F(SafetensorsFileTest, HostileIndexesAreRefused) {
  EXPECT_EQ(FolderStatus().code(), absl::StatusCode::kNotFound);
  for (absl::string_view shard : {"\"../s.safetensors\"", "\"/etc/passwd\"", "\"..\"", "\"\"", "3", "\"a/b\""}) {
    WriteIndex(absl::StrCat(R"({"w": )", shard, "}"));
    EXPECT_THAT(FolderStatus().message(), AllOf(HasSubstr("\"w\""), HasSubstr("not a plain file name"))) << shard;
  }
  WriteIndex("[]");
  EXPECT_THAT(FolderStatus().message(), HasSubstr("has no weight_map"));
  WriteIndex(R"({"w": "missing.safetensors"})");
  EXPECT_EQ(FolderStatus().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(FolderStatus().message(), HasSubstr("missing.safetensors"));
  WriteShard("s1.safetensors", {"a"});
  WriteIndex(R"({"w": "s1.safetensors"})");
  EXPECT_THAT(FolderStatus().message(), HasSubstr("has no tensor \"w\""));
  WriteIndex(R"({"a": "s1.safetensors", "a": "s1.safetensors"})");
  EXPECT_THAT(FolderStatus().message(), HasSubstr("\"a\" stands twice"));
}

TEST_F(SafetensorsFileTest, WhatAFolderHoldsInsteadIsNamed) {
  const auto message = [&] { return std::string(FolderStatus().message()); };
  EXPECT_THAT(message(), HasSubstr("no weights at all"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "pytorch_model.bin", "x").ok());
  EXPECT_THAT(message(), HasSubstr("pytorch_model.bin: save the model as safetensors"));
  WriteShard("model-00001-of-00002.safetensors", {"a"});
  EXPECT_THAT(message(), HasSubstr("model-00001-of-00002.safetensors and others: the index is missing"));
  WriteShard("adapter_model.safetensors", {"a"});
  EXPECT_THAT(message(), HasSubstr("adapter_model.safetensors and others: this is an adapter"));
}

}  // namespace
}  // namespace tersor
