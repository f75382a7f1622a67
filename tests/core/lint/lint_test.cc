// Each fault put into a real file, and found by name.
#include "core/lint/lint.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/compress/compress_model.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/row_permuted_tensor.h"
#include "core/formats/safetensors.h"
#include "core/formats/word_runs.h"
#include "core/lint/dense_checks.h"
#include "core/model/container.h"
#include "core/model/model.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kDown = "model.layers.0.mlp.down_proj";

class LintTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            absl::StrCat("lint-", ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static fs::path Fixture(const std::string& name) { return testing::FixturesPath() / "quantized" / name; }

  // A copy of a recorded folder with other tensors or another configuration.
  fs::path Changed(const std::string& name, const std::function<void(Json&, Safetensors&)>& change) {
    const fs::path folder = root_ / name;
    fs::create_directories(folder);
    Json config = Json::parse(*ReadFile(Fixture(name) / "config.json"));
    Safetensors file = *ReadSafetensorsFolder(Fixture(name));
    change(config["quantization_config"], file);
    EXPECT_TRUE(WriteFileAtomically(folder / "config.json", config.dump()).ok());
    std::vector<TensorDeclaration> declarations;
    for (const auto& [tensor_name, tensor] : file.tensors) {
      declarations.push_back({tensor_name, tensor.dtype(), tensor.shape()});
    }
    auto writer = SafetensorsWriter::Create(folder / "model.safetensors", declarations, {});
    EXPECT_TRUE(writer.ok()) << writer.status();
    const std::vector<TensorDeclaration> order = writer->order();
    for (const TensorDeclaration& next : order) {
      EXPECT_TRUE(writer->AppendTensor(next.name, file.tensors.find(next.name)->second).ok());
    }
    EXPECT_TRUE(writer->Finish().ok());
    return folder;
  }

  static v1::LintReport Lint(const fs::path& path, const fs::path& reference = {}) {
    const absl::StatusOr<v1::LintReport> report = LintArtifact(path, {.reference = reference});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : v1::LintReport();
  }
  // Codes of the errors.
  static std::vector<std::string> Errors(const v1::LintReport& report) {
    std::vector<std::string> codes;
    for (const v1::LintFinding& finding : report.findings()) {
      EXPECT_FALSE(finding.message().empty());
      EXPECT_FALSE(finding.remedy().empty());
      if (finding.severity() == v1::LINT_SEVERITY_ERROR) codes.push_back(finding.code());
    }
    return codes;
  }

  // The dense original of the recorded folders, as far as their own tools decode them: the folder `name` written plain.
  fs::path Original(const std::string& name) {
    const fs::path folder = root_ / "original";
    fs::create_directories(folder);
    Json config = Json::parse(*ReadFile(Fixture(name) / "config.json"));
    config.erase("quantization_config");
    EXPECT_TRUE(WriteFileAtomically(folder / "config.json", config.dump()).ok());
    const Model model = *LoadModel(Fixture(name));
    std::vector<TensorDeclaration> declarations;
    for (const auto& [tensor_name, tensor] : model.parameters) {
      declarations.push_back({tensor_name, DType::kF32, tensor->shape()});
    }
    auto writer = SafetensorsWriter::Create(folder / "model.safetensors", declarations, {});
    const std::vector<TensorDeclaration> order = writer->order();
    for (const TensorDeclaration& next : order) {
      const std::vector<float> values = (*model.Find(next.name))->Decode();
      EXPECT_TRUE(writer->Append(std::as_bytes(std::span(values))).ok());
    }
    EXPECT_TRUE(writer->Finish().ok());
    return folder;
  }

  fs::path root_;
};

// Adds to every 32-bit word of the tensors that end in `suffix`.
void AddToWords(Safetensors& file, absl::string_view suffix, uint32_t what) {
  for (auto& [name, tensor] : file.tensors) {
    if (!absl::EndsWith(name, suffix)) continue;
    std::vector<uint32_t> words(tensor.bytes().size() / 4);
    std::memcpy(words.data(), tensor.bytes().data(), tensor.bytes().size());
    for (uint32_t& word : words) word += what;
    tensor = *Tensor::Own(tensor.dtype(), tensor.shape(), std::move(words));
  }
}

