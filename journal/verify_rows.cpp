// The verifier's look at users' tables.

#include "journal/user_rows.hpp"
#include "journal/verifier.hpp"

namespace perdure::journal {

Result<void> Verifier::user_rows() {
  return each(Table::rows, kAnyBytes, [&](core::ByteView key) -> Result<void> {
    if (!split_user_row(key)) {
      findings_.add(Table::rows, key, std::string(kNoUserRowKey));
      return success();
    }
    if (const auto entry = row<UserRow>(Table::rows, key))
      payloads_.check(Table::rows, key, entry->payload);
    return success();
  });
}

}  // namespace perdure::journal
