// A folder of a test's own, so that tests may run side by side.
#ifndef TERSOR_TESTS_TESTING_SCRATCH_FOLDER_H_
#define TERSOR_TESTS_TESTING_SCRATCH_FOLDER_H_

#include <filesystem>

namespace tersor::testing {

// A new empty folder under the system's temporary one; goes with the object.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_TESTING_SCRATCH_FOLDER_H_