// AWQ's order of nibbles to the plain one.
void PlainOrder(Safetensors& file, absl::string_view suffix) {
  constexpr int kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};
  for (auto& [name, tensor] : file.tensors) {
    if (!absl::EndsWith(name, suffix)) continue;
    std::vector<uint32_t> words(tensor.bytes().size() / 4);
    std::memcpy(words.data(), tensor.bytes().data(), tensor.bytes().size());
    for (uint32_t& word : words) {
      uint32_t plain = 0;
      for (int i = 0; i < 8; ++i) plain |= (word >> (4 * i) & 15u) << (4 * kOrder[i]);
      word = plain;
    }
    tensor = *Tensor::Own(tensor.dtype(), tensor.shape(), std::move(words));
  }
}

TEST_F(LintTest, FoldersOfRealToolsAreClean) {
  for (const char* name :
       {"ct_w4_group32", "ct_w4_asymmetric", "ct_w3_group32", "ct_w8a8", "ct_fp8", "ct_nvfp4", "ct_mxfp4", "ct_mxfp8",
        "gptq_v1_w4", "gptq_v1_w3_asymmetric", "gptq_v1_w8", "gptq_v2_w4_act_order", "awq_w4"}) {
    const v1::LintReport report = Lint(Fixture(name));
    EXPECT_THAT(Errors(report), IsEmpty()) << name << "\n" << report.DebugString();
    EXPECT_FALSE(HasErrors(report));
    EXPECT_EQ(report.compared_tensors(), 7) << name;
  }
}

TEST_F(LintTest, VersionsOfZeroPoints) {
  // v1 contents labelled v2, and the other way round; symmetric and not.
  const fs::path labelled_v2 = Changed("gptq_v1_w4", [](Json& c, Safetensors&) { c["checkpoint_format"] = "gptq_v2"; });
  EXPECT_THAT(Errors(Lint(labelled_v2)), Contains("ZERO_POINT_OFF_BY_ONE"));
  const fs::path stored_v2 =
      Changed("gptq_v1_w4", [](Json&, Safetensors& f) { AddToWords(f, ".qzeros", 0x11111111u); });
  const v1::LintReport report = Lint(stored_v2);
  EXPECT_THAT(Errors(report), Contains("ZERO_POINT_OFF_BY_ONE"));
  EXPECT_THAT(report.findings(0).remedy(), HasSubstr("gptq_v2"));
  // The configuration's "sym" tells what is meant, and loading keeps to it.
  EXPECT_THAT(Errors(report), ::testing::Not(Contains("DECODERS_DISAGREE")));
  const fs::path asymmetric =
      Changed("gptq_v2_w4_act_order", [](Json& c, Safetensors&) { c["checkpoint_format"] = "gptq"; });
  EXPECT_THAT(Errors(Lint(asymmetric)), Contains("ZERO_POINT_OFF_BY_ONE"));
  EXPECT_THAT(Errors(Lint(asymmetric, Original("gptq_v2_w4_act_order"))), Contains("ZERO_POINT_OFF_BY_ONE"));
  const fs::path awq = Changed("awq_w4", [](Json&, Safetensors& f) { AddToWords(f, ".qzeros", 0u - 0x11111111u); });
  EXPECT_THAT(Errors(Lint(awq, Original("awq_w4"))), Contains("ZERO_POINT_OFF_BY_ONE"));
}

