// How much space removing files gives back where several names stand for one file.
#ifndef TERSOR_SERVER_ENGINE_LINKED_BYTES_H_
#define TERSOR_SERVER_ENGINE_LINKED_BYTES_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>

namespace tersor {

// Files by inode, each counted once however many names it has. Not thread-safe.
class LinkedBytes {
 public:
  // Takes in the regular files at or below `path`; answers their bytes, were they alone.
  int64_t Add(const std::filesystem::path& path);
  // Of what was taken in: the files all of whose names were. What has a name elsewhere keeps its space.
  int64_t Total() const;
  // Forgets `path`, to be called before it is removed; answers the bytes of the files whose last name goes with it.
  int64_t Remove(const std::filesystem::path& path);

 private:
  struct Entry {
    int64_t bytes = 0;
    // Names on the file system, names taken in.
    int64_t links = 0, known = 0;
  };
  std::map<std::pair<dev_t, ino_t>, Entry> entries_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_LINKED_BYTES_H_
