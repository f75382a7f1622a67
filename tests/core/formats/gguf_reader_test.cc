#include "core/formats/gguf_reader.h"

#include <fstream>
#include <limits>

#include "core/base/atomic_file.h"
#include "core/formats/gguf_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/gguf_builder.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using tersor::testing::GgufBuilder;
using tersor::testing::GgufTestTensor;
using tersor::testing::Little;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<GgufFile> Read(const std::string& bytes) {
  auto owner = std::make_shared<const std::string>(bytes);
  return ParseGguf(std::as_bytes(std::span<const char>(owner->data(), owner->size())), owner, "x.gguf");
}

absl::StatusOr<GgufFile> Read(const GgufBuilder& builder) { return Read(builder.Bytes()); }

TEST(GgufReaderTest, ReadsMetadataAndTensors) {
  GgufBuilder builder;
  builder.String("general.name", "tiny").U32("count", 7).F32("theta", 0.5f).Bool("flag", true);
  builder.Strings("tokens", {"a", "", "c"}).I32s("types", {1, -2});
  builder.Floats("matrix", {3, 2}, {1, 2, 3, 4, 5, 6}).Floats("vector", {2}, {7, 8});
  const std::string block = Little<uint16_t>(0x3c00) + std::string(32, '\x05');
  builder.Tensor({"blocks", {32, 1}, tersor::testing::kGgufQ8_0, block, std::nullopt});
  absl::StatusOr<GgufFile> file = Read(builder);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file->metadata.String("general.name"), "tiny");
  EXPECT_EQ(*file->metadata.Integer("count"), 7);
  EXPECT_EQ(*file->metadata.Float("count"), 7);
  EXPECT_EQ(*file->metadata.Float("theta"), 0.5);
  EXPECT_TRUE(*file->metadata.Bool("flag"));
  EXPECT_THAT(*file->metadata.Strings("tokens"), ElementsAre("a", "", "c"));
  EXPECT_THAT(*file->metadata.Integers("types"), ElementsAre(1, -2));
  EXPECT_EQ(file->tensors.at("matrix")->shape(), Shape({2, 3}));
  EXPECT_THAT(file->tensors.at("matrix")->Decode(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(file->tensors.at("vector")->Decode(), ElementsAre(7, 8));
  EXPECT_THAT(file->tensors.at("blocks")->Decode(), ::testing::Each(5));
  EXPECT_EQ(file->tensors.at("blocks")->encoding(), "gguf-block");
}

TEST(GgufReaderTest, LookUpsNameTheKey) {
  absl::StatusOr<GgufFile> file = Read(GgufBuilder().U32("count", 7));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->metadata.String("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*file->metadata.IntegerOr("none", 3), 3);
  EXPECT_EQ(file->metadata.StringOr("count", "").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(file->metadata.String("count").status().message(), HasSubstr("count is not a string"));
}

TEST(GgufReaderTest, ArraysOfEveryTypeAreReadWhenAskedFor) {
  const auto array = [](uint32_t type, uint64_t count, const std::string& bytes) {
    return Little<uint32_t>(type) + Little(count) + bytes;
  };
  GgufBuilder builder;
  builder.Raw("u8", 9, array(kGgufUint8, 3, std::string("\x01\xff\x03", 3)));
  builder.Raw("i8", 9, array(kGgufInt8, 2, "\x01\xff"));
  builder.Raw("u16", 9, array(kGgufUint16, 1, Little<uint16_t>(65535)));
  builder.Raw("i64", 9, array(kGgufInt64, 1, Little<int64_t>(-7)));
  builder.Raw("u64", 9, array(kGgufUint64, 2, Little<uint64_t>(7) + Little(~uint64_t{0})));
  builder.Raw("bool", 9, array(kGgufBool, 2, std::string("\0\1", 2)));
  builder.Raw("f32", 9, array(kGgufFloat32, 2, Little(0.5f) + Little(-2.0f)));
  builder.Raw("f64", 9, array(kGgufFloat64, 1, Little(0.25)));
  absl::StatusOr<GgufFile> file = Read(builder);
  ASSERT_TRUE(file.ok()) << file.status();
  const GgufMetadata metadata = std::move(file->metadata);
  EXPECT_THAT(*metadata.Integers("u8"), ElementsAre(1, 255, 3));
  EXPECT_THAT(*metadata.Integers("i8"), ElementsAre(1, -1));
  EXPECT_THAT(*metadata.Integers("u16"), ElementsAre(65535));
  EXPECT_THAT(*metadata.Integers("i64"), ElementsAre(-7));
  EXPECT_THAT(*metadata.Integers("u64"), ElementsAre(7, std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(*metadata.Integers("bool"), ElementsAre(0, 1));
  EXPECT_THAT(*metadata.Floats("f32"), ElementsAre(0.5, -2));
  EXPECT_THAT(*metadata.Floats("f64"), ElementsAre(0.25));
  EXPECT_THAT(metadata.Integers("f32").status().message(), HasSubstr("f32 is not an array of integers"));
  EXPECT_THAT(metadata.Strings("u8").status().message(), HasSubstr("u8 is not an array of strings"));
  EXPECT_THAT(metadata.Floats("u8").status().message(), HasSubstr("u8 is not an array of floats"));
}

TEST(GgufReaderTest, LargeArraysCostNothingUntilAskedForAndAreThenRefused) {
  const uint64_t count = kMaxGgufItems + 1;
  GgufBuilder builder;
  builder.Raw("bytes", 9, Little<uint32_t>(kGgufUint8) + Little(count) + std::string(count, '\1'));
  builder.Raw("texts", 9, Little<uint32_t>(kGgufString) + Little(count) + std::string(8 * count, '\0'));
  absl::StatusOr<GgufFile> file = Read(builder);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->metadata.Integers("bytes").status().message(), HasSubstr("has 4194305 items"));
  EXPECT_THAT(file->metadata.Strings("texts").status().message(), HasSubstr("has 4194305 items"));
}

TEST(GgufReaderTest, EveryTruncationIsAnError) {
  GgufBuilder builder;
  builder.String("general.name", "tiny").Strings("tokens", {"a", "b"}).U32("n", 1);
  builder.Floats("matrix", {3, 2}, {1, 2, 3, 4, 5, 6});
  const std::string bytes = builder.Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    absl::Status status = Read(bytes.substr(0, size)).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
    ASSERT_THAT(status.message(), HasSubstr("x.gguf: "));
  }
}

TEST(GgufReaderTest, ReadsTheDemoModelsTable) {
  const auto path = tersor::testing::DemoModelPath();
  if (!path) GTEST_SKIP() << "no demo model: run scripts/fetch_model.sh or set TERSOR_DEMO_MODEL";
  absl::StatusOr<GgufFile> file = ReadGguf(*path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors.size(), 272);
  EXPECT_EQ(file->metadata.Strings("tokenizer.ggml.tokens")->size(), 49152);
  EXPECT_EQ(file->tensors.at("token_embd.weight")->shape(), Shape({49152, 576}));
}

constexpr uint64_t kHuge = uint64_t{1} << 60;

// A lie, the code and the words of its error.
struct Lie {
  std::string name;
  GgufBuilder builder;
  std::vector<std::string> words;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};

GgufBuilder With(GgufTestTensor tensor) { return GgufBuilder().Tensor(std::move(tensor)); }
GgufBuilder Edited(GgufBuilder builder, const std::function<void(GgufBuilder&)>& edit) {
  edit(builder);
  return builder;
}

std::vector<Lie> HeaderLies() {
  const std::string huge_strings = Little<uint32_t>(8) + Little(kHuge);
  const std::string huge_bytes = Little<uint32_t>(0) + Little(kHuge);
  return {
      {"Magic", Edited({}, [](GgufBuilder& b) { b.magic = 1; }), {"not a GGUF file"}},
      {"VersionOne",
       Edited({}, [](GgufBuilder& b) { b.version = 1; }),
       {"GGUF version 1 is not read"},
       absl::StatusCode::kUnimplemented},
      {"BigEndian",
       Edited({}, [](GgufBuilder& b) { b.version = 0x03000000; }),
       {"big-endian"},
       absl::StatusCode::kUnimplemented},
      {"TensorCount", Edited({}, [](GgufBuilder& b) { b.tensor_count = kHuge; }), {"tensor table", "past the end"}},
      {"MetadataCount", Edited({}, [](GgufBuilder& b) { b.metadata_count = kHuge; }), {"metadata", "past the end"}},
      {"StringLength", GgufBuilder().Raw("k", 8, Little(kHuge)), {"\"k\"", "past the end"}},
      {"StringLengthWraps", GgufBuilder().Raw("k", 8, Little(~uint64_t{0})), {"\"k\"", "past the end"}},
      {"ArrayOfStrings", GgufBuilder().Raw("k", 9, huge_strings), {"\"k\"", "past the end"}},
      {"ArrayOfBytes", GgufBuilder().Raw("k", 9, huge_bytes), {"\"k\"", "past the end"}},
      {"LongText", GgufBuilder().String("k", std::string((16 << 20) + 1, 'x')), {"\"k\"", "at most 16777216"}},
      {"LongKey", GgufBuilder().U32(std::string(65536, 'k'), 1), {"metadata key 0", "at most 65535"}},
      {"LongName", GgufBuilder().Floats(std::string(4097, 'n'), {1}, {1}), {"name of tensor 0", "at most 4096"}},
      {"NestedArray",
       GgufBuilder().Raw("k", 9, Little<uint32_t>(9) + Little<uint64_t>(1)),
       {"\"k\"", "array of arrays"}},
      {"ArrayType", GgufBuilder().Raw("k", 9, Little<uint32_t>(77) + Little<uint64_t>(1)), {"\"k\"", "type 77"}},
      {"ValueType", GgufBuilder().Raw("k", 13, "\1"), {"\"k\"", "type 13"}},
      {"DuplicateKey", GgufBuilder().U32("k", 1).U32("k", 2), {"\"k\" stands twice"}},
      {"AlignmentZero", GgufBuilder().U32("general.alignment", 0), {"general.alignment is 0"}},
      {"AlignmentOdd", GgufBuilder().U32("general.alignment", 33), {"general.alignment is 33"}},
      {"AlignmentText", GgufBuilder().String("general.alignment", "32"), {"general.alignment is not an integer"}},
  };
}

std::vector<Lie> TensorLies() {
  const std::string four(16, '\0');
  return {
      {"OffsetPastTheEnd", With({"t", {4}, 0, four, 64}), {"\"t\"", "past the end"}},
      {"OffsetHuge", With({"t", {4}, 0, four, kHuge}), {"\"t\"", "past the end"}},
      {"OffsetWraps", With({"t", {4}, 0, four, ~uint64_t{31}}), {"\"t\"", "past the end"}},
      {"Unaligned", With({"t", {4}, 0, four + four, 8}), {"\"t\"", "multiple of the alignment 32"}},
      {"LongerThanTheFile", With({"t", {5}, 0, four, std::nullopt}), {"\"t\"", "takes 20 bytes"}},
      {"Overlap", With({"t", {16}, 0, std::string(64, 0), 0}).Tensor({"u", {4}, 0, four, 32}), {"\"u\" overlaps"}},
      {"DuplicateName", With({"t", {4}, 0, four, 0}).Tensor({"t", {4}, 0, four, 32}), {"\"t\" stands twice"}},
      {"Elements", With({"t", {kHuge}, 0, four, 0}), {"\"t\"", "impossible shape"}},
      {"ElementsOverflow", With({"t", {kHuge, kHuge}, 0, four, 0}), {"\"t\"", "impossible shape"}},
      {"DimensionOverflow", With({"t", {~uint64_t{0}}, 0, four, 0}), {"\"t\"", "has a dimension of"}},
      {"DimensionZero", With({"t", {0}, 0, "", 0}), {"\"t\"", "has a dimension of 0"}},
      {"NoDimensions", With({"t", {}, 0, four, 0}), {"\"t\"", "0 dimensions"}},
      {"FiveDimensions", With({"t", {1, 1, 1, 1, 4}, 0, four, 0}), {"\"t\"", "5 dimensions"}},
      {"ThreeDimensions", With({"t", {1, 2, 2}, 0, four, 0}), {"\"t\"", "[2, 2, 1]"}},
      {"BlockLength", With({"t", {33}, 8, std::string(64, 0), 0}), {"\"t\"", "multiple of the 32 of a Q8_0"}},
      {"UnknownType", With({"t", {4}, 999, four, 0}), {"\"t\"", "unknown type 999"}},
      {"UnreadType",
       With({"t", {32}, 9, std::string(36, 0), 0}),
       {"\"t\"", "Q8_1", "Q5_K, Q6_K"},
       absl::StatusCode::kUnimplemented},
  };
}

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

class GgufLieTest : public ::testing::TestWithParam<Lie> {};

TEST_P(GgufLieTest, IsAnErrorThatNamesIt) {
  absl::Status status = Read(GetParam().builder).status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("x.gguf: "));
  for (const std::string& word : GetParam().words) EXPECT_THAT(std::string(status.message()), HasSubstr(word));
}

std::string LieName(const ::testing::TestParamInfo<Lie>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Header, GgufLieTest, ::testing::ValuesIn(HeaderLies()), LieName);
INSTANTIATE_TEST_SUITE_P(Tensors, GgufLieTest, ::testing::ValuesIn(TensorLies()), LieName);

class GgufSplitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "tersor_gguf_split_test" /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  // One part of three with a tensor of its own.
  static GgufBuilder Part(uint32_t number, uint32_t count = 3, int32_t tensors = 3) {
    GgufBuilder builder;
    if (number == 0) builder.String("general.architecture", "llama");
    builder.U32("split.no", number).U32("split.count", count).U32("split.tensors.count", tensors);
    return builder.Floats("t" + std::to_string(number), {4}, {1.0f * number, 2, 3, 4});
  }
  fs::path Write(int number, const GgufBuilder& builder) {
    const fs::path path = folder_ / ("m-0000" + std::to_string(number + 1) + "-of-00003.gguf");
    EXPECT_TRUE(WriteFileAtomically(path, builder.Bytes()).ok());
    return path;
  }
  // With parts 1 and 2 as they are given.
  std::string Message(const GgufBuilder& second, const GgufBuilder& third) {
    const fs::path first = Write(0, Part(0));
    Write(1, second);
    Write(2, third);
    return std::string(ReadGguf(first).status().message());
  }

  fs::path folder_;
};

TEST_F(GgufSplitTest, ReadsThePartsBesideTheFirst) {
  const fs::path first = Write(0, Part(0));
  Write(1, Part(1));
  Write(2, Part(2));
  const absl::StatusOr<GgufFile> file = ReadGguf(first);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file->metadata.String("general.architecture"), "llama");
  ASSERT_EQ(file->tensors.size(), 3);
  EXPECT_EQ(file->tensors.at("t2")->Decode(), (std::vector<float>{2, 2, 3, 4}));
  ASSERT_EQ(file->paths.size(), 3);
  EXPECT_EQ(file->paths[2].filename(), "m-00003-of-00003.gguf");
}