TEST_F(LintTest, ValuesThatAreNoNumbers) {
  const auto spoil = [](const char* name, uint16_t value) {
    return [name, value](Json&, Safetensors& file) {
      const Tensor old = file.tensors.find(name)->second;
      std::vector<uint16_t> values(old.elements());
      std::memcpy(values.data(), old.bytes().data(), old.bytes().size());
      values[1] = value;
      file.tensors[name] = *Tensor::Own(old.dtype(), old.shape(), std::move(values));
    };
  };
  const v1::LintReport plain = Lint(Changed("gptq_v1_w4", spoil("model.norm.weight", 0x7e00)));
  EXPECT_THAT(Errors(plain), Contains("NON_FINITE"));
  EXPECT_EQ(plain.findings(0).where(), "model.norm.weight");
  EXPECT_THAT(plain.findings(0).message(), HasSubstr("holds NaN at element [1]"));
  const std::string scales = kDown + ".scales";
  const fs::path folder = Changed("gptq_v1_w4", spoil(scales.c_str(), 0x7c00));
  const v1::LintReport quantized = Lint(folder);
  EXPECT_THAT(Errors(quantized), Contains("NON_FINITE")) << quantized.DebugString();
  EXPECT_THAT(quantized.findings(0).message(), HasSubstr(kDown));
  EXPECT_THAT(Errors(Lint(folder / "model.safetensors")), Contains("NON_FINITE"));
}

TEST_F(LintTest, SettingsInAFileOfTheirOwn) {
  const fs::path folder = Changed("gptq_v1_w4", [](Json&, Safetensors&) {});
  Json config = Json::parse(*ReadFile(folder / "config.json"));
  EXPECT_TRUE(WriteFileAtomically(folder / "quantize_config.json", config["quantization_config"].dump()).ok());
  config.erase("quantization_config");
  EXPECT_TRUE(WriteFileAtomically(folder / "config.json", config.dump()).ok());
  const v1::LintReport report = Lint(folder);
  EXPECT_THAT(Errors(report), IsEmpty()) << report.DebugString();
  EXPECT_EQ(report.format(), "gptq");
  EXPECT_EQ(report.compared_tensors(), 7);
}

TEST_F(LintTest, FilesThatAreOthers) {
  const fs::path folder = Changed("awq_w4", [](Json&, Safetensors&) {});
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
  EXPECT_TRUE(WriteFileAtomically(folder / "model.safetensors", pointer).ok());
  EXPECT_THAT(Lint(folder).DebugString(), HasSubstr("Git LFS pointer"));
}

TEST_F(LintTest, GroupIndex) {
  const auto set = [](Safetensors& file, const std::function<int32_t(int64_t)>& group) {
    std::vector<int32_t> index(96);
    for (int64_t i = 0; i < 96; ++i) index[i] = group(i);
    file.tensors[kDown + ".g_idx"] = *Tensor::Own(DType::kI32, {96}, std::move(index));
  };
  const auto with = [&](const std::function<int32_t(int64_t)>& group) {
    return Changed("gptq_v1_w4", [&](Json&, Safetensors& f) { set(f, group); });
  };
  EXPECT_THAT(Errors(Lint(with([](int64_t) { return 0; }))), Contains("GROUP_INDEX"));
  EXPECT_THAT(Errors(Lint(with([](int64_t i) { return static_cast<int32_t>(i / 32 + 1); }))), Contains("GROUP_INDEX"));
  EXPECT_THAT(Errors(Lint(with([](int64_t i) { return static_cast<int32_t>(i % 3); }))), Contains("GROUP_INDEX"));
  const fs::path unlabelled = Changed("gptq_v2_w4_act_order", [](Json& c, Safetensors&) { c["desc_act"] = false; });
  EXPECT_THAT(Errors(Lint(unlabelled)), Contains("GROUP_INDEX"));
}

TEST_F(LintTest, NibbleOrder) {
  const fs::path codes = Changed("awq_w4", [](Json&, Safetensors& f) { PlainOrder(f, ".qweight"); });
  EXPECT_THAT(Errors(Lint(codes, Original("awq_w4"))), Contains("NIBBLE_ORDER"));
  const fs::path zeros = Changed("awq_w4", [](Json&, Safetensors& f) { PlainOrder(f, ".qzeros"); });
  EXPECT_THAT(Errors(Lint(zeros)), Contains("NIBBLE_ORDER"));
  const fs::path both = Changed("awq_w4", [](Json&, Safetensors& f) {
    PlainOrder(f, ".qweight");
    PlainOrder(f, ".qzeros");
  });
  EXPECT_THAT(Errors(Lint(both, Original("awq_w4"))), Contains("NIBBLE_ORDER"));
}

