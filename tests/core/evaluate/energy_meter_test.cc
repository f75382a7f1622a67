#include "core/evaluate/energy_meter.h"

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

class EnergyMeterTest : public ::testing::Test {
 protected:
  void Write(const std::string& domain, const std::string& file, const std::string& text) {
    std::filesystem::create_directories(folder_.path() / domain);
    std::ofstream(folder_.path() / domain / file) << text;
  }
  void AddDomain(const std::string& domain, const std::string& energy) {
    Write(domain, "max_energy_range_uj", "10000000\n");
    Write(domain, "energy_uj", energy);
  }
  testing::ScratchFolder folder_;
};

TEST_F(EnergyMeterTest, PackagesAreAddedUpAndWrapAround) {
  AddDomain("intel-rapl:0", "9000000\n");
  AddDomain("intel-rapl:1", "1000000\n");
  AddDomain("intel-rapl:0:0", "5\n");
  AddDomain("intel-rapl-mmio:0", "5\n");
  auto meter = EnergyMeter::Open(folder_.path());
  ASSERT_TRUE(meter.ok()) << meter.status();
  EXPECT_EQ(meter->Joules().value_or(-1), 0);
  Write("intel-rapl:0", "energy_uj", "9500000\n");
  Write("intel-rapl:0:0", "energy_uj", "900000\n");
  EXPECT_DOUBLE_EQ(meter->Joules().value_or(-1), 0.5);
  Write("intel-rapl:0", "energy_uj", "250000\n");
  Write("intel-rapl:1", "energy_uj", "3000000\n");
  EXPECT_DOUBLE_EQ(meter->Joules().value_or(-1), 0.5 + 0.75 + 2);
}

TEST_F(EnergyMeterTest, MachinesWithoutCountersSaySo) {
  const absl::Status none = EnergyMeter::Open(folder_.path()).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(none.message(), ::testing::HasSubstr("no RAPL counters"));
  EXPECT_EQ(EnergyMeter::Open(folder_.path() / "missing").status().code(), absl::StatusCode::kUnavailable);
  AddDomain("intel-rapl:0", "not a number\n");
  EXPECT_THAT(EnergyMeter::Open(folder_.path()).status().message(), ::testing::HasSubstr("energy_uj"));
}

}  // namespace
}  // namespace tersor
