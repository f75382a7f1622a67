// What processes that were killed left behind.
#ifndef TERSOR_CORE_BASE_ABANDONED_FILES_H_
#define TERSOR_CORE_BASE_ABANDONED_FILES_H_

#include <filesystem>

namespace tersor {

// Whether this is a temporary name (NAME.tmp-PID-N, see atomic_file.h and temporary_folder.h) of a process that does
// not run any more. A process of another machine on a shared folder counts as running only while its number is taken
// here.
bool IsAbandoned(const std::filesystem::path& path);

// Removes what IsAbandoned at or below `folder`; answers how many files and folders that were.
int RemoveAbandoned(const std::filesystem::path& folder);

// Removes every temporary name at or below `folder`, where nobody writes now.
int RemoveTemporaries(const std::filesystem::path& folder);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_ABANDONED_FILES_H_