// Nibbles of every byte or word the other way round.
void Reverse(Safetensors& file, absl::string_view suffix) {
  for (auto& [name, tensor] : file.tensors) {
    if (!absl::EndsWith(name, suffix)) continue;
    std::vector<uint8_t> bytes(tensor.bytes().size());
    std::memcpy(bytes.data(), tensor.bytes().data(), bytes.size());
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(byte << 4 | byte >> 4);
    if (tensor.dtype() == DType::kI32) {
      for (size_t word = 0; word < bytes.size(); word += 4)
        std::reverse(bytes.begin() + word, bytes.begin() + word + 4);
    }
    tensor = *Tensor::Own(tensor.dtype(), tensor.shape(), std::move(bytes));
  }
}

TEST_F(LintTest, CompressedTensorsFaults) {
  for (const char* name : {"ct_w4_group32", "ct_nvfp4", "ct_mxfp4"}) {
    const fs::path nibbles = Changed(name, [](Json&, Safetensors& f) { Reverse(f, ".weight_packed"); });
    EXPECT_THAT(Errors(Lint(nibbles, Original(name))), Contains("NIBBLE_ORDER")) << name;
    EXPECT_THAT(Errors(Lint(Fixture(name), Original(name))), IsEmpty()) << name;
  }
  const fs::path zeros =
      Changed("ct_w4_asymmetric", [](Json&, Safetensors& f) { AddToWords(f, ".weight_zero_point", 0x11111111u); });
  EXPECT_THAT(Errors(Lint(zeros, Original("ct_w4_asymmetric"))), Contains("ZERO_POINT_OFF_BY_ONE"));
  const fs::path missing =
      Changed("ct_nvfp4", [](Json&, Safetensors& f) { f.tensors.erase(kDown + ".weight_global_scale"); });
  EXPECT_THAT(Errors(Lint(missing)), Contains("TENSOR_MISSING"));
  const fs::path scales = Changed("ct_fp8", [](Json&, Safetensors& f) { f.tensors.erase(kDown + ".weight_scale"); });
  EXPECT_THAT(Errors(Lint(scales)), Contains("TENSOR_MISSING"));
  const fs::path needless = Changed("ct_w4_group32", [](Json&, Safetensors& f) {
    f.tensors[kDown + ".weight_zero_point"] = *Tensor::Own(DType::kI8, {64, 3}, std::vector<int8_t>(64 * 3));
  });
  EXPECT_EQ(Lint(needless).findings(0).code(), "TENSOR_UNKNOWN");
}

// The 4-bit codes of a recorded folder, less their lowest bit, packed as some release packs 3 bits.
void ToThreeBits(Json& config, Safetensors& file, WordPacking packing) {
  config["config_groups"]["group_0"]["weights"]["num_bits"] = 3;
  for (auto& [name, tensor] : file.tensors) {
    if (!absl::EndsWith(name, ".weight_packed")) continue;
    const int64_t rows = tensor.shape()[0], columns = 8 * tensor.shape()[1];
    std::vector<uint8_t> codes = *UnpackRows(tensor, rows, columns, 4, WordPacking::kDense);
    for (uint8_t& code : codes) code /= 2;
    tensor = *PackIntoRows(codes, rows, columns, 3, packing);
  }
}

TEST_F(LintTest, HowThreeBitsFillWordsIsSaid) {
  std::vector<float> first;
  for (const WordPacking packing : {WordPacking::kDense, WordPacking::kPadded}) {
    const bool dense = packing == WordPacking::kDense;
    const fs::path folder =
        Changed("ct_w4_group32", [&](Json& config, Safetensors& file) { ToThreeBits(config, file, packing); });
    const v1::LintReport report = Lint(folder);
    EXPECT_THAT(Errors(report), IsEmpty());
    ASSERT_EQ(report.findings_size(), 1) << report.ShortDebugString();
    EXPECT_EQ(report.findings(0).code(), "WORD_PACKING");
    EXPECT_THAT(report.findings(0).message(),
                HasSubstr(dense ? "run across words, as compressed-tensors packs them since 2026-06"
                                : "stand 10 to a word, as compressed-tensors packed them before 2026-06"));
    // Told apart by shape, both read alike.
    const absl::StatusOr<Model> model = LoadModel(folder);
    ASSERT_TRUE(model.ok()) << model.status();
    const std::vector<float> values = (*model->Find(kDown + ".weight"))->Decode();
    if (dense) first = values;
    EXPECT_EQ(values, first);
  }
}

