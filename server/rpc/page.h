// Paging of List calls.
#ifndef TERSOR_SERVER_RPC_PAGE_H_
#define TERSOR_SERVER_RPC_PAGE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// 0 is the default of 50, more than 1000 is 1000; INVALID_ARGUMENT for a negative size.
absl::StatusOr<int> PageSize(int32_t requested);

// A token names where the next page begins; clients must not look inside.
std::string FormatPageToken(int64_t ordinal);

// 0 for the empty token; INVALID_ARGUMENT for one that is not ours.
absl::StatusOr<int64_t> ParsePageToken(absl::string_view token);

}  // namespace tersor

#endif  // TERSOR_SERVER_RPC_PAGE_H_