TEST_F(GgufSplitTest, NamesThePartThatIsWrong) {
  const fs::path first = Write(0, Part(0));
  Write(1, Part(1));
  EXPECT_THAT(std::string(ReadGguf(first).status().message()),
              AllOf(HasSubstr("part 3 of 3 is missing"), HasSubstr("m-00003-of-00003.gguf")));
  EXPECT_THAT(Message(Part(1), Part(1)), HasSubstr("says that it is part 2 of 3, its name says part 3 of 3"));
  EXPECT_THAT(Message(Part(1), Part(2, 4)), HasSubstr("says that it is part 3 of 4"));
  EXPECT_THAT(Message(Part(1), GgufBuilder(Part(2)).Floats("t0", {1}, {1})), HasSubstr("tensor \"t0\" of"));
  EXPECT_THAT(Message(Part(1), GgufBuilder(Part(2)).Floats("t9", {1}, {1})),
              HasSubstr("the 3 parts hold 4 tensors, split.tensors.count is 3"));
  EXPECT_THAT(std::string(ReadGguf(folder_ / "m-00002-of-00003.gguf").status().message()),
              HasSubstr("this is part 2 of 3 of a split model: name its first part, ...-00001-of-00003.gguf"));
  fs::rename(first, folder_ / "renamed.gguf");
  EXPECT_THAT(std::string(ReadGguf(folder_ / "renamed.gguf").status().message()),
              HasSubstr("the first of 3 parts (split.count), and its name does not end in -00001-of-00003.gguf"));
  Write(0, GgufBuilder().U32("split.no", 7).U32("split.count", 3));
  EXPECT_THAT(std::string(ReadGguf(first).status().message()), HasSubstr("split.no is 7 and split.count is 3"));
}

TEST_F(GgufSplitTest, NamesSayWhichPartsThereAre) {
  EXPECT_EQ(GgufPartPaths("a/m-00001-of-00002.gguf"),
            (std::vector<fs::path>{"a/m-00001-of-00002.gguf", "a/m-00002-of-00002.gguf"}));
  for (const char* whole : {"m.gguf", "m-00002-of-00002.gguf", "m-00001-of-00001.gguf", "m-00001-of-0000x.gguf",
                            "m-00001-of-00002.bin", "-00001-of-.gguf"}) {
    EXPECT_EQ(GgufPartPaths(whole), std::vector<fs::path>{whole});
  }
}

}  // namespace
}  // namespace tersor