TEST_F(LintTest, FrozenLayersAreSaidNotToBeChecked) {
  const fs::path folder = Changed("ct_w4_group32", [](Json& config, Safetensors& file) {
    config["quantization_status"] = "frozen";
    const std::vector<float> weights(file.tensors.at(kDown + ".weight_packed").elements() * 8, 0.25f);
    const Shape shape = {64, static_cast<int64_t>(weights.size()) / 64};
    for (const char* part : {".weight_packed", ".weight_shape"}) file.tensors.erase(kDown + part);
    file.tensors[kDown + ".weight"] = *Tensor::Own(DType::kF32, shape, weights);
  });
  const v1::LintReport report = Lint(folder);
  EXPECT_THAT(Errors(report), IsEmpty());
  ASSERT_EQ(report.findings_size(), 1) << report.ShortDebugString();
  EXPECT_EQ(report.findings(0).code(), "TYPE_NOT_CHECKED");
  EXPECT_EQ(report.findings(0).where(), kDown + ".weight");
  EXPECT_EQ(report.compared_tensors(), Lint(Fixture("ct_w4_group32")).compared_tensors() - 1);
}

TEST_F(LintTest, ConfigKeys) {
  const fs::path weights = Changed(
      "ct_w4_group32", [](Json& c, Safetensors&) { c["config_groups"]["group_0"]["weights"]["zero_point"] = true; });
  EXPECT_THAT(Errors(Lint(weights)), Contains("UNKNOWN_CONFIG_KEY"));
  const v1::LintReport report = Lint(Changed("gptq_v1_w4", [](Json& c, Safetensors&) { c["group_sizes"] = 32; }));
  EXPECT_THAT(Errors(report), IsEmpty());
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).code(), "UNKNOWN_CONFIG_KEY");
  EXPECT_EQ(report.findings(0).where(), "quantization_config.group_sizes");
}

TEST_F(LintTest, MissingAndDoubledTensors) {
  EXPECT_THAT(Errors(Lint(Changed("gptq_v1_w4", [](Json&, Safetensors& f) { f.tensors.erase(kDown + ".scales"); }))),
              Contains("TENSOR_MISSING"));
  EXPECT_THAT(Errors(Lint(Changed(
                  "gptq_v1_w4",
                  [](Json&, Safetensors& f) {
                    f.tensors[kDown + ".weight"] = *Tensor::Own(DType::kF16, {64, 96}, std::vector<uint16_t>(64 * 96));
                  }))),
              Contains("TENSOR_DOUBLED"));
  // The same tensors in two shards.
  const fs::path folder = Changed("awq_w4", [](Json&, Safetensors&) {});
  fs::copy_file(folder / "model.safetensors", folder / "model-00002.safetensors");
  EXPECT_THAT(Errors(Lint(folder)), Contains("TENSOR_DOUBLED"));
}

TEST_F(LintTest, SizesThatDoNotAddUp) {
  const fs::path folder = Changed("awq_w4", [](Json&, Safetensors&) {});
  fs::resize_file(folder / "model.safetensors", fs::file_size(folder / "model.safetensors") - 100);
  EXPECT_THAT(Errors(Lint(folder)), Contains("SIZE_MISMATCH"));
  EXPECT_EQ(LintArtifact(root_ / "nothing", {}).status().code(), absl::StatusCode::kNotFound);
}

fs::path Container(const Model& model, const fs::path& folder) {
  const auto written = WriteContainer(model, {}, folder);
  EXPECT_TRUE(written.ok()) << written.status();
  return folder;
}

