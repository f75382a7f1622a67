// Room on the disk that is kept for the store's last words.
#ifndef TERSOR_SERVER_STORE_BALLAST_H_
#define TERSOR_SERVER_STORE_BALLAST_H_

#include <cstdint>
#include <filesystem>
#include <utility>

namespace tersor {

// A file that is removed when the disk is full, so that the end of an attempt can be stored all the same. Thread-safe.
class Ballast {
 public:
  explicit Ballast(std::filesystem::path path) : path_(std::move(path)) {}

  // Makes the file where there is none and room enough: 16 MiB, or a 16th of what is free.
  void Keep() const;
  // Gives the room free; false where there was none kept.
  bool Release() const;

 private:
  const std::filesystem::path path_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_BALLAST_H_
