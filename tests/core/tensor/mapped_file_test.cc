#include "core/tensor/mapped_file.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

// Of this process, at the moment.
int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST(MappedFileTest, ReleasedPagesReadTheSame) {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "released_pages";
  constexpr size_t kBytes = 32 << 20;
  std::string content(kBytes, 'a');
  for (size_t i = 0; i < kBytes; i += 1000) content[i] = static_cast<char>('b' + i % 7);
  ASSERT_TRUE(WriteFileAtomically(path, content).ok());
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::span<const std::byte> bytes = (*file)->bytes();
  const auto same = [&] { return std::equal(bytes.begin(), bytes.end(), std::as_bytes(std::span(content)).begin()); };
  ASSERT_TRUE(same());
  const int64_t before = ResidentBytes();
  ReleaseMappedPages(bytes.subspan(100, kBytes - 200));
  EXPECT_LT(ResidentBytes(), before - static_cast<int64_t>(kBytes) / 2);
  EXPECT_TRUE(same());
  std::filesystem::remove(path);
}

TEST(MappedFileTest, OwnedMemoryIsLeftAlone) {
  const std::vector<char> owned(1 << 20, 'x');
  ReleaseMappedPages(std::as_bytes(std::span(owned)));
  EXPECT_EQ(std::count(owned.begin(), owned.end(), 'x'), 1 << 20);
  ReleaseMappedPages({});
}

}  // namespace
}  // namespace tersor