// Every encoding that a method or another tool's file brings into a container, decoded a second time.
TEST_F(LintTest, ContainersAreReadTwice) {
  const Model dense = *LoadModel(*testing::WriteTinyModel(root_ / "tiny"));
  const auto parameters = static_cast<int64_t>(dense.parameters.size());
  EXPECT_EQ(Lint(Container(dense, root_ / "dense")).compared_tensors(), parameters);
  CalibrationTokens calibration;
  calibration.offsets = {0, 128};
  for (int32_t i = 0; i < 128; ++i) calibration.ids.push_back(i * 7 % testing::kTinyVocabulary);
  for (const char* stage :
       {"rtn { bits: 3 symmetric: false }", "rtn { bits: 8 group_size: -1 } activations {}", "gptq { group_size: 32 }",
        "nf4 {}", "nf4 { double_quantization: false }", "bcq { planes: 3 rounds: 1 }", "mxfp4 {}", "nvfp4 {}", "fp8 {}",
        "fp8 { format: 'e5m2' }", "zeroquant_fp { scale_constraint: 'm1' lorc_rank: 2 }",
        "zeroquant_fp { scale_constraint: 'm2' }", "olive { bits: 4 }", "olive { bits: 8 }",
        "owq { float_columns: 0.05 }", "spqr { outliers: 0.05 }", "rptq {}", "outlier_suppression_plus { grid: 2 }"}) {
    v1::Recipe recipe;
    const std::string text = absl::StrCat("stages { quantize { ", stage, " head { bits: 8 } } }");
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &recipe)) << text;
    Model model = dense;
    NullEventSink ignored;
    const auto compressed = CompressModel(model, recipe, calibration, {}, nullptr, ignored, nullptr);
    ASSERT_TRUE(compressed.ok()) << stage << ": " << compressed.status();
    const v1::LintReport report = Lint(Container(model, root_ / "container"));
    EXPECT_EQ(report.format(), "tersor");
    EXPECT_THAT(Errors(report), IsEmpty()) << stage << "\n" << report.DebugString();
    EXPECT_EQ(report.compared_tensors(), static_cast<int64_t>(model.parameters.size())) << stage;
  }
  for (const char* name : {"gptq_v2_w4_act_order", "gptq_v1_w3_asymmetric", "ct_fp8", "ct_nvfp4", "ct_mxfp4"}) {
    const Model model = *LoadModel(Fixture(name));
    const v1::LintReport report = Lint(Container(model, root_ / name));
    EXPECT_THAT(Errors(report), IsEmpty()) << name << "\n" << report.DebugString();
    EXPECT_EQ(report.compared_tensors(), static_cast<int64_t>(model.parameters.size())) << name;
  }
}

TEST_F(LintTest, ReadersThatDisagreeAreFound) {
  Model model = *LoadModel(*testing::WriteTinyModel(root_ / "tiny"));
  const fs::path folder = Container(model, root_ / "container");
  std::vector<float> values = model.parameters.at(kDown + ".weight")->Decode();
  values[5] += 0.25f;
  const Shape shape = model.parameters.at(kDown + ".weight")->shape();
  model.parameters[kDown + ".weight"] = *DenseTensor::FromFloats(Shape(shape), std::move(values));
  v1::LintReport report;
  Findings findings(report);
  int64_t compared = 0;
  CompareContainer(folder, model, findings, compared);
  EXPECT_EQ(compared, static_cast<int64_t>(model.parameters.size()));
  EXPECT_THAT(Errors(report), ::testing::ElementsAre("DECODERS_DISAGREE"));
  EXPECT_EQ(report.findings(0).where(), kDown + ".weight");
  EXPECT_THAT(report.findings(0).message(), HasSubstr("element [0, 5]"));
}

// Names in a file may be any bytes; a report with those could not be read again.
TEST_F(LintTest, BytesThatAreNoTextAreReplaced) {
  v1::LintReport report;
  Findings findings(report);
  findings.Error("CODE", "tensor \xff", "tokenizer.ggml.pre: \"\xfe\"", "rename \xff");
  v1::LintReport read;
  ASSERT_TRUE(read.ParseFromString(report.SerializeAsString()));
  EXPECT_EQ(read.findings(0).where(), "tensor \xEF\xBF\xBD");
  EXPECT_EQ(read.findings(0).message(), "tokenizer.ggml.pre: \"\xEF\xBF\xBD\"");
}

TEST_F(LintTest, DenseFoldersAndSingleFilesAreReadTwice) {
  const fs::path folder = *testing::WriteTinyModel(root_ / "tiny");
  const v1::LintReport dense = Lint(folder);
  EXPECT_THAT(Errors(dense), IsEmpty()) << dense.DebugString();
  EXPECT_EQ(dense.compared_tensors(), static_cast<int64_t>(LoadModel(folder)->parameters.size()));
  const v1::LintReport file = Lint(folder / "model.safetensors");
  EXPECT_EQ(file.format(), "safetensors");
  EXPECT_THAT(Errors(file), IsEmpty()) << file.DebugString();
  EXPECT_GE(file.compared_tensors(), dense.compared_tensors());
  // Known by what it holds, not by its name alone.
  fs::copy_file(folder / "model.safetensors", root_ / "weights.bin");
  EXPECT_EQ(Lint(root_ / "weights.bin").format(), "safetensors");
  fs::resize_file(root_ / "weights.bin", fs::file_size(root_ / "weights.bin") - 8);
  EXPECT_THAT(Errors(Lint(root_ / "weights.bin")), Contains("SIZE_MISMATCH"));
}

TEST_F(LintTest, DemoModelIsCleanAndUnpermutedRowsAreFound) {
  const auto path = testing::DemoModelPath();
  if (!path) GTEST_SKIP() << "no demo model (TERSOR_DEMO_MODEL)";
  const v1::LintReport report = Lint(*path);
  EXPECT_THAT(Errors(report), IsEmpty()) << report.DebugString();
  EXPECT_EQ(report.compared_tensors(), 30 * 7 + 1);
  const Model whole = *LoadModel(*path);
  const v1::LintReport container = Lint(Container(whole, root_ / "demo"));
  EXPECT_THAT(Errors(container), IsEmpty()) << container.DebugString();
  EXPECT_EQ(container.compared_tensors(), static_cast<int64_t>(whole.parameters.size()));
  // The rows of q and k in Hugging Face's order, as a converter without the permutation leaves them: in place, row
  // 2i + h of a head for row i + h * half.
  std::string bytes = *ReadFile(*path);
  const Model model = *LoadModel(*path);
  fs::copy_file(*path, root_ / "unpermuted.gguf");
  {
    std::FILE* file = std::fopen((root_ / "unpermuted.gguf").c_str(), "r+b");
    for (size_t layer = 0; layer < model.spec.layers.size(); ++layer) {
      const EncodedTensorPtr ours = *model.Find(absl::StrCat("model.layers.", layer, ".self_attn.k_proj.weight"));
      // Fields() gives the rows in Hugging Face's order; GGUF's are where the file has them.
      const Tensor ordered = ours->Fields()[0].tensor;
      const size_t row_bytes = ordered.bytes().size() / ours->rows();
      const std::vector<int64_t> sources = GgufRowSources(ours->rows(), 3);
      std::string stored(ordered.bytes().size(), '\0');
      for (int64_t row = 0; row < ours->rows(); ++row) {
        std::memcpy(stored.data() + row * row_bytes, ordered.bytes().data() + sources[row] * row_bytes, row_bytes);
      }
      const size_t at = bytes.find(stored);
      ASSERT_NE(at, std::string::npos);
      std::fseek(file, static_cast<long>(at), SEEK_SET);
      std::fwrite(ordered.bytes().data(), 1, ordered.bytes().size(), file);
    }
    std::fclose(file);
  }
  EXPECT_THAT(Errors(Lint(root_ / "unpermuted.gguf")), Contains("ROPE_ROWS_NOT_PERMUTED"));
  EXPECT_THAT(Errors(Lint(root_ / "unpermuted.gguf", *path)), Contains("ROPE_ROWS_NOT_PERMUTED"));
}

}  // namespace
}  // namespace tersor
